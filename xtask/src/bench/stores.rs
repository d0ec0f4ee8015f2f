//! The stores that a server can be measured on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::server::{Server, built};

/// All of them, SQLite first, since the others are compared with it.
pub(super) const STORES: &[Store] = &[Store {
    name: "SQLite",
    word: "sqlite",
    configuration: "",
    settings: "a file of its own, in WAL mode with `synchronous=FULL`",
    bytes: 1700,
    grows_to: Some(10_000_000),
}];

/// A store, and how a server is started on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store {
    /// As the page calls it.
    pub(super) name: &'static str,
    /// As `--store` calls it.
    pub(super) word: &'static str,
    /// What `enroll.toml` says, beyond `--dev`.
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
    pub(super) server: Server,
    folder: PathBuf,
}

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

    /// Starts a server on a fresh store, in a folder of this name.
    pub(super) fn start(&self, folder: &Path, name: &str) -> Result<Running, Failure> {
        let folder = folder.join(format!("{}-{name}", self.word));
        fs::create_dir_all(&folder)?;
        let config = folder.join("enroll.toml");
        fs::write(&config, self.configuration)?;
        let mut command = Command::new(built("enroll", true));
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--config"]).arg(config);
        command.arg("--data").arg(&folder);
        let server = Server::spawn(&mut command, &folder.join("enroll.log"))?;
        Ok(Running { server, folder })
    }
}

impl Running {
    /// What the store takes of the disk, without the server's log.
    pub(super) fn disk(&self) -> Result<u64, Failure> {
        size(&self.folder, &|name| name != "enroll.log")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Where it stays, somebody finds the log in it.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// Of all files in it, and in the folders in it.
pub(super) fn size(folder: &Path, counted: &dyn Fn(&str) -> bool) -> Result<u64, Failure> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A database may remove one of its files at any time.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            sum += size(&entry.path(), counted)?;
        } else if counted(&entry.file_name().to_string_lossy()) {
            sum += about.len();
        }
    }
    Ok(sum)
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
    fn every_store_has_a_word_of_its_own() {
        assert!(
            STORES.iter().all(|store| STORES.iter().filter(|other| other.word == store.word).count() == 1)
        );
    }
}
