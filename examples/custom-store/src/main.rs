//! Clients in a store of your own: six methods, and the conformance suite says whether they keep what they promise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::Router;
use enroll::access::{Gate, policy};
use enroll::oauth_types::{Capabilities, ClientId, Timestamp};
use enroll::registration::{BuildError, Registrar};
use enroll::store::{Client, ClientReader, ClientStore, Page, StoreError, TokenId};

/// Documents by identifier. Think of a key-value store in their place.
#[derive(Default)]
struct Documents(Mutex<BTreeMap<ClientId, Entry>>);

enum Entry {
    /// A client: its revision, and its document.
    Registered(u64, String),
    /// What is left of a client: when it was deleted. Its identifier is not given again.
    Deleted(Timestamp),
}

impl Documents {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ClientReader for Documents {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        match self.lock().get(id) {
            Some(Entry::Registered(revision, document)) => {
                let client = Client::from_document(document, *revision)?;
                Ok(Some(Arc::new(client)))
            }
            Some(Entry::Deleted(_)) | None => Ok(None),
        }
    }

    async fn deleted_at(&self, id: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        match self.lock().get(id) {
            Some(Entry::Deleted(time)) => Ok(Some(*time)),
            Some(Entry::Registered(..)) | None => Ok(None),
        }
    }
}

#[async_trait]
impl ClientStore for Documents {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        if paid_with.is_some() {
            return Err(StoreError::Spent); // no tokens are kept here, so none can pay
        }
        let mut documents = self.lock();
        if documents.contains_key(&client.id) {
            return Err(StoreError::Duplicate);
        }
        documents.insert(client.id.clone(), Entry::Registered(client.revision, client.to_document()));
        Ok(())
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        match self.lock().get_mut(&client.id) {
            Some(Entry::Registered(revision, document)) if *revision == client.revision => {
                *revision += 1;
                *document = client.to_document();
                Ok(())
            }
            _ => Err(StoreError::Conflict),
        }
    }

    async fn delete(&self, id: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        match self.lock().get_mut(id) {
            Some(entry @ Entry::Registered(..)) => {
                *entry = Entry::Deleted(now);
                Ok(true)
            }
            Some(Entry::Deleted(_)) | None => Ok(false),
        }
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        let documents = self.lock();
        let rest = documents.iter().filter(|(id, _)| page.after.as_ref().is_none_or(|after| *id > after));
        let registered = rest.filter_map(|(_, entry)| match entry {
            Entry::Registered(revision, document) => Some(Client::from_document(document, *revision)),
            Entry::Deleted(_) => None,
        });
        registered.take(page.limit as usize).collect()
    }
}

fn app() -> Result<Router, BuildError> {
    let registrar = Registrar::builder("http://127.0.0.1:3000/connect/dcr")
        .clients(Arc::new(Documents::default()))
        .capabilities(Capabilities::code_and_client_credentials())
        .gate(Gate::require(policy::open()))
        .build()?;
    Ok(registrar.router())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app()?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    async fn empty() -> Arc<dyn ClientStore> {
        Arc::new(Documents::default())
    }

    enroll::store::client_store_conformance!(empty);

    #[tokio::test]
    async fn a_client_registers() {
        let request = Request::post("/connect/dcr").header("content-type", "application/json");
        let request = request.body(Body::from(r#"{ "redirect_uris": ["https://app.example/cb"] }"#)).unwrap();
        assert_eq!(app().unwrap().oneshot(request).await.unwrap().status(), StatusCode::CREATED);
    }
}
