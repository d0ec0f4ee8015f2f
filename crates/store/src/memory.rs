//! Stores in memory: for tests, and for apps that may forget.

mod archive;
mod records;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, SecretHash, Timestamp};

use crate::{Client, ClientReader, ClientStore, Page, StoreError, Token, TokenId, TokenKind, TokenStore};

pub use records::MemoryRecords;

/// Clients and tokens in memory, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    clients: BTreeMap<ClientId, Arc<Client>>,
    /// When the clients that are gone were deleted.
    deleted: BTreeMap<ClientId, Timestamp>,
    tokens: BTreeMap<TokenId, Token>,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made whole under one lock, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ClientReader for MemoryStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.state().clients.get(id).cloned())
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.state().deleted.get(id).copied())
    }
}

#[async_trait]
impl ClientStore for MemoryStore {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(id) = paid_with {
            let usable = |token: &&Token| token.is_usable(client.issued_at);
            state.tokens.get(id).filter(usable).ok_or(StoreError::Spent)?;
        }
        if state.clients.contains_key(&client.id) || state.deleted.contains_key(&client.id) {
            return Err(StoreError::Duplicate);
        }
        // Nothing can fail from here on.
        if let Some(uses) = paid_with.and_then(|id| state.tokens.get_mut(id)?.uses_left.as_mut()) {
            *uses -= 1;
        }
        state.clients.insert(client.id.clone(), Arc::new(client.clone()));
        Ok(())
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        let mut state = self.state();
        let stored = state.clients.get_mut(&client.id).filter(|stored| stored.revision == client.revision);
        let stored = stored.ok_or(StoreError::Conflict)?;
        *stored = Arc::new(Client { revision: client.revision + 1, ..client.clone() });
        Ok(())
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state();
        let was_there = state.clients.remove(id).is_some();
        if was_there {
            state.deleted.insert(id.clone(), now);
        }
        Ok(was_there)
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        let state = self.state();
        let rest = state.clients.range((after(page.after), Bound::Unbounded));
        Ok(rest.take(page.limit as usize).map(|(_, client)| Client::clone(client)).collect())
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn put(&self, token: &Token) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.tokens.values().any(|own| own.id == token.id || own.hash == token.hash) {
            return Err(StoreError::Duplicate);
        }
        state.tokens.insert(token.id.clone(), token.clone());
        Ok(())
    }

    async fn get(&self, kind: TokenKind, hash: &SecretHash) -> Result<Option<Token>, StoreError> {
        Ok(self.state().tokens.values().find(|own| own.kind == kind && own.hash == *hash).cloned())
    }

    async fn revoke(&self, id: &TokenId) -> Result<bool, StoreError> {
        Ok(self.state().tokens.remove(id).is_some())
    }

    async fn tokens(
        &self,
        kind: TokenKind,
        last: Option<&TokenId>,
        limit: u32,
    ) -> Result<Vec<Token>, StoreError> {
        let state = self.state();
        let rest = state.tokens.range((after(last.cloned()), Bound::Unbounded)).map(|(_, token)| token);
        Ok(rest.filter(|token| token.kind == kind).take(limit as usize).cloned().collect())
    }
}

fn after<T>(last: Option<T>) -> Bound<T> {
    last.map_or(Bound::Unbounded, Bound::Excluded)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn empty() -> Arc<MemoryStore> {
        Arc::new(MemoryStore::default())
    }

    crate::client_store_conformance!(empty);
    crate::token_store_conformance!(empty);
    crate::client_archive_conformance!(empty);
}
