//! `enroll migrate`: brings the database to the schema of this version.

use enroll_store_sql::SqlStore;

use super::say;
use crate::cli::Migrate;
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

pub(super) fn run(options: &Migrate) -> Result<(), Failure> {
    let config = Config::load(&options.place)?;
    let url = config.configuration_database();
    let schema = SqlStore::schema(&url).map_err(|error| service::not_opened(&error))?;
    if schema.found == schema.known {
        return say(format_args!("{url} has schema {}, which is the newest", schema.found));
    }
    if options.status {
        return say(format_args!(
            "{url} has schema {}; this version brings it to {}",
            schema.found, schema.known
        ));
    }
    service::store(&config)?;
    say(format_args!("{url} was brought from schema {} to {}", schema.found, schema.known))
}
