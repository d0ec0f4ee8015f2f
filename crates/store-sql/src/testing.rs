//! What tests need beside the stores: the tables of an IdentityServer, and the way that other programs get at them in a file.

use std::path::Path;

use rusqlite::Connection;

/// The tables as Entity Framework makes them on SQLite.
pub const TABLES: &str = include_str!("identityserver/fixtures/sqlite-current.sql");

/// The same on PostgreSQL.
pub const TABLES_ON_POSTGRES: &str = include_str!("identityserver/fixtures/postgres-current.sql");

/// The same on MySQL and MariaDB.
pub const TABLES_ON_MYSQL: &str = include_str!("identityserver/fixtures/mysql-current.sql");

/// A file, as other programs see it.
pub struct ForeignFile(Connection);

impl ForeignFile {
    /// Opens it; it is made when it is not there.
    pub fn open(path: &Path) -> Self {
        Self(Connection::open(path).expect("the file can be opened"))
    }

    /// Runs statements, all or none.
    pub fn run(&self, statements: &str) {
        let whole = format!("BEGIN; {statements}; COMMIT;");
        self.0.execute_batch(&whole).unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// The first column of what is selected by one value, as text.
    pub fn texts(&self, query: &str, value: &str) -> Vec<String> {
        let mut statement = self.0.prepare(query).expect("it is a query");
        let texts = statement.query_map([value], |row| row.get(0)).expect("it has one value");
        texts.collect::<Result<_, _>>().expect("it selects text")
    }
}
