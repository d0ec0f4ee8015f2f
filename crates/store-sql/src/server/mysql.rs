//! MySQL, and what speaks its protocol: MariaDB, TiDB.

use enroll_store::BoxError;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlDatabaseError, MySqlRow};
use sqlx::{Arguments as _, ConnectOptions as _, Row as _, TypeInfo as _, ValueRef as _};

use super::fault::Fault;
use crate::address::{CACHE, ServerAddress};
use crate::database::{Access, Row, Value};

/// How many statements a connection keeps compiled, when its URL does not say.
const STATEMENTS: usize = 256;

pub(super) fn options(address: &ServerAddress) -> sqlx::Result<MySqlConnectOptions> {
    let options = MySqlConnectOptions::from_url(&address.url)?.disable_statement_logging();
    match address.url.query_pairs().any(|(name, _)| name == CACHE) {
        true => Ok(options),
        false => Ok(options.statement_cache_capacity(STATEMENTS)),
    }
}

/// To refuse every write. TiDB does not know this; there it is the rights of the user that keep who only reads from writing.
pub(super) const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY";

/// What a new connection is told first: to refuse what does not fit instead of cutting it off, and to lock no more than what
/// a statement touches.
pub(super) fn greeting(access: Access) -> Vec<String> {
    let mut greeting = vec![
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'".to_owned(),
        "SET SESSION innodb_lock_wait_timeout = 5".to_owned(),
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
    ];
    if access == Access::ReadOnly {
        greeting.push(READ_ONLY.to_owned());
    }
    greeting
}

/// By the engine's own numbers, since its SQLSTATEs say less.
pub(super) fn fault(error: sqlx::Error) -> Fault {
    Fault::of(error, |told| match told.try_downcast_ref().map_or(0, MySqlDatabaseError::number) {
        // A deadlock, a lock that was waited for too long.
        1213 | 1205 => Fault::Again,
        // It shuts down, ended the connection, or was made a replica that only reads.
        1053 | 1927 | 1290 | 1836 => Fault::Lost,
        // Nothing where something must be, out of range, of another character set, too long, no date, two where one must be;
        // and against a rule of whoever made the table: a foreign key, a check (of two engines), a trigger.
        1048 | 1264 | 1366 | 1406 | 1292 | 1242 | 1452 | 3819 | 4025 | 1644 => Fault::Unfit,
        _ => Fault::Refused,
    })
}

pub(super) fn arguments<'a>(values: impl Iterator<Item = &'a Value>) -> Result<MySqlArguments, BoxError> {
    let mut arguments = MySqlArguments::default();
    for value in values {
        match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
        }?;
    }
    Ok(arguments)
}

/// Columns of names come as bytes, which is what they are compared as.
pub(super) fn row(row: &MySqlRow) -> sqlx::Result<Row> {
    let value = |column: usize| {
        let raw = row.try_get_raw(column)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        match raw.type_info().name() {
            "BIGINT" | "INT" => row.try_get(column).map(Value::Integer),
            "VARBINARY" => row.try_get(column).map(Value::Bytes),
            _ => row.try_get_unchecked(column).map(Value::Text),
        }
    };
    let values: Vec<_> = (0..row.len()).map(value).collect::<sqlx::Result<_>>()?;
    Ok(Row(values.into_iter()))
}
