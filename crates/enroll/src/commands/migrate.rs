//! `enroll migrate`: brings the databases to the schemas of this version.

use enroll_store_sql::{Access, SchemaVersion, SqlRecords, SqlStore};

use super::say;
use crate::cli::{Migrate, Role};
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

pub(super) fn run(options: &Migrate) -> Result<(), Failure> {
    let config = Config::load(&options.place)?;
    let url = config.configuration_database();
    let schema = SqlStore::schema(&url).map_err(|error| service::not_opened(&error))?;
    bring(&url, schema, options.status, || service::store(&config).map(drop))?;
    if config.role == Role::Registration {
        return Ok(());
    }
    let url = config.operational_database();
    let schema = SqlRecords::schema(&url).map_err(|error| service::not_opened(&error))?;
    let open =
        || SqlRecords::open(&url, Access::ReadWrite).map(drop).map_err(|error| service::not_opened(&error));
    bring(&url, schema, options.status, open)
}

/// Opening a database brings it to the newest schema.
fn bring(
    url: &str,
    schema: SchemaVersion,
    status_alone: bool,
    open: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let SchemaVersion { found, known } = schema;
    if found == known {
        return say(format_args!("{url} has schema {found}, which is the newest"));
    }
    if status_alone {
        return say(format_args!("{url} has schema {found}; this version brings it to {known}"));
    }
    open()?;
    say(format_args!("{url} was brought from schema {found} to {known}"))
}
