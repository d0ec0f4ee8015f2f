//! One unit of statements, in a transaction of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use enroll_store::{BoxError, StoreError};

use super::fault::{Fault, unknown};
use super::link::{LONG_PATIENCE, Link, PATIENCE};
use super::links::Links;
use crate::database::Statement;

/// How often a unit is tried that the engine undid for the sake of another: as long as there is time, but never without end.
pub(super) const ATTEMPTS: u32 = 100;

/// How an attempt ended.
pub(super) enum Attempt {
    /// It is committed, and touched so many rows.
    Written(u64),
    /// It is undone, since this statement of it touched nothing.
    Untouched(usize),
    /// It is undone.
    Undone(Fault),
    /// The connection broke when it may have been committed.
    Doubtful(BoxError),
}

/// Writes a unit; says how many rows it touched.
pub(super) async fn write(links: &Arc<Links>, mut unit: Vec<Statement>) -> Result<u64, StoreError> {
    let begin = Instant::now();
    let (mut attempts, mut was_lost) = (1, false);
    loop {
        let held = if was_lost { links.take_new().await } else { links.take().await };
        let mut held = held.map_err(Fault::into_error)?;
        let may_be_stale = held.was_used;
        let attempt = attempt(&mut held.link, links, &unit).await;
        if attempt.leaves_the_link() {
            held.give_back();
        }
        match attempt {
            Attempt::Written(touched) => return Ok(touched),
            Attempt::Untouched(place) => {
                return Err(unit.swap_remove(place).otherwise.unwrap_or(StoreError::Conflict));
            }
            Attempt::Doubtful(error) => return Err(unknown(error)),
            Attempt::Undone(Fault::Again(_)) if attempts < ATTEMPTS && begin.elapsed() < PATIENCE => {
                pause(attempts, begin).await;
                attempts += 1;
            }
            Attempt::Undone(Fault::Lost(_)) if may_be_stale && begin.elapsed() < PATIENCE => was_lost = true,
            Attempt::Undone(fault) => return Err(fault.into_error()),
        }
    }
}

/// Longer each time, and for everybody different: those that were in each other's way would be so again.
pub(super) async fn pause(attempts: u32, begin: Instant) {
    let longest = 2 << attempts.min(6);
    let own = begin.elapsed().subsec_micros() % longest;
    tokio::time::sleep(Duration::from_millis(u64::from(1 + own))).await;
}

async fn attempt(link: &mut Link, links: &Links, unit: &[Statement]) -> Attempt {
    // A single statement is committed, or undone, by the engine itself.
    if let [statement] = unit {
        let text = links.texts.get(statement.sql.clone(), 1);
        return match link.execute(text, statement.values.iter(), LONG_PATIENCE).await {
            Ok(0) if statement.otherwise.is_some() => Attempt::Untouched(0),
            Ok(touched) => Attempt::Written(touched),
            Err(Fault::Lost(error)) => Attempt::Doubtful(error),
            Err(fault) => Attempt::Undone(fault),
        };
    }
    if let Err(fault) = link.order("BEGIN", PATIENCE).await {
        return Attempt::Undone(fault);
    }
    let mut touched = 0;
    for (place, statement) in unit.iter().enumerate() {
        let text = links.texts.get(statement.sql.clone(), 1);
        match link.execute(text, statement.values.iter(), LONG_PATIENCE).await {
            Ok(0) if statement.otherwise.is_some() => return undo(link, Attempt::Untouched(place)).await,
            Ok(more) => touched += more,
            Err(fault) => return undo(link, Attempt::Undone(fault)).await,
        }
    }
    commit(link, touched).await
}

pub(super) async fn commit(link: &mut Link, touched: u64) -> Attempt {
    match link.order("COMMIT", LONG_PATIENCE).await {
        Ok(()) => Attempt::Written(touched),
        Err(Fault::Lost(error)) => Attempt::Doubtful(error),
        Err(fault) => Attempt::Undone(fault),
    }
}

/// Takes back what the transaction did. Where that cannot be said any more, the engine does it by itself.
pub(super) async fn undo(link: &mut Link, attempt: Attempt) -> Attempt {
    if !attempt.leaves_the_link() {
        return attempt;
    }
    match (link.order("ROLLBACK", PATIENCE).await, attempt) {
        (Ok(()), attempt) => attempt,
        (Err(_), Attempt::Undone(fault)) | (Err(fault), _) => {
            Attempt::Undone(Fault::Lost(fault.into_cause()))
        }
    }
}

impl Attempt {
    /// Whether the connection works on.
    pub(super) fn leaves_the_link(&self) -> bool {
        match self {
            Self::Written(_) | Self::Untouched(_) => true,
            Self::Undone(fault) => fault.leaves_the_link(),
            Self::Doubtful(_) => false,
        }
    }
}
