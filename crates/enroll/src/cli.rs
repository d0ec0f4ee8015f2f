//! The command line: what can be said, and what the program exits with.

mod transfer;
mod users;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::commands;
use transfer::{BACKUP_EXAMPLES, RECORDS_EXAMPLES};
pub(crate) use transfer::{Backup, Output, Records};
pub(crate) use users::Users;

const EXAMPLES: &str = "\
Examples:
  enroll serve --dev                       try it: anybody may register
  enroll serve --data /var/lib/enroll      protected by initial access tokens
  enroll check client.json                 what would happen, step by step
  enroll tokens issue --expires 30d        an initial access token
  enroll clients list                      who is registered
  enroll config example > enroll.toml      every key, commented

Exit codes:
  0  done
  1  refused, or not found
  2  the command line or the configuration is wrong
  3  the database, a file or the network failed";

const SERVE_EXAMPLES: &str = "\
Registration is protected unless the configuration or --dev opens it: the first start prints an initial access \
token on standard error, with a curl line to paste. When the server accepts connections, it prints one line on \
standard output:

  ready http://127.0.0.1:5001

SIGTERM and SIGINT end it when the requests in flight are answered. Every key of the configuration can also be set \
by a variable, with two underscores between levels:

  ENROLL_LOG__FORMAT=json enroll serve --config /etc/enroll.toml";

const CHECK_EXAMPLES: &str = "\
Examples:
  enroll check client.json
  curl -s https://app.example/client.json | enroll check - --strict
  enroll check client.json --json | jq .refusal

Exits with 1 when the registration would be refused.";

const CLIENTS_EXAMPLES: &str = "\
Examples:
  enroll clients register client.json --issuer https://id.example
  enroll clients list --json | jq -r .client_id
  enroll clients disable 019e0c5a-…
  enroll clients reap --dry-run
  enroll clients export --output clients.jsonl
  enroll clients import clients.jsonl --data /var/lib/other
  enroll clients import clients.jsonl --exact --data /var/lib/other

An import judges each client as a registration is judged. With --exact, clients are taken exactly as they were \
exported, with those that were deleted and the initial access tokens: for moving to another database. Both pass over \
what is there already, so the same import again goes on where one was cut off.";

const TOKENS_EXAMPLES: &str = "\
Examples:
  TOKEN=$(enroll tokens issue --label ci --expires 30d --uses 100)
  curl https://id.example/connect/dcr -H \"Authorization: Bearer $TOKEN\" …
  enroll tokens list
  enroll tokens revoke 019e0c5a-…

A token is shown once, when it is issued; only its hash is stored.";

const USERS_EXAMPLES: &str = "\
Examples:
  enroll users add alice --email alice@example.com --claim name='Alice Ammann' --claim email_verified=true
  enroll users add robot < password.txt
  enroll users list --json | jq -r .sub
  enroll users disable alice

The password is the first line of standard input; on a terminal it is asked for. A claim is JSON where it reads as \
such, and otherwise a text.";

const KEYS_EXAMPLES: &str = "\
Examples:
  enroll keys list
  enroll keys list --json | jq -r 'select(.state == \"signing\").kid'
  enroll keys rotate
  enroll keys rotate --registrations

A key is announced for a day, signs for 90, and is kept until the last token that it signed has ended, 30 days at the \
least. The server makes the next one by itself. `rotate` makes one of each algorithm now: it is announced within five \
minutes and signs after a day, as every other, since whoever verifies tokens may have read the public keys before. \
There is no quicker way: tokens would be refused that are good.

Where registrations are kept in their client_id, they are sealed under keys of their own, one for each 90 days. All of them \
open what they sealed until `retire` ends one.";

/// The version, with the commit when the build was told it.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    option_env!("ENROLL_COMMIT").map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
}

/// Registers OAuth 2.0 and OpenID Connect clients.
#[derive(Debug, Parser)]
#[command(name = "enroll", version = version(), after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    /// Tell what would happen to a registration, step by step; nothing is stored
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// See and manage the registered clients
    #[command(subcommand, after_help = CLIENTS_EXAMPLES)]
    Clients(Clients),
    /// Issue and manage initial access tokens
    #[command(subcommand, after_help = TOKENS_EXAMPLES)]
    Tokens(Tokens),
    /// See and manage the people who can log in
    #[command(subcommand, after_help = USERS_EXAMPLES)]
    Users(Users),
    /// Move what the authorization server keeps: people, keys, consents, sessions, tokens
    #[command(subcommand, after_help = RECORDS_EXAMPLES)]
    Records(Records),
    /// Copy the databases while the server runs
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(Backup),
    /// See and rotate the keys that this server signs with
    #[command(subcommand, after_help = KEYS_EXAMPLES)]
    Keys(Keys),
    /// Bring the database to the schema of this version
    Migrate(Migrate),
    /// Print the steps of a registration in their order
    Pipeline,
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Where the configuration and the data are: the same for every command.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "ENROLL_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The folder of the databases [default: ./enroll-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The address to listen on; port 0 is any free port [default: 127.0.0.1:5001]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// The issuer, as clients see it [default: the listen address, on loopback]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// What this process does
    #[arg(long)]
    pub(crate) role: Option<Role>,
    /// For trying things: anybody may register anything, demo scopes, loopback only
    #[arg(long)]
    pub(crate) dev: bool,
}

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Everything
    #[default]
    All,
    /// Registration alone: writes clients, has no signing keys and no login
    Registration,
    /// The authorization server alone, which only reads clients
    Authorization,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The registration request, as JSON; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
    /// The policy to register under, as named in the configuration [default: the open or default policy]
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// Judge as a strict server does
    #[arg(long)]
    pub(crate) strict: bool,
    /// Fetch what it names, to see whether it is there and what it should be: the keys at `jwks_uri`, the document at
    /// `sector_identifier_uri`
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// Register a client as the operator; prints the client information
    Register {
        /// The registration request, as JSON; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        /// The issuer of the server that the client will use [default: as in the configuration]
        #[arg(long, value_name = "URL")]
        issuer: Option<String>,
    },
    /// List the clients; those that are kept in their `client_id` alone are in no list
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Print one client as JSON
    Show(OneClient),
    /// Delete a client for good
    Delete(OneClient),
    /// Disable a client until it is enabled again
    Disable(OneClient),
    /// Enable a disabled client
    Enable(OneClient),
    /// Delete the clients that their policies do not keep: those that were never used, are used no more, or are too old
    Reap(Reap),
    /// Write every client as a JSON line, for `import`, with the hashes of its secrets
    Export {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        place: Place,
    },
    /// Store the clients that `export` wrote
    Import {
        /// The JSON lines; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Take them exactly as they were exported, with deleted clients and initial access tokens; nothing is judged
        #[arg(long)]
        exact: bool,
        /// Put what the file says in the place of what is there and differs, instead of telling
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Reap {
    /// Only tell which those are
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct OneClient {
    /// The `client_id`
    #[arg(value_name = "CLIENT_ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Issue an initial access token; prints the token and nothing else
    Issue {
        #[command(flatten)]
        place: Place,
        /// What it is for, for your own memory
        #[arg(long)]
        label: Option<String>,
        /// The policy that its registrations are under, as named in the configuration
        #[arg(long, value_name = "NAME")]
        policy: Option<String>,
        /// How long it works: `30d`, `12h` [default: for ever]
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
        /// How many clients it registers [default: without limit]
        #[arg(long, value_name = "COUNT")]
        uses: Option<u32>,
    },
    /// List the initial access tokens
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Revoke an initial access token
    Revoke {
        /// Its identifier, as `list` prints it
        #[arg(value_name = "TOKEN_ID")]
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the published keys: what each is there for, and for how long
    List {
        #[command(flatten)]
        place: Place,
        /// Those that registrations are sealed under instead, the newest last
        #[arg(long)]
        registrations: bool,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Announce a new key of each algorithm; it signs a day later
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Make the next key that registrations are sealed under instead; what was sealed before goes on
        #[arg(long)]
        registrations: bool,
    },
    /// End a key that registrations were sealed under, and with it each of them that has no row
    Retire {
        /// Its name, as `list --registrations` prints it
        #[arg(value_name = "NAME", allow_hyphen_values = true)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only tell what would be done
    #[arg(long)]
    pub(crate) status: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration, and say what is wrong
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Print a configuration file with every key, commented
    Example,
    /// Print the JSON Schema of the configuration file, for editors
    Schema,
    /// Print a new secret for an API that asks about tokens, and its hash, which goes into `[[resources]]`
    Secret,
}

/// The command line as a value, for completions and the man page.
pub fn command() -> clap::Command {
    CommandLine::command()
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match commands::run(command_line.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                commands::tell(format_args!("enroll: {message}"));
            }
            ExitCode::from(failure.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn help_tells_examples_and_exit_codes() {
        let help = command().render_help().to_string();
        assert!(help.contains("enroll serve --dev") && help.contains("Exit codes:"), "{help}");
    }
}
