use std::error::Error as _;
use std::sync::Arc;

use enroll_store::RecordKind::{Code, RefreshToken};
use tempfile::TempDir;

use super::*;
use crate::database::Engine;
use crate::migrate::{LEDGER, NOTE, Plane, checksum};
use crate::{Access, OpenError, SchemaVersion, SqlStore};

async fn empty() -> (Arc<SqlRecords>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(open(&folder, Access::ReadWrite).unwrap()), folder)
}

enroll_store::record_store_conformance!(empty);

fn open(folder: &TempDir, access: Access) -> Result<SqlRecords, OpenError> {
    SqlRecords::sqlite(&folder.path().join("test.db"), access)
}

fn raw(folder: &TempDir) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.path().join("test.db")).unwrap()
}

fn record(kind: RecordKind, name: &str) -> Record {
    Record {
        kind,
        key: SecretHash::of(name),
        revision: 1,
        belongs_to: Belongs { family: Some("a".to_owned()), ..Belongs::default() },
        issued_at: Timestamp(1),
        expires_at: Some(Timestamp(9)),
        document: RawValue::from_string("{}".to_owned()).unwrap(),
    }
}

/// The code is taken, and a refresh token stored for it.
fn exchange(name: &str) -> Vec<Write> {
    let Record { kind, key, revision, .. } = record(Code, name);
    vec![Write::Remove { kind, key, revision: Some(revision) }, Write::Insert(record(RefreshToken, name))]
}

async fn holds(store: &SqlRecords, kind: RecordKind, name: &str) -> bool {
    store.record(kind, &SecretHash::of(name)).await.unwrap() == Some(record(kind, name))
}

#[tokio::test]
async fn what_was_answered_is_in_the_files_while_the_writer_still_has_them_open() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder, Access::ReadWrite).unwrap();
    store.apply(vec![Write::Insert(record(Code, "a"))]).await.unwrap();
    store.apply(exchange("a")).await.unwrap();
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let copied = open(&copy, Access::ReadWrite).unwrap();
    assert!(!holds(&copied, Code, "a").await && holds(&copied, RefreshToken, "a").await);
    assert!(matches!(copied.apply(exchange("a")).await, Err(StoreError::Conflict)), "a code pays once");
}

#[tokio::test]
async fn an_exchange_whose_caller_went_away_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Access::ReadWrite).unwrap();
    let names: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    for name in &names {
        store.apply(vec![Write::Insert(record(Code, name))]).await.unwrap();
        let abandoned = store.apply(exchange(name));
        tokio::select! { biased; _ = abandoned => {}, () = std::future::ready(()) => {} }
    }
    drop(store);
    let store = open(&folder, Access::ReadOnly).unwrap();
    for name in &names {
        assert_ne!(holds(&store, Code, name).await, holds(&store, RefreshToken, name).await);
    }
}

#[tokio::test]
async fn of_two_programs_that_take_a_code_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(&folder, Access::ReadWrite).unwrap(), open(&folder, Access::ReadWrite).unwrap());
    for number in 0..20 {
        let name = number.to_string();
        one.apply(vec![Write::Insert(record(Code, &name))]).await.unwrap();
        let (first, second) = tokio::join!(one.apply(exchange(&name)), other.apply(exchange(&name)));
        assert!(matches!(
            (&first, &second),
            (Ok(()), Err(StoreError::Conflict)) | (Err(StoreError::Conflict), Ok(()))
        ));
    }
}

#[tokio::test]
async fn a_store_for_reading_sees_what_another_writes_and_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let writer = open(&folder, Access::ReadWrite).unwrap();
    let reader = open(&folder, Access::ReadOnly).unwrap();
    writer.apply(vec![Write::Insert(record(Code, "a"))]).await.unwrap();
    assert!(holds(&reader, Code, "a").await);
    assert!(matches!(reader.apply(exchange("a")).await, Err(StoreError::Backend(_))));
    assert!(matches!(reader.sweep(Timestamp(10), 1).await, Err(StoreError::Backend(_))));
    assert!(holds(&reader, Code, "a").await);
    assert!(reader.ping().await.is_ok() && writer.ping().await.is_ok());
}

#[test]
fn the_database_of_the_other_plane_is_named_and_left_alone() {
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(&folder, Access::ReadWrite).unwrap());
        let opened = SqlStore::sqlite(&folder.path().join("test.db"), access).map(drop);
        let cause = opened.unwrap_err().source().unwrap().to_string();
        assert!(cause.contains("it is the operational database"), "{cause}");

        let folder = tempfile::tempdir().unwrap();
        drop(SqlStore::sqlite(&folder.path().join("test.db"), Access::ReadWrite).unwrap());
        let raw = raw(&folder);
        raw.execute("INSERT INTO schema_versions (version, checksum) VALUES (4, 'a later step')", [])
            .unwrap();
        let cause = open(&folder, access).map(drop).unwrap_err().source().unwrap().to_string();
        assert!(cause.contains("it is the configuration database"), "{cause}");
        let tables: u32 = raw
            .query_row("SELECT count(*) FROM sqlite_master WHERE name LIKE 'records%'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }
}

#[tokio::test]
async fn the_schema_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    assert_eq!(SqlRecords::schema(&url).await.unwrap(), SchemaVersion { found: 0, known: 2 });
    drop(SqlRecords::open(&url, Access::ReadWrite).await.unwrap());
    assert_eq!(SqlRecords::schema(&url).await.unwrap(), SchemaVersion { found: 2, known: 2 });
}

/// How the engine goes about a statement.
fn plan(database: &rusqlite::Connection, sql: &str) -> String {
    let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nothing = vec![rusqlite::types::Null; statement.parameter_count()];
    let steps =
        statement.query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>("detail"));
    steps.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_statement_finds_its_rows_by_an_index_and_sorts_none() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder, Access::ReadWrite).unwrap());
    let database = raw(&folder);
    let sweep = format!("{SWEEP}{ONE_SWEPT} OR {ONE_SWEPT}");
    let by_key =
        [REPLACE, REMOVE, TAKE, BY_KEY, PAGE].map(|sql| (sql, "sqlite_autoindex_records_1 (kind=? AND hash"));
    let by_owner = [REMOVE_ALL, REMOVE_KIND, PAGE_OF_OWNER].into_iter().flat_map(|statement| {
        [
            (statement.family, "records_by_family (family=?"),
            (statement.session, "records_by_session (session=?"),
            (statement.subject, "records_by_subject (subject=?"),
            (statement.client, "records_by_client (client_key=?"),
        ]
    });
    let by_end = [
        (ENDED, "records_by_end (expires_at<?"),
        (&sweep, "MULTI-INDEX OR"),
        (&sweep, "sqlite_autoindex_records_1 (kind=? AND hash=?"),
    ];
    for (sql, index) in by_key.into_iter().chain(by_owner).chain(by_end) {
        let plan = plan(&database, sql);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
    for sql in [PAGE_OF_OWNER.family, PAGE_OF_OWNER.client] {
        assert!(plan(&database, sql).contains("AND kind=? AND hash>?"));
    }
}

/// As a program of the first version left it.
#[tokio::test]
async fn records_of_an_older_schema_are_found_by_their_client() {
    let folder = tempfile::tempdir().unwrap();
    let database = raw(&folder);
    let step = Plane::Operational.steps(Engine::Sqlite)[0];
    database.execute(LEDGER, []).unwrap();
    database.execute_batch(step).unwrap();
    database.execute(NOTE, (1, checksum(step))).unwrap();
    let owners = ["a".to_owned(), "é".repeat(4096)];
    for (number, owner) in owners.iter().enumerate() {
        let insert = "INSERT INTO records (kind, hash, revision, client_id, issued_at, document) \
             VALUES ('code', ?, 1, ?, 1, '{}')";
        database.execute(insert, (vec![u8::try_from(number).unwrap(); 32], owner)).unwrap();
    }
    drop(database);
    let store = open(&folder, Access::ReadWrite).unwrap();
    for owner in owners {
        let belongs_to = Belongs { client: Some(owner.as_str().into()), ..Belongs::default() };
        let found = store.records(Code, &belongs_to, None, 9).await.unwrap();
        assert_eq!(found.into_iter().map(|record| record.belongs_to).collect::<Vec<_>>(), [belongs_to]);
    }
}
