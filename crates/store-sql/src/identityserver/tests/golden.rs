//! One client with all that a client can have, as rows: whoever else reads these tables must not see them change unawares.
//!
//! `RENEW=1` writes the files anew. Read the difference before you commit it.

use std::fmt::Write as _;
use std::path::Path;

use enroll_store::{Client, ClientReader as _, ClientStore as _};
use enroll_throwaway::Engine;

use super::fresh;
use crate::IdentityServerStore;
use crate::identityserver::catalogue::Catalogue;
use crate::identityserver::columns::Kind;

/// The client. Its statement is longer than a property holds.
pub(super) fn client() -> Client {
    let document = include_str!("full-client.json").replace("@statement@", &"e".repeat(2500));
    Client::from_document(&document, 1).unwrap()
}

/// Every row of every table, a column a line, without those that hold nothing.
pub(super) async fn dump(store: &IdentityServerStore) -> String {
    let mut dump = String::new();
    let engine = store.database.engine();
    // Anew, since ours were not there when the store looked.
    let rows = store.database.fetch(engine.catalogue(), [], u32::MAX).await.unwrap();
    let catalogue = Catalogue::read(engine, rows).unwrap();
    for (table, columns) in catalogue.tables() {
        if table.contains("schema_") || table.contains("sqlite_") {
            continue;
        }
        let read = columns.iter().map(|column| {
            let type_name = catalogue.type_of(table, column);
            let kind = match type_name {
                name if name.starts_with("timestamp") => Kind::Moment,
                name if name.starts_with("bit") || name.starts_with("tinyint") => Kind::Flag,
                _ => Kind::Text,
            };
            engine.read(&engine.quoted(column), kind, type_name)
        });
        let (read, first) = (read.collect::<Vec<_>>().join(", "), engine.quoted(columns[0]));
        let order = if columns.contains(&"Id") { engine.quoted("Id") } else { first };
        let sql = format!("SELECT {read} FROM {} own ORDER BY own.{order}", engine.quoted(table));
        for mut row in store.database.fetch(sql, [], u32::MAX).await.unwrap() {
            writeln!(dump, "{table}").unwrap();
            for column in &columns {
                if let Some(text) = row.optional_text().unwrap() {
                    writeln!(dump, "  {column} = {text}").unwrap();
                }
            }
        }
    }
    dump
}

/// Compares what the tables hold with the file of this name.
pub(super) async fn compare(store: &IdentityServerStore, name: &str) {
    let client = client();
    store.insert(&client, None).await.unwrap();
    assert_eq!(store.client(&client.id).await.unwrap().as_deref(), Some(&client));
    let dump = dump(store).await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/identityserver/tests/golden").join(name);
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&file, &dump).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(dump == expected, "the rows are no longer those of {}:\n{dump}", file.display());
}

#[tokio::test]
async fn a_full_client_has_these_rows_in_the_current_tables() {
    let (store, _folder) = fresh::empty(fresh::CURRENT).await;
    compare(&store, "sqlite-current.txt").await;
}

#[tokio::test]
async fn a_full_client_has_these_rows_in_older_tables() {
    let (store, _folder) = fresh::empty(fresh::OLDER).await;
    compare(&store, "sqlite-older.txt").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn a_full_client_has_these_rows_in_postgresql() {
    let store = fresh::empty_place(Engine::Postgres, fresh::POSTGRES).await;
    compare(&store, "postgres-current.txt").await;
    let store = fresh::empty_place(Engine::Postgres, fresh::OLDER_POSTGRES).await;
    compare(&store, "postgres-older.txt").await;
}

/// With the usual collation, which takes a letter for its capital.
#[tokio::test]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn a_full_client_has_these_rows_in_mariadb() {
    let store = fresh::empty_place(Engine::MariaDb, fresh::MYSQL).await;
    compare(&store, "mysql-current.txt").await;
    let store = fresh::empty_place(Engine::MariaDb, fresh::OLDER_MYSQL).await;
    compare(&store, "mysql-older.txt").await;
}
