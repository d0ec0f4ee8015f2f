//! Records of the operational plane.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use enroll_store::{Belongs, Record, RecordKind, RecordStore, StoreError, Write};
use serde_json::value::RawValue;

use crate::database::{Database, Row, Statement, Value, key};
use crate::migrate::OPERATIONAL;
use crate::{Access, OpenError, SchemaVersion};

/// A store of records. Cloning it is cheap; all clones share the connections.
#[derive(Clone)]
pub struct SqlRecords {
    database: Arc<Database>,
}

impl SqlRecords {
    /// Opens the database at `url`, as [`SqlStore::open`](crate::SqlStore::open) does.
    pub fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Database::open(url, access, OPERATIONAL)?) })
    }

    /// Opens an SQLite file.
    pub fn sqlite(path: &Path, access: Access) -> Result<Self, OpenError> {
        Ok(Self { database: Arc::new(Database::sqlite(path, access, OPERATIONAL)?) })
    }

    /// The schema that the database has and the one that this version needs, without changing anything.
    pub fn schema(url: &str) -> Result<SchemaVersion, OpenError> {
        Database::schema(url, OPERATIONAL)
    }

    /// Whether the store can read, and write when it was opened for that: it does both, and changes nothing.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }
}

const INSERT: &str = "INSERT INTO records (kind, record_key, revision, client_id, subject, session_id, family, \
     issued_at, expires_at, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const REPLACE: &str = "UPDATE records SET revision = revision + 1, client_id = ?, subject = ?, session_id = ?, family = ?, \
     issued_at = ?, expires_at = ?, document = ? WHERE kind = ? AND record_key = ? AND revision = ?";
const TAKE: &str = "DELETE FROM records WHERE kind = ? AND record_key = ? AND revision = ?";
const BY_KEY: &str = "SELECT kind, record_key, revision, client_id, subject, session_id, family, issued_at, expires_at, \
     document FROM records WHERE kind = ? AND record_key = ?";
const PAGE: &str = "SELECT kind, record_key, revision, client_id, subject, session_id, family, issued_at, expires_at, \
     document FROM records WHERE kind = ? AND record_key > ? AND (? IS NULL OR client_id = ?) \
     AND (? IS NULL OR subject = ?) AND (? IS NULL OR session_id = ?) AND (? IS NULL OR family = ?) \
     ORDER BY record_key LIMIT ?";
const OVER: &str = "SELECT kind, record_key FROM records WHERE expires_at <= ? LIMIT ?";
const SWEEP: &str = "DELETE FROM records WHERE kind = ? AND record_key = ? AND expires_at <= ?";

/// By the one column that has an index of its own and is given; the others narrow it.
macro_rules! take_all {
    ($column:literal) => {
        concat!(
            "DELETE FROM records WHERE ",
            $column,
            " = ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR client_id = ?) AND (? IS NULL OR subject = ?) \
             AND (? IS NULL OR session_id = ?) AND (? IS NULL OR family = ?)"
        )
    };
}

#[async_trait]
impl RecordStore for SqlRecords {
    async fn record(&self, kind: RecordKind, own: &SecretHash) -> Result<Option<Record>, StoreError> {
        let rows = self.database.fetch(BY_KEY, [kind.as_str().into(), key(own)], 1).await?;
        rows.into_iter().next().map(|row| read(kind, row)).transpose()
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.database.apply(writes.into_iter().filter_map(statement).collect()).await
    }

    async fn records(
        &self,
        kind: RecordKind,
        belongs_to: &Belongs,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let [client, subject, session, family] = columns(belongs_to);
        let after = after.map_or(Value::Bytes(Vec::new()), key);
        let values = [
            kind.as_str().into(),
            after,
            client.clone(),
            client,
            subject.clone(),
            subject,
            session.clone(),
            session,
            family.clone(),
            family,
            limit.into(),
        ];
        let rows = self.database.fetch(PAGE, values, limit.max(2)).await?;
        rows.into_iter().map(|row| read(kind, row)).collect()
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let over = self.database.fetch(OVER, [now.seconds().into(), limit.into()], limit.max(2)).await?;
        let swept = u32::try_from(over.len()).unwrap_or(u32::MAX);
        let mut unit = Vec::with_capacity(over.len());
        for mut row in over {
            let values = [row.text()?.into(), Value::Bytes(row.bytes()?), now.seconds().into()];
            unit.push(Statement::new(SWEEP, values));
        }
        self.database.apply(unit).await?;
        Ok(swept)
    }
}

fn columns(belongs_to: &Belongs) -> [Value; 4] {
    let Belongs { client, subject, session, family } = belongs_to;
    [
        client.as_ref().map(ClientId::as_str).into(),
        subject.as_deref().into(),
        session.as_deref().into(),
        family.as_deref().into(),
    ]
}

fn statement(write: Write) -> Option<Statement> {
    match write {
        Write::Insert(record) => {
            let [client, subject, session, family] = columns(&record.belongs_to);
            let values = [
                record.kind.as_str().into(),
                key(&record.key),
                record.revision.into(),
                client,
                subject,
                session,
                family,
                record.issued_at.seconds().into(),
                record.expires_at.map(Timestamp::seconds).into(),
                record.document.get().into(),
            ];
            Some(Statement::new(INSERT, values))
        }
        Write::Replace(record) => {
            let [client, subject, session, family] = columns(&record.belongs_to);
            let values = [
                client,
                subject,
                session,
                family,
                record.issued_at.seconds().into(),
                record.expires_at.map(Timestamp::seconds).into(),
                record.document.get().into(),
                record.kind.as_str().into(),
                key(&record.key),
                record.revision.into(),
            ];
            Some(Statement::new(REPLACE, values).or(StoreError::Conflict))
        }
        Write::Take(kind, own, revision) => {
            let values = [kind.as_str().into(), key(&own), revision.into()];
            Some(Statement::new(TAKE, values).or(StoreError::Conflict))
        }
        Write::TakeAll(kind, whose) => take_all(kind, &whose),
    }
}

fn take_all(kind: Option<RecordKind>, whose: &Belongs) -> Option<Statement> {
    let [client, subject, session, family] = columns(whose);
    let by = [
        (&family, take_all!("family")),
        (&session, take_all!("session_id")),
        (&subject, take_all!("subject")),
        (&client, take_all!("client_id")),
    ];
    let (first, sql) = by.into_iter().find(|(value, _)| **value != Value::Null)?;
    let (first, kind) = (first.clone(), Value::from(kind.map(RecordKind::as_str)));
    let narrowed =
        [kind, client, subject, session, family].into_iter().flat_map(|value| [value.clone(), value]);
    Some(Statement { sql, values: std::iter::once(first).chain(narrowed).collect(), otherwise: None })
}

fn read(kind: RecordKind, mut row: Row) -> Result<Record, StoreError> {
    row.text()?; // the kind, which was asked for
    let key: [u8; 32] =
        row.bytes()?.try_into().map_err(|_| StoreError::backend("a stored hash must have 32 bytes"))?;
    let revision = row.required_number()?;
    let belongs_to = Belongs {
        client: row.optional_text()?.as_deref().map(ClientId::from),
        subject: row.optional_text()?,
        session: row.optional_text()?,
        family: row.optional_text()?,
    };
    let issued_at = Timestamp(row.required_number()?);
    let expires_at = row.number()?.map(Timestamp);
    let document = RawValue::from_string(row.text()?).map_err(StoreError::backend)?;
    Ok(Record { kind, key: key.into(), revision, belongs_to, issued_at, expires_at, document })
}

#[cfg(test)]
mod tests {
    use enroll_store::RecordStore as _;
    use tempfile::TempDir;

    use super::*;

    async fn empty() -> (Arc<SqlRecords>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let records = SqlRecords::sqlite(&folder.path().join("operational.db"), Access::ReadWrite).unwrap();
        (Arc::new(records), folder)
    }

    enroll_store::record_store_conformance!(empty);

    /// The two planes have a schema each.
    #[tokio::test]
    async fn a_database_of_the_other_plane_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("configuration.db");
        drop(crate::SqlStore::sqlite(&path, Access::ReadWrite).unwrap());
        assert!(SqlRecords::sqlite(&path, Access::ReadWrite).is_err());
    }

    #[tokio::test]
    async fn who_may_only_read_takes_nothing() {
        let (_records, folder) = empty().await;
        let path = folder.path().join("operational.db");
        let reading = SqlRecords::sqlite(&path, Access::ReadOnly).unwrap();
        let write = Write::Take(RecordKind::SigningKey, SecretHash::from([0; 32]), 1);
        assert!(matches!(reading.apply(vec![write]).await, Err(StoreError::Backend(_))));
    }
}
