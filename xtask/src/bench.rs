//! `cargo xtask bench`: what a registration costs, beside what it would cost without us; and a token.
//!
//! Machines are noisy, so all servers run at once, short rounds go through them in turn, and every ratio is taken
//! within a round before its median is taken over the rounds. The load generator and the handler that registration is
//! compared with are in `bench/`, a package of its own, so that no other chore compiles them.

mod growth;
mod machine;
mod page;
mod rates;
mod report;
mod samples;
mod stores;
mod tokens;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, id};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::command::{cargo, installed, root, run as run_command, shown, target};
use crate::server::{Server, built};
use crate::{Failure, tools};
use page::Section;
use report::Report;
use samples::{Sample, Samples, Scenario, What, Who, median};

#[derive(Args)]
pub(crate) struct Options {
    /// One short round and few clients, to see that it runs; `docs/benchmarks.md` stays as it is.
    #[arg(long)]
    quick: bool,
    /// How many times all scenarios are gone through.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each scenario runs in a round, in seconds.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How many clients are registered before memory and start are measured (1,000,000), or that a store grows to
    /// (as many as its goal says).
    #[arg(long)]
    clients: Option<u64>,
    #[command(flatten)]
    alone: Alone,
    /// With --stores and --growth: this store alone, such as sqlite or postgresql; may be given again.
    #[arg(long)]
    store: Vec<String>,
    /// With --growth: how many requests a second are sent to each store.
    #[arg(long, default_value_t = 1000)]
    rate: u64,
    /// Draws the curves of growth again, from the figures that were kept; measures nothing.
    #[arg(long)]
    plot: bool,
}

/// One section alone; the rest of `docs/benchmarks.md` stays as it is.
#[derive(Args)]
#[group(multiple = false)]
struct Alone {
    /// Tokens alone.
    #[arg(long)]
    tokens: bool,
    /// Registrations on each store alone.
    #[arg(long)]
    stores: bool,
    /// The curves of growth alone: fills stores with millions of clients.
    #[arg(long)]
    growth: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.plot {
        return growth::Files::of_the_page().draw();
    }
    let mut build = cargo();
    build.args(["build", "--release", "--package", "enroll", "--package", "enroll-bench", "--bins"]);
    run_command(&mut build)?;
    let folder = target().join("bench").join(id().to_string());
    fs::create_dir_all(&folder)?;
    let (rounds, milliseconds) =
        if options.quick { (1, 500) } else { (options.rounds, options.seconds * 1000) };
    let path = root().join("docs/benchmarks.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let run = || {
        let described = machine::describe(&target()).join("\n");
        format!("{described}\n- Rounds: {rounds}, {milliseconds} ms a scenario")
    };
    let page = match options.alone {
        // It writes each step as it goes.
        Alone { growth: true, .. } => {
            growth::measure(&folder, options)?;
            None
        }
        Alone { stores: true, .. } => {
            let rates = rates::measure(&folder, &options.store, rounds, milliseconds)?;
            let section = rates.section(&run());
            println!("{section}");
            Some(Section::Stores.put(&before, &section))
        }
        Alone { tokens, .. } => {
            let measured = tokens::measure(&folder, rounds, milliseconds, options.quick)?;
            let figures = format!("\n{}\n\n{}", run(), measured.figures());
            println!("{figures}");
            let before = report::with_tokens(&before, &figures);
            let clients = options.clients.unwrap_or(if options.quick { 10_000 } else { 1_000_000 });
            Some(match tokens {
                true => before,
                false => registrations(&folder, &before, rounds, milliseconds, clients)?,
            })
        }
    };
    if let Some(page) = page.filter(|_| !options.quick) {
        fs::write(&path, page)?;
        println!("written to docs/benchmarks.md; say there what limits each figure");
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// The page with new figures of registrations.
fn registrations(
    folder: &Path,
    before: &str,
    rounds: usize,
    milliseconds: u64,
    clients: u64,
) -> Result<String, Failure> {
    let samples = rates(folder, rounds, milliseconds)?;
    let validation = validation(milliseconds)?;
    println!("reading and judging a request: {validation:.1} µs");
    let footprint = footprint(folder, clients)?;
    let report = Report {
        samples,
        validation,
        footprint,
        rounds,
        milliseconds,
        machine: machine::describe(&target()),
    };
    println!("\n{}", report.figures());
    Ok(report.page(before))
}

/// Goes through all scenarios, round by round.
fn rates(folder: &Path, rounds: usize, milliseconds: u64) -> Result<Samples, Failure> {
    let mut servers = vec![
        (
            Who::Bare,
            Server::spawn(&mut Command::new(built("enroll-bench-baseline", true)), &folder.join("bare.log"))?,
        ),
        (Who::Enroll, Server::start(&built("enroll", true), &folder.join("rates"))?),
    ];
    servers.extend(peers(folder)?);
    let scenarios = Scenario::all();
    let mut samples = Samples::default();
    for round in 1..=rounds {
        for scenario in &scenarios {
            let Some((_, server)) = servers.iter().find(|(who, _)| *who == scenario.who) else { continue };
            let limit = ["--milliseconds".to_owned(), milliseconds.to_string()];
            let sample = load(server, *scenario, &limit)?;
            println!("round {round}: {scenario:<44} {:>9.0} /s   p99 {:>8.2} ms", sample.rate, sample.p99);
            samples.push(*scenario, sample);
        }
    }
    Ok(samples)
}

/// What it costs to read a request and to judge it, in microseconds, without network and store.
fn validation(milliseconds: u64) -> Result<f64, Failure> {
    let mut command = Command::new(built("enroll-bench-validate", true));
    command.arg(root().join(What::Register.body())).arg(milliseconds.to_string());
    told_number(&mut command)
}

/// The one number that a program prints.
fn told_number(command: &mut Command) -> Result<f64, Failure> {
    let output = command.output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    told.trim().parse().map_err(|_| {
        let line = shown(command);
        format!("`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into()
    })
}

/// Starts the servers of others.
fn peers(folder: &Path) -> Result<Vec<(Who, Server)>, Failure> {
    let memory = node_oidc_provider(folder, "peer-memory.log", None)?.map(|peer| (Who::PeerMemory, peer));
    let database = folder.join("peer.db");
    let sqlite = node_oidc_provider(folder, "peer-sqlite.log", Some(&database))?;
    Ok(memory.into_iter().chain(sqlite.map(|peer| (Who::PeerSqlite, peer))).collect())
}

/// Starts node-oidc-provider, where Node.js is there to run it.
fn node_oidc_provider(folder: &Path, log: &str, database: Option<&Path>) -> Result<Option<Server>, Failure> {
    let program = root().join("conformance/peers/node-oidc-provider");
    if !installed("node") || !installed("npm") {
        println!("skipped: node-oidc-provider needs node and npm (on Debian: `apt-get install nodejs npm`)");
        return Ok(None);
    }
    tools::install(&program, &[["npm", "ci", "--no-audit", "--no-fund"].map(str::to_owned).to_vec()])?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new("node");
    command.current_dir(&program).args(["server.mjs", "--port", &port.to_string()]);
    if let Some(database) = database {
        command.arg("--sqlite").arg(database);
    }
    Server::spawn(&mut command, &folder.join(log)).map(Some)
}

/// What the server takes up: memory, time to start, and room on the disk.
pub(crate) struct Footprint {
    pub(crate) clients: u64,
    /// Resident bytes of a server that has just started with an empty database.
    pub(crate) idle: Option<u64>,
    /// The same server when all clients have been registered over HTTP.
    pub(crate) filled: Option<u64>,
    /// A server started on that database, before its first request.
    pub(crate) reopened: Option<u64>,
    /// Clients registered a second while filling.
    pub(crate) fill_rate: f64,
    /// From the start of the process to its `ready` line, with the full database.
    pub(crate) start: Duration,
    /// The database with its log.
    pub(crate) database: u64,
    pub(crate) binary: u64,
}

fn footprint(folder: &Path, clients: u64) -> Result<Footprint, Failure> {
    let binary = built("enroll", true);
    let data = folder.join("footprint");
    let server = Server::start(&binary, &data)?;
    let idle = server.resident_memory();
    println!("registering {clients} clients over HTTP");
    let filling = Scenario::registering(Who::Enroll, 64);
    let fill = load(&server, filling, &["--requests".to_owned(), clients.to_string()])?;
    let filled = server.resident_memory();
    server.stop()?;
    let mut starts = Vec::new();
    let mut reopened = None;
    for _ in 0..10 {
        let server = Server::start(&binary, &data)?;
        starts.push(server.started_in.as_secs_f64());
        reopened = server.resident_memory();
        server.stop()?;
    }
    Ok(Footprint {
        clients,
        idle,
        filled,
        reopened,
        fill_rate: fill.rate,
        start: Duration::from_secs_f64(median(starts).unwrap_or_default()),
        database: stores::size(&data, &|name| name != "enroll.log")?,
        binary: fs::metadata(&binary)?.len(),
    })
}

/// Runs the load generator once.
fn load(server: &Server, scenario: Scenario, limit: &[String]) -> Result<Sample, Failure> {
    let mut command = Command::new(built("enroll-bench", true));
    command.args([scenario.what.word(), &server.url, "--path", scenario.who.path()]).args(limit);
    command.args(["--connections", &scenario.connections.to_string()]);
    command.arg("--body").arg(root().join(scenario.what.body()));
    let sample = measured(server, &mut command)?;
    // Each client to be deleted is registered first, which costs the server more than the deletion.
    let cost = sample.cost.filter(|_| scenario.what != What::Delete);
    Ok(Sample { cost, ..sample })
}

/// Runs the load generator once, as it stands here.
fn measured(server: &Server, command: &mut Command) -> Result<Sample, Failure> {
    let before = server.processor_time();
    let output = command.output()?;
    let spent = server.processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    if !output.status.success() {
        let line = shown(command);
        return Err(format!("`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    let number =
        |name: &str| seen[name].as_f64().ok_or_else(|| format!("the load generator told no `{name}`"));
    let requests = number("requests")?;
    Ok(Sample {
        rate: number("rate")?,
        p50: number("p50")?,
        p99: number("p99")?,
        cost: spent.map(|spent| spent.as_secs_f64() * 1_000_000.0 / requests),
    })
}
