//! A node that remembers clients for a while, and others that change them meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientReader, MemoryStore, StoreError};
use http::{Request, header};
use serde_json::json;

use crate::harness::Server;

/// Remembers each client as it saw it first, for ever: no node is as slow.
struct Remembering {
    clients: Arc<MemoryStore>,
    seen: Mutex<BTreeMap<ClientId, Arc<Client>>>,
}

#[async_trait]
impl ClientReader for Remembering {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.clients.client(id).await
    }

    async fn recent_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let now = self.clients.client(id).await?;
        let mut seen = self.seen.lock().unwrap();
        if let Some(client) = now {
            seen.entry(id.clone()).or_insert(client);
        }
        Ok(seen.get(id).cloned())
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        self.clients.deleted_at(id).await
    }
}

async fn slow_node() -> Server {
    Server::reading(|clients| Arc::new(Remembering { clients, seen: Mutex::default() })).await
}

const TOKEN: &[(&str, &str)] = &[("grant_type", "client_credentials")];

#[tokio::test]
async fn a_client_is_what_it_is_now_as_soon_as_it_is_told_so() {
    let server = slow_node().await;
    let machine = json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "scope": "api1" });
    let mut client = server.register(machine).await;
    assert_eq!(server.post_as(&client, "/connect/token", TOKEN).await.status, 200);
    let wanted = [TOKEN[0], ("scope", "api2")];
    let refused = server.post_as(&client, "/connect/token", &wanted).await;
    assert_eq!(refused.json()["error"], "invalid_scope", "{refused:?}");

    server.update(&mut client, json!({ "scope": "api1 api2" })).await;
    let answer = server.post_as(&client, "/connect/token", &wanted).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["scope"]), (200, &json!("api2")));
}

#[tokio::test]
async fn a_new_secret_works_at_once() {
    let server = slow_node().await;
    let machine = json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "scope": "api1" });
    let mut client = server.register(machine).await;
    assert_eq!(server.post_as(&client, "/connect/token", TOKEN).await.status, 200);
    let path = format!("/connect/dcr/{}/secret", client.id());
    let token = format!("Bearer {}", client.member("registration_access_token"));
    let request = Request::post(path).header(header::AUTHORIZATION, token).body(Body::empty());
    let other = server.send(request.unwrap()).await.json();
    assert_ne!(other["client_secret"], client.told["client_secret"], "{other}");
    client.told["client_secret"] = other["client_secret"].clone();
    assert_eq!(server.post_as(&client, "/connect/token", TOKEN).await.status, 200);
}

/// What is allowed may be so for a moment longer; what is shown to people is never older than the page.
#[tokio::test]
async fn nobody_is_sent_to_an_address_that_was_taken_back() {
    let server = slow_node().await;
    let mut client = server.register(json!({ "redirect_uris": ["https://app.example/a"] })).await;
    let asks = client.asks(&[("redirect_uri", "https://app.example/a")]);
    assert_eq!(server.browser().goes(&asks).await.status, 200);
    server.update(&mut client, json!({ "redirect_uris": ["https://app.example/b"] })).await;
    assert_eq!(server.browser().goes(&asks).await.status, 400);
}
