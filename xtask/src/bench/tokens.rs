//! What the authorization server does for the clients that it serves: tokens, what is in them, and whole logins.

use std::fmt::{self, Write as _};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::report::{Goal, goals};
use super::samples::{Sample, median};
use super::{measured, node_oidc_provider, told_number};
use crate::Failure;
use crate::command::root;
use crate::server::{Server, built};

/// How many clients there are where there are many.
const MANY: u64 = 100_000;
/// How many requests a cold run sends: few enough that nothing is asked twice.
const COLD: u64 = 4096;

/// A server that gives tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Es256,
    Rs256,
    Peer,
    /// The handler that signs for whoever asks: what is left to gain.
    Bare,
}

/// What is asked, as the load generator calls it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Token,
    Reference,
    Introspect,
    Userinfo,
    Flow,
}

/// How many clients ask, and what the server remembers of them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Askers {
    One,
    Many,
    /// The server has just started, and each request is of another client.
    ManyCold,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Scenario {
    who: Who,
    what: What,
    from: Askers,
}

/// All samples, and what a signature alone cost in each round, in microseconds.
#[derive(Default)]
pub(super) struct Tokens {
    samples: Vec<(Scenario, Sample)>,
    signing: Vec<(Who, f64)>,
    clients: u64,
}

impl Scenario {
    const fn token(who: Who) -> Self {
        Self { who, what: What::Token, from: Askers::One }
    }

    fn all() -> Vec<Self> {
        let mut all: Vec<_> = [Who::Peer, Who::Bare].map(Self::token).into();
        let whats = [What::Token, What::Reference, What::Introspect, What::Userinfo, What::Flow];
        for from in [Askers::One, Askers::Many, Askers::ManyCold] {
            all.push(Self { who: Who::Rs256, what: What::Token, from });
            all.extend(whats.map(|what| Self { who: Who::Es256, what, from }));
        }
        all
    }
}

/// Goes through all scenarios, round by round.
pub(super) fn measure(
    folder: &Path,
    rounds: usize,
    milliseconds: u64,
    quick: bool,
) -> Result<Tokens, Failure> {
    let mut tokens = Tokens { clients: if quick { 2000 } else { MANY }, ..Tokens::default() };
    let mut servers =
        vec![(Who::Es256, start(folder, Who::Es256)?), (Who::Rs256, start(folder, Who::Rs256)?)];
    let bare =
        Server::spawn(&mut Command::new(built("enroll-bench-baseline", true)), &folder.join("bare.log"))?;
    servers.push((Who::Bare, bare));
    servers.extend(node_oidc_provider(folder, "tokens-peer.log", None)?.map(|peer| (Who::Peer, peer)));
    for round in 1..=rounds {
        for who in [Who::Es256, Who::Rs256] {
            tokens.signing.push((who, signing(who, milliseconds)?));
        }
        for scenario in Scenario::all() {
            let Some(place) = servers.iter().position(|(who, _)| *who == scenario.who) else { continue };
            if scenario.from == Askers::ManyCold {
                let (who, server) = servers.swap_remove(place);
                let port = server.url.clone();
                server.stop()?;
                servers.push((who, start_at(folder, who, &port)?));
            }
            let place = servers.iter().position(|(who, _)| *who == scenario.who).unwrap_or(place);
            let sample = load(&servers[place].1, scenario, folder, milliseconds, tokens.clients)?;
            println!("round {round}: {scenario:<60} {:>9.0} /s   p99 {:>8.2} ms", sample.rate, sample.p99);
            tokens.samples.push((scenario, sample));
        }
    }
    Ok(tokens)
}

fn start(folder: &Path, who: Who) -> Result<Server, Failure> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    start_at(folder, who, &format!("http://{address}"))
}

/// Starts Enroll where it was before, so that its sessions and tokens stay good.
fn start_at(folder: &Path, who: Who, url: &str) -> Result<Server, Failure> {
    let data = folder.join(format!("tokens-{}", who.algorithm()));
    fs::create_dir_all(&data)?;
    let config = data.join("enroll.toml");
    fs::write(&config, format!("[tokens]\naccess_token_signing_alg = \"{}\"\n", who.algorithm()))?;
    let mut command = Command::new(built("enroll", true));
    command.args(["serve", "--dev", "--listen", url.trim_start_matches("http://"), "--config"]).arg(config);
    command.arg("--data").arg(&data);
    Server::spawn(&mut command, &data.join("enroll.log"))
}

/// What a signature costs the library alone, in microseconds.
fn signing(who: Who, milliseconds: u64) -> Result<f64, Failure> {
    let mut command = Command::new(built("enroll-bench-sign", true));
    told_number(command.args([who.algorithm(), &milliseconds.to_string()]))
}

fn load(
    server: &Server,
    scenario: Scenario,
    folder: &Path,
    milliseconds: u64,
    clients: u64,
) -> Result<Sample, Failure> {
    let Scenario { who, what, from } = scenario;
    let clients = if from == Askers::One { 1 } else { clients };
    let kept = folder.join(format!("{who:?}-{}-{clients}.jsonl", what.client()));
    let run = |limit: [&str; 2]| {
        let mut command = Command::new(built("enroll-bench", true));
        command.args([what.word(), &server.url, "--clients", &clients.to_string(), "--kept"]).arg(&kept);
        command.arg("--body").arg(what.body()).args(limit);
        if who == Who::Peer {
            command.args(["--path", "/reg", "--token-path", "/token"]);
        }
        measured(server, &mut command)
    };
    // What must be there before is made by a first request, so that the cost of that is not counted with the others.
    if from != Askers::ManyCold && !kept.exists() {
        run(["--requests", "1"])?;
    }
    let sample = match from {
        Askers::ManyCold => run(["--requests", &COLD.min(clients).to_string()])?,
        Askers::One | Askers::Many => run(["--milliseconds", &milliseconds.to_string()])?,
    };
    // These ask for tokens first, which costs the server, too.
    let cost = sample.cost.filter(|_| !matches!(what, What::Introspect | What::Userinfo));
    Ok(Sample { cost, ..sample })
}

impl Who {
    /// The server whose algorithm it signs with.
    fn signs_as(self) -> Self {
        if self == Self::Rs256 { Self::Rs256 } else { Self::Es256 }
    }

    fn algorithm(self) -> &'static str {
        if self == Self::Rs256 { "RS256" } else { "ES256" }
    }
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Token | Self::Reference => "token",
            Self::Introspect => "introspect",
            Self::Userinfo => "userinfo",
            Self::Flow => "flow",
        }
    }

    /// The file from which the clients that ask this are registered.
    fn client(self) -> &'static str {
        match self {
            Self::Token | Self::Introspect => "service",
            Self::Reference => "service-reference",
            Self::Userinfo | Self::Flow => "app",
        }
    }

    fn body(self) -> PathBuf {
        root().join("xtask/bench").join(self.client()).with_extension("json")
    }
}

impl Tokens {
    /// What part of the processor time of a token is the signature.
    fn fraction(&self, who: Who) -> Option<f64> {
        let costs = self.of(Scenario::token(who)).map(|sample| sample.cost);
        let alone = self.signing.iter().filter(|(own, _)| *own == who.signs_as()).map(|(_, alone)| *alone);
        median(alone.zip(costs).filter_map(|(alone, cost)| Some(alone / cost?)).collect())
    }

    /// How many times as many tokens as node-oidc-provider gives, in the median round.
    fn to_peer(&self, scenario: Scenario) -> Option<f64> {
        // It signs with ES256.
        if scenario != Scenario::token(Who::Es256) {
            return None;
        }
        let peer = self.of(Scenario::token(Who::Peer));
        median(self.of(scenario).zip(peer).map(|(own, peer)| own.rate / peer.rate).collect())
    }

    fn of(&self, scenario: Scenario) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |(own, _)| *own == scenario).map(|(_, sample)| sample)
    }

    /// The tables.
    pub(super) fn figures(&self) -> String {
        let mut table = String::from(
            "| scenario, 64 conn. | a second | p50 ms | p99 ms | processor µs each | of bare signing | to node-oidc-provider |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        let shown = |figure: Option<f64>| figure.map_or_else(String::new, |figure| format!("{figure:.2}"));
        for scenario in Scenario::all() {
            let each = |figure: fn(&Sample) -> f64| median(self.of(scenario).map(figure).collect());
            let (Some(rate), Some(p50), Some(p99)) = (each(|s| s.rate), each(|s| s.p50), each(|s| s.p99))
            else {
                let _ = writeln!(table, "| {scenario} | skipped | | | | | |");
                continue;
            };
            let cost = median(self.of(scenario).filter_map(|sample| sample.cost).collect());
            let is_compared = scenario == Scenario::token(scenario.who) && scenario.who != Who::Peer;
            let fraction = self.fraction(scenario.who).filter(|_| is_compared);
            let _ = writeln!(
                table,
                "| {scenario} | {rate:.0} | {p50:.2} | {p99:.2} | {} | {} | {} |",
                cost.map_or_else(String::new, |cost| format!("{cost:.0}")),
                shown(fraction),
                shown(self.to_peer(scenario)),
            );
        }
        for who in [Who::Es256, Who::Rs256] {
            let alone = self.signing.iter().filter(|(own, _)| *own == who).map(|(_, alone)| *alone);
            if let Some(alone) = median(alone.collect()) {
                let _ = writeln!(
                    table,
                    "| signing alone, {} | {:.0} | | | {alone:.1} | | |",
                    who.algorithm(),
                    1_000_000.0 / alone
                );
            }
        }
        let goals = goals(&[
            Goal::least("ES256 tokens, of bare signing", 0.45, self.fraction(Who::Es256)),
            Goal::least("RS256 tokens, of bare signing", 0.85, self.fraction(Who::Rs256)),
            Goal::least(
                "ES256 tokens, to node-oidc-provider",
                14.0,
                self.to_peer(Scenario::token(Who::Es256)),
            ),
        ]);
        format!("{table}\n{goals}")
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.who {
            Who::Peer => "node-oidc-provider in memory, ",
            Who::Bare => "bare axum handler, ",
            Who::Es256 | Who::Rs256 => "Enroll on SQLite, ",
        };
        let what = match (self.what, self.who) {
            (What::Token, Who::Rs256) => "RS256 tokens",
            (What::Token, _) => "ES256 tokens",
            (What::Reference, _) => "reference tokens",
            (What::Introspect, _) => "introspection",
            (What::Userinfo, _) => "userinfo",
            (What::Flow, _) => "code flows",
        };
        let from = match self.from {
            Askers::One => "one client",
            Askers::Many => "many clients",
            Askers::ManyCold => "many clients, after a restart",
        };
        f.pad(&format!("{who}{what}, {from}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rate: f64, cost: f64) -> Sample {
        Sample { rate, p50: 1.0, p99: 2.0, cost: Some(cost) }
    }

    #[test]
    fn every_scenario_is_there_once() {
        let all = Scenario::all();
        assert_eq!(all.len(), 20);
        assert!(all.iter().all(|own| all.iter().filter(|other| *other == own).count() == 1));
    }

    #[test]
    fn a_fraction_is_of_processor_time_and_a_ratio_of_rates_within_a_round() {
        let mut tokens = Tokens::default();
        for speed in [1.0, 2.0, 3.0] {
            tokens.signing.push((Who::Es256, 20.0 / speed));
            tokens.samples.push((Scenario::token(Who::Peer), sample(1000.0 * speed, 900.0)));
            tokens.samples.push((Scenario::token(Who::Es256), sample(15_000.0 * speed, 40.0 / speed)));
        }
        let figures = tokens.figures();
        assert!(
            figures.contains("| ES256 tokens, of bare signing | at least 0.45 | 0.50 | met |"),
            "{figures}"
        );
        assert!(figures.contains("| ES256 tokens, to node-oidc-provider | at least 14 | 15.00 | met |"));
        assert!(figures.contains("| RS256 tokens, of bare signing | at least 0.85 | not measured | |"));
    }
}
