//! `cargo xtask bench --stores`: durable registrations a second on each store, at few connections and at many.

use std::fmt::Write as _;
use std::path::Path;

use super::load;
use super::samples::{CONNECTIONS, Sample, Scenario, Who, median};
use super::stores::Store;
use crate::Failure;

const INTRODUCTION: &str = "

## Stores

Written by `cargo xtask bench --stores`. An Enroll on each store, all at once, and each database server with a folder of its
own on the same disk; short rounds go through the stores in turn, at each number of connections. Requests are those of the
first section. Where a store writes, every answer is sent once the registration is on the disk.

";

/// All samples, in the order of the rounds.
#[derive(Default)]
pub(super) struct Rates {
    stores: Vec<&'static Store>,
    /// Those that were left out, with the reason.
    missing: Vec<(&'static str, String)>,
    taken: Vec<(&'static str, usize, Sample)>,
}

/// Goes through all stores and numbers of connections, round by round.
pub(super) fn measure(
    folder: &Path,
    asked: &[String],
    rounds: usize,
    milliseconds: u64,
) -> Result<Rates, Failure> {
    let mut rates = Rates::default();
    let mut running = Vec::new();
    for store in Store::chosen(asked, |_| true)? {
        if let Some(reason) = store.missing() {
            println!("{} is not measured: {reason}", store.name);
            rates.missing.push((store.name, reason));
            continue;
        }
        running.push((store, store.start(folder, "rates")?));
        rates.stores.push(store);
    }
    let limit = ["--milliseconds".to_owned(), milliseconds.to_string()];
    for round in 1..=rounds {
        for connections in CONNECTIONS {
            for (store, running) in &running {
                let sample = load(&running.server, Scenario::registering(Who::Enroll, connections), &limit)?;
                let Sample { rate, p99, .. } = sample;
                println!(
                    "round {round}: {:<40} {connections:>3} conn. {rate:>9.0} /s   p99 {p99:>8.2} ms",
                    store.name
                );
                rates.taken.push((store.word, connections, sample));
            }
        }
    }
    Ok(rates)
}

impl Rates {
    /// The section of the page.
    pub(super) fn section(&self, run: &str) -> String {
        let settings: Vec<_> =
            self.stores.iter().map(|store| format!("- *{}*: {}\n", store.name, store.settings)).collect();
        let settings = settings.concat();
        format!("{INTRODUCTION}{settings}\n{run}\n\n{}", self.table())
    }

    /// A row for each store, a column for each number of connections.
    fn table(&self) -> String {
        let columns = CONNECTIONS.map(|connections| format!(" {connections} conn. |")).concat();
        let first = self.stores.first().map_or("the first", |store| store.name);
        let mut table = format!(
            "Registrations a second, and p50 and p99 in ms:\n\n| store |{columns} 64 conn., to {first} |\n| --- |{} ---: |\n",
            " ---: |".repeat(CONNECTIONS.len())
        );
        for store in &self.stores {
            let cells = CONNECTIONS.map(|at| self.cell(store.word, at)).concat();
            let ratio = self.to_first(store.word, 64).map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let _ = writeln!(table, "| {} |{cells} {ratio} |", store.name);
        }
        for (store, reason) in &self.missing {
            let _ = writeln!(table, "\n{store} was not measured: {reason}.");
        }
        table
    }

    fn cell(&self, store: &str, connections: usize) -> String {
        let each = |figure: fn(&Sample) -> f64| median(self.of(store, connections).map(figure).collect());
        match (each(|s| s.rate), each(|s| s.p50), each(|s| s.p99)) {
            (Some(rate), Some(p50), Some(p99)) => format!(" {rate:.0} ({p50:.2}, {p99:.2}) |"),
            _ => " |".to_owned(),
        }
    }

    /// How many times as many registrations as on the first store, in the median round.
    fn to_first(&self, store: &str, connections: usize) -> Option<f64> {
        let first = self.stores.first().filter(|first| first.word != store)?;
        let (own, first) = (self.of(store, connections), self.of(first.word, connections));
        median(own.zip(first).map(|(own, first)| own.rate / first.rate).collect())
    }

    fn of(&self, store: &str, connections: usize) -> impl Iterator<Item = &Sample> {
        let own = move |(taken, at, _): &&(&str, usize, Sample)| *taken == store && *at == connections;
        self.taken.iter().filter(own).map(|(.., sample)| sample)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stores::STORES;
    use super::*;

    #[test]
    fn a_table_has_a_row_for_each_store_and_says_what_was_left_out() {
        let store = &STORES[0];
        let mut rates = Rates { stores: vec![store], ..Rates::default() };
        rates.missing.push(("PostgreSQL", "it is not installed".to_owned()));
        for (speed, connections) in [(1.0, 1), (2.0, 1), (3.0, 1), (9.0, 64)] {
            let sample = Sample { rate: 1000.0 * speed, p50: 1.0, p99: 4.0 * speed, cost: None };
            rates.taken.push((store.word, connections, sample));
        }
        let table = rates.table();
        for line in [
            "| store | 1 conn. | 16 conn. | 64 conn. | 256 conn. | 64 conn., to SQLite |",
            "| SQLite | 2000 (1.00, 8.00) | | 9000 (1.00, 36.00) | |  |",
            "PostgreSQL was not measured: it is not installed.",
        ] {
            assert!(table.lines().any(|own| own == line), "{line}\n{table}");
        }
    }

    #[test]
    fn a_store_is_compared_with_the_first_within_a_round() {
        let mut other = STORES[0];
        other.word = "other";
        let other: &'static Store = Box::leak(Box::new(other));
        let mut rates = Rates { stores: vec![&STORES[0], other], ..Rates::default() };
        for speed in [1.0, 3.0] {
            for (store, rate) in [(&STORES[0], 1000.0), (other, 250.0)] {
                let sample = Sample { rate: rate * speed, p50: 1.0, p99: 1.0, cost: None };
                rates.taken.push((store.word, 64, sample));
            }
        }
        assert_eq!(rates.to_first("other", 64), Some(0.25));
        assert_eq!(rates.to_first("sqlite", 64), None);
    }
}
