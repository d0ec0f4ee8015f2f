//! The commands, one file each.

mod check;
mod clients;
mod config;
mod migrate;
mod pipeline;
mod serve;
mod tokens;

use std::fmt::Display;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use enroll_oauth_types::Timestamp;
use serde::Serialize;

use crate::cli::{Command, Failure};

/// Does what the command line says.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(options) => on_all_cores()?.block_on(serve::run(options)),
        Command::Check(options) => on_one_core()?.block_on(check::run(options)),
        Command::Clients(options) => on_one_core()?.block_on(clients::run(options)),
        Command::Tokens(options) => on_one_core()?.block_on(tokens::run(options)),
        Command::Migrate(options) => migrate::run(&options),
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

/// Prints a line on standard output. A reader that went away ends the command without another word.
fn say(line: impl Display) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::Refused(String::new())),
        outcome => Ok(outcome?),
    }
}

/// Tells the person before the screen, on standard error. Nobody may be reading, which is no reason to stop.
pub(crate) fn tell(line: impl Display) {
    let _unread = writeln!(std::io::stderr(), "{line}");
}

/// Prints a value as indented JSON.
fn say_json(value: &impl Serialize) -> Result<(), Failure> {
    say(serde_json::to_string_pretty(value).map_err(|error| Failure::world(&error))?)
}

/// Reads a whole file; `-` is standard input.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let outcome = match file.to_str() {
        Some("-") => std::io::stdin().read_to_end(&mut content).map(drop),
        _ => std::fs::read(file).map(|bytes| content = bytes),
    };
    outcome.map_err(|error| Failure::World(format!("{}: {error}", file.display())))?;
    Ok(content)
}

/// The last second that RFC 3339 can write, in the year 9999.
const LATEST: Timestamp = Timestamp(253_402_300_799);

/// A moment as RFC 3339 writes it.
fn moment(timestamp: Timestamp) -> String {
    humantime::format_rfc3339_seconds(SystemTime::from(timestamp.min(LATEST))).to_string()
}
