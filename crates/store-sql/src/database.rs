//! The engines behind three primitives: fetch rows, apply a unit of statements, migrate. The only file that knows
//! which engines there are.

use std::borrow::Cow;
use std::path::Path;

use enroll_oauth_types::SecretHash;
use enroll_store::{BoxError, StoreError};

use crate::address::Address;
use crate::migrate::{Plane, SchemaVersion};
use crate::server::{Listener, Server};
use crate::sqlite::Sqlite;

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; the schema is brought up to date.
    ReadWrite,
    /// Reading alone: the engine itself refuses to write.
    ReadOnly,
}

/// The engines that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    /// And what speaks its protocol.
    Postgres,
    /// And what speaks its protocol, MariaDB first of all.
    MySql,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database that this version could open.
    #[error("the database URL `{url}` {problem}")]
    Url {
        /// The URL, without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database is not there, is none or not one of ours, does not answer, or may not be used. Nothing in it was changed.
    #[error("the database {database} could not be opened")]
    Failed {
        /// Which: a file, or a URL without its password.
        database: String,
        /// What the engine or the file system said.
        #[source]
        source: BoxError,
    },
    /// A newer version of the program made this database.
    #[error(
        "the database {database} has schema {found}, this version knows {known}: use a newer version of the program"
    )]
    Newer {
        /// Which: a file, or a URL without its password.
        database: String,
        /// The schema it has.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
}

/// A value that goes into a statement or comes out of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

/// Counts and seconds. What is beyond the column's range is as good as its end.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row, its columns in the order of the statement.
pub(crate) struct Row(pub(crate) std::vec::IntoIter<Value>);

impl Row {
    /// The next column as text.
    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        match self.0.next() {
            Some(value) => text(value),
            None => Err(unexpected("text", None)),
        }
    }

    /// The next column as text, or nothing.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Null) => Ok(None),
            Some(value) => text(value).map(Some),
            None => Err(unexpected("text", None)),
        }
    }

    /// The next column as bytes.
    fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            other => Err(unexpected("bytes", other.as_ref())),
        }
    }

    /// The next column as a hash.
    pub(crate) fn hash(&mut self) -> Result<SecretHash, StoreError> {
        let bytes = <[u8; 32]>::try_from(self.bytes()?);
        bytes.map(SecretHash::from).map_err(|_| StoreError::backend("a stored hash must have 32 bytes"))
    }

    /// The next column as a number that is not negative, or nothing.
    pub(crate) fn number(&mut self) -> Result<Option<u64>, StoreError> {
        match self.0.next() {
            Some(Value::Null) => Ok(None),
            Some(Value::Integer(number)) => u64::try_from(number)
                .map(Some)
                .map_err(|_| unexpected("a count", Some(&Value::Integer(number)))),
            other => Err(unexpected("a number", other.as_ref())),
        }
    }

    /// The next column as a number that is there.
    pub(crate) fn required_number(&mut self) -> Result<u64, StoreError> {
        self.number()?.ok_or_else(|| unexpected("a number", None))
    }
}

/// An engine that compares no text byte by byte keeps it as bytes.
fn text(value: Value) -> Result<String, StoreError> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Bytes(bytes) => String::from_utf8(bytes).map_err(StoreError::backend),
        other => Err(unexpected("text", Some(&other))),
    }
}

/// Says of what kind it is and not what it is, since errors are logged.
fn unexpected(expected: &str, found: Option<&Value>) -> StoreError {
    let found = match found {
        Some(Value::Integer(_)) => "a number",
        Some(Value::Text(_)) => "text",
        Some(Value::Bytes(_)) => "bytes",
        Some(Value::Null) | None => "nothing",
    };
    StoreError::backend(format!("a column holds {found} where {expected} is expected"))
}

/// A statement of a unit, and what it means when it touches no row.
pub(crate) struct Statement {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
    /// The unit ends with this, and is undone, when the statement touches no row.
    pub(crate) otherwise: Option<StoreError>,
    /// Where among the values it says how often it is done. To do it once with two there is to do it twice with one.
    pub(crate) counts: &'static [usize],
}

impl Statement {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>, values: impl Into<Vec<Value>>) -> Self {
        Self { sql: sql.into(), values: values.into(), otherwise: None, counts: &[] }
    }

    pub(crate) fn or(self, otherwise: StoreError) -> Self {
        Self { otherwise: Some(otherwise), ..self }
    }

    /// Says where among the values the number 1 is how often it is done.
    pub(crate) fn counting(self, counts: &'static [usize]) -> Self {
        Self { counts, ..self }
    }
}

/// How many rows a look-up may have at the most to be run where it is called.
const FEW: u32 = 1;

/// A database, whichever it is.
pub(crate) enum Database {
    Sqlite(Sqlite),
    Server(Server),
}

impl Database {
    pub(crate) async fn open(url: &str, plane: Plane, access: Access) -> Result<Self, OpenError> {
        match Address::read(url)? {
            Address::Sqlite(path) => Self::sqlite(&path, plane, access),
            Address::Server(address) => Server::open(address, plane, access).await.map(Self::Server),
        }
    }

    pub(crate) fn sqlite(path: &Path, plane: Plane, access: Access) -> Result<Self, OpenError> {
        Sqlite::open(path, plane, access).map(Self::Sqlite)
    }

    pub(crate) fn check_url(url: &str) -> Result<(), OpenError> {
        Address::read(url).map(drop)
    }

    pub(crate) async fn schema(url: &str, plane: Plane) -> Result<SchemaVersion, OpenError> {
        match Address::read(url)? {
            Address::Sqlite(path) => Sqlite::schema(&path, plane),
            Address::Server(address) => Server::schema(&address, plane).await,
        }
    }

    pub(crate) fn back_up(
        url: &str,
        plane: Plane,
        to: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), OpenError> {
        match Address::read(url)? {
            Address::Sqlite(path) => Sqlite::back_up(&path, plane, to, progress),
            Address::Server(address) => {
                let problem = "is one of a server, whose own tools make backups of it".to_owned();
                Err(OpenError::Url { url: address.shown, problem })
            }
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Server(server) => server.engine(),
        }
    }

    /// Runs a query that gives at most `limit` rows.
    pub(crate) async fn fetch(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: impl Into<Vec<Value>>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let (sql, values) = (sql.into(), values.into());
        match self {
            Self::Sqlite(sqlite) if limit <= FEW => sqlite.fetch(&sql, &values),
            Self::Sqlite(sqlite) => sqlite.fetch_many(sql, values).await,
            Self::Server(server) => server.fetch(sql, &values).await,
        }
    }

    /// Runs a unit of statements: all of them, durably, or none. Says how many rows they touched.
    pub(crate) async fn apply(&self, unit: Vec<Statement>) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.apply(unit).await,
            Self::Server(server) => server.apply(unit).await,
        }
    }

    /// Whether other nodes may write to it far away, so that asking it costs a way there and back.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Tells the other nodes that the client of this key changed, where that can be.
    pub(crate) async fn tell(&self, client_key: &str) {
        if let Self::Server(server) = self {
            server.tell(client_key).await;
        }
    }

    /// Hears of clients that other nodes changed, where that can be; `None` where any may have changed.
    pub(crate) fn listen(&self, told: impl Fn(Option<&str>) + Send + Sync + 'static) -> Option<Listener> {
        match self {
            Self::Sqlite(_) => None,
            Self::Server(server) => server.listen(told),
        }
    }

    /// Reads and, when it may, writes, without changing anything.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.ping().await,
            Self::Server(server) => server.ping().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_does_not_tell_what_a_column_holds() {
        for value in [Value::from("secret"), Value::from(&b"secret"[..]), Value::Integer(-7)] {
            let mut row = Row(vec![value].into_iter());
            let problem = row.required_number().unwrap_err().source().unwrap().to_string();
            assert!(problem.starts_with("a column holds ") && problem.contains(" where a "), "{problem}");
            assert!(
                !problem.contains("secret") && !problem.contains("115") && !problem.contains('7'),
                "{problem}"
            );
        }
    }
}
