//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! It needs Rust and a C compiler, nothing else: checks by other tools are skipped, aloud, where the tools are not. What the
//! feature `jwe` links is installed, if we may, and so are the database servers, which it starts and ends by itself, and `libfaketime`,
//! by which tests move a clock.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::command::{cargo, installed, run as run_command, shown};
use crate::databases::Databases;
use crate::{Failure, tidy, tools};

/// What is tested.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fail where PostgreSQL and MariaDB cannot be started, or no clock moved, instead of saying that what needs them was left out
    #[arg(long)]
    databases_required: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let (started, databases) = databases(options);
    let outcomes = [
        timed("format", || component("rustfmt", "fmt", &["--all", "--check"])),
        timed("clippy", || {
            component("clippy", "clippy", &["--workspace", "--all-targets", "--", "-D", "warnings"])
        }),
        started,
        timed("test", || tests(&mut tally, &["--workspace", "--no-fail-fast"], databases.as_ref())),
        encryption(&mut tally),
        timed("documentation", || {
            let mut doc = cargo();
            doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
            run_command(&mut doc)
        }),
        timed("tidy", || {
            println!("$ cargo xtask tidy");
            tidy::run()
        }),
        if_installed("licences", "cargo-deny", &["deny", "check", "licenses", "bans", "sources"]),
        if_installed("unused", "cargo-machete", &["machete"]),
    ];
    println!();
    for outcome in &outcomes {
        println!("{}", outcome.line());
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.failed()).map(|outcome| outcome.check).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// How one check went.
struct Outcome {
    check: &'static str,
    ending: Ending,
}

enum Ending {
    Passed(Duration),
    Failed(Failure),
    Skipped(String),
}

impl Outcome {
    fn failed(&self) -> bool {
        matches!(self.ending, Ending::Failed(_))
    }

    fn line(&self) -> String {
        let check = self.check;
        match &self.ending {
            Ending::Passed(took) => format!("{check:<14} ok       {:.1} s", took.as_secs_f64()),
            Ending::Failed(why) => format!("{check:<14} FAILED   {why}"),
            Ending::Skipped(why) => format!("{check:<14} skipped  {why}"),
        }
    }
}

fn timed(check: &'static str, work: impl FnOnce() -> Result<(), Failure>) -> Outcome {
    let start = Instant::now();
    let ending = match work() {
        Ok(()) => Ending::Passed(start.elapsed()),
        Err(failure) => {
            println!("{failure}");
            Ending::Failed(failure)
        }
    };
    Outcome { check, ending }
}

/// A cargo command that comes with a component of the toolchain.
fn component(component: &str, subcommand: &str, arguments: &[&str]) -> Result<(), Failure> {
    let version =
        cargo().args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        let missing = format!("the toolchain has no {component}: `rustup component add {component}`");
        return Err(missing.into());
    }
    run_command(cargo().arg(subcommand).args(arguments))
}

fn if_installed(check: &'static str, tool: &str, arguments: &[&str]) -> Outcome {
    if installed(tool) {
        return timed(check, || run_command(cargo().args(arguments)));
    }
    let why = format!("{tool} is not installed: `cargo install --locked {tool}`");
    println!("skipped: {why}");
    Outcome { check, ending: Ending::Skipped(why) }
}

/// The feature `jwe`: its lints, and the tests that are about it. The whole workspace is named, so that nothing is built anew
/// but what has the feature.
fn encryption(tally: &mut Tally) -> Outcome {
    const CHECK: &str = "encryption";
    const FEATURE: [&str; 3] = ["--workspace", "--features", "enroll/jwe"];
    match tools::need(&[tools::OPENSSL]) {
        Err(why) if !tools::can_install() => {
            println!("skipped: {why}");
            return Outcome { check: CHECK, ending: Ending::Skipped(why.to_string()) };
        }
        Err(why) => return Outcome { check: CHECK, ending: Ending::Failed(why) },
        Ok(()) => {}
    }
    timed(CHECK, || {
        let lints = [&FEATURE[..], &["--all-targets", "--", "-D", "warnings"]].concat();
        component("clippy", "clippy", &lints)?;
        tests(tally, &[&FEATURE[..], &["--no-fail-fast", "--lib", "--test", "it", "encrypt"]].concat(), None)
    })
}

/// The database servers that tests need. They end with this value.
fn databases(options: &Options) -> (Outcome, Option<Databases>) {
    const CHECK: &str = "databases";
    let start = Instant::now();
    match Databases::start() {
        Ok(databases) => (Outcome { check: CHECK, ending: Ending::Passed(start.elapsed()) }, Some(databases)),
        Err(why) if options.databases_required => {
            println!("{why}");
            (Outcome { check: CHECK, ending: Ending::Failed(why) }, None)
        }
        Err(why) => {
            println!("skipped: {why}");
            let why = format!("no test ran with PostgreSQL, MariaDB or a clock that moves: {why}");
            (Outcome { check: CHECK, ending: Ending::Skipped(why) }, None)
        }
    }
}

/// Runs tests and counts them: of the whole workspace, doctests and examples included, where nothing else is said. Those that
/// need a database server, or a clock that moves, wait for one.
fn tests(tally: &mut Tally, arguments: &[&str], databases: Option<&Databases>) -> Result<(), Failure> {
    let mut command = cargo();
    command.arg("test").args(arguments);
    if let Some(databases) = databases {
        command.envs(databases.variables()).args(["--", "--include-ignored"]);
    }
    let line = shown(&command);
    println!("$ {line}");
    let status = passed_through(&mut command, &mut io::stdout(), |line| tally.read(line))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})").into()) }
}

/// Runs a command and hands on its standard output as it comes, every line also to `look`.
fn passed_through(
    command: &mut Command,
    onward: &mut impl Write,
    mut look: impl FnMut(&str),
) -> io::Result<ExitStatus> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line)? > 0 {
        onward.write_all(&line)?;
        look(&String::from_utf8_lossy(&line));
        line.clear();
    }
    child.wait()
}

/// How many tests passed and failed, over all test programs.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Adds up one line of libtest's output: `test result: ok. 12 passed; 0 failed; …`.
    fn read(&mut self, line: &str) {
        // A test that prints without a line break puts its output before these words.
        let Some((_, result)) = line.split_once("test result: ") else { return };
        let Some((_, counts)) = result.split_once(". ") else { return };
        for part in counts.split(';') {
            match part.trim().split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests\n",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
            "test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s\n",
        ] {
            tally.read(line);
        }
        assert_eq!(tally, Tally { passed: 13, failed: 2 });
    }

    #[test]
    fn output_is_handed_on_line_by_line_and_the_exit_code_kept() {
        let (mut onward, mut seen) = (Vec::new(), Vec::new());
        let mut command = Command::new("sh");
        command.args(["-c", "printf 'one\\ntwo'; exit 3"]);
        let status = passed_through(&mut command, &mut onward, |line| seen.push(line.to_owned())).unwrap();
        assert_eq!(onward, b"one\ntwo");
        assert_eq!(seen, ["one\n", "two"]);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_tool_that_is_missing_is_skipped_and_not_a_failure() {
        let outcome = if_installed("unused", "cargo-that-nobody-has", &[]);
        assert!(!outcome.failed());
        assert!(outcome.line().contains("cargo install --locked cargo-that-nobody-has"));
    }
}
