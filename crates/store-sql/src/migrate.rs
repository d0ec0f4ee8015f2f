//! The schema, as a row of numbered steps that are embedded in the program and run once each.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};

use crate::OpenError;
use crate::database::Engine;

/// The schema a database has, and the one that this version needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The schema that was found; 0 is an empty or missing database.
    pub found: u32,
    /// The schema that this version needs.
    pub known: u32,
}

/// Which part of the data a database holds. Each has a schema and a file of its own, and steps of its own that lead there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plane {
    /// Clients and the tokens that register them.
    Configuration,
    /// The records of the authorization server.
    Operational,
}

/// The steps of one plane for one engine, the first one first.
macro_rules! steps {
    ($plane:literal, $engine:literal, [$($step:literal),+]) => {
        &[$(include_str!(concat!("../migrations/", $engine, "/", $plane, "/", $step, ".sql"))),+]
    };
}

impl Plane {
    /// The steps for an engine, the first one first.
    pub(crate) fn steps(self, engine: Engine) -> &'static [&'static str] {
        match (self, engine) {
            (Self::Configuration, Engine::Sqlite) => {
                steps!("configuration", "sqlite", ["0001_initial", "0002_tombstones", "0003_client_keys"])
            }
            (Self::Configuration, Engine::Postgres) => steps!("configuration", "postgres", ["0001_initial"]),
            (Self::Configuration, Engine::MySql) => steps!("configuration", "mysql", ["0001_initial"]),
            (Self::Operational, Engine::Sqlite) => {
                steps!("operational", "sqlite", ["0001_initial", "0002_client_keys"])
            }
            (Self::Operational, Engine::Postgres) => steps!("operational", "postgres", ["0001_initial"]),
            (Self::Operational, Engine::MySql) => steps!("operational", "mysql", ["0001_initial"]),
        }
    }

    /// The schema of a database in which these steps have run.
    pub(crate) fn version(
        self,
        engine: Engine,
        database: &str,
        applied: &[(u32, String)],
    ) -> Result<SchemaVersion, OpenError> {
        let (other, name) = match self {
            Self::Configuration => (Self::Operational, "operational"),
            Self::Operational => (Self::Configuration, "configuration"),
        };
        // Before the numbers, which would say that it is newer when the other plane has more steps.
        if applied.first().is_some_and(|(_, first)| *first == checksum(other.steps(engine)[0])) {
            let source = format!("it is the {name} database; name another");
            return Err(OpenError::Failed { database: database.to_owned(), source: source.into() });
        }
        compare(database, self.steps(engine), applied)
    }
}

/// What whoever may not bring a database to the schema says of an older one.
pub(crate) fn too_old(SchemaVersion { found, known }: SchemaVersion) -> String {
    format!("its schema is {found}, this version needs {known}: run `enroll migrate`")
}

/// The table of the steps that have run.
pub(crate) const LEDGER: &str =
    "CREATE TABLE schema_versions (version INTEGER NOT NULL UNIQUE, checksum TEXT NOT NULL)";

/// The steps that have run.
pub(crate) const APPLIED: &str = "SELECT version, checksum FROM schema_versions ORDER BY version";

/// Notes that a step has run.
pub(crate) const NOTE: &str = "INSERT INTO schema_versions (version, checksum) VALUES (?, ?)";

/// Compares the steps that have run, by number and checksum, with those of this version.
fn compare(database: &str, steps: &[&str], applied: &[(u32, String)]) -> Result<SchemaVersion, OpenError> {
    let known = u32::try_from(steps.len()).expect("there are few migrations");
    let found = applied.last().map_or(0, |(version, _)| *version);
    if found > known {
        return Err(OpenError::Newer { database: database.to_owned(), found, known });
    }
    for (expected, (step, (version, own))) in (1..).zip(steps.iter().zip(applied)) {
        if *version != expected || *own != checksum(step) {
            let source = format!("its schema {expected} was made by other steps than those of this version");
            return Err(OpenError::Failed { database: database.to_owned(), source: source.into() });
        }
    }
    Ok(SchemaVersion { found, known })
}

/// SHA-256 of a step, line by line: a checkout may have turned the ends of its lines.
pub(crate) fn checksum(step: &str) -> String {
    let mut context = Context::new(&SHA256);
    for line in step.lines() {
        context.update(line.as_bytes());
        context.update(b"\n");
    }
    context.finish().as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes every text");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[&str] = &["CREATE one;\nCREATE two;", "CREATE three;"];

    fn compared(applied: &[(u32, &str)]) -> Result<SchemaVersion, OpenError> {
        let applied: Vec<_> = applied.iter().map(|(version, step)| (*version, checksum(step))).collect();
        compare("test.db", STEPS, &applied)
    }

    #[test]
    fn a_database_may_have_run_none_some_or_all_of_the_steps() {
        assert_eq!(compared(&[]).unwrap(), SchemaVersion { found: 0, known: 2 });
        assert_eq!(compared(&[(1, STEPS[0])]).unwrap(), SchemaVersion { found: 1, known: 2 });
        assert_eq!(compared(&[(1, STEPS[0]), (2, STEPS[1])]).unwrap(), SchemaVersion { found: 2, known: 2 });
    }

    #[test]
    fn a_step_that_was_changed_after_it_ran_is_named() {
        for applied in [&[(1, "CREATE one;"), (2, STEPS[1])][..], &[(2, STEPS[1])]] {
            let Err(OpenError::Failed { source, .. }) = compared(applied) else { panic!("{applied:?}") };
            assert!(source.to_string().contains("schema 1 "), "{source}");
        }
    }

    #[test]
    fn the_ends_of_lines_do_not_count() {
        assert!(compared(&[(1, "CREATE one;\r\nCREATE two;\r\n")]).is_ok());
    }

    #[test]
    fn more_steps_than_are_known_are_those_of_a_newer_version() {
        let applied = [(1, STEPS[0]), (2, STEPS[1]), (3, "CREATE four;")];
        assert!(matches!(compared(&applied), Err(OpenError::Newer { found: 3, known: 2, .. })));
    }
}
