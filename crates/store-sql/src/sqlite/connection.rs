//! How a connection is opened, for writing and for reading.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use enroll_store::BoxError;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::client_key::client_key;
use crate::database::{Engine, OpenError};
use crate::migrate::{APPLIED, LEDGER, NOTE, Plane, SchemaVersion, checksum, too_old};

/// How long a connection waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits before it asks again.
const NAP: Duration = Duration::from_millis(1);

/// How many statements are kept compiled; more than there are.
const STATEMENTS: usize = 64;

/// The connection that writes. The file and its folder are made when they are not there, for the owner alone.
pub(super) fn writing(path: &Path, plane: Plane) -> Result<Connection, OpenError> {
    make_private(path).map_err(|error| failed(path, error))?;
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Before the first change: a database that is not for us stays as it is.
    version(path, plane, &connection)?;
    use_write_ahead_log(&connection).map_err(|error| failed(path, error))?;
    durable(&connection).map_err(|error| failed(path, error))?;
    migrate(path, plane, &mut connection)?;
    Ok(connection)
}

/// A connection that reads. The engine refuses to write through it.
pub(super) fn reading(path: &Path, plane: Plane) -> Result<Connection, OpenError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true).map_err(|error| failed(path, error))?;
    let version = version(path, plane, &connection)?;
    match version.found < version.known {
        true => Err(failed(path, too_old(version))),
        false => Ok(connection),
    }
}

/// Looks at the schema without touching anything.
pub(super) fn schema(path: &Path, plane: Plane) -> Result<SchemaVersion, OpenError> {
    match path.exists() {
        true => version(path, plane, &open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?),
        false => plane.version(Engine::Sqlite, &path.display().to_string(), &[]),
    }
}

/// A file, whatever its name: the device and its number there.
pub(super) type Identity = (u64, u64);

/// Which file has this name; `None` where there is none, or the system has no such thing.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
pub(super) fn identity(_path: &Path) -> Option<Identity> {
    None
}

fn failed(path: &Path, source: impl Into<BoxError>) -> OpenError {
    OpenError::Failed { database: path.display().to_string(), source: source.into() }
}

fn open(path: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    // The engine's own words for these two are the same, and name neither.
    if path.is_dir() {
        return Err(failed(path, "it is a directory; name a file in it"));
    }
    if !path.exists() {
        return Err(failed(path, "it is not there; who opens it for writing makes it"));
    }
    // Each connection is used by one thread at a time, so the engine's own lock is not needed.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| failed(path, error))?;
    connection.busy_handler(Some(wait_for_turn)).map_err(|error| failed(path, error))?;
    // Otherwise some statements are compiled again whenever they are given other values, which takes longer than to run them.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| failed(path, error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Asks again often: a process that writes all the time leaves gaps much shorter than the tenth of a second that the
/// engine's own wait goes up to, and its neighbour could miss them all.
fn wait_for_turn(asked: i32) -> bool {
    thread::sleep(NAP);
    u32::try_from(asked).is_ok_and(|asked| NAP * asked < PATIENCE)
}

/// Readers do not wait for the writer, nor the writer for them.
///
/// The engine takes turns for statements, but not for this switch: processes that make a database at the same moment
/// ask again.
fn use_write_ahead_log(connection: &Connection) -> Result<(), BoxError> {
    let end = Instant::now() + PATIENCE;
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err("its file system cannot share memory, which a write-ahead log needs".into()),
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end =>
            {
                thread::sleep(NAP);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A commit is on disk when it returns.
fn durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS a plain flush stops at the drive's own memory; elsewhere this changes nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// The schema of the database, when it is one of ours that this version understands, or empty.
fn version(path: &Path, plane: Plane, connection: &Connection) -> Result<SchemaVersion, OpenError> {
    let tables = strings(connection, "SELECT name FROM sqlite_master WHERE type = 'table'");
    let tables = tables.map_err(|error| failed(path, error))?;
    if tables.iter().any(|table| table == "schema_versions") {
        let applied = applied(connection).map_err(|error| failed(path, error))?;
        return plane.version(Engine::Sqlite, &path.display().to_string(), &applied);
    }
    match tables.is_empty() {
        true => plane.version(Engine::Sqlite, &path.display().to_string(), &[]),
        false => Err(failed(path, "it holds the tables of another program; name a file of its own")),
    }
}

fn strings(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(u32, String)>> {
    connection.prepare(APPLIED)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Runs the steps that have not run yet, all in one transaction; two processes that start at once wait for each other.
fn migrate(path: &Path, plane: Plane, connection: &mut Connection) -> Result<(), OpenError> {
    let SchemaVersion { found, known } = version(path, plane, connection)?;
    if found == known {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| failed(path, error))?;
    // Again, since another process may have been quicker.
    let SchemaVersion { found, .. } = version(path, plane, &transaction)?;
    let steps = (1..).zip(plane.steps(Engine::Sqlite)).skip(found as usize);
    let run = || -> rusqlite::Result<()> {
        if found == 0 {
            transaction.execute(LEDGER, [])?;
        }
        teach_client_keys(&transaction)?;
        for (number, step) in steps {
            transaction.execute_batch(step)?;
            transaction.execute(NOTE, (number, checksum(step)))?;
        }
        transaction.commit()
    };
    run().map_err(|error| failed(path, error))
}

/// Lets a step make the keys of clients that are there.
fn teach_client_keys(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("client_key_of", 1, flags, |call| {
        Ok(client_key(call.get_raw(0).as_str()?).into_owned())
    })
}

/// Makes the file and its folder, readable by their owner alone, when they are not there. What is there keeps the
/// permissions that somebody gave it.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    flush_names(path);
    Ok(())
}

/// A file whose name is not on disk is lost in a power cut, however well its content was flushed. Not every file
/// system lets a folder be opened and flushed, and where it does not, there is nothing else to do.
fn flush_names(path: &Path) {
    for folder in path.ancestors().skip(1) {
        if let Ok(folder) = fs::File::open(folder) {
            let _best_effort = folder.sync_all();
        }
    }
}
