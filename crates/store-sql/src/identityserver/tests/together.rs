//! Many registrations at once, which a server writes together.

use std::collections::BTreeMap;
use std::sync::Arc;

use enroll_oauth_types::ClientId;
use enroll_store::{Client, ClientReader as _, ClientStore as _, StoreError, TokenId, TokenStore as _};
use enroll_throwaway::{Engine, Throwaway};
use serde_json::json;
use tokio::task::JoinSet;

use super::{fresh, golden};
use crate::identityserver::catalogue::{CLIENTS, PROPERTIES, SECRETS};
use crate::identityserver::children::CHILDREN;
use crate::identityserver::rows::Rows;
use crate::server::tests::{faults, place::Place, token};
use crate::{Access, IdentityServerStore};

/// The tables of every version, on every server.
const TABLES: [(Engine, &str); 4] = [
    (Engine::Postgres, fresh::POSTGRES),
    (Engine::Postgres, fresh::OLDER_POSTGRES),
    (Engine::MariaDb, fresh::MYSQL),
    (Engine::MariaDb, fresh::OLDER_MYSQL),
];

/// A client of one of four kinds, which differ in the tables that they have rows in, and in how many.
fn client(number: usize) -> Client {
    let full = golden::client();
    let given = match number % 4 {
        0 => None,
        1 => Some(json!({
            "redirect_uris": ["https://a.example/1", "https://a.example/2", "https://a.example/3"],
            "grant_types": ["authorization_code"], "scope": "openid api1", "contacts": ["a"],
        })),
        2 => Some(json!({ "grant_types": ["client_credentials"], "scope": "api1" })),
        _ => Some(json!({ "allowed_cors_origins": ["https://a.example"] })),
    };
    let given = given.map(|given| serde_json::from_str(&given.to_string()).unwrap());
    let metadata = given.unwrap_or_else(|| full.metadata.clone());
    let secrets = if number.is_multiple_of(2) { full.secrets.clone() } else { Vec::new() };
    Client { id: ClientId::from(format!("client-{number}").as_str()), metadata, secrets, ..full }
}

/// What a client with many rows is, by its identifier.
fn full(id: &str) -> Client {
    Client { id: ClientId::from(id), ..golden::client() }
}

/// Where every identifier stands that was given.
const GIVEN: &str = "enroll_client_ids";

/// Every table that a registration may write rows of.
fn tables() -> impl Iterator<Item = &'static str> {
    CHILDREN.iter().map(|child| child.table).chain([CLIENTS, SECRETS, PROPERTIES, GIVEN])
}

/// How many rows each table has.
async fn counted(store: &IdentityServerStore) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for table in tables() {
        let name = if table == GIVEN { GIVEN.to_owned() } else { store.catalogue.engine.quoted(table) };
        let rows = store.database.fetch(format!("SELECT count(*) FROM {name}"), [], 1).await.unwrap();
        counts.insert(table, rows.into_iter().next().unwrap().required_number().unwrap());
    }
    counts
}

/// How many rows each table has when these clients are in them, and nobody else.
fn expected(store: &IdentityServerStore, clients: &[Client]) -> BTreeMap<&'static str, u64> {
    let mut counts: BTreeMap<_, _> = tables().map(|table| (table, 0)).collect();
    for rows in clients.iter().map(|client| Rows::of(client, &store.catalogue).unwrap()) {
        let children = CHILDREN.iter().zip(&rows.children).map(|(child, rows)| (child.table, rows.len()));
        // The revision is a property as well.
        let others = [
            (CLIENTS, 1),
            (GIVEN, 1),
            (SECRETS, rows.secrets.len()),
            (PROPERTIES, 1 + rows.properties.len()),
        ];
        for (table, rows) in children.chain(others) {
            *counts.entry(table).or_default() += rows as u64;
        }
    }
    counts
}

/// Registers all of them at once, and says how it went, in their order.
async fn register(
    store: &Arc<IdentityServerStore>,
    clients: &[Client],
    paid_with: Option<&TokenId>,
) -> Vec<Result<(), StoreError>> {
    let mut tasks = JoinSet::new();
    for (place, client) in clients.iter().cloned().enumerate() {
        let (store, token) = (store.clone(), paid_with.cloned());
        tasks.spawn(async move { (place, store.insert(&client, token.as_ref()).await) });
    }
    let mut outcomes = tasks.join_all().await;
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Sees that these clients are there with all their rows, and nothing else is.
async fn holds(store: &IdentityServerStore, clients: &[Client]) {
    for client in clients {
        assert_eq!(store.client(&client.id).await.unwrap().as_deref(), Some(client));
    }
    assert_eq!(counted(store).await, expected(store, clients));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn many_that_register_at_once_are_there_once_with_all_their_rows() {
    for (engine, script) in TABLES {
        let store = fresh::empty_place(engine, script).await;
        let clients: Vec<_> = (0..200).map(client).collect();
        let outcomes = register(&store, &clients, None).await;
        assert!(outcomes.iter().all(Result::is_ok), "{engine:?}: {outcomes:?}");
        holds(&store, &clients).await;
    }
}

/// The second by a rule that only the database knows.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn of_many_one_that_is_there_already_and_one_that_does_not_fit_are_refused_alone() {
    for (engine, script) in TABLES {
        let place = fresh::place(engine, script).await;
        let store = Arc::new(IdentityServerStore::open(place.url(), Access::ReadWrite).await.unwrap());
        let quoted = |name| store.catalogue.engine.quoted(name);
        let (table, column) = (quoted("ClientRedirectUris"), quoted("RedirectUri"));
        let rule =
            format!("ALTER TABLE {table} ADD CONSTRAINT no_two CHECK ({column} <> 'https://a.example/2')");
        place.own(&rule).await;
        let mut clients: Vec<_> = (0..100).map(|number| client(4 * number)).collect();
        store.insert(&clients[0], None).await.unwrap();
        clients[30] = clients[0].clone();
        clients[60] = client(1);
        let outcomes = register(&store, &clients[1..], None).await;
        let mut stored = Vec::new();
        for (client, outcome) in clients.iter().zip([Ok(())].into_iter().chain(outcomes)) {
            match (client.id.as_str(), outcome) {
                ("client-1", Err(StoreError::Backend(_))) => {}
                (id, Err(StoreError::Duplicate)) if id == clients[0].id.as_str() => {}
                (_, Ok(())) => stored.push(client.clone()),
                (id, other) => panic!("{engine:?}: {id}: {other:?}"),
            }
        }
        assert_eq!(stored.len(), 98);
        holds(&store, &stored).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn a_token_pays_for_as_many_as_it_has_uses_whatever_they_are() {
    for (engine, script) in TABLES {
        let store = fresh::empty_place(engine, script).await;
        let token = token(50);
        store.put(&token).await.unwrap();
        let clients: Vec<_> = (0..80).map(client).collect();
        let outcomes = register(&store, &clients, Some(&token.id)).await;
        let mut stored = Vec::new();
        for (client, outcome) in clients.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => stored.push(client),
                Err(StoreError::Spent) => {}
                Err(other) => panic!("{engine:?}: {other:?}"),
            }
        }
        assert_eq!(stored.len(), 50, "{engine:?}");
        holds(&store, &stored).await;
        assert_eq!(store.get(token.kind, &token.hash).await.unwrap().unwrap().uses_left, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn a_server_that_is_killed_keeps_every_row_of_what_was_answered() {
    for (engine, script) in [(Engine::Postgres, fresh::POSTGRES), (Engine::MariaDb, fresh::MYSQL)] {
        let server = Throwaway::start(engine).unwrap();
        let place = Place::on(&server.url()).await;
        fresh::make(&place, script).await;
        let store = IdentityServerStore::open(place.url(), Access::ReadWrite).await.unwrap();
        faults::survives(server, Arc::new(store), full).await;
    }
}

/// A row that belongs to nobody is refused, and with it the rest of its unit.
#[tokio::test]
#[ignore = "needs PostgreSQL, MariaDB: cargo xtask test starts one"]
async fn nothing_is_left_of_a_client_that_is_not_there() {
    for (engine, script) in TABLES {
        let store = fresh::empty_place(engine, script).await;
        let client = golden::client();
        let rows = Rows::of(&client, &store.catalogue).unwrap();
        let mut unit = crate::identityserver::write::Writing(&store.catalogue).insert(&client, &rows);
        unit.retain(|statement| !statement.sql.contains(&store.catalogue.engine.quoted("Enabled")));
        assert!(matches!(store.database.apply(unit).await, Err(StoreError::Backend(_))), "{engine:?}");
        holds(&store, &[]).await;
    }
}
