//! Clients in the tables of an IdentityServer: those that its store for Entity Framework makes and reads.
//!
//! The tables are somebody else's. None is changed; clients that were there are read, and what others edit is what counts. What these
//! tables have no place for (identifiers that are not given again, tokens) stands in tables of ours beside them, so that a
//! registration and the token that pays for it are one write.

mod archive;
mod catalogue;
mod children;
mod columns;
mod dialect;
mod moments;
mod properties;
mod read;
mod rows;
mod secrets;
mod write;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{BoxError, Client, ClientReader, ClientStore, Page, StoreError, TokenId};

use crate::address::without_password;
use crate::database::{Access, Database, OpenError};
use crate::migrate::{Plane, SchemaVersion};
use crate::tokens::TOKENS_BESIDE;
use catalogue::Catalogue;
use read::Reading;
use rows::Rows;
use write::Writing;

/// When a client was deleted here.
const DELETED_AT: &str =
    "SELECT deleted_at FROM enroll_client_ids WHERE client_id = ? AND deleted_at IS NOT NULL";

/// A query whose number of rows nobody knows.
const ANY: u32 = u32::MAX;

/// The longest identifier that the tables hold, in characters.
const LONGEST_ID: usize = 200;

/// A store for clients and tokens in the configuration database of an IdentityServer. Cloning it is cheap; all clones share the
/// connections.
#[derive(Clone)]
pub struct IdentityServerStore {
    pub(crate) database: Arc<Database>,
    catalogue: Arc<Catalogue>,
    reading: Arc<Reading>,
}

impl IdentityServerStore {
    /// Opens the database at `url`, which must hold the tables of an IdentityServer. With [`Access::ReadWrite`] the tables that
    /// stand beside them are made when they are not there.
    pub async fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        let failed = |source: BoxError| OpenError::Failed { database: without_password(url), source };
        // Before anything is made beside: what cannot be used stays as it is.
        let foreign = Database::open(url, Plane::Foreign, Access::ReadOnly).await?;
        let engine = foreign.engine();
        let rows = foreign.fetch(engine.catalogue(), [], ANY).await.map_err(|error| failed(error.into()))?;
        let catalogue = Catalogue::read(engine, rows).map_err(|error| failed(error.into()))?;
        catalogue.check().map_err(|problem| failed(problem.into()))?;
        let database = Database::open(url, Plane::IdentityServer, access).await?;
        let reading = Reading::of(&catalogue);
        Ok(Self { database: Arc::new(database), catalogue: Arc::new(catalogue), reading: Arc::new(reading) })
    }

    /// The schema that our tables beside have and the one that this version needs, without changing anything.
    pub async fn schema(url: &str) -> Result<SchemaVersion, OpenError> {
        Database::schema(url, Plane::IdentityServer).await
    }

    /// Copies the whole database, as [`SqlStore::back_up`](crate::SqlStore::back_up) does: the tables of others as well.
    pub fn back_up(url: &str, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<(), OpenError> {
        Database::back_up(url, Plane::IdentityServer, to, &mut progress)
    }

    async fn rows(&self, id: &ClientId) -> Result<Option<Rows>, StoreError> {
        if !is_held(id) {
            return Ok(None);
        }
        let (sql, values) = self.reading.one(id.as_str());
        let rows = self.reading.clients(self.database.fetch(sql, values, ANY).await?)?;
        // Some engines take names for equal that are not.
        Ok(rows.into_iter().find(|rows| rows.client_id == id.as_str()))
    }
}

/// Whether somebody can have this identifier. Not every engine takes the question otherwise.
fn is_held(id: &ClientId) -> bool {
    !id.as_str().contains('\0') && id.as_str().chars().count() <= LONGEST_ID
}

#[async_trait]
impl ClientReader for IdentityServerStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.rows(id).await?.map(|rows| rows.client().map(Arc::new)).transpose()
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        if !is_held(id) {
            return Ok(None);
        }
        let rows = self.database.fetch(DELETED_AT, [id.as_str().into()], 1).await?;
        rows.into_iter().next().map(|mut row| row.required_number().map(Timestamp)).transpose()
    }
}

#[async_trait]
impl ClientStore for IdentityServerStore {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        let rows = Rows::of(client, &self.catalogue)?;
        self.catalogue.check_values(&rows, &Rows::default())?;
        let payment = paid_with.map(|token| TOKENS_BESIDE.take_use(token, client.issued_at));
        let unit = payment.into_iter().chain(Writing(&self.catalogue).insert(client, &rows));
        self.database.apply(unit.collect()).await.map(drop)
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        let Some(before) = self.rows(&client.id).await? else { return Err(StoreError::Conflict) };
        let current = before.client()?;
        if current.revision != client.revision {
            return Err(StoreError::Conflict);
        }
        let after = before.changed(&current, client, &self.catalogue)?;
        self.catalogue.check_values(&after, &before)?;
        let unit = Writing(&self.catalogue).replace(&before, &after, &current, client);
        match self.database.apply(unit).await {
            // Somebody else was quicker, by whatever row that shows.
            Err(StoreError::Duplicate) => Err(StoreError::Conflict),
            outcome => outcome.map(drop),
        }
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(rows) = self.rows(id).await? else { return Ok(false) };
        match self.database.apply(Writing(&self.catalogue).delete(&rows, now)).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        let after = page.after.as_ref().map_or("", ClientId::as_str);
        let (sql, values) = self.reading.page(after, page.limit);
        let rows = self.reading.clients(self.database.fetch(sql, values, ANY).await?)?;
        rows.iter().map(Rows::client).collect()
    }
}

#[cfg(test)]
mod tests;
