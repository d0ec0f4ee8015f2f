//! The stores that a server can be measured on.

mod tables;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use enroll_throwaway::{Engine, Throwaway, missing};

use crate::Failure;
use crate::command::root;
use crate::server::{Server, built};

/// All of them, SQLite first, since the others are compared with it.
pub(super) const STORES: &[Store] = &[
    SQLITE,
    POSTGRESQL,
    MARIADB,
    Store {
        name: "SQLite, provisional",
        word: "provisional",
        configuration: "[registration]\nstorage = \"provisional\"\n",
        settings: "nothing is written until somebody has authorized the client: its `client_id` holds the registration.",
        grows_to: None,
        ..SQLITE
    },
    Store {
        name: "stateless",
        word: "stateless",
        configuration: "[registration]\nstorage = \"stateless\"\n",
        settings: "nothing is ever written.",
        grows_to: None,
        ..SQLITE
    },
    Store {
        name: "IdentityServer on SQLite",
        word: "identityserver-sqlite",
        tables: Some("crates/store-sql/src/identityserver/fixtures/sqlite-current.sql"),
        configuration: IDENTITYSERVER,
        settings: "the tables of an IdentityServer, in a file with the same settings.",
        grows_to: None,
        ..SQLITE
    },
    Store {
        name: "IdentityServer on PostgreSQL",
        word: "identityserver-postgresql",
        tables: Some("crates/store-sql/src/identityserver/fixtures/postgres-current.sql"),
        configuration: IDENTITYSERVER,
        settings: "the tables of an IdentityServer, on such a server.",
        grows_to: None,
        ..POSTGRESQL
    },
    Store {
        name: "IdentityServer on MariaDB",
        word: "identityserver-mariadb",
        tables: Some("crates/store-sql/src/identityserver/fixtures/mysql-current.sql"),
        configuration: IDENTITYSERVER,
        settings: "the tables of an IdentityServer, on such a server.",
        grows_to: None,
        ..MARIADB
    },
];

const IDENTITYSERVER: &str = "[database]\nschema = \"identityserver\"\nconfiguration = \"{url}\"\n";

const SQLITE: Store = Store {
    name: "SQLite",
    word: "sqlite",
    engine: None,
    tables: None,
    configuration: "",
    settings: "files in the data folder, in WAL mode with `synchronous=FULL`.",
    bytes: 1600,
    grows_to: Some(10_000_000),
};

const POSTGRESQL: Store = Store {
    name: "PostgreSQL",
    word: "postgresql",
    engine: Some(Engine::Postgres),
    tables: None,
    configuration: "[database]\nconfiguration = \"{url}\"\n",
    settings: "a server with its own settings: `fsync`, `synchronous_commit` and `full_page_writes` are on, `shared_buffers` is\n  \
               128 MiB. What the authorization server stores is in SQLite.",
    bytes: 4000,
    grows_to: Some(1_000_000),
};

const MARIADB: Store = Store {
    name: "MariaDB",
    word: "mariadb",
    engine: Some(Engine::MariaDb),
    tables: None,
    configuration: "[database]\nconfiguration = \"{url}\"\n",
    settings: "a server with its own settings: `innodb_flush_log_at_trx_commit=1`, the doublewrite buffer is on, no binary log,\n  \
               `innodb_buffer_pool_size` is 128 MiB. What the authorization server stores is in SQLite.",
    bytes: 4000,
    grows_to: None,
};

/// A store, and how a server is started on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store {
    /// As the page calls it.
    pub(super) name: &'static str,
    /// As `--store` calls it.
    pub(super) word: &'static str,
    /// The database server that it is kept on, started for the measurement.
    engine: Option<Engine>,
    /// The script of SQL that makes the tables which are somebody else's.
    tables: Option<&'static str>,
    /// What `enroll.toml` says, beyond `--dev`; `{url}` stands for the database that is its own.
    configuration: &'static str,
    /// What the page says of it: how it is durable, above all.
    pub(super) settings: &'static str,
    /// What a client may take of the disk, with logs and indexes: more rather than less.
    pub(super) bytes: u64,
    /// How many clients it is filled with where nobody says; `None` where nobody waits for that.
    pub(super) grows_to: Option<u64>,
}

/// A server on a fresh store. Both are gone with this value.
pub(super) struct Running {
    // They end in this order.
    pub(super) server: Server,
    database: Option<Throwaway>,
    folder: Folder,
}

/// A folder that is gone with this value.
struct Folder(PathBuf);

impl Store {
    /// Those that are asked for, by their words; where none is, those that `unless_asked` chooses.
    pub(super) fn chosen(
        words: &[String],
        unless_asked: impl Fn(&Self) -> bool,
    ) -> Result<Vec<&'static Self>, Failure> {
        let known = |word: &String| {
            STORES.iter().find(|store| store.word == word).ok_or_else(|| {
                let all: Vec<_> = STORES.iter().map(|store| store.word).collect();
                format!("there is no store `{word}`, but {}", all.join(", ")).into()
            })
        };
        match words {
            [] => Ok(STORES.iter().filter(|store| unless_asked(store)).collect()),
            words => words.iter().map(known).collect(),
        }
    }

    /// What it lacks on this machine, as a sentence that says what to do about it.
    pub(super) fn missing(&self) -> Option<String> {
        let tables = || self.tables.and_then(|_| tables::missing(self.engine));
        self.engine.and_then(missing).or_else(tables)
    }

    /// Where its data will be, as far as the room on the disk goes.
    pub(super) fn disk<'a>(&self, folder: &'a Path) -> &'a Path {
        if self.engine.is_some() { Path::new(Throwaway::DISK) } else { folder }
    }

    /// Starts a server on a fresh store, in a folder of this name.
    pub(super) fn start(&self, folder: &Path, name: &str) -> Result<Running, Failure> {
        let folder = Folder(folder.join(format!("{}-{name}", self.word)));
        fs::create_dir_all(&folder.0)?;
        let config = folder.0.join("enroll.toml");
        let could_not = |error| format!("the database of {} could not be started: {error}", self.name);
        let database = self.engine.map(Throwaway::durable).transpose().map_err(could_not)?;
        let own_file = || format!("sqlite://{}", folder.0.join("own.db").display());
        let url = database.as_ref().map_or_else(own_file, |server| server.database("configuration"));
        if let Some(script) = self.tables {
            tables::make(self.engine, &url, &root().join(script))?;
        }
        fs::write(&config, self.configuration.replace("{url}", &url))?;
        let mut command = Command::new(built("enroll", true));
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--config"]).arg(config);
        command.arg("--data").arg(&folder.0);
        let server = Server::spawn(&mut command, &folder.0.join("enroll.log"))?;
        Ok(Running { server, database, folder })
    }
}

impl Running {
    /// What the store takes of the disk, without the server's log.
    pub(super) fn disk(&self) -> Result<u64, Failure> {
        let own = size(&self.folder.0, &|name| name != "enroll.log")?;
        let server = self.database.as_ref().map(|database| size(database.folder(), &|_| true)).transpose()?;
        Ok(own + server.unwrap_or_default())
    }

    /// Reads its files through, so that the system's cache has them, as far as there is memory for that.
    pub(super) fn warm(&self) -> Result<(), Failure> {
        let folders = [Some(self.folder.0.as_path()), self.database.as_ref().map(Throwaway::folder)];
        for folder in folders.into_iter().flatten() {
            for (path, _) in files(folder)? {
                // One that is removed meanwhile, or is no file to read, holds no clients.
                let _read = File::open(path).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Where it stays, it is in the way of nothing.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

/// Of all files in it, and in the folders in it.
pub(super) fn size(folder: &Path, counted: &dyn Fn(&str) -> bool) -> Result<u64, Failure> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let counted = files(folder)?.into_iter().filter(|(path, _)| counted(&name(path)));
    Ok(counted.map(|(_, bytes)| bytes).sum())
}

/// All files in it, and in the folders in it, with their sizes.
fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A database may remove one of its files at any time.
        let Ok(about) = entry.metadata() else { continue };
        match about.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push((entry.path(), about.len())),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(stores: &[&Store]) -> Vec<&'static str> {
        stores.iter().map(|store| store.word).collect()
    }

    #[test]
    fn stores_are_chosen_by_their_words() {
        let all = Store::chosen(&[], |_| true).unwrap();
        assert_eq!(all.len(), STORES.len());
        assert_eq!(words(&Store::chosen(&["sqlite".to_owned()], |_| false).unwrap()), ["sqlite"]);
        let failure = Store::chosen(&["paper".to_owned()], |_| true).unwrap_err().to_string();
        assert!(failure.contains("`paper`") && failure.contains("sqlite"), "{failure}");
    }

    #[test]
    fn every_script_is_there() {
        let mut scripts = STORES.iter().filter_map(|store| store.tables);
        assert_eq!(scripts.find(|script| !root().join(script).is_file()), None);
    }

    #[test]
    fn every_store_has_a_word_of_its_own() {
        assert!(
            STORES.iter().all(|store| STORES.iter().filter(|other| other.word == store.word).count() == 1)
        );
    }
}
