//! Deleted clients: rows that keep a key and a time. A row knows its client by the key alone, so where that is not the
//! identifier, a tombstone has the key.

use std::borrow::Cow;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientArchive, Page, StoreError, Tombstone};

use crate::SqlStore;
use crate::client_key::{client_key, is_hashed};
use crate::database::{Row, Statement, Value};

const RETIRE: &str = "UPDATE clients SET document = '', deleted_at = ? \
     WHERE client_key = ? AND revision = ? AND deleted_at IS NULL";
const PAGE: &str = "SELECT client_key, deleted_at FROM clients \
     WHERE client_key > ? AND deleted_at IS NOT NULL ORDER BY client_key LIMIT ?";
const BURY: &str = "INSERT INTO clients (client_key, revision, issued_at, enabled, document, deleted_at) \
     VALUES (?, ?, ?, ?, ?, ?)";
const IS_DELETED: &str = "SELECT deleted_at FROM clients WHERE client_key = ? AND deleted_at IS NOT NULL";
const FORGET: &str = "DELETE FROM clients WHERE client_key = ? AND deleted_at IS NOT NULL";

#[async_trait]
impl ClientArchive for SqlStore {
    async fn retire(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        let key = client_key(client.id.as_str()).into();
        let values = [now.seconds().into(), key, client.revision.into()];
        Ok(self.change(&client.id, Statement::new(RETIRE, values)).await? > 0)
    }

    async fn tombstones(&self, page: Page) -> Result<Vec<Tombstone>, StoreError> {
        let after = page.after.map_or(Value::Text(String::new()), |id| key_of(&id).into());
        let rows = self.database.fetch(PAGE, [after, page.limit.into()], page.limit).await?;
        rows.into_iter().map(read).collect()
    }

    async fn bury(&self, tombstone: &Tombstone) -> Result<bool, StoreError> {
        let key: Value = key_of(&tombstone.client_id).into();
        let deleted_at: Value = tombstone.deleted_at.seconds().into();
        let (first, disabled) = (Value::Integer(1), Value::Integer(0));
        let values = [key.clone(), first, deleted_at.clone(), disabled, "".into(), deleted_at];
        match self.database.apply(vec![Statement::new(BURY, values)]).await {
            Ok(_) => Ok(true),
            Err(StoreError::Duplicate) => match self.database.fetch(IS_DELETED, [key], 1).await?.is_empty() {
                true => Err(StoreError::Duplicate),
                false => Ok(false),
            },
            Err(error) => Err(error),
        }
    }

    async fn forget(&self, id: &ClientId) -> Result<bool, StoreError> {
        let touched = self.database.apply(vec![Statement::new(FORGET, [key_of(id).into()])]).await?;
        Ok(touched > 0)
    }
}

/// The key of a deleted client, whether a tombstone has its identifier or the key itself.
fn key_of(id: &ClientId) -> Cow<'_, str> {
    if is_hashed(id.as_str()) { Cow::Borrowed(id.as_str()) } else { client_key(id.as_str()) }
}

fn read(mut row: Row) -> Result<Tombstone, StoreError> {
    let client_id = ClientId::from(row.text()?.as_str());
    Ok(Tombstone { client_id, deleted_at: Timestamp(row.required_number()?) })
}
