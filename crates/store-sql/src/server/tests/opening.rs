//! Who may open what, and what becomes of its schema.

use std::error::Error as _;

use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientReader as _, ClientStore as _, StoreError};
use enroll_throwaway::Engine;
use tokio::task::JoinSet;

use super::client;
use super::place::{Place, links};
use crate::server::link::PATIENCE;
use crate::{Access, OpenError, SchemaVersion, SqlRecords, SqlStore};

/// Why it could not be opened.
fn cause<T>(opened: Result<T, OpenError>) -> String {
    opened.err().unwrap().source().unwrap().to_string()
}

/// What a program with this place's rights does there.
async fn order(place: &Place, sql: &'static str) {
    links(place.url()).take().await.unwrap().link.order(sql, PATIENCE).await.unwrap();
}

pub(super) async fn many_programs_may_make_the_same_database_at_once(engine: Engine) {
    for _ in 0..5 {
        let (store, records) = (Place::new(engine).await, Place::new(engine).await);
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (store, records) = (store.url().to_owned(), records.url().to_owned());
            tasks.spawn(async move { SqlStore::open(&store, Access::ReadWrite).await.map(drop) });
            tasks.spawn(async move { SqlRecords::open(&records, Access::ReadWrite).await.map(drop) });
        }
        for opened in tasks.join_all().await {
            opened.unwrap();
        }
        assert_eq!(SqlStore::schema(store.url()).await.unwrap(), SchemaVersion { found: 1, known: 1 });
        assert_eq!(SqlRecords::schema(records.url()).await.unwrap(), SchemaVersion { found: 1, known: 1 });
    }
}

pub(super) async fn a_role_that_may_only_read_reads(engine: Engine) {
    let place = Place::new(engine).await;
    let writer = SqlStore::open(place.url(), Access::ReadWrite).await.unwrap();
    writer.insert(&client("a"), None).await.unwrap();
    let (name, role) = (&place.name, format!("r{}", &place.name[place.name.len() - 20..]));
    let grants = match engine {
        Engine::Postgres => [
            format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'"),
            format!("GRANT USAGE ON SCHEMA {name} TO {role}"),
            format!("GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role}"),
        ],
        Engine::MariaDb => [
            format!("CREATE USER {role}@'127.0.0.1' IDENTIFIED BY 'secret'"),
            format!("GRANT SELECT ON {name}.* TO {role}@'127.0.0.1'"),
            "FLUSH PRIVILEGES".to_owned(),
        ],
    };
    for grant in grants {
        place.order(&grant).await;
    }
    let url = place.url_with(|url| {
        url.set_username(&role).unwrap();
        url.set_password(Some("secret")).unwrap();
    });
    let reader = SqlStore::open(&url, Access::ReadOnly).await.unwrap();
    assert_eq!(reader.client(&ClientId::from("a")).await.unwrap().as_deref(), Some(&client("a")));
    assert!(reader.ping().await.is_ok());
    assert!(matches!(reader.insert(&client("b"), None).await, Err(StoreError::Backend(_))));

    // Also who may write does not by a connection for reading.
    let links = crate::server::Links::new(links(place.url()).address.clone(), Access::ReadOnly, 1).unwrap();
    let mut held = std::sync::Arc::new(links).take().await.unwrap();
    assert!(held.link.order("DELETE FROM clients", PATIENCE).await.is_err(), "the engine itself refuses");

    let eager = SqlStore::open(&url, Access::ReadWrite).await.unwrap();
    assert!(matches!(eager.insert(&client("b"), None).await, Err(StoreError::Backend(_))));
    assert!(eager.ping().await.is_err());
}

pub(super) async fn a_database_that_is_not_for_us_is_named_and_left_alone(engine: Engine) {
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let place = Place::new(engine).await;
        order(&place, "CREATE TABLE theirs (a BIGINT)").await;
        let cause_of = cause(SqlStore::open(place.url(), access).await);
        assert!(cause_of.contains("tables of another program"), "{cause_of}");

        let place = Place::new(engine).await;
        drop(SqlRecords::open(place.url(), Access::ReadWrite).await.unwrap());
        let cause_of = cause(SqlStore::open(place.url(), access).await);
        assert!(cause_of.contains("it is the operational database"), "{cause_of}");
        order(&place, "INSERT INTO schema_versions (version, checksum) VALUES (99, 'x')").await;
        let opened = SqlRecords::open(place.url(), access).await;
        assert!(matches!(opened.err(), Some(OpenError::Newer { found: 99, .. })));
    }
}

pub(super) async fn who_reads_does_not_bring_the_schema_up_to_date(engine: Engine) {
    let place = Place::new(engine).await;
    let cause_of = cause(SqlStore::open(place.url(), Access::ReadOnly).await);
    assert!(cause_of.contains("its schema is 0, this version needs 1: run `enroll migrate`"), "{cause_of}");
    assert_eq!(SqlStore::schema(place.url()).await.unwrap(), SchemaVersion { found: 0, known: 1 });
}

pub(super) async fn a_client_that_is_known_is_seen_as_another_node_left_it(engine: Engine) {
    let place = Place::new(engine).await;
    let one = SqlStore::open(place.url(), Access::ReadWrite).await.unwrap();
    let other = SqlStore::open(place.url(), Access::ReadWrite).await.unwrap();
    let id = ClientId::from("a");
    one.insert(&client("a"), None).await.unwrap();
    assert_eq!(other.client(&id).await.unwrap().as_deref(), Some(&client("a")));
    let disabled = Client { enabled: false, ..client("a") };
    one.replace(&disabled).await.unwrap();
    assert_eq!(other.client(&id).await.unwrap().as_deref(), Some(&Client { revision: 2, ..disabled }));
    assert!(one.delete(&id, Timestamp(2)).await.unwrap());
    assert_eq!(other.client(&id).await.unwrap(), None);
    assert_eq!(other.deleted_at(&id).await.unwrap(), Some(Timestamp(2)));
}
