//! What is asked of a server by the program that comes with it.

use std::io;

use super::{Throwaway, finish};
use crate::programs::{self, Engine};

impl Throwaway {
    /// Runs statements as the administrator, and returns what they select, a row in each line.
    pub fn run(&self, database: &str, statements: &str) -> io::Result<Vec<String>> {
        let port = self.port.to_string();
        let mut program = match self.engine {
            Engine::Postgres => {
                let mut psql = programs::command("psql", None)?;
                psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
                psql.args(["--host=127.0.0.1", "--username=enroll", "--file=-", "--port", &port, database]);
                psql
            }
            Engine::MariaDb => {
                let mut mariadb = programs::command("mariadb", None)?;
                mariadb.args(["--no-defaults", "--batch", "--skip-column-names"]);
                mariadb.args(["--host=127.0.0.1", "--user=root", "--port", &port, database]);
                mariadb
            }
        };
        let told = finish(&mut program, &self.folder, statements)?;
        Ok(told.lines().map(str::to_owned).collect())
    }
}
