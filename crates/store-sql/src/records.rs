//! Records: one table for all that the authorization server keeps about its work.

use async_trait::async_trait;
use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use enroll_store::{Belongs, Kinds, Record, RecordKind, RecordStore, StoreError, Write};
use serde_json::value::RawValue;

use crate::SqlRecords;
use crate::client_key::client_key;
use crate::database::{Row, Statement, Value};

/// What [`read`] reads.
macro_rules! select {
    () => {
        "SELECT hash, revision, client_id, subject, session, family, issued_at, expires_at, document \
         FROM records WHERE kind = ? AND "
    };
}

/// The same statement four times, for the column of each owner that the rows may be found by. The others are compared
/// too when they are given, which the flag before each says.
macro_rules! by_owner {
    ($start:expr, $end:literal) => {
        ByOwner {
            family: by_owner!($start, "family = ?", $end),
            session: by_owner!($start, "session = ?", $end),
            subject: by_owner!($start, "subject = ?", $end),
            client: by_owner!($start, "client_key = ?", $end),
        }
    };
    ($start:expr, $found_by:literal, $end:literal) => {
        concat!(
            $start,
            $found_by,
            " AND (? = 0 OR family = ?) AND (? = 0 OR session = ?) AND (? = 0 OR subject = ?) \
             AND (? = 0 OR client_key = ?)",
            $end
        )
    };
}

const INSERT: &str = "INSERT INTO records \
     (kind, hash, revision, client_id, client_key, subject, session, family, issued_at, expires_at, document) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// Owners stay, so no index of theirs is written.
const REPLACE: &str = "UPDATE records SET issued_at = ?, expires_at = ?, document = ?, revision = revision + 1 \
     WHERE kind = ? AND hash = ? AND revision = ?";
const REMOVE: &str = "DELETE FROM records WHERE kind = ? AND hash = ?";
const TAKE: &str = "DELETE FROM records WHERE kind = ? AND hash = ? AND revision = ?";
const REMOVE_ALL: ByOwner = by_owner!("DELETE FROM records WHERE ", "");
const REMOVE_KIND: ByOwner = by_owner!("DELETE FROM records WHERE kind = ? AND ", "");
const BY_KEY: &str = concat!(select!(), "hash = ?");
const PAGE: &str = concat!(select!(), "hash > ? ORDER BY hash LIMIT ?");
const PAGE_OF_OWNER: ByOwner = by_owner!(concat!(select!(), "hash > ? AND "), " ORDER BY hash LIMIT ?");
const ENDED: &str =
    "SELECT kind, hash, revision FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
/// To be repeated with `OR` between: not every engine finds rows by an index that a query inside this one names, or several
/// columns at once that are in a list.
const SWEEP: &str = "DELETE FROM records WHERE ";
const ONE_SWEPT: &str = "(kind = ? AND hash = ? AND revision = ?)";

/// How many records one statement sweeps at the most.
const SWEPT_TOGETHER: usize = 100;

/// A statement, by the column that its rows are found by.
struct ByOwner {
    family: &'static str,
    session: &'static str,
    subject: &'static str,
    client: &'static str,
}

impl ByOwner {
    /// The statement for these owners, by the one who owns the fewest, and its values; `None` when nobody is given.
    fn of(&self, belongs_to: &Belongs) -> Option<(&'static str, Vec<Value>)> {
        let Belongs { client, subject, session, family } = belongs_to;
        let client = client.as_ref().map(|id| client_key(id.as_str()));
        let given = [family.as_deref(), session.as_deref(), subject.as_deref(), client.as_deref()];
        let statements = [self.family, self.session, self.subject, self.client];
        let (sql, found_by) = statements.into_iter().zip(given).find_map(|(sql, own)| Some((sql, own?)))?;
        let mut values = vec![found_by.into()];
        for own in given {
            values.extend([own.is_some().into(), own.into()]);
        }
        Some((sql, values))
    }
}

#[async_trait]
impl RecordStore for SqlRecords {
    async fn record(&self, kind: RecordKind, key: &SecretHash) -> Result<Option<Record>, StoreError> {
        let values = [kind.as_str().into(), key.as_bytes().as_slice().into()];
        let rows = self.database.fetch(BY_KEY, values, 1).await?;
        rows.into_iter().next().map(|row| read(kind, row)).transpose()
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        writes.iter().try_for_each(Write::check)?;
        let mut unit = Vec::with_capacity(writes.len());
        for write in writes {
            match write {
                Write::Insert(record) => unit.push(Statement::new(INSERT, new(&record))),
                Write::Replace(record) => {
                    unit.push(Statement::new(REPLACE, changed(&record)).or(StoreError::Conflict));
                }
                Write::Remove { kind, key, revision } => unit.push(remove(kind, &key, revision)),
                Write::RemoveAll { kinds, belongs_to } => unit.extend(remove_all(&kinds, &belongs_to)),
            }
        }
        self.database.apply(unit).await.map(drop)
    }

    async fn records(
        &self,
        kind: RecordKind,
        belongs_to: &Belongs,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let after = after.map_or(&[][..], |key| key.as_bytes());
        let (sql, owners) = PAGE_OF_OWNER.of(belongs_to).unwrap_or((PAGE, Vec::new()));
        let mut values = vec![kind.as_str().into(), after.into()];
        values.extend(owners);
        values.push(limit.into());
        let rows = self.database.fetch(sql, values, limit).await?;
        rows.into_iter().map(|row| read(kind, row)).collect()
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let ended = self.database.fetch(ENDED, [now.seconds().into(), limit.into()], limit).await?;
        let ended: Vec<Vec<Value>> = ended.into_iter().map(|row| row.0.collect()).collect();
        let mut swept = 0;
        for some in ended.chunks(SWEPT_TOGETHER) {
            // What was replaced since then has another revision, and may not have ended.
            let sql = format!("{SWEEP}{}", vec![ONE_SWEPT; some.len()].join(" OR "));
            swept += self.database.apply(vec![Statement::new(sql, some.concat())]).await?;
        }
        Ok(u32::try_from(swept).unwrap_or(limit))
    }
}

/// In the order of `INSERT`.
fn new(record: &Record) -> [Value; 11] {
    let Belongs { client, subject, session, family } = &record.belongs_to;
    let client = client.as_ref().map(ClientId::as_str);
    [
        record.kind.as_str().into(),
        record.key.as_bytes().as_slice().into(),
        1_u32.into(),
        client.into(),
        client.map(client_key).into(),
        subject.as_deref().into(),
        session.as_deref().into(),
        family.as_deref().into(),
        record.issued_at.seconds().into(),
        record.expires_at.map(Timestamp::seconds).into(),
        record.document.get().into(),
    ]
}

/// In the order of `REPLACE`.
fn changed(record: &Record) -> [Value; 6] {
    [
        record.issued_at.seconds().into(),
        record.expires_at.map(Timestamp::seconds).into(),
        record.document.get().into(),
        record.kind.as_str().into(),
        record.key.as_bytes().as_slice().into(),
        record.revision.into(),
    ]
}

fn remove(kind: RecordKind, key: &SecretHash, revision: Option<u64>) -> Statement {
    let (kind, hash) = (kind.as_str().into(), key.as_bytes().as_slice().into());
    match revision {
        Some(revision) => Statement::new(TAKE, [kind, hash, revision.into()]).or(StoreError::Conflict),
        None => Statement::new(REMOVE, [kind, hash]),
    }
}

/// One statement for all kinds, or one for each.
fn remove_all(kinds: &Kinds, belongs_to: &Belongs) -> Vec<Statement> {
    let kinds = match kinds {
        Kinds::All => {
            let statement = REMOVE_ALL.of(belongs_to);
            return statement.map(|(sql, values)| Statement::new(sql, values)).into_iter().collect();
        }
        Kinds::These(kinds) => kinds,
    };
    let statement = |kind: &RecordKind| {
        let (sql, mut values) = REMOVE_KIND.of(belongs_to)?;
        values.insert(0, kind.as_str().into());
        Some(Statement::new(sql, values))
    };
    kinds.iter().filter_map(statement).collect()
}

fn read(kind: RecordKind, mut row: Row) -> Result<Record, StoreError> {
    Ok(Record {
        kind,
        key: row.hash()?,
        revision: row.required_number()?,
        belongs_to: Belongs {
            client: row.optional_text()?.map(|id| ClientId::from(id.as_str())),
            subject: row.optional_text()?,
            session: row.optional_text()?,
            family: row.optional_text()?,
        },
        issued_at: Timestamp(row.required_number()?),
        expires_at: row.number()?.map(Timestamp),
        document: RawValue::from_string(row.text()?).map_err(StoreError::backend)?,
    })
}

#[cfg(test)]
mod tests;
