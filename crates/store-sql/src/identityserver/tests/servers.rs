//! What servers do otherwise than files: they compare loosely, cut lengths by the type, and have dates and flags of their own.

use enroll_oauth_types::ClientId;
use enroll_store::{Client, ClientReader as _, ClientStore as _, StoreError};
use enroll_throwaway::Engine;
use serde_json::json;
use tokio::task::JoinSet;

use super::{fresh, golden};
use crate::{Access, IdentityServerStore};

fn client(metadata: &serde_json::Value) -> Client {
    let metadata = serde_json::from_str(&metadata.to_string()).unwrap();
    Client { metadata, ..golden::client() }
}

#[tokio::test]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn where_letters_are_equal_to_their_capitals_nobody_is_taken_for_another() {
    let store = fresh::empty_place(Engine::MariaDb, fresh::MYSQL).await;
    let own = Client { id: ClientId::from("abc"), ..golden::client() };
    store.insert(&own, None).await.unwrap();
    for id in ["ABC", "abc ", "äbc"] {
        let other = Client { id: ClientId::from(id), ..golden::client() };
        assert_eq!(store.client(&other.id).await.unwrap(), None, "{id}");
        assert!(matches!(store.insert(&other, None).await, Err(StoreError::Duplicate)), "{id}");
        assert!(matches!(store.replace(&other).await, Err(StoreError::Conflict)), "{id}");
        assert!(!store.delete(&other.id, own.issued_at).await.unwrap(), "{id}");
        assert_eq!(store.deleted_at(&other.id).await.unwrap(), None, "{id}");
    }
    assert_eq!(store.client(&own.id).await.unwrap().as_deref(), Some(&own));
}

#[tokio::test]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn values_that_the_database_takes_for_equal_are_refused_and_named() {
    let store = fresh::empty_place(Engine::MariaDb, fresh::MYSQL).await;
    let uris =
        json!({ "redirect_uris": ["https://a.example/", "https://a.example/cb", "https://a.example/CB"] });
    match store.insert(&client(&uris), None).await {
        Err(StoreError::Refused(rejection)) => assert_eq!(rejection.member, "redirect_uris[1]"),
        other => panic!("{other:?}"),
    }
    let one = client(&json!({ "redirect_uris": ["https://a.example/cb"] }));
    store.insert(&one, None).await.unwrap();
    let other = client(&json!({ "redirect_uris": ["https://a.example/CB"] }));
    store.replace(&other).await.unwrap();
    assert_eq!(store.client(&one.id).await.unwrap().as_deref(), Some(&Client { revision: 2, ..other }));
}

/// Older tables have no index that keeps two from being equal.
#[tokio::test]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn what_is_removed_takes_nothing_along_that_the_database_takes_for_equal() {
    for (engine, script, quote) in
        [(Engine::Postgres, fresh::OLDER_POSTGRES, '"'), (Engine::MariaDb, fresh::OLDER_MYSQL, '`')]
    {
        let place = fresh::place(engine, script).await;
        let store = IdentityServerStore::open(place.url(), Access::ReadWrite).await.unwrap();
        let own = client(&json!({ "redirect_uris": ["https://a.example/cb", "https://a.example/\u{e4}"] }));
        store.insert(&own, None).await.unwrap();
        let before = store.client(&own.id).await.unwrap().unwrap();
        for twin in ["https://a.example/CB", "https://a.example/cb ", "https://a.example/\u{c4}"] {
            place
                .own(&format!(
                    "INSERT INTO {quote}ClientRedirectUris{quote} ({quote}RedirectUri{quote}, {quote}ClientId{quote}) \
                     SELECT '{twin}', {quote}Id{quote} FROM {quote}Clients{quote}"
                ))
                .await;
        }
        let edited = store.client(&own.id).await.unwrap().unwrap();
        assert_eq!(edited.metadata.redirect_uris.as_ref().unwrap().len(), 5, "{engine:?}");
        store.replace(&Client { metadata: own.metadata.clone(), ..Client::clone(&edited) }).await.unwrap();
        let after = store.client(&own.id).await.unwrap().unwrap();
        assert_eq!(after.metadata, before.metadata, "{engine:?}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn a_value_as_long_as_its_column_is_held_whole() {
    for (engine, script) in [(Engine::Postgres, fresh::POSTGRES), (Engine::MariaDb, fresh::MYSQL)] {
        let store = fresh::empty_place(engine, script).await;
        let wide = |length: usize| "𝄞".repeat(length);
        let long = client(&json!({
            "client_name": wide(200), "description": wide(1000), "client_uri": wide(2000), "scope": wide(200),
            "redirect_uris": [wide(400)], "grant_types": [wide(250)], "allowed_cors_origins": [wide(150)],
            "software_id": wide(5000), "jwks": { "keys": [{ "x": wide(3992) }] },
        }));
        store.insert(&long, None).await.unwrap();
        assert_eq!(store.client(&long.id).await.unwrap().as_deref(), Some(&long), "{engine:?}");
    }
}

/// Older tables have no index that keeps the key of a property from standing twice.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn of_many_first_changes_of_a_client_of_somebody_elses_one_wins() {
    for (engine, script, quote) in
        [(Engine::Postgres, fresh::OLDER_POSTGRES, '"'), (Engine::MariaDb, fresh::OLDER_MYSQL, '`')]
    {
        let place = fresh::place(engine, script).await;
        let store = IdentityServerStore::open(place.url(), Access::ReadWrite).await.unwrap();
        store.insert(&golden::client(), None).await.unwrap();
        place.own(&format!("DELETE FROM {quote}ClientProperties{quote}")).await;
        let client = store.client(&golden::client().id).await.unwrap().unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..16 {
            let (store, client) = (store.clone(), client.clone());
            tasks.spawn(async move { store.replace(&client).await.is_ok() });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|won| *won).count(), 1, "{engine:?}");
        let left = store.client(&client.id).await.unwrap().unwrap();
        assert_eq!(*left, Client { revision: client.revision + 1, ..Client::clone(&client) });
    }
}

/// And no change is lost, nor half of one seen, while others delete.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn a_client_that_is_changed_and_deleted_at_once_is_whole_or_gone() {
    for (engine, script) in [(Engine::Postgres, fresh::POSTGRES), (Engine::MariaDb, fresh::MYSQL)] {
        let store = fresh::empty_place(engine, script).await;
        for round in 0..20_u64 {
            let id = ClientId::from(format!("{engine:?}-{round}").as_str());
            let own = Client { id, ..golden::client() };
            store.insert(&own, None).await.unwrap();
            let other = Client {
                metadata: client(&json!({ "redirect_uris": ["https://other.example/"] })).metadata,
                ..own.clone()
            };
            let mut tasks = JoinSet::new();
            for _ in 0..4 {
                let (store, other, own) = (store.clone(), other.clone(), own.clone());
                tasks.spawn(async move {
                    let changed = store.replace(&other).await;
                    assert!(matches!(changed, Ok(()) | Err(StoreError::Conflict)), "{changed:?}");
                    let seen = store.client(&own.id).await.unwrap();
                    let other = Client { revision: 2, ..other };
                    assert!([None, Some(&own), Some(&other)].contains(&seen.as_deref()), "{seen:?}");
                });
            }
            let deleted = store.delete(&own.id, own.issued_at).await.unwrap();
            tasks.join_all().await;
            assert!(deleted && store.client(&own.id).await.unwrap().is_none());
        }
        assert!(
            golden::dump(&store)
                .await
                .lines()
                .all(|line| line.starts_with(' ') || line == "enroll_client_ids")
        );
    }
}

/// Dates with fractions, flags and enumerations as the engine has them, and a change beside.
#[tokio::test]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn what_somebody_edits_on_a_server_wins_as_well() {
    for (engine, script, quote) in [
        (Engine::Postgres, fresh::POSTGRES, '"'),
        (Engine::Postgres, fresh::OLDER_POSTGRES, '"'),
        (Engine::MariaDb, fresh::MYSQL, '`'),
        (Engine::MariaDb, fresh::OLDER_MYSQL, '`'),
    ] {
        let place = fresh::place(engine, script).await;
        let store = IdentityServerStore::open(place.url(), Access::ReadWrite).await.unwrap();
        let client = golden::client();
        store.insert(&client, None).await.unwrap();
        let off = if quote == '"' { "false" } else { "0" };
        let edit = format!(
            "UPDATE {quote}Clients{quote} SET {quote}Enabled{quote} = {off}, {quote}AccessTokenLifetime{quote} = 42, \
             {quote}Updated{quote} = '2027-02-01 00:00:00.654321'"
        );
        place.own(&edit).await;
        assert!(matches!(store.replace(&client).await, Err(StoreError::Conflict)));
        let edited = store.client(&client.id).await.unwrap().unwrap();
        assert!(!edited.enabled);
        assert_eq!(edited.metadata.access_token_lifetime.map(enroll_oauth_types::Seconds::get), Some(42));
        assert_eq!(edited.updated_at.seconds(), 1_801_440_000, "in UTC");
        store.replace(&edited).await.unwrap();
        let again = store.client(&client.id).await.unwrap().unwrap();
        assert_eq!(Client { revision: edited.revision, ..Client::clone(&again) }, *edited);
        let reader = IdentityServerStore::open(place.url(), Access::ReadOnly).await.unwrap();
        assert_eq!(reader.client(&client.id).await.unwrap().map(|own| own.enabled), Some(false));
        assert!(reader.delete(&client.id, client.issued_at).await.is_err());
        assert!(store.delete(&client.id, client.issued_at).await.unwrap());
        assert!(golden::dump(&store).await.starts_with("enroll_client_ids\n"), "{engine:?}");
    }
}
