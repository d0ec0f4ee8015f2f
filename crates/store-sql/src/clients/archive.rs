//! Deleted clients: rows that keep an identifier and a time.

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientArchive, Page, StoreError, Tombstone};

use crate::SqlStore;
use crate::database::{Row, Statement, Value};

const RETIRE: &str = "UPDATE clients SET document = '', deleted_at = ? \
     WHERE client_id = ? AND revision = ? AND deleted_at IS NULL";
const PAGE: &str = "SELECT client_id, deleted_at FROM clients \
     WHERE client_id > ? AND deleted_at IS NOT NULL ORDER BY client_id LIMIT ?";
const BURY: &str = "INSERT INTO clients (client_id, revision, issued_at, enabled, document, deleted_at) \
     VALUES (?, ?, ?, ?, ?, ?)";
const FORGET: &str = "DELETE FROM clients WHERE client_id = ? AND deleted_at IS NOT NULL";

#[async_trait]
impl ClientArchive for SqlStore {
    async fn retire(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        let values = [now.seconds().into(), client.id.as_str().into(), client.revision.into()];
        let touched = self.database.apply(vec![Statement::new(RETIRE, values)]).await?;
        Ok(touched > 0)
    }

    async fn tombstones(&self, page: Page) -> Result<Vec<Tombstone>, StoreError> {
        let after = page.after.map_or(Value::Text(String::new()), |id| id.as_str().into());
        let rows = self.database.fetch(PAGE, [after, page.limit.into()], page.limit).await?;
        rows.into_iter().map(read).collect()
    }

    async fn bury(&self, tombstone: &Tombstone) -> Result<(), StoreError> {
        let deleted_at: Value = tombstone.deleted_at.seconds().into();
        let (id, none) = (tombstone.client_id.as_str().into(), Value::Integer(0));
        let values = [id, Value::Integer(1), deleted_at.clone(), none, "".into(), deleted_at];
        self.database.apply(vec![Statement::new(BURY, values)]).await.map(drop)
    }

    async fn forget(&self, id: &ClientId) -> Result<bool, StoreError> {
        let touched = self.database.apply(vec![Statement::new(FORGET, [id.as_str().into()])]).await?;
        Ok(touched > 0)
    }
}

fn read(mut row: Row) -> Result<Tombstone, StoreError> {
    let client_id = ClientId::from(row.text()?.as_str());
    Ok(Tombstone { client_id, deleted_at: Timestamp(row.required_number()?) })
}
