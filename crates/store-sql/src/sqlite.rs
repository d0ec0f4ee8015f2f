//! SQLite: a pool of readers, and one writer that commits what has queued up as one transaction.

mod backup;
mod connection;
mod writer;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use enroll_store::StoreError;
use rusqlite::types::{FromSqlError, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, ffi, params_from_iter};
use tokio::sync::Semaphore;

use crate::database::{Access, OpenError, Row, Statement, Value};
use crate::migrate::{Plane, SchemaVersion};
use connection::Identity;
use writer::Writer;

/// An SQLite database. The readers stand first, so that they close first: the last to close tidies the files up, which
/// only the writer can.
pub(crate) struct Sqlite {
    readers: Arc<Readers>,
    /// How many long queries may run at the same time.
    long: Arc<Semaphore>,
    /// `None` when it was opened for reading alone.
    writer: Option<Writer>,
    /// Which file was opened.
    file: Option<Identity>,
}

/// How many long queries run at the same time; each has a connection and a thread to itself.
const LONG_QUERIES: usize = 4;

/// Connections for reading, made when none is idle. A reader never waits for the writer.
struct Readers {
    path: PathBuf,
    plane: Plane,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, plane: Plane, access: Access) -> Result<Self, OpenError> {
        let path = absolute(path)?;
        let writer = match access {
            Access::ReadWrite => {
                let started = Writer::start(connection::writing(&path, plane)?);
                let failed = |error: std::io::Error| OpenError::Failed {
                    database: path.display().to_string(),
                    source: error.into(),
                };
                Some(started.map_err(failed)?)
            }
            Access::ReadOnly => None,
        };
        let first = connection::reading(&path, plane)?;
        let file = connection::identity(&path);
        let readers = Arc::new(Readers { path, plane, idle: Mutex::new(vec![first]) });
        Ok(Self { readers, long: Arc::new(Semaphore::new(LONG_QUERIES)), writer, file })
    }

    /// Reads, writes when it may, and looks whether the file is still the one that was opened: the engine goes on with
    /// one that was removed, and nobody would find again what it writes there.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        if connection::identity(&self.readers.path) != self.file {
            let path = self.readers.path.display();
            return Err(StoreError::backend(format!(
                "the file {path} was removed or replaced while it was open: start again"
            )));
        }
        let ledger = self.readers.plane.ledger();
        self.fetch(ledger.read, &[Value::Integer(1)])?;
        match &self.writer {
            Some(writer) => {
                writer.apply(vec![Statement::new(ledger.write, [Value::Integer(1)])]).await.map(drop)
            }
            None => Ok(()),
        }
    }

    pub(crate) fn schema(path: &Path, plane: Plane) -> Result<SchemaVersion, OpenError> {
        connection::schema(&absolute(path)?, plane)
    }

    pub(crate) fn back_up(
        path: &Path,
        plane: Plane,
        to: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), OpenError> {
        backup::copy(&absolute(path)?, plane, &absolute(to)?, progress)
    }

    /// Runs a query where it is called: for look-ups, which take microseconds.
    pub(crate) fn fetch(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.readers.fetch(sql, values)
    }

    /// Runs a query on a thread that may block.
    pub(crate) async fn fetch_many(
        &self,
        sql: Cow<'static, str>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let turn = self.long.clone().acquire_owned().await.map_err(StoreError::backend)?;
        let readers = self.readers.clone();
        let rows = tokio::task::spawn_blocking(move || {
            let rows = readers.fetch(&sql, &values);
            drop(turn); // not before, also when nobody waits for it any more
            rows
        })
        .await;
        rows.map_err(StoreError::backend)?
    }

    /// Says how many rows the unit touched.
    pub(crate) async fn apply(&self, unit: Vec<Statement>) -> Result<u64, StoreError> {
        match &self.writer {
            Some(writer) => writer.apply(unit).await,
            None if unit.is_empty() => Ok(0),
            None => Err(StoreError::backend("the database was opened for reading alone")),
        }
    }
}

/// The path from the root: a relative one may mean something else later, and the engine takes `:memory:` and `file:…`
/// for more than names.
fn absolute(path: &Path) -> Result<PathBuf, OpenError> {
    std::path::absolute(path)
        .map_err(|error| OpenError::Failed { database: path.display().to_string(), source: error.into() })
}

impl Readers {
    /// How many idle connections are kept.
    const MOST_IDLE: usize = 16;

    fn fetch(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::reading(&self.path, self.plane).map_err(StoreError::backend)?,
        };
        let rows = rows(&connection, sql, values).map_err(error);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.is_ok() && idle.len() < Self::MOST_IDLE {
            idle.push(connection);
        }
        rows
    }
}

fn rows(connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut found = statement.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values: Vec<Value> =
            (0..columns).map(|column| value(row.get_ref(column)?)).collect::<Result<_, _>>()?;
        rows.push(Row(values.into_iter()));
    }
    Ok(rows)
}

fn value(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(_) => Value::Text(value.as_str()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
        ValueRef::Real(_) => Err(FromSqlError::InvalidType)?,
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A name that is taken is a duplicate; every other broken constraint is a fault.
fn error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => StoreError::Duplicate,
        _ => StoreError::backend(error),
    }
}

#[cfg(test)]
mod tests;
