//! Databases of an IdentityServer, as its own store makes them.

use std::sync::Arc;

use tempfile::TempDir;

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
