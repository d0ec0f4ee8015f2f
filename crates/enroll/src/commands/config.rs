//! `enroll config`: checks the configuration, or prints an example or the schema.

use super::say;
use crate::cli::ConfigCommand;
use crate::config::{self, Config, EXAMPLE};
use crate::failure::Failure;
use crate::service;

pub(super) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check { place } => {
            service::verifiers(&Config::load(place)?)?;
            say("the configuration is good")
        }
        ConfigCommand::Example => say(EXAMPLE.trim_end()),
        ConfigCommand::Schema => say(config::schema()),
    }
}
