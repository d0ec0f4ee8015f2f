//! What whoever keeps a store in order needs beside [`ClientStore`]: the traces of deleted clients, and a deletion that
//! nobody's change gets lost in.

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::sealed::PREFIX;
use crate::{Client, ClientStore, Page, StoreError};

/// What is left of a deleted client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// `client_id`, or what the store keeps of one that is too long for it.
    pub client_id: ClientId,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

impl Tombstone {
    /// Whether the client could come back if this were forgotten, since its identifier holds it. Of an identifier that a store
    /// keeps as a hash, which begins with `#`, nobody knows.
    pub fn may_be_sealed(&self) -> bool {
        let id = self.client_id.as_str();
        id.starts_with(PREFIX) || id.starts_with('#')
    }
}

/// Moving clients to another store, and clearing away those that nobody uses. Registration needs none of it. Apply
/// [`client_archive_conformance!`](crate::client_archive_conformance).
#[async_trait]
pub trait ClientArchive: ClientStore {
    /// Deletes the client as [`ClientStore::delete`] does, if its revision is still `client.revision`; `false` when it was
    /// changed since it was read, or is gone.
    async fn retire(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError>;

    /// The deleted clients by identifier, a page at a time.
    async fn tombstones(&self, page: Page) -> Result<Vec<Tombstone>, StoreError>;

    /// Keeps an identifier that was deleted elsewhere from being given; `false` when it was deleted here as well, and
    /// [`StoreError::Duplicate`] when it is a client's.
    async fn bury(&self, tombstone: &Tombstone) -> Result<bool, StoreError>;

    /// Forgets a deleted client for good, so that its identifier could be given again; `false` when there is no such
    /// tombstone.
    async fn forget(&self, id: &ClientId) -> Result<bool, StoreError>;
}
