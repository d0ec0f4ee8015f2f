//! The one writer. It takes what has queued up, writes it in one transaction, and answers each only after the commit:
//! under load, a flush to disk is shared by all who came during the one before.

use std::sync::Arc;
use std::thread::JoinHandle;

use enroll_store::{BoxError, StoreError};
use rusqlite::{Connection, params_from_iter};
use tokio::sync::{mpsc, oneshot};

use super::error;
use crate::database::Statement;

/// How many units go into one transaction at the most.
const LARGEST_GROUP: usize = 512;

/// How many units may wait; whoever comes then waits to be queued, and holds no more than its own unit.
const QUEUE: usize = 2 * LARGEST_GROUP;

/// The thread that writes, and the queue before it.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A unit, and who waits for it.
struct Job {
    unit: Vec<Statement>,
    answer: oneshot::Sender<Result<u64, StoreError>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("sqlite-writer".to_owned());
        let thread = thread.spawn(move || run(&connection, jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Writes a unit; returns when it is on disk, or undone, and says how many rows it touched. Once it is queued, a
    /// caller that goes away changes nothing.
    pub(super) async fn apply(&self, unit: Vec<Statement>) -> Result<u64, StoreError> {
        let ended = || StoreError::backend("the writer has ended");
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(Job { unit, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Waits until all that was queued is written.
impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It ends when the queue does; a panic in it has been reported by itself.
            let _ended = thread.join();
        }
    }
}

fn run(connection: &Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::with_capacity(LARGEST_GROUP);
    while jobs.blocking_recv_many(&mut group, LARGEST_GROUP) > 0 {
        let (units, answers): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.unit, job.answer)).unzip();
        for (answer, outcome) in answers.into_iter().zip(commit(connection, units)) {
            // Who does not wait any more has gone away.
            let _gone = answer.send(outcome);
        }
    }
}

/// Writes a group in one transaction, and says for each unit how it went. A unit that fails is undone alone; when the
/// transaction fails, all do.
fn commit(connection: &Connection, units: Vec<Vec<Statement>>) -> Vec<Result<u64, StoreError>> {
    let count = units.len();
    let outcomes = transaction(connection, units).map_err(Arc::<dyn std::error::Error + Send + Sync>::from);
    outcomes.unwrap_or_else(|failure| (0..count).map(|_| Err(StoreError::backend(failure.clone()))).collect())
}

fn transaction(
    connection: &Connection,
    units: Vec<Vec<Statement>>,
) -> Result<Vec<Result<u64, StoreError>>, BoxError> {
    order(connection, "BEGIN IMMEDIATE")?;
    let outcomes: Result<Vec<_>, BoxError> = units.into_iter().map(|unit| write(connection, unit)).collect();
    let outcomes = outcomes.and_then(|outcomes| {
        order(connection, "COMMIT")?;
        Ok(outcomes)
    });
    if outcomes.is_err() && !connection.is_autocommit() {
        order(connection, "ROLLBACK")?;
    }
    outcomes
}

/// Writes a unit. The outer error is the transaction's, the inner one the unit's.
fn write(connection: &Connection, unit: Vec<Statement>) -> Result<Result<u64, StoreError>, BoxError> {
    // A single statement is undone by the engine when it fails.
    let several = unit.len() > 1;
    if several {
        order(connection, "SAVEPOINT unit")?;
    }
    let outcome = unit.into_iter().map(|statement| execute(connection, statement)).sum::<Result<u64, _>>();
    match outcome {
        // A full disk and its like may end the transaction itself, and the units before are lost with it.
        Err(error) if connection.is_autocommit() => return Err(error.into()),
        Err(_) if several => order(connection, "ROLLBACK TO unit")?,
        _ => {}
    }
    if several {
        order(connection, "RELEASE unit")?;
    }
    Ok(outcome)
}

/// How many rows it touched.
fn execute(connection: &Connection, statement: Statement) -> Result<u64, StoreError> {
    let touched = connection
        .prepare_cached(&statement.sql)
        .and_then(|mut prepared| prepared.execute(params_from_iter(&statement.values)))
        .map_err(error)?;
    match statement.otherwise {
        Some(otherwise) if touched == 0 => Err(otherwise),
        _ => Ok(touched as u64),
    }
}

fn order(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSERT: &str = "INSERT INTO names VALUES (?)";
    const RENAME: &str = "UPDATE names SET name = ? WHERE name = ?";

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE names (name TEXT NOT NULL UNIQUE CHECK (length(name) < 9));
                 CREATE TABLE later (name TEXT REFERENCES names (name) DEFERRABLE INITIALLY DEFERRED);",
            )
            .unwrap();
        connection
    }

    fn insert(name: &str) -> Statement {
        Statement::new(INSERT, [name.into()])
    }

    fn names(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT name FROM names ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_unit_that_fails_is_undone_alone_and_told_why() {
        let connection = database();
        let rename_nobody = Statement::new(RENAME, ["x".into(), "nobody".into()]).or(StoreError::Spent);
        let outcomes = commit(
            &connection,
            vec![
                vec![insert("a")],
                vec![insert("b"), insert("a")],
                vec![insert("c"), rename_nobody],
                vec![insert("a")],
                vec![insert("d"), insert("e")],
            ],
        );
        assert!(matches!(
            outcomes[..],
            [Ok(1), Err(StoreError::Duplicate), Err(StoreError::Spent), Err(StoreError::Duplicate), Ok(2)]
        ));
        assert_eq!(names(&connection), ["a", "d", "e"]);
    }

    #[test]
    fn only_a_name_that_is_taken_is_a_duplicate() {
        let connection = database();
        let outcomes = commit(&connection, vec![vec![insert("much too long")], vec![insert("a")]]);
        assert!(matches!(outcomes[..], [Err(StoreError::Backend(_)), Ok(1)]), "{outcomes:?}");
    }

    #[test]
    fn when_the_commit_fails_everybody_is_told_and_nothing_stays() {
        let connection = database();
        let dangling = Statement::new("INSERT INTO later VALUES (?)", ["nobody".into()]);
        let outcomes = commit(&connection, vec![vec![insert("a")], vec![dangling], vec![insert("b")]]);
        assert_eq!(outcomes.len(), 3);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::Backend(_)))));
        assert!(names(&connection).is_empty());
        assert!(
            matches!(commit(&connection, vec![vec![insert("c")]])[..], [Ok(1)]),
            "the next group is written"
        );
    }

    #[test]
    fn when_the_engine_ends_the_transaction_nobody_is_told_that_it_was_written() {
        let connection = database();
        let lost = Statement::new("INSERT OR ROLLBACK INTO names VALUES (?)", ["a".into()]);
        let outcomes = commit(&connection, vec![vec![insert("a")], vec![lost], vec![insert("b")]]);
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Err(StoreError::Backend(_)))),
            "{outcomes:?}"
        );
        assert!(names(&connection).is_empty());
    }
}
