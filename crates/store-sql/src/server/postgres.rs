//! PostgreSQL, and what speaks its protocol: CockroachDB, YugabyteDB.

use std::time::Duration;

use enroll_store::BoxError;
use sqlx::encode::IsNull;
use sqlx::error::DatabaseError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnectOptions, PgRow, PgTypeInfo};
use sqlx::{
    Arguments as _, ConnectOptions as _, Encode, Postgres, Row as _, Type, TypeInfo as _, ValueRef as _,
};

use super::fault::Fault;
use crate::address::{CACHE, ServerAddress};
use crate::database::{Access, Row, Value};

/// How many statements a connection keeps compiled, when its URL does not say.
const STATEMENTS: usize = 256;

pub(super) fn options(address: &ServerAddress) -> sqlx::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_url(&address.url)?.disable_statement_logging();
    match address.url.query_pairs().any(|(name, _)| name == CACHE) {
        true => Ok(options),
        false => Ok(options.statement_cache_capacity(STATEMENTS)),
    }
}

/// What a new connection is told first. The server's own limit ends what we gave up waiting for.
pub(super) fn greeting(access: Access, limit: Option<Duration>) -> Vec<String> {
    let mut greeting = Vec::new();
    if let Some(limit) = limit {
        greeting.push(format!("SET statement_timeout = {}", limit.as_millis()));
    }
    if access == Access::ReadOnly {
        greeting.push("SET default_transaction_read_only = on".to_owned());
    }
    greeting
}

/// By SQLSTATE.
pub(super) fn fault(error: sqlx::Error) -> Fault {
    Fault::of(error, |told: &dyn DatabaseError| {
        let code = told.code().unwrap_or_default();
        match &*code {
            // A serialization failure, a deadlock.
            "40001" | "40P01" => Fault::Again,
            // It shuts down, crashed, starts, or was made a replica that only reads.
            // Nor is it known whether a commit was done of which it says so itself.
            "40003" | "57P01" | "57P02" | "57P03" | "25006" => Fault::Lost,
            // Somebody else made the same table at the same time, though it is made only where it is not there.
            "42P07" | "42710" => Fault::Duplicate,
            // Two where one must be; against what a trigger says.
            "21000" | "P0001" => Fault::Unfit,
            _ if code.starts_with("22") || code.starts_with("23") => Fault::Unfit,
            _ if code.starts_with("08") => Fault::Lost,
            _ => Fault::Refused,
        }
    })
}

/// Nothing, of whatever type is expected there: a statement is compiled for the types that it was first given.
struct Nothing;

impl Type<Postgres> for Nothing {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(705))
    }
}

impl Encode<'_, Postgres> for Nothing {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }
}

pub(super) fn arguments<'a>(values: impl Iterator<Item = &'a Value>) -> Result<PgArguments, BoxError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Null => arguments.add(Nothing),
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
        }?;
    }
    Ok(arguments)
}

pub(super) fn row(row: &PgRow) -> sqlx::Result<Row> {
    let value = |column: usize| {
        let raw = row.try_get_raw(column)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        match raw.type_info().name() {
            "INT8" => row.try_get(column).map(Value::Integer),
            "INT4" => row.try_get::<i32, _>(column).map(|number| Value::Integer(number.into())),
            "BYTEA" => row.try_get(column).map(Value::Bytes),
            _ => row.try_get_unchecked(column).map(Value::Text),
        }
    };
    let values: Vec<_> = (0..row.len()).map(value).collect::<sqlx::Result<_>>()?;
    Ok(Row(values.into_iter()))
}
