//! Databases of an IdentityServer, as its own store makes them.

use std::sync::Arc;

use enroll_throwaway::Engine;
use tempfile::TempDir;

use crate::server::tests::place::Place;
use crate::{Access, IdentityServerStore};

pub(super) const CURRENT: &str = include_str!("../fixtures/sqlite-current.sql");
pub(super) const OLDER: &str = include_str!("../fixtures/sqlite-older.sql");

/// A database with these tables, and nobody in them.
pub(super) fn tables(script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    raw(&folder).execute_batch(&format!("BEGIN; {script}; COMMIT;")).unwrap();
    folder
}

/// As other programs get at it.
pub(super) fn raw(folder: &TempDir) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.path().join("configuration.db")).unwrap()
}

pub(super) fn url(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("configuration.db").display())
}

pub(super) async fn open(folder: &TempDir) -> IdentityServerStore {
    IdentityServerStore::open(&url(folder), Access::ReadWrite).await.unwrap()
}

pub(super) async fn empty(script: &str) -> (Arc<IdentityServerStore>, TempDir) {
    let folder = tables(script);
    (Arc::new(open(&folder).await), folder)
}

pub(super) const POSTGRES: &str = include_str!("../fixtures/postgres-current.sql");
pub(super) const OLDER_POSTGRES: &str = include_str!("../fixtures/postgres-older.sql");
pub(super) const MYSQL: &str = include_str!("../fixtures/mysql-current.sql");
pub(super) const OLDER_MYSQL: &str = include_str!("../fixtures/mysql-older.sql");

/// A place on a server with these tables, and nobody in them.
pub(super) async fn place(engine: Engine, script: &str) -> Place {
    let place = Place::new(engine).await;
    make(&place, script).await;
    place
}

/// Makes these tables.
pub(super) async fn make(place: &Place, script: &str) {
    for statement in script.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        place.own(statement).await;
    }
}

/// The tables on a server, which goes on to be there.
pub(super) async fn empty_place(engine: Engine, script: &str) -> Arc<IdentityServerStore> {
    let place = place(engine, script).await;
    Arc::new(IdentityServerStore::open(place.url(), Access::ReadWrite).await.unwrap())
}
