//! The promises of a [`ClientStore`].

use std::sync::Arc;

use enroll_oauth_types::{ClientId, Timestamp};
use serde_json::json;

use super::sample::{NOW, client, client_of, rich_client};
use super::tokio::task::JoinSet;
use crate::{Client, ClientStore, Page, StoreError};

type Store<S> = Arc<S>;

async fn stored(store: &(impl ClientStore + ?Sized), id: &ClientId) -> Option<Client> {
    store.client(id).await.expect("the store reads").map(Arc::unwrap_or_clone)
}

async fn insert(store: &(impl ClientStore + ?Sized), client: &Client) {
    store.insert(client, None).await.expect("the store inserts");
}

/// Every client, in pages of three.
async fn everybody(store: &(impl ClientStore + ?Sized)) -> Vec<ClientId> {
    let mut all: Vec<ClientId> = Vec::new();
    loop {
        let page = Page { after: all.last().cloned(), limit: 3 };
        let clients = store.list(page).await.expect("the store lists");
        assert!(clients.len() <= 3, "a page has at most as many clients as were asked for");
        if clients.is_empty() {
            return all;
        }
        all.extend(clients.into_iter().map(|client| client.id));
    }
}

pub async fn what_is_stored_comes_back_equal<S: ClientStore + ?Sized>(store: Store<S>) {
    for client in [client(), rich_client()] {
        insert(&*store, &client).await;
        assert_eq!(stored(&*store, &client.id).await, Some(client));
    }
}

pub async fn a_document_of_sixty_kilobytes_comes_back_equal<S: ClientStore + ?Sized>(store: Store<S>) {
    let client = client_of(&json!({ "jwks": { "keys": [{ "x5c": ["é".repeat(30_000)] }] } }));
    insert(&*store, &client).await;
    assert_eq!(stored(&*store, &client.id).await, Some(client));
}

pub async fn an_unknown_identifier_is_nobody<S: ClientStore + ?Sized>(store: Store<S>) {
    insert(&*store, &client()).await;
    for id in ["", "unknown", "' OR 1=1 --", "%", "_", "\u{1f600}", "a\0b"] {
        assert_eq!(stored(&*store, &ClientId::from(id)).await, None, "{id:?}");
    }
}

pub async fn identifiers_are_compared_byte_by_byte<S: ClientStore + ?Sized>(store: Store<S>) {
    let lower = Client { id: ClientId::from("abc"), ..client() };
    let upper = Client { id: ClientId::from("ABC"), ..client() };
    insert(&*store, &lower).await;
    for id in ["ABC", "abc ", " abc", "äbc"] {
        assert_eq!(stored(&*store, &ClientId::from(id)).await, None, "{id:?}");
    }
    insert(&*store, &upper).await;
    assert_eq!(everybody(&*store).await, [upper.id, lower.id.clone()], "capitals come first, byte by byte");
    assert_eq!(stored(&*store, &lower.id).await, Some(lower));
}

pub async fn identifiers_of_several_kilobytes_are_told_apart<S: ClientStore + ?Sized>(store: Store<S>) {
    let long =
        |end: &str| Client { id: ClientId::from(format!("{}{end}", "é".repeat(4096)).as_str()), ..client() };
    let (one, other, short) = (long("1"), long("2"), Client { id: ClientId::from("#"), ..client() });
    for client in [&one, &other, &short] {
        insert(&*store, client).await;
        assert!(matches!(store.insert(client, None).await, Err(StoreError::Duplicate)));
    }
    assert_eq!(stored(&*store, &one.id).await.as_ref(), Some(&one));
    assert_eq!(everybody(&*store).await.len(), 3);
    assert!(store.delete(&one.id, NOW).await.expect("the store deletes"));
    assert_eq!(stored(&*store, &one.id).await, None);
    assert_eq!(store.deleted_at(&one.id).await.expect("the store reads"), Some(NOW));
    assert_eq!(stored(&*store, &other.id).await, Some(other));
    assert_eq!(stored(&*store, &short.id).await, Some(short));
}

pub async fn an_identifier_is_taken_once<S: ClientStore + ?Sized>(store: Store<S>) {
    let first = client();
    let second = Client { id: first.id.clone(), ..rich_client() };
    insert(&*store, &first).await;
    assert!(matches!(store.insert(&second, None).await, Err(StoreError::Duplicate)));
    assert_eq!(stored(&*store, &first.id).await, Some(first));
}

pub async fn of_many_inserts_of_one_identifier_one_wins<S: ClientStore + ?Sized>(store: Store<S>) {
    let id = client().id;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, client) = (store.clone(), Client { id: id.clone(), ..client() });
        tasks.spawn(async move { store.insert(&client, None).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|won| *won).count(), 1);
}

pub async fn many_inserts_at_once_all_land<S: ClientStore + ?Sized>(store: Store<S>) {
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (store, client) = (store.clone(), client());
        tasks.spawn(async move {
            insert(&*store, &client).await;
            assert_eq!(
                stored(&*store, &client.id).await,
                Some(client),
                "an insert is seen as soon as it is answered"
            );
        });
    }
    tasks.join_all().await;
    assert_eq!(everybody(&*store).await.len(), 100);
}

pub async fn a_replacement_counts_the_revision<S: ClientStore + ?Sized>(store: Store<S>) {
    let first = client();
    insert(&*store, &first).await;
    let second = Client { metadata: rich_client().metadata, enabled: false, ..first.clone() };
    store.replace(&second).await.expect("the revision is the stored one");
    let expected = Client { revision: first.revision + 1, ..second };
    assert_eq!(stored(&*store, &first.id).await, Some(expected));
}

pub async fn a_replacement_of_an_older_revision_is_a_conflict<S: ClientStore + ?Sized>(store: Store<S>) {
    let client = client();
    insert(&*store, &client).await;
    store.replace(&client).await.expect("the revision is the stored one");
    let stale = Client { enabled: false, ..client.clone() };
    assert!(matches!(store.replace(&stale).await, Err(StoreError::Conflict)));
    assert!(stored(&*store, &client.id).await.is_some_and(|stored| stored.enabled));
}

pub async fn of_many_replacements_at_once_one_wins<S: ClientStore + ?Sized>(store: Store<S>) {
    let client = client();
    insert(&*store, &client).await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, client) = (store.clone(), client.clone());
        tasks.spawn(async move { store.replace(&client).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|won| *won).count(), 1);
    assert_eq!(stored(&*store, &client.id).await.map(|stored| stored.revision), Some(client.revision + 1));
}

pub async fn a_replacement_of_nobody_is_a_conflict<S: ClientStore + ?Sized>(store: Store<S>) {
    let client = client();
    assert!(matches!(store.replace(&client).await, Err(StoreError::Conflict)));
    insert(&*store, &client).await;
    store.delete(&client.id, NOW).await.expect("the store deletes");
    assert!(matches!(store.replace(&client).await, Err(StoreError::Conflict)));
    assert_eq!(stored(&*store, &client.id).await, None);
}

pub async fn a_deleted_client_is_gone_everywhere<S: ClientStore + ?Sized>(store: Store<S>) {
    let (gone, stays) = (client(), client());
    insert(&*store, &gone).await;
    insert(&*store, &stays).await;
    store.delete(&gone.id, NOW).await.expect("the store deletes");
    assert_eq!(stored(&*store, &gone.id).await, None);
    assert_eq!(everybody(&*store).await, [stays.id]);
}

pub async fn a_deleted_client_is_deleted_once<S: ClientStore + ?Sized>(store: Store<S>) {
    let client = client();
    insert(&*store, &client).await;
    assert!(store.delete(&client.id, NOW).await.expect("the store deletes"));
    assert!(!store.delete(&client.id, NOW).await.expect("the store deletes"));
    assert!(!store.delete(&ClientId::from("unknown"), NOW).await.expect("the store deletes"));
}

pub async fn a_deleted_client_leaves_its_identifier_and_the_time<S: ClientStore + ?Sized>(store: Store<S>) {
    let deleted_at = async |id: &ClientId| store.deleted_at(id).await.expect("the store reads");
    let (gone, stays) = (client(), client());
    insert(&*store, &gone).await;
    insert(&*store, &stays).await;
    assert_eq!(deleted_at(&gone.id).await, None, "it lives");
    let (first, later) = (Timestamp(NOW.seconds() + 5), Timestamp(NOW.seconds() + 9));
    store.delete(&gone.id, first).await.expect("the store deletes");
    store.delete(&gone.id, later).await.expect("the store deletes nobody");
    assert_eq!(deleted_at(&gone.id).await, Some(first), "it was deleted once");
    store.delete(&ClientId::from("unknown"), first).await.expect("the store deletes nobody");
    for nobody in [&stays.id, &ClientId::from("unknown"), &ClientId::from("")] {
        assert_eq!(deleted_at(nobody).await, None, "{nobody}");
    }
}

pub async fn the_identifier_of_a_deleted_client_is_never_given_again<S: ClientStore + ?Sized>(
    store: Store<S>,
) {
    let first = client();
    insert(&*store, &first).await;
    store.delete(&first.id, NOW).await.expect("the store deletes");
    let second = Client { id: first.id.clone(), ..rich_client() };
    for again in [&first, &second] {
        assert!(matches!(store.insert(again, None).await, Err(StoreError::Duplicate)));
    }
    assert_eq!(stored(&*store, &first.id).await, None);
    assert_eq!(store.deleted_at(&first.id).await.expect("the store reads"), Some(NOW));
}

pub async fn pages_follow_each_other_without_gap_or_repetition<S: ClientStore + ?Sized>(store: Store<S>) {
    let mut expected = Vec::new();
    for _ in 0..10 {
        let client = client();
        insert(&*store, &client).await;
        expected.push(client.id);
    }
    expected.sort();
    assert_eq!(everybody(&*store).await, expected);
}

pub async fn pages_stay_in_order_while_others_insert<S: ClientStore + ?Sized>(store: Store<S>) {
    let mut expected = Vec::new();
    for _ in 0..20 {
        let client = client();
        insert(&*store, &client).await;
        expected.push(client.id);
    }
    let writer = super::tokio::spawn({
        let store = store.clone();
        async move {
            for _ in 0..20 {
                insert(&*store, &client()).await;
            }
        }
    });
    let seen = everybody(&*store).await;
    writer.await.expect("the writer ends well");
    assert!(
        seen.is_sorted_by(|one, next| one < next),
        "pages come in the order of the identifiers, each once"
    );
    assert!(expected.iter().all(|id| seen.contains(id)), "nobody who was there all the time is missing");
}
