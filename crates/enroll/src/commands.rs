//! The commands, one file each.

mod backup;
mod check;
mod clients;
mod config;
mod keys;
mod migrate;
mod output;
mod pipeline;
mod records;
mod serve;
mod tokens;
mod transfer;
mod users;

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use crate::cli::Command;
use crate::failure::Failure;
use enroll_oauth_types::{ClientMetadata, Timestamp};

pub(crate) use output::tell;
use output::{say, say_exactly, say_json, say_json_line, say_row};

/// Does what the command line says.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(options) => on_all_cores()?.block_on(serve::run(options)),
        Command::Check(options) => on_one_core()?.block_on(check::run(options)),
        Command::Clients(options) => on_all_cores()?.block_on(clients::run(options)),
        Command::Records(options) => on_all_cores()?.block_on(records::run(options)),
        Command::Backup(options) => on_one_core()?.block_on(backup::run(&options)),
        Command::Tokens(options) => on_one_core()?.block_on(tokens::run(options)),
        Command::Users(options) => on_one_core()?.block_on(users::run(options)),
        Command::Keys(options) => on_one_core()?.block_on(keys::run(options)),
        Command::Migrate(options) => on_one_core()?.block_on(migrate::run(&options)),
        Command::Pipeline => pipeline::run(),
        Command::Config(options) => config::run(&options),
    }
}

fn on_all_cores() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn on_one_core() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Reads a registration request from a file: no more of it than tells that it is too large.
fn read_request(file: &Path) -> Result<Vec<u8>, Failure> {
    read_at_most(file, ClientMetadata::LARGEST_BODY as u64 + 1)
}

fn read_at_most(file: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let outcome = match file.to_str() {
        Some("-") => std::io::stdin().take(most).read_to_end(&mut content),
        _ => std::fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut content)),
    };
    outcome.map_err(|error| Failure::about(file, &error))?;
    Ok(content)
}

/// The last second that RFC 3339 can write, in the year 9999.
const LATEST: Timestamp = Timestamp(253_402_300_799);

/// A moment as RFC 3339 writes it.
fn moment(timestamp: Timestamp) -> String {
    humantime::format_rfc3339_seconds(SystemTime::from(timestamp.min(LATEST))).to_string()
}
