//! A signed request that comes twice at the same moment. RFC 7523 §3, item 7.

use std::sync::Arc;

use async_trait::async_trait;
use enroll_access::{Gate, policy};
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientReader, ClientStore, MemoryStore, Page, StoreError, TokenId};
use enroll_testkit::{ClientKey, TestApp};
use serde_json::json;
use tokio::sync::Notify;

/// Says when a client is about to be deleted, and waits to be told to go on.
#[derive(Default)]
struct HesitantStore {
    clients: MemoryStore,
    about_to_delete: Notify,
    go_on: Notify,
}

#[async_trait]
impl ClientReader for HesitantStore {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.clients.client(id).await
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        self.clients.deleted_at(id).await
    }
}

#[async_trait]
impl ClientStore for HesitantStore {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        self.clients.insert(client, paid_with).await
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        self.clients.replace(client).await
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        self.about_to_delete.notify_one();
        self.go_on.notified().await;
        self.clients.delete(id, now).await
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        self.clients.list(page).await
    }
}

#[tokio::test]
async fn a_signed_request_that_deletes_does_nothing_else_meanwhile() {
    let store = Arc::new(HesitantStore::default());
    let app = TestApp::build(|builder| builder.gate(Gate::require(policy::open())).clients(store.clone()));
    let key = ClientKey::new("k");
    let metadata = json!({
        "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": key.jwks(),
    });
    let registered = app.anonymous().register(metadata).await.json();
    let (id, uri) = (&registered["client_id"], registered["registration_client_uri"].as_str().unwrap());
    let claims = json!({ "iss": id, "sub": id, "aud": uri, "jti": "1", "exp": 1_800_000_060 });
    let owner = app.bearer(&key.sign(&claims));

    let meanwhile = async {
        store.about_to_delete.notified().await;
        let again = owner.read(uri).await;
        store.go_on.notify_one();
        again
    };
    let (deleted, again) = tokio::join!(owner.delete(uri), meanwhile);
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    assert_eq!(again.status, 401, "{}", again.body);
    assert!(again.body.contains("used before"), "{}", again.body);
}
