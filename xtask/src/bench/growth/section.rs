//! The curves as a section of `docs/benchmarks.md`.

use std::fmt::Write as _;

use super::curve::{Compared, Curve, Point};
use crate::bench::report::{Goal, goals, mebi};

const INTRODUCTION: &str = "

## Growth

Written by `cargo xtask bench --growth`; `--plot` draws it again from `docs/growth.jsonl`. A store is filled over HTTP, step by
step, through 64 connections. At each step it is compared with an empty one, a server of its own that is started for the step: short
rounds go through both in turn, and ratios are taken within a round.

- *Registration* is that of the first section. *Look-up* is a `GET` of a client with its registration access token, of up to 50,000
  clients in an order of chance, each as likely as any other in the store. The server remembers some 4000 of them.
- Requests come at fixed times, so many a second over 16 connections, well below what the store can do: a p99 then says what one
  request waits for, and not how many others do. Who is held up by a slow answer counts from when it was due. Server, load generator
  and database share the cores, so the highest latencies are also those of waiting for a core.
- Before each round the files of the full store are read through, so that the system's cache holds what fits into memory, as on a
  machine that has been serving for a while. Where it does not fit, a look-up reads two pages of the disk.
- A round before the first is not counted. *Clients* are those of before the rounds, which register some thousands themselves, in
  the *empty* store, too.
- Resident memory is that of Enroll, not of a database server. The disk holds the database with its logs.
";

const HEAD: &str = "\
| clients | registration p50 | p99 | empty p50 | p99 | p99 to empty | look-up p50 | p99 | empty p50 | p99 | p99 to empty \
| filling, a second | memory | disk |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

/// Below this part of the rate, a store did not keep up with it.
const KEPT_UP: f64 = 0.95;

/// The section with these curves.
pub(super) fn of(curves: &[Curve]) -> String {
    let mut section = format!(
        "{INTRODUCTION}\n![p50 and p99 by the number of clients, for each store: registration and look-up](growth.svg)\n"
    );
    for curve in curves {
        let _ = write!(section, "\n### {}\n\n{}\n\nTimes in ms:\n\n{HEAD}", curve.store, curve.run);
        for point in &curve.points {
            let _ = writeln!(section, "{}", row(point));
        }
        section.push_str(&late(curve));
    }
    let all: Vec<_> = curves.iter().flat_map(goals_of).collect();
    let _ = write!(section, "\n### Goals of growth\n\n{}", goals(&all));
    section
}

/// A size as a row of the table.
pub(super) fn row(point: &Point) -> String {
    let Point { clients, registration, look_up, resident, disk, fill_rate } = point;
    let resident = resident.map_or_else(String::new, |bytes| format!("{:.0} MiB", mebi(bytes)));
    let fill_rate = fill_rate.map_or_else(String::new, |rate| format!("{rate:.0}"));
    let times = |Compared { p50, p99, empty_p50, empty_p99, ratio, .. }: &Compared| {
        format!("{p50:.2} | {p99:.2} | {empty_p50:.2} | {empty_p99:.2} | {ratio:.2}")
    };
    format!(
        "| {clients} | {} | {} | {fill_rate} | {resident} | {:.0} MiB |",
        times(registration),
        times(look_up),
        mebi(*disk)
    )
}

/// What must be said where a store could not answer as often as it was asked.
fn late(curve: &Curve) -> String {
    let is_late =
        |point: &&Point| [point.registration, point.look_up].iter().any(|seen| seen.kept_up < KEPT_UP);
    let sizes: Vec<_> = curve.points.iter().filter(is_late).map(|point| point.clients.to_string()).collect();
    match sizes.as_slice() {
        [] => String::new(),
        sizes => format!("\nWith {} clients it did not keep up with the rate.\n", sizes.join(", ")),
    }
}

/// The goal is for every size, so the worst counts.
fn goals_of(curve: &Curve) -> [Goal; 2] {
    let most = curve.points.last().map_or(0, |point| point.clients);
    let goal = |what: &str, ratio| {
        let what = format!("{}, up to {most} clients: p99 of {what} to that of an empty store", curve.store);
        Goal::most(&what, 2.0, ratio)
    };
    [
        goal("registration", curve.worst(|point| point.registration)),
        goal("look-up", curve.worst(|point| point.look_up)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(clients: u64, ratio: f64, kept_up: f64) -> Point {
        let seen = Compared { p50: 0.5, p99: ratio, empty_p50: 0.5, empty_p99: 1.0, ratio, kept_up };
        Point {
            clients,
            registration: seen,
            look_up: Compared { ratio: 1.0, ..seen },
            resident: Some(32 << 20),
            disk: 1 << 30,
            fill_rate: Some(27_000.4),
        }
    }

    #[test]
    fn a_section_has_a_row_for_each_size_and_the_goals_of_the_worst() {
        let points = vec![point(0, 1.0, 1.0), point(10_000, 2.25, 1.0), point(100_000, 1.5, 1.0)];
        let curve = Curve { store: "SQLite".to_owned(), run: "- Date: today".to_owned(), points };
        let section = of(&[curve]);
        for line in [
            "### SQLite",
            "| 10000 | 0.50 | 2.25 | 0.50 | 1.00 | 2.25 | 0.50 | 2.25 | 0.50 | 1.00 | 1.00 | 27000 | 32 MiB | 1024 MiB |",
            "| SQLite, up to 100000 clients: p99 of registration to that of an empty store | at most 2 | 2.25 | missed |",
            "| SQLite, up to 100000 clients: p99 of look-up to that of an empty store | at most 2 | 1.00 | met |",
        ] {
            assert!(section.lines().any(|own| own == line), "{line}\n{section}");
        }
        assert!(!section.contains("keep up"));
    }

    #[test]
    fn a_store_that_did_not_keep_up_is_named() {
        let curve = Curve { points: vec![point(0, 1.0, 1.0), point(30_000, 1.0, 0.9)], ..Curve::default() };
        assert_eq!(late(&curve), "\nWith 30000 clients it did not keep up with the rate.\n");
    }
}
