//! Units of the same shape, written together: the inserts of all into one table as a statement of many rows, and what pays for them
//! once for all. That is one way to the server and back for each table, one flush to its disk, and one turn at the row that they
//! pay with.
//!
//! Each still gets its own answer. When it fails for what one of them says, they are written in halves, down to the one.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use enroll_store::{BoxError, StoreError};

use super::fault::{Fault, unknown};
use super::link::{LONG_PATIENCE, Link, PATIENCE};
use super::links::Links;
use super::shape::{Shape, split};
use super::sizes::{compiled, together};
use super::unit::{ATTEMPTS, Attempt, commit, pause, undo};
use crate::database::{Statement, Value};

/// Some of the units, to be written as one.
struct Run<'a> {
    units: &'a [Vec<Statement>],
    /// Whether an attempt may have written them already.
    is_doubtful: bool,
}

/// Writes units of the same shape, the first one first, and says for each how it went.
pub(super) async fn write(links: &Arc<Links>, units: &[Vec<Statement>]) -> Vec<Result<u64, StoreError>> {
    let Some(shape) = Shape::of_all(units) else {
        let refuse = |_| Err(StoreError::backend("these units cannot be written together"));
        return units.iter().map(refuse).collect();
    };
    let mut outcomes = Vec::with_capacity(units.len());
    let mut runs = vec![Run { units, is_doubtful: false }];
    while let Some(mut run) = runs.pop() {
        let (now, later) = run.units.split_at(together(run.units, &shape));
        if !later.is_empty() {
            runs.push(Run { units: later, ..run });
        }
        run.units = now;
        let refused = match write_run(links, &shape, &mut run).await {
            Ok(()) => {
                outcomes.extend(now.iter().map(|unit| Ok(unit.len() as u64)));
                continue;
            }
            Err(refused) => refused,
        };
        match refused {
            Refused::Own(_) | Refused::Payment(_) if now.len() > 1 => {
                let (first, second) = now.split_at(now.len() / 2);
                runs.extend([second, first].map(|units| Run { units, ..run }));
            }
            // It may be what their own first attempt left.
            Refused::Own(error) if run.is_doubtful => outcomes.push(Err(unknown(error))),
            Refused::Own(error) => outcomes.push(Err(error)),
            // For the others it would be the same, and nobody should wait for that.
            Refused::Payment(error) => {
                for run in std::iter::once(run).chain(runs.drain(..).rev()) {
                    let told = || if run.is_doubtful { unknown(error.to_string()) } else { same(&error) };
                    outcomes.extend(run.units.iter().map(|_| Err(told())));
                }
            }
            Refused::All(error) => {
                let error = Arc::<dyn Error + Send + Sync>::from(error);
                for run in std::iter::once(run).chain(runs.drain(..).rev()) {
                    let error = || error.clone();
                    let told =
                        || if run.is_doubtful { unknown(error()) } else { StoreError::backend(error()) };
                    outcomes.extend(run.units.iter().map(|_| Err(told())));
                }
            }
        }
    }
    outcomes
}

/// Why a run was not written.
enum Refused {
    /// For what one of them says, and the others shall not suffer for it.
    Own(StoreError),
    /// What they pay with is not enough for so many.
    Payment(StoreError),
    /// For a reason that is nobody's own.
    All(BoxError),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Duplicate(_) | Fault::Unfit(_) => Self::Own(fault.into_error()),
            other => Self::All(other.into_cause()),
        }
    }
}

/// Writes a run, whole or not at all.
async fn write_run(links: &Arc<Links>, shape: &Shape<'_>, run: &mut Run<'_>) -> Result<(), Refused> {
    let begin = Instant::now();
    let inserts = inserts(shape, run.units);
    let (mut attempts, mut was_lost) = (1, false);
    loop {
        let mut held = if was_lost { links.take_new().await? } else { links.take().await? };
        let attempt = attempt(&mut held.link, links, run.units, &inserts).await;
        if attempt.leaves_the_link() {
            held.give_back();
        }
        let may_go_on = begin.elapsed() < PATIENCE;
        match attempt {
            Attempt::Written(_) => return Ok(()),
            Attempt::Untouched(_) => {
                let otherwise = run.units[0][0].otherwise.as_ref();
                return Err(Refused::Payment(otherwise.map_or(StoreError::Conflict, same)));
            }
            Attempt::Undone(Fault::Again(_)) if attempts < ATTEMPTS && may_go_on => {
                pause(attempts, begin).await;
                attempts += 1;
            }
            Attempt::Undone(Fault::Lost(_)) if !was_lost && may_go_on => was_lost = true,
            Attempt::Undone(fault) => return Err(fault.into()),
            // Once more: what was not written is written then, and what was is refused as a duplicate.
            Attempt::Doubtful(_) if !was_lost && may_go_on => (was_lost, run.is_doubtful) = (true, true),
            Attempt::Doubtful(error) => {
                run.is_doubtful = true;
                return Err(Refused::All(error));
            }
        }
    }
}

/// The rows of one statement.
type Rows<'a> = Vec<&'a Statement>;

/// All rows of all units, table after table, in as few statements as there are sizes in their number.
///
/// Everybody begins with the same table, and takes it in the order of what goes there: whoever waits there for another has nothing
/// yet that a third one waits for.
fn inserts<'a>(shape: &Shape<'_>, units: &'a [Vec<Statement>]) -> Vec<Rows<'a>> {
    let mut in_order: Vec<&[Statement]> = units.iter().map(|unit| split(unit).1).collect();
    in_order.sort_by(|one, other| one[0].values.cmp(&other[0].values));
    let mut inserts = Vec::new();
    for insert in &shape.inserts {
        let mut rows: Rows<'a> =
            in_order.iter().copied().flatten().filter(|row| row.sql == **insert).collect();
        while let Some(first) = rows.first() {
            let later = rows.split_off(compiled(rows.len(), first));
            inserts.push(std::mem::replace(&mut rows, later));
        }
    }
    inserts
}

async fn attempt(link: &mut Link, links: &Links, units: &[Vec<Statement>], inserts: &[Rows<'_>]) -> Attempt {
    let payment = split(&units[0]).0;
    if let (None, [rows]) = (payment, inserts) {
        // A single statement is committed, or undone, by the engine itself.
        return match insert(link, links, rows).await {
            Ok(touched) => Attempt::Written(touched),
            Err(Fault::Lost(error)) => Attempt::Doubtful(error),
            Err(fault) => Attempt::Undone(fault),
        };
    }
    if let Err(fault) = link.order("BEGIN", PATIENCE).await {
        return Attempt::Undone(fault);
    }
    if let Some(payment) = payment {
        match pay(link, links, payment, units.len()).await {
            Ok(0) if payment.otherwise.is_some() => return undo(link, Attempt::Untouched(0)).await,
            Ok(_) => {}
            Err(fault) => return undo(link, Attempt::Undone(fault)).await,
        }
    }
    let mut touched = 0;
    for rows in inserts {
        match insert(link, links, rows).await {
            Ok(more) => touched += more,
            Err(fault) => return undo(link, Attempt::Undone(fault)).await,
        }
    }
    commit(link, touched).await
}

/// For so many at once.
async fn pay(link: &mut Link, links: &Links, payment: &Statement, units: usize) -> Result<u64, Fault> {
    let mut values = payment.values.clone();
    for place in payment.counts {
        values[*place] = Value::Integer(i64::try_from(units).unwrap_or(i64::MAX));
    }
    link.execute(links.texts.get(payment.sql.clone(), 1), values.iter(), LONG_PATIENCE).await
}

async fn insert(link: &mut Link, links: &Links, rows: &Rows<'_>) -> Result<u64, Fault> {
    let text = links.texts.get(rows[0].sql.clone(), rows.len());
    link.execute(text, rows.iter().flat_map(|row| &row.values), PATIENCE).await
}

fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Duplicate => StoreError::Duplicate,
        StoreError::Conflict => StoreError::Conflict,
        StoreError::Spent => StoreError::Spent,
        StoreError::Refused(rejection) => StoreError::Refused(rejection.clone()),
        StoreError::Backend(error) => StoreError::backend(error.to_string()),
    }
}
