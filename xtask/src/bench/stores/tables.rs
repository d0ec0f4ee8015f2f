//! Tables that somebody else's program would have made, by the client program that comes with each engine.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use enroll_throwaway::Engine;

use crate::Failure;
use crate::command::{installed, run};

/// Runs a script of SQL in the database at this URL; `None` is SQLite.
pub(super) fn make(engine: Option<Engine>, url: &str, script: &Path) -> Result<(), Failure> {
    let arguments = arguments(url).ok_or_else(|| format!("no client is known for {url}"))?;
    let script = File::open(script).map_err(|error| format!("{}: {error}", script.display()))?;
    run(Command::new(program(engine)).args(arguments).stdin(script).stdout(Stdio::null()))
}

/// What is missing for that, as a sentence that says what to do about it.
pub(super) fn missing(engine: Option<Engine>) -> Option<String> {
    let program = program(engine);
    let package = match engine {
        None => "sqlite3",
        Some(Engine::Postgres) => "postgresql-client",
        Some(Engine::MariaDb) => "mariadb-client",
    };
    (!installed(program)).then(|| {
        format!("`{program}` makes its tables and is not installed: on Debian `apt-get install {package}`")
    })
}

/// It reads statements from its standard input and ends at the first that fails.
fn program(engine: Option<Engine>) -> &'static str {
    match engine {
        None => "sqlite3",
        Some(Engine::Postgres) => "psql",
        Some(Engine::MariaDb) => "mariadb",
    }
}

/// How it is told where to, and to stop at the first failure where it does not by itself.
fn arguments(url: &str) -> Option<Vec<String>> {
    let (scheme, place) = url.split_once("://")?;
    match scheme {
        "sqlite" => Some(["-bail", place].map(str::to_owned).to_vec()),
        "postgres" => {
            Some(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", url].map(str::to_owned).to_vec())
        }
        "mysql" => {
            let (user, place) = place.split_once('@')?;
            let (host, place) = place.split_once(':')?;
            let (port, database) = place.split_once('/')?;
            let (user, host) = (format!("--user={user}"), format!("--host={host}"));
            Some(vec!["--no-defaults".to_owned(), user, host, format!("--port={port}"), database.to_owned()])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_told_where_to_and_to_stop_at_a_failure() {
        let line = |url: &str| arguments(url).map(|arguments| arguments.join(" "));
        let postgres = "postgres://enroll@127.0.0.1:5/postgres";
        assert_eq!(line("sqlite:///data/a.db").as_deref(), Some("-bail /data/a.db"));
        assert_eq!(line(postgres), Some(format!("--quiet --no-psqlrc --set=ON_ERROR_STOP=1 {postgres}")));
        assert_eq!(
            line("mysql://root@127.0.0.1:6/enroll").as_deref(),
            Some("--no-defaults --user=root --host=127.0.0.1 --port=6 enroll")
        );
        assert_eq!(line("paper://shelf"), None);
    }
}
