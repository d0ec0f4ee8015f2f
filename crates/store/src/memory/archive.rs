//! Deleted clients in memory.

use std::ops::Bound;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};

use super::{MemoryStore, after};
use crate::{Client, ClientArchive, Page, StoreError, Tombstone};

#[async_trait]
impl ClientArchive for MemoryStore {
    async fn retire(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state();
        let is_same = state.clients.get(&client.id).is_some_and(|own| own.revision == client.revision);
        if is_same {
            state.clients.remove(&client.id);
            state.deleted.insert(client.id.clone(), now);
        }
        Ok(is_same)
    }

    async fn tombstones(&self, page: Page) -> Result<Vec<Tombstone>, StoreError> {
        let state = self.state();
        let rest = state.deleted.range((after(page.after), Bound::Unbounded)).take(page.limit as usize);
        let tombstones = rest.map(|(id, at)| Tombstone { client_id: id.clone(), deleted_at: *at });
        Ok(tombstones.collect())
    }

    async fn bury(&self, tombstone: &Tombstone) -> Result<bool, StoreError> {
        let mut state = self.state();
        let id = &tombstone.client_id;
        if state.clients.contains_key(id) {
            return Err(StoreError::Duplicate);
        }
        let is_new = !state.deleted.contains_key(id);
        if is_new {
            state.deleted.insert(id.clone(), tombstone.deleted_at);
        }
        Ok(is_new)
    }

    async fn forget(&self, id: &ClientId) -> Result<bool, StoreError> {
        Ok(self.state().deleted.remove(id).is_some())
    }
}
