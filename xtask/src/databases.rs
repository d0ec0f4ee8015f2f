//! The database servers that tests need: those that the environment names, or ours, until the value is dropped. And the clock that
//! the tests of their faults move.

use std::env;

use enroll_throwaway::{Engine, Throwaway};

use crate::{Failure, tools};

const ENGINES: [Engine; 2] = [Engine::Postgres, Engine::MariaDb];

/// A server of each engine.
pub(crate) struct Databases {
    variables: Vec<(&'static str, String)>,
    _servers: Vec<Throwaway>,
}

impl Databases {
    /// Installs what is missing, where we may, and starts them; a failure says what to do.
    pub(crate) fn start() -> Result<Self, Failure> {
        tools::need(&[tools::CLOCK])?;
        let given: Vec<_> = ENGINES
            .into_iter()
            .filter_map(|engine| Some((engine.variable(), env::var(engine.variable()).ok()?)))
            .collect();
        if given.len() == ENGINES.len() {
            return Ok(Self { variables: given, _servers: Vec::new() });
        }
        tools::need(&[tools::POSTGRES, tools::MARIADB])?;
        let (mut variables, mut servers) = (Vec::new(), Vec::new());
        for engine in ENGINES {
            let name = engine.name();
            let server =
                Throwaway::start(engine).map_err(|error| format!("{name} could not be started: {error}"))?;
            println!("started {name} for the tests: {}={}", engine.variable(), server.url());
            variables.push((engine.variable(), server.url()));
            servers.push(server);
        }
        Ok(Self { variables, _servers: servers })
    }

    /// How tests are told of them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, url)| (*name, url.as_str()))
    }
}
