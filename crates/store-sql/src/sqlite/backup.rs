//! A copy of a database as it is at one moment, while others go on to write to it.

use std::path::Path;

use enroll_store::BoxError;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::connection;
use crate::database::OpenError;
use crate::migrate::Plane;

/// How many pages are copied between two words about it: 16 MiB.
const PAGES: i32 = 4096;

/// Copies the database at `from` to the new file `to`, for its owner alone, and reads the copy through. Tells how many pages
/// of how many are copied.
///
/// All of it is read in one transaction, so that the copy is what was there when it began; writers do not wait.
pub(super) fn copy(
    from: &Path,
    plane: Plane,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), OpenError> {
    let source = connection::reading(from, plane)?;
    let copied = fill(&source, to, progress);
    copied.map_err(|error| OpenError::Failed { database: to.display().to_string(), source: error })?;
    // Whoever restores it must be able to open it.
    connection::reading(to, plane).map(drop)
}

fn fill(source: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), BoxError> {
    connection::make_new(to)?;
    let mut copy = Connection::open(to)?;
    // A page that others write would start the copy again, but for what this transaction sees.
    let snapshot = source.unchecked_transaction()?;
    snapshot.query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
    let backup = Backup::new(source, &mut copy)?;
    while backup.step(PAGES)? != StepResult::Done {
        let state = backup.progress();
        let (left, all) = (u64::try_from(state.remaining)?, u64::try_from(state.pagecount)?);
        progress(all.saturating_sub(left), all);
    }
    drop(backup);
    drop(snapshot);
    // One file, that can be read where nothing may be written.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))?;
    must_be_whole(&copy)?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(connection::flush(to)?)
}

fn must_be_whole(copy: &Connection) -> Result<(), BoxError> {
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        problem => Err(format!("the copy is damaged: {problem}").into()),
    }
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SecretHash;
    use enroll_store::{Belongs, Record, RecordKind, RecordStore as _, StoreError, Write};

    use super::*;
    use crate::{Access, SqlRecords};

    fn record(number: u64) -> Write {
        Write::Insert(Record {
            kind: RecordKind::Code,
            key: SecretHash::of(&number.to_string()),
            revision: 1,
            belongs_to: Belongs::default(),
            issued_at: enroll_oauth_types::Timestamp(1),
            expires_at: None,
            document: serde_json::value::to_raw_value(&"x".repeat(2000)).unwrap(),
        })
    }

    async fn count(records: &SqlRecords) -> usize {
        records.records(RecordKind::Code, &Belongs::default(), None, u32::MAX).await.unwrap().len()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_copy_has_what_was_there_when_it_began_and_nothing_that_came_later() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let records = SqlRecords::sqlite(&from, Access::ReadWrite).unwrap();
        records.apply((0..20_000).map(record).collect()).await.unwrap();
        let (written, runtime) = (records.clone(), tokio::runtime::Handle::current());
        let mut later = 20_000;
        let path = to.clone();
        let copied = tokio::task::spawn_blocking(move || {
            copy(&from, Plane::Operational, &path, &mut |done, all| {
                assert!(done <= all);
                later += 1;
                runtime.block_on(written.apply(vec![record(later)])).unwrap();
            })
            .map(|()| later - 20_000)
        });
        let words = copied.await.unwrap().unwrap();
        assert!(words > 1, "others wrote while it was copied, {words} times");
        let copy = SqlRecords::sqlite(&to, Access::ReadOnly).unwrap();
        assert_eq!(count(&copy).await, 20_000);
        assert_eq!(count(&records).await, 20_000 + usize::try_from(words).unwrap());
        let written = copy.apply(vec![record(0)]).await;
        assert!(matches!(written, Err(StoreError::Backend(_))));
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.db"), folder.path().join("b.db"));
        drop(SqlRecords::sqlite(&from, Access::ReadWrite).unwrap());
        std::fs::write(&to, "mine").unwrap();
        assert!(copy(&from, Plane::Operational, &to, &mut |_, _| {}).is_err());
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_is_its_owners_alone_and_one_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.db"), folder.path().join("copy/b.db"));
        std::fs::create_dir(folder.path().join("copy")).unwrap();
        drop(SqlRecords::sqlite(&from, Access::ReadWrite).unwrap());
        copy(&from, Plane::Operational, &to, &mut |_, _| {}).unwrap();
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path().join("copy")).unwrap().count(), 1);
    }
}
