//! What moves everything elsewhere, and what copies it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Place;

pub(super) const RECORDS_EXAMPLES: &str = "\
Examples:
  enroll records export --output records.jsonl
  enroll records import records.jsonl --config /etc/other.toml

For moving to another database, with `enroll clients export` and `enroll clients import --exact`: people log in, and \
what was given to them and to clients works, as before. Copy the sealing key first, and stop the server: what it gives \
during an export may be missing. For copies that you keep, `enroll backup` is better.";

pub(super) const BACKUP_EXAMPLES: &str = "\
Examples:
  enroll backup /backups/$(date +%F)
  enroll backup /backups/today --config /etc/enroll.toml

Writes a new folder with configuration.db and operational.db, for its owner alone, while the server runs: each is what \
the database held at one moment, and has been read through. To restore, stop the server and put both in the place of \
the databases, without files beside them that end in -wal or -shm. The sealing key is not copied: keep it elsewhere, \
since the secrets in the databases are sealed under it.";

/// Where an export goes.
#[derive(Args, Debug)]
pub(crate) struct Output {
    /// A new file, for its owner alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Go on with an export to this file that was cut off
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// Write every record as a JSON line, for `import`
    Export {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        place: Place,
    },
    /// Store the records that `export` wrote, as they are
    Import {
        /// The JSON lines; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Put what the file says in the place of what is there and differs, instead of telling
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// A folder that is not there yet
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
}
