//! `enroll backup`: a copy of both databases in a new folder, while the server runs.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use enroll_store_sql::{IdentityServerStore, OpenError, SqlRecords, SqlStore};

use super::transfer::Progress;
use super::{say, tell};
use crate::cli::{Backup, Role};
use crate::config::{Config, Schema};
use crate::failure::Failure;
use crate::service;

pub(super) async fn run(options: &Backup) -> Result<(), Failure> {
    let config = Config::load(&options.place)?;
    let to = &options.folder;
    if to.symlink_metadata().is_ok() {
        return Err(Failure::Refused(format!(
            "{} is there already: name a folder that is not",
            to.display()
        )));
    }
    service::configuration_must_exist(&config).await?;
    if config.role != Role::Registration {
        service::operational_must_exist(&config).await?;
    }
    let draft = Draft::make(to)?;
    // What the authorization server keeps speaks of clients, so they are copied after it: none of those is missing.
    if config.role != Role::Registration {
        let url = config.operational_database();
        copy(&draft, "operational.db", |file, told| SqlRecords::back_up(&url, file, told))?;
    }
    let url = config.configuration_database();
    copy(&draft, "configuration.db", |file, told| match config.database.schema {
        Schema::Enroll => SqlStore::back_up(&url, file, told),
        Schema::IdentityServer => IdentityServerStore::back_up(&url, file, told),
    })?;
    draft.finish(to)?;
    say(to.display())?;
    let key = config.sealing_key_file();
    if key.exists() {
        tell(format_args!(
            "The sealing key {} is not in it: keep a copy elsewhere, since secrets in the databases are sealed under it.",
            key.display()
        ));
    }
    Ok(())
}

fn copy(
    draft: &Draft,
    name: &str,
    back_up: impl FnOnce(&Path, &mut dyn FnMut(u64, u64)) -> Result<(), OpenError>,
) -> Result<(), Failure> {
    let progress = Progress::of_copying(name);
    back_up(&draft.0.join(name), &mut |done, all| progress.of(done, all))
        .map_err(|error| service::not_opened(&error))
}

/// A folder that gets its name when all in it is whole. Unless it does, it is removed.
struct Draft(PathBuf);

impl Draft {
    fn make(to: &Path) -> Result<Self, Failure> {
        let mut name = to.file_name().ok_or_else(|| Failure::about(to, &"names no folder"))?.to_owned();
        name.push(".part");
        let path = to.with_file_name(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Failure::Refused(format!(
                    "{} is there, of a backup that goes on or was cut off: delete it if none goes on",
                    path.display()
                )))
            }
            Err(error) => Err(Failure::about(&path, &error)),
        }
    }

    fn finish(mut self, to: &Path) -> Result<(), Failure> {
        flush(&self.0)?;
        // An empty folder that has come up meanwhile holds nothing that could be lost; of others this fails.
        std::fs::rename(&self.0, to).map_err(|error| Failure::about(to, &error))?;
        // Another backup may have a draft of this name from here on.
        self.0.clear();
        flush(to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// A name that is not on disk is lost in a power cut.
fn flush(folder: &Path) -> Result<(), Failure> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Failure::about(folder, &error))
}
