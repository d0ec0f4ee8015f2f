//! What fails under load: databases that are killed, cut off, full; a clock that jumps. Whoever asks meanwhile is told to come
//! again; what was answered stays; and the service goes on by itself.

mod clock;
mod databases;
mod disk;
mod load;

use enroll_store_sql::testing::{TABLES_ON_MYSQL, TABLES_ON_POSTGRES};
use enroll_throwaway::{Engine, Throwaway};

use crate::harness::Home;

/// Whose tables the clients stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tables {
    Own,
    IdentityServer,
}

/// The folder of the first node of these databases, which are empty.
fn first_node(engine: Engine, databases: &Throwaway, key: &Home, tables: Tables) -> Home {
    let home = Home::of_node(databases, key);
    if tables == Tables::IdentityServer {
        let statements = match engine {
            Engine::Postgres => TABLES_ON_POSTGRES,
            Engine::MariaDb => TABLES_ON_MYSQL,
        };
        databases.run("configuration", statements).unwrap();
        let config = std::fs::read_to_string(home.path().join("enroll.toml")).unwrap();
        home.write("enroll.toml", &config.replace("[database]", "[database]\nschema = \"identityserver\""));
    }
    home
}
