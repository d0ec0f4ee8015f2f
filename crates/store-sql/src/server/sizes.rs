//! How many rows go into one statement, and how many units are written at once.

use super::shape::{Shape, split};
use crate::database::{Statement, Value};

/// How many rows a statement is made for. Not every number, since a connection compiles a statement for each.
const SIZES: [usize; 16] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, LARGEST];

/// How many units may be written together.
pub(super) const LARGEST: usize = 256;

/// How many bytes units that are written together may have, roughly: well below what every engine takes in a statement.
const MOST_BYTES: usize = 1024 * 1024;

/// How many values they may have: every engine counts those of a statement in 16 bits.
const MOST_VALUES: usize = 32_768;

/// How many values a statement for several rows may have: a connection keeps what it compiled in memory.
const COMPILED_VALUES: usize = 4096;

/// How many rows a statement may have that looks something up for each: an engine plans, and keeps, that query for each row.
const LOOKED_UP: usize = 32;

/// How many of these units are written at once.
pub(super) fn together(units: &[Vec<Statement>], shape: &Shape<'_>) -> usize {
    let (mut values, mut bytes) = (0, 0);
    let fits = |unit: &&Vec<Statement>| {
        values += unit.iter().map(|statement| statement.values.len()).sum::<usize>();
        bytes += unit.iter().flat_map(|statement| &statement.values).map(size).sum::<usize>();
        values <= MOST_VALUES && bytes <= MOST_BYTES
    };
    let most = units.iter().take_while(fits).count().clamp(1, LARGEST);
    let is_transaction = shape.is_paid() || shape.inserts.len() > 1;
    if is_transaction { most } else { in_one_statement(&units[..most]).unwrap_or(most) }
}

/// How many of them can be written by one statement, which needs no transaction.
fn in_one_statement(units: &[Vec<Statement>]) -> Option<usize> {
    let first = split(units.first()?).1.first()?;
    let mut rows = 0;
    let fits = |unit: &Vec<Statement>| {
        rows += split(unit).1.len();
        compiled(rows, first) == rows
    };
    units.iter().map(fits).collect::<Vec<_>>().into_iter().rposition(|fits| fits).map(|place| place + 1)
}

/// How many of so many rows go into a statement.
pub(super) fn compiled(rows: usize, row: &Statement) -> usize {
    let fit =
        if row.sql.contains("(SELECT ") { LOOKED_UP } else { COMPILED_VALUES / row.values.len().max(1) };
    let most = rows.min(fit);
    SIZES.into_iter().rev().find(|size| *size <= most).unwrap_or(1)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(text: &str) -> Statement {
        Statement::new("INSERT INTO a (b) VALUES (?)", [text.into()])
    }

    fn at_once(units: &[Vec<Statement>]) -> usize {
        together(units, &Shape::of_all(units).unwrap())
    }

    #[test]
    fn what_is_written_together_has_a_size_that_is_compiled_and_bounds() {
        let small: Vec<_> = (0..300).map(|_| vec![insert("1")]).collect();
        assert_eq!([300, 255, 100, 5, 1].map(|count| at_once(&small[..count])), [256, 192, 96, 4, 1]);
        let large: Vec<_> = (0..9).map(|_| vec![insert(&"1".repeat(MOST_BYTES / 4))]).collect();
        assert_eq!(at_once(&large), 4);
        assert_eq!(at_once(&[vec![insert(&"1".repeat(MOST_BYTES + 1))]]), 1, "what is too large goes alone");
    }

    #[test]
    fn rows_make_the_size_and_not_units() {
        let unit = |rows: usize| (0..rows).map(|_| insert("1")).collect::<Vec<_>>();
        let units = |rows: &[usize]| rows.iter().map(|rows| unit(*rows)).collect::<Vec<_>>();
        assert_eq!(at_once(&units(&[2; 200])), 128);
        assert_eq!(at_once(&units(&[1, 2, 1, 1, 2])), 3);
        assert_eq!(at_once(&units(&[5, 5, 5])), 3, "in a transaction of several statements");
        assert_eq!(at_once(&units(&[300])), 1);
    }

    #[test]
    fn a_row_of_many_values_is_repeated_less_often() {
        let wide = Statement::new("INSERT INTO a (b) VALUES (?)", vec![Value::Null; 100]);
        assert_eq!([1, 39, 256].map(|rows| compiled(rows, &wide)), [1, 32, 32]);
        let widest = Statement::new("INSERT INTO a (b) VALUES (?)", vec![Value::Null; 5000]);
        assert_eq!(compiled(9, &widest), 1);
        let looking =
            Statement::new("INSERT INTO a (b) VALUES ((SELECT c FROM d WHERE e = ?))", ["1".into()]);
        assert_eq!([7, 40, 256].map(|rows| compiled(rows, &looking)), [6, 32, 32]);
    }
}
