use std::collections::HashMap;
use std::time::Duration;

use enroll_oauth_types::{Clock, SealingKey, SystemRandom};
use serde_json::json;

use super::*;
use crate::conformance::sample::{NOW, client_of, token};
use crate::{MemoryStore, TokenStore as _};

async fn empty() -> Arc<MemoryStore> {
    Arc::default()
}

crate::sealed_store_conformance!(empty);

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

struct Trial {
    rows: Arc<MemoryStore>,
    keys: Arc<RegistrationKeys>,
    clients: SealedStore,
}

async fn trial() -> Trial {
    lasting(HashMap::new(), NOW).await
}

/// Where registrations of these policies last so many seconds, and it is `now`.
async fn lasting(seconds: HashMap<&str, u64>, now: Timestamp) -> Trial {
    let lifetimes = seconds.into_iter().map(|(name, own)| (name.to_owned(), Duration::from_secs(own)));
    let rows = Arc::new(MemoryStore::default());
    let master = Arc::new(SealingKey::generate(&SystemRandom));
    let keys = RegistrationKeys::load(master, rows.clone()).await.unwrap();
    let keys = Arc::new(keys.ending(lifetimes.collect(), Arc::new(At(now))));
    keys.keep_up(NOW, &SystemRandom).await.unwrap();
    Trial { clients: SealedStore::new(rows.clone(), keys.clone()), rows, keys }
}

impl Trial {
    /// A client that is registered, in this way.
    async fn registered(&self, storage: Storage) -> Client {
        let client = client_of(&json!({ "redirect_uris": ["https://app.example/cb"] }));
        let sealed = self.keys.seal(&client, storage, &SystemRandom).unwrap().unwrap().client;
        self.clients.insert(&sealed, None).await.unwrap();
        self.found(&sealed.id).await.unwrap()
    }

    async fn found(&self, id: &ClientId) -> Option<Client> {
        self.clients.client(id).await.unwrap().map(Arc::unwrap_or_clone)
    }

    async fn rows(&self) -> usize {
        self.rows.list(Page { after: None, limit: 10 }).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_provisional_client_becomes_a_row_when_it_is_confirmed_and_a_stateless_one_never() {
    let trial = trial().await;
    for (storage, rows) in [(Storage::Stateless, 0), (Storage::Provisional, 1)] {
        let client = trial.registered(storage).await;
        assert!(client.is_sealed());
        for _ in 0..2 {
            trial.clients.confirm(&client).await.unwrap();
            assert_eq!(trial.rows().await, rows, "{storage:?}");
        }
        let confirmed = trial.found(&client.id).await.unwrap();
        assert_eq!(confirmed.revision, rows as u64);
        trial.clients.confirm(&confirmed).await.unwrap();
        assert_eq!((confirmed.metadata, confirmed.issued_at), (client.metadata, client.issued_at));
        assert_eq!(confirmed.registration_access_token, client.registration_access_token);
    }
}

#[tokio::test]
async fn who_confirms_a_client_cannot_say_what_it_is() {
    let trial = trial().await;
    let client = trial.registered(Storage::Provisional).await;
    let another = client_of(&json!({ "redirect_uris": ["https://evil.example/cb"] }));
    trial.clients.confirm(&Client { metadata: another.metadata, ..client.clone() }).await.unwrap();
    assert_eq!(trial.found(&client.id).await.unwrap().metadata, client.metadata);
}

#[tokio::test]
async fn a_reader_opens_and_writes_nothing() {
    let trial = trial().await;
    let client = trial.registered(Storage::Provisional).await;
    let reader = SealedReader::new(trial.rows.clone(), trial.keys.clone());
    assert!(reader.client(&client.id).await.unwrap().is_some_and(|found| found.is_sealed()));
    reader.confirm(&client).await.unwrap();
    assert_eq!(trial.rows().await, 0);
    trial.clients.delete(&client.id, NOW).await.unwrap();
    assert_eq!(reader.client(&client.id).await.unwrap(), None);
    assert_eq!(reader.deleted_at(&client.id).await.unwrap(), Some(NOW));
}

#[tokio::test]
async fn what_was_deleted_is_not_opened_confirmed_or_changed_again() {
    let trial = trial().await;
    for storage in [Storage::Stateless, Storage::Provisional] {
        for confirmed in [false, true] {
            let client = trial.registered(storage).await;
            if confirmed {
                trial.clients.confirm(&client).await.unwrap();
            }
            assert!(trial.clients.delete(&client.id, NOW).await.unwrap());
            trial.clients.confirm(&client).await.unwrap();
            assert!(matches!(trial.clients.replace(&client).await, Err(StoreError::Conflict)));
            assert_eq!(trial.found(&client.id).await, None, "{storage:?} {confirmed}");
            assert!(!trial.clients.delete(&client.id, NOW).await.unwrap());
        }
    }
    assert_eq!(trial.rows().await, 0);
}

#[tokio::test]
async fn of_many_who_delete_at_once_one_does() {
    let trial = Arc::new(trial().await);
    let id = trial.registered(Storage::Stateless).await.id;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (trial, id) = (trial.clone(), id.clone());
        tasks.spawn(async move { trial.clients.delete(&id, NOW).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|did| *did).count(), 1);
}

#[tokio::test]
async fn a_disabled_client_is_its_row() {
    let trial = trial().await;
    let client = trial.registered(Storage::Stateless).await;
    trial.clients.replace(&Client { enabled: false, ..client.clone() }).await.unwrap();
    let found = trial.found(&client.id).await.unwrap();
    assert_eq!((found.enabled, found.revision), (false, 1));
    // Whoever read it before comes too late.
    assert!(matches!(trial.clients.replace(&client).await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn what_is_paid_for_or_forged_is_no_sealed_registration() {
    let trial = trial().await;
    let client = trial.registered(Storage::Stateless).await;
    let paid = token(Some(1));
    trial.rows.put(&paid).await.unwrap();
    let refused = trial.clients.insert(&client, Some(&paid.id)).await;
    assert!(matches!(refused, Err(StoreError::Backend(_))), "{refused:?}");
    let forged = Client { id: ClientId::from(format!("{}A", client.id).as_str()), ..client };
    let refused = trial.clients.insert(&forged, None).await;
    assert!(matches!(refused, Err(StoreError::Backend(_))), "{refused:?}");
    assert!(!trial.clients.delete(&forged.id, NOW).await.unwrap());
    assert!(matches!(trial.clients.replace(&forged).await, Err(StoreError::Conflict)));
    assert_eq!(trial.rows().await, 0);
}

#[tokio::test]
async fn another_servers_key_opens_nothing_here() {
    let (here, there) = (trial().await, trial().await);
    let client = there.registered(Storage::Provisional).await;
    assert_eq!(here.found(&client.id).await, None);
    here.clients.confirm(&client).await.unwrap();
    assert_eq!(here.rows().await, 0);
}

#[tokio::test]
async fn a_registration_ends_at_the_second_that_its_policy_says_unless_it_has_a_row() {
    for (seconds, lives) in [(60, false), (61, true)] {
        let later = Timestamp(NOW.seconds() + 60);
        let trial = lasting(HashMap::from([("default", seconds), ("another", 1)]), later).await;
        let client = client_of(&json!({ "redirect_uris": ["https://app.example/cb"] }));
        let id = trial.keys.seal(&client, Storage::Provisional, &SystemRandom).unwrap().unwrap().client.id;
        let reader = SealedReader::new(trial.rows.clone(), trial.keys.clone());
        for reader in [&reader as &dyn ClientReader, &trial.clients] {
            assert_eq!(reader.client(&id).await.unwrap().is_some(), lives);
            assert_eq!(reader.recent_client(&id).await.unwrap().is_some(), lives);
            assert_eq!(reader.deleted_at(&id).await.unwrap(), (!lives).then_some(later));
        }
        let sealed = Client { id: id.clone(), revision: 0, ..client };
        trial.clients.confirm(&sealed).await.unwrap();
        assert_eq!(trial.rows().await, usize::from(lives));
        assert_eq!(reader.deleted_at(&id).await.unwrap().is_none(), lives);
        assert_eq!(trial.clients.delete(&id, later).await.unwrap(), lives);
    }
}
