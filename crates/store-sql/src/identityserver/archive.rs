//! Deleted clients: identifiers that are not given again, in the table beside.

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientArchive, Page, StoreError, Tombstone};

use super::write::Writing;
use super::{IdentityServerStore, is_held};
use crate::database::{Row, Statement};

const PAGE: &str = "SELECT client_id, deleted_at FROM enroll_client_ids \
     WHERE client_id > ? AND deleted_at IS NOT NULL ORDER BY client_id LIMIT ?";
const BURY: &str = "INSERT INTO enroll_client_ids (client_id, deleted_at) VALUES (?, ?)";
const FORGET: &str = "DELETE FROM enroll_client_ids WHERE client_id = ? AND deleted_at IS NOT NULL";

#[async_trait]
impl ClientArchive for IdentityServerStore {
    async fn retire(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        let Some(rows) = self.rows(&client.id).await? else { return Ok(false) };
        let current = rows.client()?;
        if current.revision != client.revision {
            return Ok(false);
        }
        let after = rows.changed(&current, &current, &self.catalogue)?;
        let unit = Writing(&self.catalogue).retire(&rows, &after, &current, now);
        match self.database.apply(unit).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn tombstones(&self, page: Page) -> Result<Vec<Tombstone>, StoreError> {
        let after = page.after.as_ref().map_or("", ClientId::as_str);
        let rows = self.database.fetch(PAGE, [after.into(), page.limit.into()], page.limit).await?;
        rows.into_iter().map(read).collect()
    }

    async fn bury(&self, tombstone: &Tombstone) -> Result<bool, StoreError> {
        let id = &tombstone.client_id;
        if !is_held(id) {
            return Ok(false); // nobody can have it
        }
        if self.rows(id).await?.is_some() {
            return Err(StoreError::Duplicate);
        }
        let values = [id.as_str().into(), tombstone.deleted_at.seconds().into()];
        match self.database.apply(vec![Statement::new(BURY, values)]).await {
            Ok(_) => Ok(true),
            Err(StoreError::Duplicate) if self.rows(id).await?.is_none() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn forget(&self, id: &ClientId) -> Result<bool, StoreError> {
        if !is_held(id) {
            return Ok(false);
        }
        let touched = self.database.apply(vec![Statement::new(FORGET, [id.as_str().into()])]).await?;
        Ok(touched > 0)
    }
}

fn read(mut row: Row) -> Result<Tombstone, StoreError> {
    let client_id = ClientId::from(row.text()?.as_str());
    Ok(Tombstone { client_id, deleted_at: Timestamp(row.required_number()?) })
}
