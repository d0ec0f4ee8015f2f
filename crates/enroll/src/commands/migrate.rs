//! `enroll migrate`: brings the databases to the schemas of this version.

use enroll_store_sql::{Access, SchemaVersion, SqlRecords, SqlStore, without_password};

use super::say;
use crate::cli::{Migrate, Role};
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

pub(super) async fn run(options: &Migrate) -> Result<(), Failure> {
    let config = Config::load(&options.place)?;
    let url = config.configuration_database();
    let schema = SqlStore::schema(&url).await.map_err(|error| service::not_opened(&error))?;
    let open = async || service::store(&config).await.map(drop);
    bring(&url, schema, options.status, open).await?;
    if config.role == Role::Registration {
        return Ok(());
    }
    let url = config.operational_database();
    let schema = SqlRecords::schema(&url).await.map_err(|error| service::not_opened(&error))?;
    let open = async || {
        let opened = SqlRecords::open(&url, Access::ReadWrite).await;
        opened.map(drop).map_err(|error| service::not_opened(&error))
    };
    bring(&url, schema, options.status, open).await
}

/// Opening a database brings it to the newest schema.
async fn bring(
    url: &str,
    schema: SchemaVersion,
    status_alone: bool,
    open: impl AsyncFnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (database, SchemaVersion { found, known }) = (without_password(url), schema);
    if found == known {
        return say(format_args!("{database} has schema {found}, which is the newest"));
    }
    if status_alone {
        return say(format_args!("{database} has schema {found}; this version brings it to {known}"));
    }
    open().await?;
    say(format_args!("{database} was brought from schema {found} to {known}"))
}
