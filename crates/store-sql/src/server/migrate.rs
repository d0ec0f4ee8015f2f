//! The schema of a server's database. Several nodes may start at once: one of them runs the steps, under the lock of a row, while
//! the others wait. A row is locked by every engine in the same way, and its lock ends with the connection that holds it;
//! advisory locks are neither.

use std::sync::Arc;
use std::time::{Duration, Instant};

use enroll_store::BoxError;

use super::fault::Fault;
use super::link::{Link, PATIENCE};
use super::links::Links;
use crate::address::ServerAddress;
use crate::database::{Access, Engine, OpenError, Row, Value};
use crate::migrate::{APPLIED, NOTE, Plane, SchemaVersion, checksum};

/// How long a node waits for another that runs the steps, and how long one statement of a step may take.
const LONGEST: Duration = Duration::from_mins(10);

/// The table of the steps that have run, and the one whose row is locked meanwhile.
const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_versions \
     (version BIGINT NOT NULL PRIMARY KEY, checksum VARCHAR(64) NOT NULL)";
const LOCK_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_lock (id BIGINT NOT NULL PRIMARY KEY)";
const LOCK_ROW: &str = "INSERT INTO schema_lock (id) VALUES (1)";
const LOCK: &str = "SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE";

/// The tables that are there.
fn tables(engine: Engine) -> &'static str {
    match engine {
        Engine::MySql => "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
        Engine::Postgres | Engine::Sqlite => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        }
    }
}

/// The schema of the database, when it is one of ours that this version understands, or empty.
pub(super) async fn version(links: &Arc<Links>, plane: Plane) -> Result<SchemaVersion, OpenError> {
    let address = &links.address;
    let failed = |source: BoxError| OpenError::Failed { database: address.shown.clone(), source };
    let unanswered = |fault: Fault| failed(fault.into_cause());
    let rows = links.fetch(tables(address.engine).into(), &[]).await.map_err(unanswered)?;
    let tables: Result<Vec<_>, _> = rows.into_iter().map(|mut row| row.text()).collect();
    let tables = tables.map_err(|error| failed(error.into()))?;
    if tables.iter().any(|table| table == "schema_versions") {
        let rows = links.fetch(APPLIED.into(), &[]).await.map_err(unanswered)?;
        let applied: Result<Vec<_>, _> = rows.into_iter().map(applied).collect();
        return plane.version(address.engine, &address.shown, &applied.map_err(failed)?);
    }
    match tables.iter().all(|table| table == "schema_lock") {
        true => plane.version(address.engine, &address.shown, &[]),
        false => Err(failed("it holds the tables of another program; name a database of its own".into())),
    }
}

fn applied(mut row: Row) -> Result<(u32, String), BoxError> {
    Ok((u32::try_from(row.required_number()?)?, row.text()?))
}

/// Runs the steps that have not run yet.
pub(super) async fn migrate(address: &ServerAddress, plane: Plane) -> Result<(), OpenError> {
    let failed = |source: BoxError| OpenError::Failed { database: address.shown.clone(), source };
    let unanswered = |fault: Fault| failed(fault.into_cause());
    // The lock is held by a connection of its own: some engines end a transaction with each table that is made.
    let links = Arc::new(Links::new(address.clone(), Access::ReadWrite, 3).map_err(failed)?);
    let mut lock = links.take_patient().await.map_err(unanswered)?;
    let mut work = links.take_patient().await.map_err(unanswered)?;
    take_lock(&mut lock.link, &mut work.link).await.map_err(unanswered)?;
    // Again, since another node may have been quicker.
    let SchemaVersion { found, .. } = version(&links, plane).await?;
    run(&links, &mut work.link, plane, found).await.map_err(unanswered)?;
    lock.link.order("COMMIT", PATIENCE).await.map_err(unanswered)
}

async fn take_lock(lock: &mut Link, work: &mut Link) -> Result<(), Fault> {
    let end = Instant::now() + LONGEST;
    for statement in [LOCK_TABLE, LOCK_ROW] {
        // Others may be making the same, and some engines notice late that they do.
        while let Err(fault) = work.order(statement, LONGEST).await {
            match fault {
                Fault::Duplicate(_) if statement == LOCK_ROW => break,
                Fault::Duplicate(_) | Fault::Again(_) if Instant::now() < end => {}
                other => return Err(other),
            }
        }
    }
    loop {
        lock.order("BEGIN", PATIENCE).await?;
        match lock.order(LOCK, LONGEST).await {
            Err(Fault::Again(_)) if Instant::now() < end => lock.order("ROLLBACK", PATIENCE).await?,
            outcome => return outcome,
        }
    }
}

async fn run(links: &Links, work: &mut Link, plane: Plane, found: u32) -> Result<(), Fault> {
    work.order(LEDGER, LONGEST).await?;
    for (number, step) in (1_u32..).zip(plane.steps(links.address.engine)).skip(found as usize) {
        work.order("BEGIN", PATIENCE).await?;
        for statement in statements(step) {
            work.order(statement.to_owned(), LONGEST).await?;
        }
        let note = [number.into(), Value::Text(checksum(step))];
        work.execute(links.texts.get(NOTE.into(), 1), note.iter(), PATIENCE).await?;
        work.order("COMMIT", LONGEST).await?;
    }
    Ok(())
}

/// The statements of a step, each of which ends with a `;` at the end of a line: not every engine takes several at once.
fn statements(step: &str) -> impl Iterator<Item = &str> {
    step.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_split_at_the_ends_of_its_statements() {
        assert_eq!(
            statements("-- a; b\nCREATE a;\n\nCREATE b;\n").collect::<Vec<_>>(),
            ["-- a; b\nCREATE a", "CREATE b"]
        );
    }
}
