//! Registrations of which nothing is stored: each is its own `client_id`, sealed. Whoever floods an open registration endpoint
//! makes nothing grow. RFC 7591 Appendix A.5.2.
//!
//! A row is written for what somebody other than the client did: a person authorized it, an operator disabled it, or it was
//! deleted. From then on the row is the client.

mod form;
mod keys;
mod lifetimes;
mod phrases;

use std::sync::Arc;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};

use crate::{Client, ClientReader, ClientStore, Page, StoreError, TokenId};
pub(crate) use form::PREFIX;
pub use form::{Sealed, TooLong};
pub use keys::{Opened, RegistrationKeyEntry, RegistrationKeyError, RegistrationKeys};

/// Where a registration is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// In a row, from the first moment on.
    #[default]
    Stored,
    /// In its `client_id`, until a person has authorized the client; then in a row.
    Provisional,
    /// In its `client_id` alone.
    Stateless,
}

/// A store for sealed registrations and for others: it has rows, and opens what has none. Sealed are those that
/// [`RegistrationKeys::seal`] made; every other client is stored as it is.
pub struct SealedStore {
    rows: Arc<dyn ClientStore>,
    keys: Arc<RegistrationKeys>,
}

impl SealedStore {
    /// A store with its rows in this one, in which deleted clients are found as well.
    pub fn new(rows: Arc<dyn ClientStore>, keys: Arc<RegistrationKeys>) -> Self {
        Self { rows, keys }
    }
}

/// The same for whoever only reads: it writes no row for anybody.
pub struct SealedReader {
    rows: Arc<dyn ClientReader>,
    keys: Arc<RegistrationKeys>,
}

impl SealedReader {
    /// A reader of the rows of this one.
    pub fn new(rows: Arc<dyn ClientReader>, keys: Arc<RegistrationKeys>) -> Self {
        Self { rows, keys }
    }
}

/// The row goes first, whatever the identifier says; then the end of the client; then the identifier, while its time lasts.
async fn read(
    row: Option<Arc<Client>>,
    rows: &dyn ClientReader,
    keys: &RegistrationKeys,
    id: &ClientId,
) -> Result<Option<Arc<Client>>, StoreError> {
    if row.is_some() {
        return Ok(row);
    }
    let Some(Opened { client, ended_at: None, .. }) = keys.opened(id).await? else { return Ok(None) };
    Ok(rows.deleted_at(id).await?.is_none().then(|| Arc::new(client)))
}

/// A client that has a row ends when that is deleted.
async fn deleted_at(
    rows: &dyn ClientReader,
    keys: &RegistrationKeys,
    id: &ClientId,
) -> Result<Option<Timestamp>, StoreError> {
    if let Some(deleted_at) = rows.deleted_at(id).await? {
        return Ok(Some(deleted_at));
    }
    let Some(Opened { ended_at: Some(end), .. }) = keys.opened(id).await? else { return Ok(None) };
    Ok(rows.client(id).await?.is_none().then_some(end))
}

#[async_trait]
impl ClientReader for SealedReader {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        read(self.rows.client(id).await?, &*self.rows, &self.keys, id).await
    }

    async fn recent_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        read(self.rows.recent_client(id).await?, &*self.rows, &self.keys, id).await
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        deleted_at(&*self.rows, &self.keys, id).await
    }
}

#[async_trait]
impl ClientReader for SealedStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        read(self.rows.client(id).await?, &*self.rows, &self.keys, id).await
    }

    async fn recent_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        read(self.rows.recent_client(id).await?, &*self.rows, &self.keys, id).await
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        deleted_at(&*self.rows, &self.keys, id).await
    }

    /// Writes the row of a provisional client that has none.
    async fn confirm(&self, client: &Client) -> Result<(), StoreError> {
        if !client.is_sealed() {
            return Ok(());
        }
        match self.keys.opened(&client.id).await? {
            Some(Opened { client, storage: Storage::Provisional, ended_at: None }) => {
                match self.begin(&client).await {
                    // Somebody was quicker, with a row or with its end.
                    Ok(()) | Err(StoreError::Duplicate) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            _ => Ok(()),
        }
    }
}

impl SealedStore {
    /// Writes the first row of a sealed client.
    async fn begin(&self, client: &Client) -> Result<(), StoreError> {
        self.rows.insert(&Client { revision: 1, ..client.clone() }, None).await
    }
}

#[async_trait]
impl ClientStore for SealedStore {
    /// Of a sealed client nothing is written: its identifier holds it, the key is stored, and nobody ever had the same one.
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        if !client.is_sealed() {
            return self.rows.insert(client, paid_with).await;
        }
        if paid_with.is_some() {
            return Err(StoreError::backend("a registration that takes a use of a token must be stored"));
        }
        match self.keys.made(&client.id).await? {
            true => Ok(()),
            false => Err(StoreError::backend("the client_id does not hold the registration")),
        }
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        if !client.is_sealed() {
            return self.rows.replace(client).await;
        }
        if self.client(&client.id).await?.is_none() {
            return Err(StoreError::Conflict);
        }
        // Of two first changes one finds the row of the other; one that finds the end of the client as well.
        self.begin(client).await.map_err(|error| match error {
            StoreError::Duplicate => StoreError::Conflict,
            error => error,
        })
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        if self.rows.delete(id, now).await? {
            return Ok(true);
        }
        let Some(Opened { client, ended_at: None, .. }) = self.keys.opened(id).await? else {
            return Ok(false);
        };
        // The list of those that have ended is what deleted rows leave.
        match self.begin(&client).await {
            Ok(()) | Err(StoreError::Duplicate) => self.rows.delete(id, now).await,
            Err(error) => Err(error),
        }
    }

    /// Those that have a row.
    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        self.rows.list(page).await
    }
}

#[cfg(test)]
mod tests;
