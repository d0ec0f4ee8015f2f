//! The engines behind three primitives: fetch rows, apply a unit of statements, migrate. The only file that knows
//! which engines there are.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use enroll_store::{BoxError, StoreError};

use crate::identityserver::Dialect;
use crate::migrate::{Plane, SchemaVersion};
use crate::sqlite::Sqlite;

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; the schema is brought up to date.
    ReadWrite,
    /// Reading alone: the engine itself refuses to write.
    ReadOnly,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no engine that this version has.
    #[error("the database URL `{0}` must begin with `sqlite://` and name a file, without parameters")]
    Url(String),
    /// The file is not there, is no database or not one of ours, or may not be used. Nothing in it was changed.
    #[error("the database {path} could not be opened")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the engine or the file system said.
        #[source]
        source: BoxError,
    },
    /// The tables of somebody else's that it holds are not those that this version can use. Nothing in it was changed.
    #[error("the database {database} cannot be used: {problem}")]
    Schema {
        /// Which.
        database: String,
        /// What is missing or in the way.
        problem: String,
    },
    /// A newer version of the program made this database.
    #[error(
        "the database {path} has schema {found}, this version knows {known}: use a newer version of the program"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The schema it has.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
}

/// A value that goes into a statement or comes out of a row.
#[derive(Clone, Debug, PartialEq)]
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
            Some(Value::Text(text)) => Ok(text),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// The next column as text, or nothing.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// The next column as bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            other => Err(unexpected("bytes", other.as_ref())),
        }
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

fn unexpected(expected: &str, found: Option<&Value>) -> StoreError {
    StoreError::backend(format!("a column holds {found:?} where {expected} is expected"))
}

/// A statement of a unit, and what it means when it touches no row.
pub(crate) struct Statement {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
    /// The unit ends with this, and is undone, when the statement touches no row.
    pub(crate) otherwise: Option<StoreError>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>, values: impl Into<Vec<Value>>) -> Self {
        Self { sql: sql.into(), values: values.into(), otherwise: None }
    }

    pub(crate) fn or(self, otherwise: StoreError) -> Self {
        Self { otherwise: Some(otherwise), ..self }
    }
}

/// How many rows a look-up may have at the most to be run where it is called.
const FEW: u32 = 1;

/// A database, whichever it is.
pub(crate) enum Database {
    Sqlite(Sqlite),
}

impl Database {
    pub(crate) fn open(url: &str, plane: Plane, access: Access) -> Result<Self, OpenError> {
        Self::sqlite(sqlite_path(url)?, plane, access)
    }

    pub(crate) fn sqlite(path: &Path, plane: Plane, access: Access) -> Result<Self, OpenError> {
        Sqlite::open(path, plane, access).map(Self::Sqlite)
    }

    pub(crate) fn check_url(url: &str) -> Result<(), OpenError> {
        sqlite_path(url).map(drop)
    }

    pub(crate) fn schema(url: &str, plane: Plane) -> Result<SchemaVersion, OpenError> {
        Sqlite::schema(sqlite_path(url)?, plane)
    }

    /// How its engine spells what not all spell alike.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs a query that gives at most `limit` rows.
    pub(crate) async fn fetch(
        &self,
        sql: impl Into<Cow<'static, str>>,
        values: impl Into<Vec<Value>>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(sqlite) if limit <= FEW => sqlite.fetch(&sql.into(), &values.into()),
            Self::Sqlite(sqlite) => sqlite.fetch_many(sql.into(), values.into()).await,
        }
    }

    /// Runs a unit of statements: all of them, durably, or none. Says how many rows they touched.
    pub(crate) async fn apply(&self, unit: Vec<Statement>) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.apply(unit).await,
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.ping().await,
        }
    }
}

fn sqlite_path(url: &str) -> Result<&Path, OpenError> {
    // A database in memory would be another one for each connection.
    let is_file = |path: &&str| !path.is_empty() && *path != ":memory:" && !path.contains('?');
    let path = url.strip_prefix("sqlite://").filter(is_file);
    path.map(Path::new).ok_or_else(|| OpenError::Url(without_password(url)))
}

/// The URL as an error may show it.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_another_engine_is_refused_without_its_password() {
        for url in
            ["postgres://user:secret@host/db", "mysql://u:secret@h/d", "sqlite:", "sqlite://", "file.db"]
        {
            let error =
                Database::open(url, Plane::Configuration, Access::ReadWrite).err().unwrap().to_string();
            assert!(error.contains("must begin with `sqlite://`") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_url_that_would_forget_or_that_has_parameters_is_refused() {
        for url in ["sqlite://:memory:", "sqlite::memory:", "sqlite:///a.db?mode=memory"] {
            assert!(
                matches!(
                    Database::open(url, Plane::Configuration, Access::ReadWrite),
                    Err(OpenError::Url(_))
                ),
                "{url}"
            );
        }
    }
}
