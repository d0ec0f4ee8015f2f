//! What a database must have to be opened, and what opening it changes.

use std::error::Error as _;

use super::{fresh, golden};
use crate::{Access, ConfigurationStore as _, IdentityServerStore, SchemaVersion};

async fn problem(folder: &tempfile::TempDir) -> String {
    let opened = IdentityServerStore::open(&fresh::url(folder), Access::ReadWrite).await.map(drop);
    let error = opened.unwrap_err();
    error.source().unwrap().to_string()
}

#[tokio::test]
async fn a_table_or_a_column_that_is_missing_is_named() {
    for (change, named) in [
        (
            "DROP TABLE ClientIdPRestrictions",
            "ClientIdPRestrictions.Id, ClientIdPRestrictions.ClientId, ClientIdPRestrictions.Provider",
        ),
        ("ALTER TABLE Clients DROP COLUMN RequirePkce", "lack Clients.RequirePkce"),
        ("ALTER TABLE ClientSecrets RENAME COLUMN Expiration TO Expires", "lack ClientSecrets.Expiration"),
        ("DROP TABLE ClientClaims; DROP TABLE ClientScopes", "ClientScopes.Scope"),
    ] {
        let folder = fresh::tables(fresh::CURRENT);
        fresh::raw(&folder).execute_batch(change).unwrap();
        let problem = problem(&folder).await;
        assert!(problem.contains(named), "{problem}");
    }
}

#[tokio::test]
async fn a_column_of_a_later_version_that_needs_a_value_is_named_and_any_other_is_fine() {
    let folder = fresh::tables(fresh::CURRENT);
    fresh::raw(&folder)
        .execute_batch("ALTER TABLE Clients ADD COLUMN Fresh INTEGER NOT NULL DEFAULT 0")
        .unwrap();
    fresh::raw(&folder).execute_batch("ALTER TABLE ClientScopes ADD COLUMN Note TEXT").unwrap();
    fresh::raw(&folder).execute_batch("CREATE TABLE Others (Needed TEXT NOT NULL)").unwrap();
    drop(fresh::open(&folder).await);
    let strange = fresh::CURRENT
        .replace("\"Enabled\" INTEGER NOT NULL", "\"Enabled\" INTEGER NOT NULL, \"Tenant\" TEXT NOT NULL");
    let problem = problem(&fresh::tables(&strange)).await;
    assert!(problem.contains("does not know: Clients.Tenant"), "{problem}");
}

#[tokio::test]
async fn a_database_without_clients_is_not_opened_and_none_is_made() {
    let folder = fresh::tables("CREATE TABLE other (a TEXT)");
    assert!(problem(&folder).await.contains("there is no table Clients"));
    let folder = tempfile::tempdir().unwrap();
    assert!(problem(&folder).await.contains("it is not there"));
    assert!(!folder.path().join("configuration.db").exists());
}

#[tokio::test]
async fn opening_makes_the_tables_beside_and_changes_none_of_the_others() {
    let folder = fresh::tables(fresh::CURRENT);
    let schema = || -> Vec<(String, Option<String>)> {
        let raw = fresh::raw(&folder);
        let mut statement = raw
            .prepare("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%enroll_%' ORDER BY name")
            .unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let before = schema();
    let url = fresh::url(&folder);
    assert!(
        IdentityServerStore::open(&url, Access::ReadOnly).await.is_err(),
        "who only reads makes no tables"
    );
    assert_eq!(IdentityServerStore::schema(&url).await.unwrap(), SchemaVersion { found: 0, known: 1 });
    drop(fresh::open(&folder).await);
    assert_eq!(schema(), before);
    assert_eq!(IdentityServerStore::schema(&url).await.unwrap(), SchemaVersion { found: 1, known: 1 });
    drop(fresh::open(&folder).await);
    let reader = IdentityServerStore::open(&url, Access::ReadOnly).await.unwrap();
    reader.ping().await.unwrap();
    assert!(golden::dump(&reader).await.is_empty());
}
