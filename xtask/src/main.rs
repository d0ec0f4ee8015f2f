//! The chores of this repository, one file each: `cargo xtask --help`.

#![allow(clippy::print_stdout)] // A chore is there to print.

mod bench;
mod command;
mod conformance;
mod databases;
mod dist;
mod fuzz;
mod server;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why a chore failed, in a sentence for the person who started it.
type Failure = Box<dyn std::error::Error>;

/// The chores of the Enroll repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must hold before a change lands: format, lints, tests, documentation, rules of the tree.
    Test(test::Options),
    /// The rules of the tree alone: dependency arrows, file lengths, no `unwrap`, a case for every member.
    Tidy,
    /// Third-party clients against a running server.
    Conformance(conformance::Options),
    /// Measures the release build and writes `docs/benchmarks.md`.
    Bench(bench::Options),
    /// Shell completions and the man page, into `target/dist/`.
    Dist,
    /// Runs the fuzz targets of `fuzz/`.
    Fuzz(fuzz::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Test(options) => test::run(&options),
        Chore::Tidy => tidy::run(),
        Chore::Conformance(options) => conformance::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Dist => dist::run(),
        Chore::Fuzz(options) => fuzz::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
