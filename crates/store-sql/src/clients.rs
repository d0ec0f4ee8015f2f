//! Clients: one row and one document each.

mod archive;
mod known;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientReader, ClientStore, Page, StoreError, TokenId};

use crate::SqlStore;
use crate::client_key::client_key;
use crate::database::{Row, Statement, Value};
use crate::tokens::TOKENS;
pub(crate) use known::KnownClients;

const INSERT: &str =
    "INSERT INTO clients (client_key, revision, issued_at, enabled, document) VALUES (?, ?, ?, ?, ?)";
const REPLACE: &str = "UPDATE clients SET revision = revision + 1, enabled = ?, document = ? \
     WHERE client_key = ? AND revision = ? AND deleted_at IS NULL";
const DELETE: &str =
    "UPDATE clients SET document = '', deleted_at = ? WHERE client_key = ? AND deleted_at IS NULL";
/// Without the document where its revision is the given one: who knows that has read it.
const BY_ID: &str = "SELECT revision, CASE WHEN revision = ? THEN NULL ELSE document END FROM clients \
     WHERE client_key = ? AND deleted_at IS NULL";
const DELETED_AT: &str = "SELECT deleted_at FROM clients WHERE client_key = ? AND deleted_at IS NOT NULL";
const PAGE: &str = "SELECT revision, document FROM clients \
     WHERE client_key > ? AND deleted_at IS NULL ORDER BY client_key LIMIT ?";

#[async_trait]
impl ClientReader for SqlStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let key = &*client_key(id.as_str());
        let now = Instant::now();
        let (look, known) = (self.known.look(now), self.known.get(key, now));
        let values = [known.as_ref().map(|known| known.revision).into(), key.into()];
        let Some(mut row) = self.database.fetch(BY_ID, values, 1).await?.pop() else {
            if known.is_some() {
                self.known.forget(key);
            }
            return Ok(None);
        };
        let revision = row.required_number()?;
        match (row.optional_text()?, known) {
            (None, Some(known)) => {
                self.known.confirm(key, look);
                Ok(Some(known))
            }
            (document, _) => {
                let document = document.unwrap_or_default();
                let client = Arc::new(Client::from_document(&document, revision)?);
                self.known.keep(key, client.clone(), document.len(), look);
                Ok(Some(client))
            }
        }
    }

    async fn recent_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        match self.known.recent(&client_key(id.as_str()), Instant::now()) {
            Some(client) => Ok(Some(client)),
            None => self.client(id).await,
        }
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.database.fetch(DELETED_AT, [client_key(id.as_str()).into()], 1).await?;
        rows.into_iter().next().map(|mut row| row.required_number().map(Timestamp)).transpose()
    }
}

#[async_trait]
impl ClientStore for SqlStore {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        let mut unit = Vec::with_capacity(2);
        if let Some(token) = paid_with {
            unit.push(TOKENS.take_use(token, client.issued_at));
        }
        let values = [
            client_key(client.id.as_str()).into(),
            client.revision.into(),
            client.issued_at.seconds().into(),
            client.enabled.into(),
            client.to_document().into(),
        ];
        unit.push(Statement::new(INSERT, values));
        self.database.apply(unit).await.map(drop)
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        let values = [
            client.enabled.into(),
            client.to_document().into(),
            client_key(client.id.as_str()).into(),
            client.revision.into(),
        ];
        self.change(&client.id, Statement::new(REPLACE, values).or(StoreError::Conflict)).await.map(drop)
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let values = [now.seconds().into(), client_key(id.as_str()).into()];
        Ok(self.change(id, Statement::new(DELETE, values)).await? > 0)
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        let after = page.after.map_or(Value::Text(String::new()), |id| client_key(id.as_str()).into());
        let rows = self.database.fetch(PAGE, [after, page.limit.into()], page.limit).await?;
        rows.into_iter().map(read).collect()
    }
}

impl SqlStore {
    /// Changes one client, and says how many rows that touched. Whatever comes of it, what is known of the client may be over,
    /// here and on the other nodes.
    async fn change(&self, id: &ClientId, statement: Statement) -> Result<u64, StoreError> {
        let changed = self.database.apply(vec![statement]).await;
        let key = client_key(id.as_str());
        self.known.forget(&key);
        if !matches!(changed, Ok(0) | Err(StoreError::Conflict)) {
            self.database.tell(&key).await;
        }
        changed
    }
}

fn read(mut row: Row) -> Result<Client, StoreError> {
    let revision = row.required_number()?;
    Client::from_document(&row.text()?, revision)
}
