//! `enroll config`: checks the configuration, or prints an example, the schema, or a secret to configure.

use enroll_oauth_types::{ResourceSecret, SystemRandom};

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
        ConfigCommand::Secret => secret(),
    }
}

/// Two lines of TOML: the first is for the API, the second for its resource here.
fn secret() -> Result<(), Failure> {
    let secret = ResourceSecret::generate(&SystemRandom);
    say(format_args!("secret = \"{}\"", secret.expose()))?;
    say(format_args!("secret_hashes = [\"{}\"]", secret.hash().to_text()))
}
