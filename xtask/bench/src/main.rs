//! Puts load on a registration endpoint, or on what its clients then use, and prints what it saw as one line of JSON.

#![allow(clippy::print_stdout)] // The line is its result.

mod authorized;
mod connection;
mod load;
mod sample;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use authorized::{Authorized, Server};
use load::{Load, Manage, Until};
use sample::Sample;

/// How many clients are managed: a multiple of every number of connections.
const CLIENTS: u64 = 1024;
/// How many clients are there to be deleted in a millisecond. A run ends when none is left.
const DELETED_IN_A_MILLISECOND: u64 = 16;

/// Puts load on a registration endpoint.
#[derive(Parser)]
struct Arguments {
    /// What is asked again and again.
    what: What,
    /// The server: `http://127.0.0.1:PORT`.
    url: String,
    /// The file whose bytes are posted.
    #[arg(long)]
    body: PathBuf,
    /// Where the server registers clients.
    #[arg(long, default_value = "/connect/dcr")]
    path: String,
    /// Where the server gives tokens.
    #[arg(long, default_value = "/connect/token")]
    token_path: String,
    /// How many clients ask for tokens, each in its turn.
    #[arg(long, default_value_t = 1)]
    clients: u64,
    /// Where these clients are kept: read if it is there, else written once they are registered.
    #[arg(long)]
    kept: Option<PathBuf>,
    /// With `register`: how many of all that the file has seen stay there, each as likely as any other.
    #[arg(long, requires = "kept")]
    sample: Option<usize>,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    milliseconds: u64,
    /// How many requests, instead of how long.
    #[arg(long)]
    requests: Option<u64>,
    /// How many requests a second, instead of as many as are answered.
    #[arg(long)]
    rate: Option<f64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Registers clients.
    Register,
    /// Registers some clients, then reads them again and again.
    Read,
    /// Reads clients of a sample that `register` kept, in an order of chance.
    LookUp,
    /// Registers some clients, then replaces them by the same again and again.
    Update,
    /// Registers many clients, then deletes each of them.
    Delete,
    /// Gets tokens by client credentials.
    Token,
    /// Gets some tokens, then asks about them again and again.
    Introspect,
    /// Logs in for some clients, then asks again and again who it was.
    Userinfo,
    /// Gets codes with the cookie of a session, and tokens for them.
    Flow,
}

// One thread: the servers need the others.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let body = std::fs::read(&arguments.body)?;
    let address = arguments.url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
    let register = Load::registering(address, &arguments.path, &body);
    let deleted = arguments.requests.unwrap_or(arguments.milliseconds * DELETED_IN_A_MILLISECOND);
    let connections = arguments.connections;
    let until = match arguments.requests {
        Some(count) => Until::Requests(count),
        None => Until::Elapsed(Duration::from_millis(arguments.milliseconds)),
    };
    let sample = arguments.kept.as_deref().zip(arguments.sample);
    let load = match arguments.what {
        What::Register => match sample {
            None => register,
            Some((path, most)) => {
                let sample = Sample::read(path, most)?;
                let (measured, sample) =
                    register.at(arguments.rate).run_for(sample, connections, until).await?;
                sample.write(path)?;
                return Ok(measured.to_json().to_string());
            }
        },
        What::LookUp => {
            let path = arguments.kept.as_deref().ok_or("say with --kept where the sample is")?;
            Load::reading(address, &Sample::read(path, 0)?.shuffled())?
        }
        What::Read => register.managing(Manage::Read, CLIENTS, connections).await?,
        What::Update => register.managing(Manage::Update, CLIENTS, connections).await?,
        What::Delete => register.managing(Manage::Delete, deleted, connections).await?,
        What::Token => authorized(register, Authorized::Token, address, arguments).await?,
        What::Introspect => authorized(register, Authorized::Introspect, address, arguments).await?,
        What::Userinfo => authorized(register, Authorized::Userinfo, address, arguments).await?,
        What::Flow => authorized(register, Authorized::Flow, address, arguments).await?,
    };
    Ok(load.at(arguments.rate).run(connections, until).await?.to_json().to_string())
}

/// The clients ask each in its turn; where each needs a token first, some of them do.
async fn authorized(
    register: Load,
    what: Authorized,
    address: &str,
    arguments: &Arguments,
) -> std::io::Result<Load> {
    let mut clients = clients(register, arguments).await?;
    if matches!(what, Authorized::Introspect | Authorized::Userinfo) {
        let every = clients.len().div_ceil(usize::try_from(CLIENTS).unwrap_or(usize::MAX)).max(1);
        clients = clients.into_iter().step_by(every).collect();
    }
    Load::authorized(what, &Server { address, token_path: &arguments.token_path }, &clients).await
}

async fn clients(register: Load, arguments: &Arguments) -> std::io::Result<Vec<Vec<u8>>> {
    let kept = arguments.kept.as_deref();
    if let Some(path) = kept.filter(|path| path.exists()) {
        return Ok(std::fs::read(path)?.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect());
    }
    let connections = arguments.connections;
    let clients = register.answers(arguments.clients, connections).await?;
    if let Some(path) = kept {
        std::fs::write(path, clients.join(&b'\n'))?;
    }
    Ok(clients)
}
