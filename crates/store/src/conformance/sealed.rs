//! Sealed registrations over a store, for the suite.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, SealingKey, SystemRandom, Timestamp};

use super::sample::NOW;
use crate::{
    Client, ClientReader, ClientStore, Page, RegistrationKeys, SealedStore, Storage, StoreError, TokenId,
    TokenStore,
};

/// Keys of their own, in this store.
async fn keys<S: TokenStore>(store: &Arc<S>) -> Arc<RegistrationKeys> {
    let master = Arc::new(SealingKey::generate(&SystemRandom));
    let keys = RegistrationKeys::load(master, store.clone()).await.expect("the store lists keys");
    keys.keep_up(NOW, &SystemRandom).await.expect("the store keeps a key");
    Arc::new(keys)
}

/// Sealed registrations over this store.
pub async fn over<S: ClientStore + TokenStore>(store: Arc<S>) -> Arc<SealedStore> {
    let keys = keys(&store).await;
    Arc::new(SealedStore::new(store, keys))
}

/// The same, called as if each sealed registration had the name and the secrets that it comes with.
pub struct Named {
    clients: SealedStore,
    keys: Arc<RegistrationKeys>,
    names: Mutex<HashMap<ClientId, (ClientId, Client)>>,
}

impl Named {
    /// Over this store.
    pub async fn over<S: ClientStore + TokenStore>(store: Arc<S>) -> Arc<Self> {
        let keys = keys(&store).await;
        Arc::new(Self { clients: SealedStore::new(store, keys.clone()), keys, names: Mutex::default() })
    }

    fn known(&self, name: &ClientId) -> Option<(ClientId, Client)> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

#[async_trait]
impl ClientReader for Named {
    async fn client(&self, name: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let Some((id, given)) = self.known(name) else { return self.clients.client(name).await };
        let found = self.clients.client(&id).await?;
        // A sealed client counts from 0 on, and has no secrets but its own.
        Ok(found.map(|found| {
            Arc::new(Client {
                id: given.id,
                revision: found.revision + 1,
                secrets: given.secrets,
                registration_access_token: given.registration_access_token,
                superseded_tokens: given.superseded_tokens,
                used_assertions: given.used_assertions,
                ..Client::clone(&found)
            })
        }))
    }

    async fn deleted_at(&self, name: &ClientId) -> Result<Option<Timestamp>, StoreError> {
        let id = self.known(name).map_or_else(|| name.clone(), |(id, _)| id);
        self.clients.deleted_at(&id).await
    }
}

#[async_trait]
impl ClientStore for Named {
    async fn insert(&self, client: &Client, paid_with: Option<&TokenId>) -> Result<(), StoreError> {
        let sealed = self.keys.seal(client, Storage::Provisional, &SystemRandom);
        let sealed = sealed.expect("there is a key").map_err(StoreError::backend)?.client;
        self.clients.insert(&sealed, paid_with).await?;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(client.id.clone(), (sealed.id, client.clone()));
        Ok(())
    }

    async fn replace(&self, client: &Client) -> Result<(), StoreError> {
        let Some((id, _)) = self.known(&client.id) else { return self.clients.replace(client).await };
        let revision = client.revision - 1;
        self.clients.replace(&Client { id, revision, ..client.clone() }).await
    }

    async fn delete(&self, name: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
        let id = self.known(name).map_or_else(|| name.clone(), |(id, _)| id);
        self.clients.delete(&id, now).await
    }

    async fn list(&self, page: Page) -> Result<Vec<Client>, StoreError> {
        self.clients.list(page).await
    }
}
