use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use enroll_oauth_types::{ClientId, Timestamp};
use enroll_store::{Client, ClientReader as _, ClientStore, RegisteredBy, StoreError};
use tempfile::TempDir;

use super::{LONG_QUERIES, Sqlite};
use crate::database::{Engine, Value};
use crate::migrate::{Plane, checksum};
use crate::{Access, OpenError, SchemaVersion, SqlStore};

async fn empty() -> (Arc<SqlStore>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(open(&folder, Access::ReadWrite).unwrap()), folder)
}

enroll_store::client_store_conformance!(empty);
enroll_store::token_store_conformance!(empty);
enroll_store::sealed_store_conformance!(empty);
enroll_store::client_archive_conformance!(empty);

fn client(id: &str) -> Client {
    Client::new(ClientId::from(id), Timestamp(1), RegisteredBy::kind("operator"))
}

async fn stored(store: &SqlStore, id: &str) -> Option<Client> {
    store.client(&ClientId::from(id)).await.unwrap().map(Arc::unwrap_or_clone)
}

fn open(folder: &TempDir, access: Access) -> Result<SqlStore, OpenError> {
    SqlStore::sqlite(&folder.path().join("test.db"), access)
}

/// Why it could not be opened.
fn cause(opened: Result<SqlStore, OpenError>) -> String {
    opened.err().unwrap().source().unwrap().to_string()
}

#[tokio::test]
async fn what_was_answered_is_in_the_files_while_the_writer_still_has_them_open() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder, Access::ReadWrite).unwrap();
    store.insert(&client("a"), None).await.unwrap();
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let copied = open(&copy, Access::ReadWrite).unwrap();
    assert!(copied.client(&ClientId::from("a")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_for_reading_sees_what_another_writes_and_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let writer = open(&folder, Access::ReadWrite).unwrap();
    let reader = open(&folder, Access::ReadOnly).unwrap();
    writer.insert(&client("a"), None).await.unwrap();
    assert!(reader.client(&ClientId::from("a")).await.unwrap().is_some());
    assert!(matches!(reader.insert(&client("b"), None).await, Err(StoreError::Backend(_))));
    let raw = super::connection::reading(&folder.path().join("test.db"), Plane::Configuration).unwrap();
    assert!(raw.execute("DELETE FROM clients", []).is_err(), "the engine itself refuses");
    assert!(reader.ping().await.is_ok());
}

/// Whoever disables a client, here or by a command beside the server, means now.
#[tokio::test]
async fn a_client_that_is_known_is_seen_as_another_program_left_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, command) =
        (open(&folder, Access::ReadWrite).unwrap(), open(&folder, Access::ReadWrite).unwrap());
    let id = ClientId::from("a");
    server.insert(&client("a"), None).await.unwrap();
    let (first, again) = (server.client(&id).await.unwrap(), server.client(&id).await.unwrap());
    assert_eq!((first.as_deref(), again.as_deref()), (Some(&client("a")), Some(&client("a"))));

    let disabled = Client { enabled: false, ..client("a") };
    command.replace(&disabled).await.unwrap();
    assert_eq!(stored(&server, "a").await, Some(Client { revision: 2, ..disabled.clone() }));
    server.replace(&Client { revision: 2, ..client("a") }).await.unwrap();
    assert_eq!(stored(&server, "a").await, Some(Client { revision: 3, ..client("a") }));
    assert_eq!(stored(&command, "a").await, Some(Client { revision: 3, ..client("a") }));

    assert!(command.delete(&id, Timestamp(2)).await.unwrap());
    assert_eq!(server.client(&id).await.unwrap(), None);
    assert_eq!(server.deleted_at(&id).await.unwrap(), Some(Timestamp(2)));
}

#[tokio::test]
async fn a_change_that_was_refused_changes_nothing_of_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Access::ReadWrite).unwrap();
    store.insert(&client("a"), None).await.unwrap();
    let id = ClientId::from("a");
    assert!(store.client(&id).await.unwrap().is_some());
    let late = Client { revision: 7, enabled: false, ..client("a") };
    assert!(matches!(store.replace(&late).await, Err(StoreError::Conflict)));
    assert_eq!(stored(&store, "a").await, Some(client("a")));
}

/// Else whoever comes and goes would have more of them run at once than there are turns.
#[tokio::test]
async fn a_long_query_has_its_turn_until_it_ends_whoever_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let database = Sqlite::open(&path, Plane::Configuration, Access::ReadWrite).unwrap();
    let count = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) \
         SELECT count(*) FROM numbers";
    let abandoned = database.fetch_many(count.into(), vec![Value::Integer(5_000_000)]);
    tokio::select! { biased; _ = abandoned => panic!("it takes a while"), () = std::future::ready(()) => {} }
    assert_eq!(database.long.available_permits(), LONG_QUERIES - 1);
    let all = u32::try_from(LONG_QUERIES).unwrap();
    assert!(database.long.acquire_many(all).await.is_ok(), "it ends");
}

/// To compile a statement takes longer than to run it.
#[test]
fn a_statement_is_compiled_once_whatever_values_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    super::connection::writing(&path, Plane::Operational).unwrap();
    let raw = super::connection::reading(&path, Plane::Operational).unwrap();
    let by_owner = "SELECT hash FROM records WHERE kind = ? AND hash > ? AND subject = ? \
         AND (? = 0 OR family = ?) AND (? = 0 OR client_id = ?) ORDER BY hash LIMIT ?";
    let mut statement = raw.prepare(by_owner).unwrap();
    for number in 0..3 {
        let name = number.to_string();
        let values = rusqlite::params!["code", [0_u8], name, number, name, number, name, number + 1];
        assert!(statement.query(values).unwrap().next().unwrap().is_none());
    }
    assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
}

#[tokio::test]
async fn two_programs_write_to_one_file_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(&folder, Access::ReadWrite).unwrap(), open(&folder, Access::ReadWrite).unwrap());
    let writes = |store: SqlStore, prefix: &'static str| async move {
        for number in 0..50 {
            store.insert(&client(&format!("{prefix}{number}")), None).await.unwrap();
        }
    };
    tokio::join!(writes(one.clone(), "a"), writes(other, "b"));
    let page = enroll_store::Page { after: None, limit: 200 };
    assert_eq!(one.list(page).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_registration_whose_caller_went_away_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Access::ReadWrite).unwrap();
    for number in 0..20 {
        let client = client(&number.to_string());
        let abandoned = store.insert(&client, None);
        tokio::select! { biased; _ = abandoned => {}, () = std::future::ready(()) => {} }
    }
    drop(store);
    let store = open(&folder, Access::ReadOnly).unwrap();
    for number in 0..20 {
        assert_eq!(
            store.client(&ClientId::from(&*number.to_string())).await.unwrap().map(|client| client.revision),
            Some(1)
        );
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder, Access::ReadWrite).unwrap());
    let raw = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
    raw.execute("INSERT INTO schema_versions (version, checksum) VALUES (99, 'x')", []).unwrap();
    for access in [Access::ReadWrite, Access::ReadOnly] {
        assert!(matches!(open(&folder, access), Err(OpenError::Newer { found: 99, known: 3, .. })));
    }
}

#[tokio::test]
async fn opening_again_changes_nothing_and_the_schema_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    assert_eq!(SqlStore::schema(&url).await.unwrap(), SchemaVersion { found: 0, known: 3 });
    for _ in 0..2 {
        drop(SqlStore::open(&url, Access::ReadWrite).await.unwrap());
        assert_eq!(SqlStore::schema(&url).await.unwrap(), SchemaVersion { found: 3, known: 3 });
    }
}

/// What each older version of the schema holds, as a program of that time left it: identifiers of every length.
#[tokio::test]
async fn clients_of_an_older_schema_stay() {
    let long = "é".repeat(4096);
    for version in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let raw = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
        raw.execute(Plane::Configuration.ledger().create, []).unwrap();
        for (number, step) in (1_u32..).zip(&Plane::Configuration.steps(Engine::Sqlite)[..version]) {
            raw.execute_batch(step).unwrap();
            raw.execute(Plane::Configuration.ledger().note, (number, checksum(step))).unwrap();
        }
        for id in ["a", "#b", &long] {
            let values = (id, client(id).to_document());
            raw.execute("INSERT INTO clients (client_id, revision, issued_at, enabled, document) VALUES (?, 1, 1, 1, ?)", values).unwrap();
        }
        drop(raw);
        let store = open(&folder, Access::ReadWrite).unwrap();
        for id in ["a", "#b", &long].map(ClientId::from) {
            assert_eq!(stored(&store, id.as_str()).await, Some(client(id.as_str())));
            assert_eq!(store.deleted_at(&id).await.unwrap(), None);
            assert!(matches!(store.insert(&client(id.as_str()), None).await, Err(StoreError::Duplicate)));
        }
    }
}

#[tokio::test]
async fn of_a_deleted_client_no_document_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Access::ReadWrite).unwrap();
    store.insert(&client("a"), None).await.unwrap();
    assert!(store.delete(&ClientId::from("a"), Timestamp(2)).await.unwrap());
    let raw = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
    let left: (String, i64) = raw
        .query_row("SELECT document, deleted_at FROM clients", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(left, (String::new(), 2));
}

#[test]
fn what_is_no_database_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    std::fs::write(&path, "certainly no database, and long enough to be read as a header of one").unwrap();
    let error = open(&folder, Access::ReadWrite).err().unwrap();
    assert!(error.to_string().contains("test.db"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("certainly"));
    assert!(cause(SqlStore::sqlite(folder.path(), Access::ReadWrite)).contains("is a directory"));
    assert!(
        cause(SqlStore::sqlite(&folder.path().join("missing.db"), Access::ReadOnly)).contains("is not there")
    );
    assert!(!folder.path().join("missing.db").exists());
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    rusqlite::Connection::open(&path).unwrap().execute("CREATE TABLE theirs (a)", []).unwrap();
    let before = std::fs::read(&path).unwrap();
    for access in [Access::ReadWrite, Access::ReadOnly] {
        assert!(cause(open(&folder, access)).contains("tables of another program"));
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_whose_schema_was_made_otherwise_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder, Access::ReadWrite).unwrap());
    let raw = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
    raw.execute("UPDATE schema_versions SET checksum = 'x'", []).unwrap();
    assert!(cause(open(&folder, Access::ReadWrite)).contains("other steps"));
}

#[test]
fn an_empty_database_cannot_be_opened_for_reading_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("test.db"), "").unwrap();
    assert!(cause(open(&folder, Access::ReadOnly)).contains("its schema is 0, this version needs 3"));
}

#[test]
fn many_programs_may_make_the_same_database_at_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let opened = [(); 8].map(|()| scope.spawn(|| open(&folder, Access::ReadWrite).map(drop)));
            for opening in opened {
                opening.join().unwrap().unwrap();
            }
        });
    }
}

#[cfg(unix)]
#[test]
fn a_new_database_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let _store = open(&folder, Access::ReadWrite).unwrap();
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn the_folders_of_a_new_database_belong_to_its_owner_alone_and_what_is_there_keeps_its_permissions() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = folder.path().join("new/deep/test.db");
    drop(SqlStore::sqlite(&path, Access::ReadWrite).unwrap());
    assert_eq!((mode(&folder.path().join("new")), mode(&folder.path().join("new/deep"))), (0o700, 0o700));
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    drop(SqlStore::sqlite(&path, Access::ReadWrite).unwrap());
    assert_eq!(mode(&path), 0o640);
}
