//! A store whose columns have an end. RFC 7591 §3.2.2.

use std::sync::Arc;

use async_trait::async_trait;
use enroll_access::{Gate, policy};
use enroll_oauth_types::{ClientId, Rejection, Timestamp};
use enroll_store::{Client, ClientReader, ClientStore, MemoryStore, Page, StoreError, TokenId};
use enroll_testkit::TestApp;
use serde_json::json;

/// Holds names of ten letters at the most.
#[derive(Default)]
struct NarrowStore(MemoryStore);

fn check(client: &Client) -> Result<(), StoreError> {
    let name = client.metadata.client_name.as_ref().and_then(|name| name.untagged());
    match name.is_some_and(|name| name.chars().count() > 10) {
        true => {
            Err(StoreError::Refused(Rejection::metadata("client_name", "must have at most 10 characters")))
        }
        false => Ok(()),
    }
}

#[async_trait]
impl ClientReader for NarrowStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.0.client(id).await
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        self.0.deleted_at(id).await
    }
}

#[async_trait]
impl ClientStore for NarrowStore {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        check(client)?;
        self.0.insert(client, paid_with).await
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        check(client)?;
        self.0.replace(client).await
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        self.0.delete(id, now).await
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        self.0.list(page).await
    }
}

#[tokio::test]
async fn what_the_store_has_no_place_for_is_refused_and_named() {
    let store = Arc::new(NarrowStore::default());
    let app = TestApp::build(|builder| builder.gate(Gate::require(policy::open())).clients(store.clone()));
    let metadata = |name: &str| json!({ "redirect_uris": ["https://app.example/cb"], "client_name": name });
    let refusal = json!({ "error": "invalid_client_metadata", "error_description": "client_name: must have at most 10 characters" });

    let refused = app.anonymous().register(metadata("Eleven char")).await;
    assert_eq!((refused.status.as_u16(), refused.json()), (400, refusal.clone()));
    assert!(store.list(Page { after: None, limit: 1 }).await.unwrap().is_empty());

    let registered = app.anonymous().register(metadata("Ten chars.")).await.json();
    let owner = app.bearer(registered["registration_access_token"].as_str().unwrap());
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let mut update = metadata("Eleven char");
    update["client_id"] = registered["client_id"].clone();
    let refused = owner.update(uri, &update).await;
    assert_eq!((refused.status.as_u16(), refused.json()), (400, refusal));
    let read = owner.read(uri).await.json();
    assert_eq!(read["client_name"], "Ten chars.");
}
