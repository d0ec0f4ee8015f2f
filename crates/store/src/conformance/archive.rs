//! The promises of a [`ClientArchive`].

use std::sync::Arc;

use enroll_oauth_types::{ClientId, Timestamp};

use super::sample::{NOW, client};
use super::tokio::join;
use crate::{Client, ClientArchive, Page, StoreError, Tombstone};

/// The moment so many seconds after the samples were made.
fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.seconds() + seconds)
}

async fn inserted<S: ClientArchive + ?Sized>(store: &S) -> Client {
    let client = client();
    store.insert(&client, None).await.expect("the store inserts");
    client
}

async fn retired<S: ClientArchive + ?Sized>(store: &S, client: &Client, now: Timestamp) -> bool {
    store.retire(client, now).await.expect("the store retires")
}

/// Somebody who was deleted so many seconds later.
async fn buried<S: ClientArchive + ?Sized>(store: &S, seconds: u64) -> Tombstone {
    let tombstone = Tombstone { client_id: client().id, deleted_at: later(seconds) };
    assert!(store.bury(&tombstone).await.expect("the store buries"));
    tombstone
}

/// Every tombstone, in pages of three.
async fn all<S: ClientArchive + ?Sized>(store: &S) -> Vec<Tombstone> {
    let mut all: Vec<Tombstone> = Vec::new();
    loop {
        let after = all.last().map(|last| last.client_id.clone());
        let page = store.tombstones(Page { after, limit: 3 }).await.expect("the store lists");
        assert!(page.len() <= 3, "a page has at most as many as were asked for");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

pub async fn a_client_is_retired_as_it_is_deleted<S: ClientArchive + ?Sized>(store: Arc<S>) {
    let (gone, stays) = (inserted(&*store).await, inserted(&*store).await);
    assert!(retired(&*store, &gone, later(1)).await);
    assert!(!retired(&*store, &gone, later(2)).await, "once");
    assert!(!retired(&*store, &client(), later(2)).await, "nobody");
    assert_eq!(store.client(&gone.id).await.expect("the store reads"), None);
    assert_eq!(store.deleted_at(&gone.id).await.expect("the store reads"), Some(later(1)));
    assert_eq!(store.client(&stays.id).await.expect("the store reads").as_deref(), Some(&stays));
}

pub async fn a_client_that_changed_since_it_was_read_is_not_retired<S: ClientArchive + ?Sized>(
    store: Arc<S>,
) {
    let read = inserted(&*store).await;
    store.replace(&read).await.expect("the revision is the stored one");
    assert!(!retired(&*store, &read, NOW).await);
    let changed = store.client(&read.id).await.expect("the store reads").expect("it stays");
    assert!(retired(&*store, &changed, NOW).await);
}

pub async fn of_a_change_and_a_retirement_at_once_one_wins<S: ClientArchive + ?Sized>(store: Arc<S>) {
    for _ in 0..20 {
        let client = inserted(&*store).await;
        let (replaced, retired) = join!(store.replace(&client), store.retire(&client, NOW));
        let retired = retired.expect("the store retires");
        match replaced {
            Ok(()) => assert!(!retired, "the change would be lost"),
            Err(StoreError::Conflict) => assert!(retired, "one of them wins"),
            Err(other) => panic!("{other}"),
        }
    }
}

pub async fn tombstones_are_listed_in_pages<S: ClientArchive + ?Sized>(store: Arc<S>) {
    inserted(&*store).await;
    let mut expected = Vec::new();
    for seconds in 0..7 {
        let client = inserted(&*store).await;
        store.delete(&client.id, later(seconds)).await.expect("the store deletes");
        expected.push(Tombstone { client_id: client.id, deleted_at: later(seconds) });
    }
    expected.sort_by(|one, other| one.client_id.cmp(&other.client_id));
    assert_eq!(all(&*store).await, expected);
}

pub async fn an_identifier_that_was_deleted_elsewhere_is_never_given<S: ClientArchive + ?Sized>(
    store: Arc<S>,
) {
    let tombstone = buried(&*store, 5).await;
    let heir = Client { id: tombstone.client_id.clone(), ..client() };
    assert!(matches!(store.insert(&heir, None).await, Err(StoreError::Duplicate)));
    assert_eq!(store.deleted_at(&heir.id).await.expect("the store reads"), Some(later(5)));
    assert_eq!(store.client(&heir.id).await.expect("the store reads"), None);
    assert!(store.list(Page { after: None, limit: 9 }).await.expect("the store lists").is_empty());
    assert_eq!(all(&*store).await, [tombstone]);
}

pub async fn nobody_who_lives_or_is_buried_is_buried<S: ClientArchive + ?Sized>(store: Arc<S>) {
    let (lives, dead) = (inserted(&*store).await, buried(&*store, 5).await);
    let again = |id: &ClientId| Tombstone { client_id: id.clone(), deleted_at: later(9) };
    assert!(matches!(store.bury(&again(&lives.id)).await, Err(StoreError::Duplicate)));
    assert!(!store.bury(&again(&dead.client_id)).await.expect("the store reads"));
    assert_eq!(store.client(&lives.id).await.expect("the store reads").as_deref(), Some(&lives));
    assert_eq!(all(&*store).await, [dead]);
}

/// As an export and an import do.
pub async fn the_tombstone_of_a_long_identifier_can_be_moved<S: ClientArchive + ?Sized>(store: Arc<S>) {
    for id in ["a".repeat(200), "#a".to_owned()] {
        let client = Client { id: ClientId::from(id.as_str()), ..client() };
        store.insert(&client, None).await.expect("the store inserts");
        store.delete(&client.id, later(3)).await.expect("the store deletes");
        let [tombstone] = &all(&*store).await[..] else { panic!("one is deleted") };
        assert!(!store.bury(tombstone).await.expect("the store reads"), "it is there");
        assert!(store.forget(&tombstone.client_id).await.expect("the store forgets"));
        assert_eq!(store.deleted_at(&client.id).await.expect("the store reads"), None);
        assert!(store.bury(tombstone).await.expect("the store buries"));
        assert_eq!(store.deleted_at(&client.id).await.expect("the store reads"), Some(later(3)));
        assert!(matches!(store.insert(&client, None).await, Err(StoreError::Duplicate)));
        assert!(store.forget(&tombstone.client_id).await.expect("the store forgets"));
    }
}

pub async fn a_tombstone_is_forgotten_and_nothing_else<S: ClientArchive + ?Sized>(store: Arc<S>) {
    let lives = inserted(&*store).await;
    let (gone, stays) = (buried(&*store, 1).await, buried(&*store, 2).await);
    let forgotten = async |id: &ClientId| store.forget(id).await.expect("the store forgets");
    assert!(forgotten(&gone.client_id).await);
    for nobody in [&gone.client_id, &lives.id, &ClientId::from("unknown")] {
        assert!(!forgotten(nobody).await, "{nobody}");
    }
    assert_eq!(all(&*store).await, [stays]);
    assert_eq!(store.deleted_at(&gone.client_id).await.expect("the store reads"), None);
    assert_eq!(store.client(&lives.id).await.expect("the store reads").as_deref(), Some(&lives));
}
