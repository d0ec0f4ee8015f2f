//! Units that are inserts of the same shape, written as one statement of many rows: one way to the server and back for all of
//! them, and one flush to its disk.
//!
//! Each still gets its own answer. When the statement fails for what one of them says, it is written in halves, down to the one.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use enroll_store::StoreError;

use super::fault::{Fault, unknown};
use super::link::PATIENCE;
use super::links::Links;
use super::text::Insert;
use super::unit::{ATTEMPTS, pause};
use crate::database::{Statement, Value};

/// How many units a statement may have. Not every number, since a connection compiles a statement for each.
const SIZES: [usize; 16] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/// How many units may be written together.
pub(super) const LARGEST: usize = 256;

/// How many bytes a statement of several units may have, roughly: well below what every engine takes.
const MOST_BYTES: usize = 1024 * 1024;

/// How many values a statement may have: every engine counts them in 16 bits.
const MOST_VALUES: usize = 32_768;

/// What units have in common that can be written together: the insert, and how many rows each has of it.
pub(super) fn shape(unit: &[Statement]) -> Option<(&Cow<'static, str>, usize)> {
    let (first, others) = unit.split_first()?;
    let is_same = |other: &Statement| other.sql == first.sql && other.otherwise.is_none();
    let fits = first.otherwise.is_none() && others.iter().all(is_same);
    (fits && Insert::read(&first.sql).is_some()).then_some((&first.sql, unit.len()))
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
        match insert(links, &mut run).await {
            Ok(()) => outcomes.extend(now.iter().map(|unit| Ok(unit.len() as u64))),
            // One of them is to blame, and the others shall not suffer for it.
            Err(Fault::Duplicate(_) | Fault::Unfit(_)) if now.len() > 1 => {
                let (first, second) = now.split_at(now.len() / 2);
                runs.extend([second, first].map(|units| Run { units, ..run }));
            }
            // It may be their own first attempt that has the name.
            Err(Fault::Duplicate(error)) if run.is_doubtful => outcomes.push(Err(unknown(error))),
            Err(Fault::Duplicate(_)) => outcomes.push(Err(StoreError::Duplicate)),
            Err(fault) => {
                // It would be the same for those that are left, and nobody should wait for that.
                let (is_gone, error) =
                    (!fault.leaves_the_link(), Arc::<dyn Error + Send + Sync>::from(fault.into_cause()));
                let mut told = now.len();
                if is_gone {
                    told += runs.drain(..).map(|run| run.units.len()).sum::<usize>();
                }
                let error = || {
                    if run.is_doubtful { unknown(error.clone()) } else { StoreError::backend(error.clone()) }
                };
                outcomes.extend((0..told).map(|_| Err(error())));
            }
        }
    }
    outcomes
}

/// How many of them go into one statement.
fn together(units: &[Vec<Statement>]) -> usize {
    let (mut values, mut bytes) = (0, 0);
    let fits = |unit: &&Vec<Statement>| {
        values += unit.iter().map(|statement| statement.values.len()).sum::<usize>();
        bytes += unit.iter().flat_map(|statement| &statement.values).map(size).sum::<usize>();
        values <= MOST_VALUES && bytes <= MOST_BYTES
    };
    let most = units.iter().take_while(fits).count();
    SIZES.into_iter().rev().find(|size| *size <= most).unwrap_or(1)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

/// Writes a run as one statement, which is written whole or not at all.
async fn insert(links: &Arc<Links>, run: &mut Run<'_>) -> Result<(), Fault> {
    let begin = Instant::now();
    let statements = run.units.iter().flatten();
    let text = links.texts.get(run.units[0][0].sql.clone(), statements.clone().count());
    let mut attempts = 1;
    let mut was_lost = false;
    loop {
        let mut held = if was_lost { links.take_new().await? } else { links.take().await? };
        let values = statements.clone().flat_map(|statement| &statement.values);
        let outcome = held.link.execute(text.clone(), values, PATIENCE).await;
        if outcome.as_ref().err().is_none_or(Fault::leaves_the_link) {
            held.give_back();
        }
        match outcome {
            Ok(_) => return Ok(()),
            Err(Fault::Again(_)) if attempts < ATTEMPTS && begin.elapsed() < PATIENCE => {
                pause(attempts, begin).await;
                attempts += 1;
            }
            // Once more: what was not written is written then, and what was is refused as a duplicate.
            Err(Fault::Lost(_)) if !was_lost && begin.elapsed() < PATIENCE => {
                was_lost = true;
                run.is_doubtful = true;
            }
            Err(fault) => {
                run.is_doubtful |= matches!(fault, Fault::Lost(_));
                return Err(fault);
            }
        }
    }
}
