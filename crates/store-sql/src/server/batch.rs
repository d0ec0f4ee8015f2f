//! Units of the same shape, written together: inserts as one statement of many rows, and what pays for them once for all. That is
//! one way to the server and back for all of them, one flush to its disk, and one turn at the row that they pay with.
//!
//! Each still gets its own answer. When it fails for what one of them says, they are written in halves, down to the one.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use enroll_store::{BoxError, StoreError};

use super::fault::{Fault, unknown};
use super::link::{LONG_PATIENCE, Link, PATIENCE};
use super::links::Links;
use super::text::Insert;
use super::unit::{ATTEMPTS, Attempt, commit, pause, undo};
use crate::database::{Statement, Value};

/// How many units are written together. Not every number, since a connection compiles a statement for each.
const SIZES: [usize; 16] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, LARGEST];

/// How many units may be written together.
pub(super) const LARGEST: usize = 256;

/// How many bytes a statement of several units may have, roughly: well below what every engine takes.
const MOST_BYTES: usize = 1024 * 1024;

/// How many values a statement may have: every engine counts them in 16 bits.
const MOST_VALUES: usize = 32_768;

/// What units have in common that can be written together.
#[derive(PartialEq)]
pub(super) struct Shape<'a> {
    /// What each does before its inserts, all of them the same.
    payment: Option<(&'a str, &'a [Value])>,
    insert: &'a Cow<'static, str>,
    rows: usize,
}

impl<'a> Shape<'a> {
    /// `None` for a unit that is written alone.
    pub(super) fn of(unit: &'a [Statement]) -> Option<Self> {
        let (payment, inserts) = split(unit);
        let first = inserts.first()?;
        let is_insert = |insert: &Statement| insert.sql == first.sql && insert.otherwise.is_none();
        let fits = inserts.iter().all(is_insert) && Insert::read(&first.sql).is_some();
        let payment = payment.map(|statement| (&*statement.sql, &*statement.values));
        fits.then_some(Self { payment, insert: &first.sql, rows: inserts.len() })
    }

    /// Whether units of this shape pay.
    pub(super) fn is_paid(&self) -> bool {
        self.payment.is_some()
    }

    /// The same for units of this shape alone.
    pub(super) fn name(&self) -> String {
        format!("{:?} {} {}", self.payment, self.insert, self.rows)
    }
}

/// The statement that can be done for several at once, if the unit begins with one, and the others.
fn split(unit: &[Statement]) -> (Option<&Statement>, &[Statement]) {
    match unit.split_first() {
        Some((first, inserts)) if !first.counts.is_empty() => (Some(first), inserts),
        _ => (None, unit),
    }
}

/// Some of the units, to be written as one.
struct Run<'a> {
    units: &'a [Vec<Statement>],
    /// Whether an attempt may have written them already.
    is_doubtful: bool,
}

/// Writes units of the same shape, the first one first, and says for each how it went.
pub(super) async fn write(links: &Arc<Links>, units: &[Vec<Statement>]) -> Vec<Result<u64, StoreError>> {
    let mut outcomes = Vec::with_capacity(units.len());
    let mut runs = vec![Run { units, is_doubtful: false }];
    while let Some(mut run) = runs.pop() {
        let (now, later) = run.units.split_at(together(run.units));
        if !later.is_empty() {
            runs.push(Run { units: later, ..run });
        }
        run.units = now;
        let refused = match write_run(links, &mut run).await {
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

/// How many of them go into one statement.
fn together(units: &[Vec<Statement>]) -> usize {
    let (mut values, mut bytes) = (0, 0);
    let fits = |unit: &&Vec<Statement>| {
        values += unit.iter().map(|statement| statement.values.len()).sum::<usize>();
        bytes += unit.iter().flat_map(|statement| &statement.values).map(size).sum::<usize>();
        values <= MOST_VALUES && bytes <= MOST_BYTES
    };
    let most = units.iter().take_while(fits).count().min(LARGEST);
    // What is paid for is a transaction, which may have several statements.
    let is_paid = units.first().is_some_and(|unit| split(unit).0.is_some());
    if is_paid { most.max(1) } else { compiled(most) }
}

/// The largest size up to this.
fn compiled(most: usize) -> usize {
    SIZES.into_iter().rev().find(|size| *size <= most).unwrap_or(1)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

/// Writes a run, whole or not at all.
async fn write_run(links: &Arc<Links>, run: &mut Run<'_>) -> Result<(), Refused> {
    let begin = Instant::now();
    let (mut attempts, mut was_lost) = (1, false);
    loop {
        let mut held = if was_lost { links.take_new().await? } else { links.take().await? };
        let attempt = attempt(&mut held.link, links, run.units).await;
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

async fn attempt(link: &mut Link, links: &Links, units: &[Vec<Statement>]) -> Attempt {
    let Some(payment) = split(&units[0]).0 else {
        // A single statement is committed, or undone, by the engine itself.
        return match insert(link, links, units).await {
            Ok(touched) => Attempt::Written(touched),
            Err(Fault::Lost(error)) => Attempt::Doubtful(error),
            Err(fault) => Attempt::Undone(fault),
        };
    };
    if let Err(fault) = link.order("BEGIN", PATIENCE).await {
        return Attempt::Undone(fault);
    }
    let mut values = payment.values.clone();
    for place in payment.counts {
        values[*place] = Value::Integer(i64::try_from(units.len()).unwrap_or(i64::MAX));
    }
    let text = links.texts.get(payment.sql.clone(), 1);
    match link.execute(text, values.iter(), LONG_PATIENCE).await {
        Ok(0) if payment.otherwise.is_some() => return undo(link, Attempt::Untouched(0)).await,
        Ok(_) => {}
        Err(fault) => return undo(link, Attempt::Undone(fault)).await,
    }
    match insert(link, links, units).await {
        Ok(touched) => commit(link, touched).await,
        Err(fault) => undo(link, Attempt::Undone(fault)).await,
    }
}

/// All rows of all units, in as few statements as there are sizes in their number.
async fn insert(link: &mut Link, links: &Links, mut units: &[Vec<Statement>]) -> Result<u64, Fault> {
    let mut touched = 0;
    while !units.is_empty() {
        let (now, later) = units.split_at(compiled(units.len()));
        let rows = now.iter().flat_map(|unit| split(unit).1);
        let values = rows.clone().flat_map(|row| &row.values);
        let Some(first) = rows.clone().next() else { break };
        touched += link.execute(links.texts.get(first.sql.clone(), rows.count()), values, PATIENCE).await?;
        units = later;
    }
    Ok(touched)
}

fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Duplicate => StoreError::Duplicate,
        StoreError::Conflict => StoreError::Conflict,
        StoreError::Spent => StoreError::Spent,
        StoreError::Backend(error) => StoreError::backend(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSERT: &str = "INSERT INTO a (b) VALUES (?)";
    const PAY: &str = "UPDATE c SET d = d - ? WHERE e = ?";

    fn insert(text: &str) -> Statement {
        Statement::new(INSERT, [text.into()])
    }

    fn pay(with: &str) -> Statement {
        Statement::new(PAY, [1_u32.into(), with.into()]).counting(&[0]).or(StoreError::Spent)
    }

    #[test]
    fn what_is_written_together_inserts_the_same_and_pays_with_the_same() {
        let unit = [insert("1")];
        assert!(Shape::of(&unit) == Shape::of(&[insert("2")]));
        assert!(Shape::of(&unit) != Shape::of(&[insert("1"), insert("2")]));
        let paid = [pay("x"), insert("1")];
        assert!(Shape::of(&paid) == Shape::of(&[pay("x"), insert("2")]));
        assert!(Shape::of(&paid) != Shape::of(&[pay("y"), insert("2")]));
        assert!(Shape::of(&paid) != Shape::of(&unit));
        for alone in [
            vec![],
            vec![pay("x")],
            vec![Statement::new("DELETE FROM a WHERE b = ?", ["1".into()])],
            vec![insert("1"), Statement::new("DELETE FROM a WHERE b = ?", ["1".into()])],
        ] {
            assert!(Shape::of(&alone).is_none());
        }
    }

    #[test]
    fn what_is_written_together_has_a_size_that_is_compiled_and_bounds() {
        let small: Vec<_> = (0..300).map(|_| vec![insert("1")]).collect();
        assert_eq!([300, 255, 100, 5, 1].map(|count| together(&small[..count])), [256, 192, 96, 4, 1]);
        let large: Vec<_> = (0..9).map(|_| vec![insert(&"1".repeat(MOST_BYTES / 4))]).collect();
        assert_eq!(together(&large), 4);
        assert_eq!(together(&[vec![insert(&"1".repeat(MOST_BYTES + 1))]]), 1, "what is too large goes alone");
    }
}
