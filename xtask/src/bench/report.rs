//! The figures as a page: `docs/benchmarks.md`.

use std::fmt::Write as _;

use super::Footprint;
use super::page::Section;
use super::samples::{Sample, Samples, Scenario, What, Who};

const TOKENS: &str = "

## Authorization server

Two Enrolls, one of which signs access tokens with RS256, and node-oidc-provider in memory are measured in turn; 64
connections keep a server busy, which may use all cores but for what the load generator takes.

- *Tokens* are of client credentials, JWTs for one resource (RFC 8707), for clients that send their secret in the form.
  node-oidc-provider signs them with ES256, too. *Reference tokens* are on the disk before they are sent.
- *Bare axum handler* signs the same claims with ES256 for whoever asks; it looks nobody up, and judges and logs nothing.
- *Of bare signing* is the processor time of one `SigningKey::sign_jwt` with equal claims, in a loop on one core, by the
  processor time that a token costs the server, all its threads and the kernel's for it: what part of the bare rate
  the server reaches for each core that it uses.
- *Introspection* and *userinfo* go through at most 1024 tokens, each of another client. A *code flow* is two requests: one to
  authorize with the cookie of a session, consent off, and one that gets the tokens for the code; its times are of both.
- *Many clients* are 100,000, registered over HTTP, of which each asks in its turn. *After a restart* the server has
  just started and gets 4096 requests, or as many tokens as are first needed for them; the system's cache of files stays warm.
";

const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench`, but for the last section. All servers run at once on one machine, the load generator
beside them on the same cores: what it takes, the servers lack. Short rounds go through the servers in turn; figures are
medians over the rounds, and ratios are taken within a round. So trust the ratios more than the figures, and on a machine with other work to do neither: the processor
time that a request cost the server is what changes least.

- *Bare axum handler* parses the same body to JSON and answers the same members; it judges nothing and stores nothing.
- *Enroll on SQLite* is `enroll serve --dev`, logging to a file: every answer has passed the whole pipeline and is on
  the disk (`synchronous=FULL`) before it is sent.
- *node-oidc-provider* runs with its own registration endpoint, once with its memory adapter, once with an adapter that
  stores in SQLite.
- Every server gets the bytes of `conformance/peers/request.json`, on connections that are kept alive, each with one
  request under way. `GET client` and `PUT client` read one of 1024 clients with its registration access
  token, and replace it by the same; `DELETE client` deletes clients that were registered for it, each once.
- *Every member* is `xtask/bench/every-member.json`: as many members as one client of `--dev` can have at once.
- *Reading and judging* is the dry run of `conformance/peers/request.json` in a loop within one process: the body is read
  and goes through every step of the pipeline, without network and store.
- Clients that fill the database are registered over HTTP.
";

pub(super) struct Report {
    pub(super) samples: Samples,
    /// What it costs to read a request and to judge it, in microseconds.
    pub(super) validation: f64,
    pub(super) footprint: Footprint,
    pub(super) rounds: usize,
    pub(super) milliseconds: u64,
    pub(super) machine: Vec<String>,
}

impl Report {
    /// The whole page; what was written by hand on the page before stays.
    pub(super) fn page(&self, before: &str) -> String {
        let by_hand = Section::ByHand.of(before).unwrap_or("\n## What limits each\n\n");
        let machine = self.machine.join("\n");
        let rounds = format!(
            "- Command: `cargo xtask bench`, {} rounds of {} s a scenario, {} clients",
            self.rounds,
            self.milliseconds / 1000,
            self.footprint.clients
        );
        let page = format!(
            "{INTRODUCTION}\n## Last run\n\n{machine}\n{rounds}\n\n{}\n{}\n",
            self.figures(),
            Section::ByHand.with(by_hand)
        );
        let others = [Section::Tokens, Section::Stores, Section::Growth];
        let kept = others.into_iter().filter_map(|section| Some((section, section.of(before)?)));
        kept.fold(page, |page, (section, own)| section.put(&page, own))
    }

    /// The tables.
    pub(super) fn figures(&self) -> String {
        format!("{}\n{}\n## Goals\n\n{}", self.rates(), self.footprint(), self.goals())
    }

    fn rates(&self) -> String {
        let mut table = String::from(
            "| scenario | requests/s | p50 ms | p99 ms | processor µs a request | to the bare handler | to node-oidc-provider, memory | \
             to node-oidc-provider, SQLite |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for scenario in Scenario::all() {
            let Some(Sample { rate, p50, p99, cost }) = self.samples.median(scenario) else {
                let _ = writeln!(table, "| {scenario} | skipped | | | | | | |");
                continue;
            };
            let ratio = |who: Who, connections: usize| {
                let to = Scenario::registering(who, connections);
                let comparable = scenario.what == What::Register && scenario.who != who;
                let ratio = comparable.then(|| self.samples.ratio(scenario, to)).flatten();
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
            };
            // The others are measured at 64 connections only.
            let peer = |who: Who| if scenario.connections == 64 { ratio(who, 64) } else { String::new() };
            let _ = writeln!(
                table,
                "| {scenario} | {rate:.0} | {p50:.2} | {p99:.2} | {} | {} | {} | {} |",
                cost.map_or_else(String::new, |cost| format!("{cost:.0}")),
                ratio(Who::Bare, scenario.connections),
                peer(Who::PeerMemory),
                peer(Who::PeerSqlite),
            );
        }
        table
    }

    fn footprint(&self) -> String {
        let Footprint { clients, fill_rate, database, .. } = self.footprint;
        format!(
            "| | figure |\n| --- | ---: |\n\
             | resident memory, just started, no clients | {} |\n\
             | resident memory after {clients} registrations over HTTP | {} |\n\
             | resident memory, just started, {clients} clients | {} |\n\
             | registrations/s while filling, 64 conn. | {fill_rate:.0} |\n\
             | database with {clients} clients | {} |\n\
             | start to `ready`, {clients} clients, median of 10 | {:.0} ms |\n\
             | binary, stripped | {:.1} MB |\n\
             | reading and judging a request, alone | {:.1} µs |\n",
            mebibytes(self.footprint.idle),
            mebibytes(self.footprint.filled),
            mebibytes(self.footprint.reopened),
            mebibytes(Some(database)),
            self.footprint.start.as_secs_f64() * 1000.0,
            megabytes(self.footprint.binary),
            self.validation,
        )
    }

    fn goals(&self) -> String {
        let enroll = Scenario::registering(Who::Enroll, 64);
        let to = |who: Who| self.samples.ratio(enroll, Scenario::registering(who, 64));
        let Footprint { idle, filled, clients, start, binary, .. } = self.footprint;
        let grown = filled.zip(idle).map(|(filled, idle)| mebi(filled) - mebi(idle));
        let milliseconds = start.as_secs_f64() * 1000.0;
        let goals = [
            Goal::least("64 conn., to the bare handler", 0.40, to(Who::Bare)),
            Goal::least("64 conn., to node-oidc-provider in memory", 9.0, to(Who::PeerMemory)),
            Goal::least("64 conn., to node-oidc-provider on SQLite", 25.0, to(Who::PeerSqlite)),
            Goal::most("µs to read and judge a request, alone", 50.0, Some(self.validation)),
            Goal::most(&format!("MiB more after {clients} clients"), 64.0, grown),
            Goal::most("ms from start to `ready`", 100.0, Some(milliseconds)),
            Goal::most("MB of stripped binary", 15.0, Some(megabytes(binary))),
        ];
        self::goals(&goals)
    }
}

/// The page with these figures of the authorization server, and all else as it was.
pub(super) fn with_tokens(page: &str, figures: &str) -> String {
    Section::Tokens.put(page, &format!("{TOKENS}{figures}"))
}

/// Goals as a table.
pub(super) fn goals(goals: &[Goal]) -> String {
    let mut table = String::from("| | goal | figure | |\n| --- | ---: | ---: | --- |\n");
    for goal in goals {
        table.push_str(&goal.row());
    }
    table
}

/// A figure that is hoped for.
pub(super) struct Goal {
    what: String,
    least: bool,
    limit: f64,
    figure: Option<f64>,
}

impl Goal {
    pub(super) fn least(what: &str, limit: f64, figure: Option<f64>) -> Self {
        Self { what: what.to_owned(), least: true, limit, figure }
    }

    pub(super) fn most(what: &str, limit: f64, figure: Option<f64>) -> Self {
        Self { what: what.to_owned(), least: false, limit, figure }
    }

    fn row(&self) -> String {
        let Self { what, limit, .. } = self;
        let word = if self.least { "at least" } else { "at most" };
        let Some(figure) = self.figure else {
            return format!("| {what} | {word} {limit} | not measured | |\n");
        };
        let met = if self.least { figure >= *limit } else { figure <= *limit };
        format!("| {what} | {word} {limit} | {figure:.2} | {} |\n", if met { "met" } else { "missed" })
    }
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not measured".to_owned(), |bytes| format!("{:.1} MiB", mebi(bytes)))
}

#[allow(clippy::cast_precision_loss)] // Sizes below 2^52.
pub(super) fn mebi(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

#[allow(clippy::cast_precision_loss)] // Sizes below 2^52.
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report() -> Report {
        let mut samples = Samples::default();
        samples.push(
            Scenario::registering(Who::Bare, 64),
            Sample { rate: 30_000.0, p50: 2.0, p99: 4.0, cost: None },
        );
        samples.push(
            Scenario::registering(Who::Enroll, 64),
            Sample { rate: 15_000.0, p50: 4.0, p99: 9.0, cost: Some(82.4) },
        );
        let footprint = Footprint {
            clients: 10,
            idle: Some(10 << 20),
            filled: Some(90 << 20),
            reopened: None,
            fill_rate: 12_000.0,
            start: Duration::from_millis(20),
            database: 1 << 20,
            binary: 12_000_000,
        };
        Report {
            samples,
            validation: 12.5,
            footprint,
            rounds: 1,
            milliseconds: 1000,
            machine: vec!["- Date: today".to_owned()],
        }
    }

    #[test]
    fn goals_are_met_missed_or_not_measured() {
        let goals = report().goals();
        assert!(goals.contains("| 64 conn., to the bare handler | at least 0.4 | 0.50 | met |"), "{goals}");
        assert!(
            goals.contains("| 64 conn., to node-oidc-provider in memory | at least 9 | not measured | |")
        );
        assert!(goals.contains("| µs to read and judge a request, alone | at most 50 | 12.50 | met |"));
        assert!(goals.contains("| MiB more after 10 clients | at most 64 | 80.00 | missed |"));
    }

    #[test]
    fn the_table_has_a_row_for_every_scenario() {
        let table = report().rates();
        assert_eq!(table.lines().count(), 2 + Scenario::all().len());
        assert!(
            table.contains("| Enroll on SQLite, 64 conn. | 15000 | 4.00 | 9.00 | 82 | 0.50 |  |  |"),
            "{table}"
        );
    }

    #[test]
    fn what_was_written_by_hand_stays() {
        let by_hand = Section::ByHand.with("\n## What limits each\n\nThe disk.\n");
        let before = Section::Stores.put(&format!("old figures\n{by_hand}\n"), "rates");
        let page = report().page(&with_tokens(&before, "1"));
        assert!(page.ends_with(&format!("{by_hand}\n")));
        assert!(!page.contains("old figures"));
        assert_eq!(Section::Stores.of(&page), Some("rates"));
        assert_eq!(Section::Tokens.of(&page), Some(format!("{TOKENS}1").as_str()));
        assert_eq!(report().page(&page), page);
    }
}
