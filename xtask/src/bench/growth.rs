//! `cargo xtask bench --growth`: whether a store with many clients is as quick as an empty one.

mod curve;
mod plot;
mod section;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::page::Section;
use super::report::mebi;
use super::samples::{Sample, What, median};
use super::stores::{Running, Store};
use super::{Options, machine, measured};
use crate::Failure;
use crate::command::{output, root, target};
use crate::server::built;
use curve::{Compared, Curve, Point};

/// How many clients look-ups are spread over at most: several times as many as the server remembers.
const SAMPLE: usize = 50_000;
/// What must stay free on the disk, in bytes.
const SPARE: u64 = 2 << 30;

/// How each step is measured.
struct Rounds {
    count: usize,
    milliseconds: u64,
    rate: u64,
    connections: usize,
}

/// What the two servers are asked.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Registration,
    LookUp,
}

/// Fills the stores one after the other; the page has each curve up to where it is.
pub(super) fn measure(folder: &Path, options: &Options) -> Result<(), Failure> {
    let quick = options.quick;
    let rounds = Rounds {
        count: if quick { 2 } else { options.rounds },
        milliseconds: if quick { 500 } else { options.seconds * 1000 },
        rate: options.rate,
        connections: 16,
    };
    let stores = Store::chosen(&options.store, |store| store.grows_to.is_some())?;
    let limit = |store: &Store| match (options.clients, quick) {
        (Some(clients), _) => clients,
        (None, true) => 20_000,
        (None, false) => store.grows_to.unwrap_or(1_000_000),
    };
    for store in &stores {
        if let Some(reason) = store.missing() {
            return Err(format!("{reason}; or say with --store which stores to fill").into());
        }
        let needed = limit(store) * store.bytes + SPARE;
        let free = free(store.disk(folder))?;
        if free < needed {
            let (needed, free) = (mebi(needed) / 1024.0, mebi(free) / 1024.0);
            let clients = limit(store);
            return Err(format!(
                "{clients} clients on {} need some {needed:.0} GiB of disk with what must stay free, and {free:.0} GiB \
                 are free: say --clients with fewer",
                store.name
            )
            .into());
        }
    }
    for store in stores {
        grow(folder, store, limit(store), &rounds, quick)?;
    }
    Ok(())
}

fn grow(folder: &Path, store: &Store, limit: u64, rounds: &Rounds, quick: bool) -> Result<(), Failure> {
    let full = store.start(folder, "full")?;
    let kept = folder.join(format!("{}-full.sample", store.word));
    let mut curve = Curve { store: store.name.to_owned(), ..Curve::default() };
    for clients in sizes(limit) {
        let there = seen(&kept)?;
        // What the steps before registered for themselves may be more than this step is about.
        if there > clients {
            continue;
        }
        let fill_rate = match clients - there {
            0 => None,
            missing => Some(fill(&full, missing, &kept)?),
        };
        let empty = store.start(folder, "empty")?;
        let beside = folder.join(format!("{}-empty.sample", store.word));
        let (registration, look_up) = step((&full, &kept), (&empty, &beside), rounds)?;
        let _gone = fs::remove_file(beside);
        let point = Point {
            clients,
            registration,
            look_up,
            resident: full.server.resident_memory(),
            disk: full.disk()?,
            fill_rate,
        };
        println!("{}: {}", store.name, section::row(&point));
        curve.points.push(point);
        curve.run = format!(
            "{}\n- {} requests a second, {} connections; {} rounds of {} ms",
            machine::describe(&target()).join("\n"),
            rounds.rate,
            rounds.connections,
            rounds.count,
            rounds.milliseconds
        );
        let files = if quick { Files::aside() } else { Files::of_the_page() };
        let curves = curve::with(files.curves()?, curve.clone());
        fs::write(&files.kept, curve::written(&curves))?;
        files.draw()?;
    }
    Ok(())
}

/// From an empty store on, three steps to a tenfold, up to this one.
fn sizes(limit: u64) -> Vec<u64> {
    let tenfolds = std::iter::successors(Some(10_000_u64), |size| size.checked_mul(10));
    let steps = tenfolds.flat_map(|size| [size, size.saturating_mul(3)]);
    let mut sizes: Vec<_> = std::iter::once(0).chain(steps.take_while(|size| *size < limit)).collect();
    sizes.push(limit);
    sizes
}

/// Registers so many clients, and tells how many a second.
fn fill(full: &Running, clients: u64, kept: &Path) -> Result<f64, Failure> {
    println!("registering {clients} clients over HTTP");
    let mut command = asking(full, Asked::Registration, kept);
    command.args(["--connections", "64", "--requests", &clients.to_string()]);
    Ok(measured(&full.server, &mut command)?.rate)
}

/// One size: both servers in turn, both requests.
fn step(
    full: (&Running, &Path),
    empty: (&Running, &Path),
    rounds: &Rounds,
) -> Result<(Compared, Compared), Failure> {
    let mut seen: Vec<(Asked, Sample, Sample)> = Vec::new();
    for round in 0..=rounds.count {
        // What filled it takes long enough for a system to take back the memory of what was written first.
        full.0.warm()?;
        for asked in [Asked::Registration, Asked::LookUp] {
            let ask = |(running, kept): (&Running, &Path)| {
                let mut command = asking(running, asked, kept);
                command.args(["--connections", &rounds.connections.to_string()]);
                command.args(["--rate", &rounds.rate.to_string()]);
                command.args(["--milliseconds", &rounds.milliseconds.to_string()]);
                measured(&running.server, &mut command)
            };
            // Each goes first as often as the other.
            let (full, empty) = if round % 2 == 0 {
                (ask(full)?, ask(empty)?)
            } else {
                let empty = ask(empty)?;
                (ask(full)?, empty)
            };
            if round > 0 {
                seen.push((asked, full, empty));
            }
        }
    }
    let of = |asked: Asked| {
        let rounds_of = seen.iter().filter(|(own, ..)| *own == asked);
        compared(&rounds_of.map(|(_, full, empty)| (*full, *empty)).collect::<Vec<_>>(), rounds.rate)
    };
    Ok((of(Asked::Registration)?, of(Asked::LookUp)?))
}

/// The median of each figure, of rounds with a full store and with an empty one.
#[allow(clippy::cast_precision_loss)] // Rates are small.
fn compared(seen: &[(Sample, Sample)], rate: u64) -> Result<Compared, Failure> {
    let each = |figure: fn(&(Sample, Sample)) -> f64| {
        median(seen.iter().map(figure).collect()).ok_or("no round was measured")
    };
    Ok(Compared {
        p50: each(|(full, _)| full.p50)?,
        p99: each(|(full, _)| full.p99)?,
        empty_p50: each(|(_, empty)| empty.p50)?,
        empty_p99: each(|(_, empty)| empty.p99)?,
        ratio: each(|(full, empty)| full.p99 / empty.p99)?,
        kept_up: each(|(full, _)| full.rate)? / rate as f64,
    })
}

/// The load generator, but for how much and how long.
fn asking(running: &Running, asked: Asked, kept: &Path) -> Command {
    let mut command = Command::new(built("enroll-bench", true));
    let what = if asked == Asked::Registration { "register" } else { "look-up" };
    command.args([what, &running.server.url, "--body"]).arg(root().join(What::Register.body()));
    command.arg("--kept").arg(kept).args(["--sample", &SAMPLE.to_string()]);
    command
}

/// How many clients were registered for this sample.
fn seen(kept: &Path) -> Result<u64, Failure> {
    if !kept.exists() {
        return Ok(0);
    }
    let file = fs::read_to_string(kept)?;
    let first: Value = serde_json::from_str(file.lines().next().unwrap_or_default())?;
    first["seen"].as_u64().ok_or_else(|| "the sample does not say of how many clients it is".into())
}

/// What is free on the disk that holds this folder, in bytes.
fn free(folder: &Path) -> Result<u64, Failure> {
    let told = output("df", &["--output=avail", "-B1", &folder.to_string_lossy()]);
    let free = told.as_deref().and_then(|told| told.lines().last()?.trim().parse().ok());
    free.ok_or_else(|| "`df` does not tell what is free on the disk".into())
}

/// Where curves are kept, drawn and shown.
pub(super) struct Files {
    kept: PathBuf,
    picture: PathBuf,
    page: Option<PathBuf>,
}

impl Files {
    pub(super) fn of_the_page() -> Self {
        let docs = root().join("docs");
        let page = Some(docs.join("benchmarks.md"));
        Self { kept: docs.join("growth.jsonl"), picture: docs.join("growth.svg"), page }
    }

    /// For a run that is only to show that it runs.
    fn aside() -> Self {
        let aside = target().join("bench");
        Self { kept: aside.join("growth.jsonl"), picture: aside.join("growth.svg"), page: None }
    }

    fn curves(&self) -> Result<Vec<Curve>, Failure> {
        if self.kept.exists() { curve::read(&fs::read_to_string(&self.kept)?) } else { Ok(Vec::new()) }
    }

    /// Draws the picture, and writes the section of the page, from the figures that were kept.
    pub(super) fn draw(&self) -> Result<(), Failure> {
        let curves = self.curves()?;
        if curves.is_empty() {
            return Err("there are no figures of growth yet: `cargo xtask bench --growth` takes them".into());
        }
        fs::write(&self.picture, plot::picture(&curves)?)?;
        println!("written to {}", self.picture.display());
        if let Some(page) = &self.page {
            let before = fs::read_to_string(page)?;
            fs::write(page, Section::Growth.put(&before, &section::of(&curves)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rate: f64, p99: f64) -> Sample {
        Sample { rate, p50: p99 / 4.0, p99, cost: None }
    }

    #[test]
    fn sizes_grow_threefold_or_so_up_to_the_last() {
        assert_eq!(sizes(1_000_000), [0, 10_000, 30_000, 100_000, 300_000, 1_000_000]);
        assert_eq!(sizes(20_000), [0, 10_000, 20_000]);
        assert_eq!(sizes(5000), [0, 5000]);
        assert_eq!(sizes(10_000_000).len(), 8);
    }

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        // The machine is slower in each round: the ratio stays.
        let rounds = [1.0, 2.0, 3.0].map(|slow| (sample(990.0, 1.5 * slow), sample(1000.0, slow)));
        let seen = compared(&rounds, 1000).unwrap();
        assert_eq!((seen.p99, seen.empty_p99, seen.ratio), (3.0, 2.0, 1.5));
        assert_eq!((seen.p50, seen.empty_p50, seen.kept_up), (0.75, 0.5, 0.99));
        assert!(compared(&[], 1000).is_err());
    }
}
