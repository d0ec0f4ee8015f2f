//! Statements as an engine reads them: `?` becomes `$1` and so on where that is how values are called, and an insert of one
//! row an insert of many. Each is made once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use crate::database::Engine;

/// How many texts are kept; more than there are.
const MOST: usize = 2048;

/// The statement as it was written, and how many rows it is for.
type Place = (Cow<'static, str>, usize);

/// The texts of one engine.
pub(super) struct Texts {
    engine: Engine,
    made: RwLock<HashMap<Place, Arc<str>>>,
}

impl Texts {
    pub(super) fn of(engine: Engine) -> Self {
        Self { engine, made: RwLock::default() }
    }

    /// A statement; an insert, for so many rows.
    pub(super) fn get(&self, sql: Cow<'static, str>, rows: usize) -> Arc<str> {
        let place = (sql, rows);
        if let Some(text) = self.made.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return text.clone();
        }
        let repeated = match Insert::read(&place.0) {
            Some(insert) if rows > 1 => Cow::Owned(insert.of(rows)),
            _ => Cow::Borrowed(&*place.0),
        };
        let text: Arc<str> = match self.engine {
            Engine::Postgres => numbered(&repeated).into(),
            Engine::MySql | Engine::Sqlite => repeated.into(),
        };
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        if made.len() < MOST {
            made.insert(place, text.clone());
        }
        text
    }
}

/// `INSERT INTO … VALUES (?, (SELECT …))`: an insert of one row, each of its values given, or found in another table.
pub(super) struct Insert<'a> {
    start: &'a str,
    row: &'a str,
}

impl<'a> Insert<'a> {
    pub(super) fn read(sql: &'a str) -> Option<Self> {
        let (start, row) = sql.strip_prefix("INSERT INTO ").and(sql.split_once(" VALUES "))?;
        is_in_parentheses(row).then_some(Self { start, row })
    }

    fn of(&self, rows: usize) -> String {
        format!("{} VALUES {}", self.start, vec![self.row; rows].join(", "))
    }
}

/// Whether the parenthesis that it begins with is closed by the last character.
fn is_in_parentheses(text: &str) -> bool {
    let (mut depth, mut is_literal) = (0_usize, false);
    let closes = |character: u8| {
        match character {
            b'\'' => is_literal = !is_literal,
            b'(' if !is_literal => depth += 1,
            b')' if !is_literal => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    };
    text.bytes().position(closes).is_some_and(|place| place > 0 && place + 1 == text.len())
}

/// With `$1`, `$2` … in the place of each `?` that is not in a literal.
fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 64);
    let (mut number, mut is_literal) = (0, false);
    for character in sql.chars() {
        match character {
            '?' if !is_literal => {
                number += 1;
                write!(text, "${number}").expect("a string takes every text");
            }
            _ => {
                is_literal ^= character == '\'';
                text.push(character);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_where_they_are_called_by_numbers() {
        let sql = Cow::Borrowed("UPDATE a SET b = '?', c = ? WHERE d = ?");
        assert_eq!(
            &*Texts::of(Engine::Postgres).get(sql.clone(), 1),
            "UPDATE a SET b = '?', c = $1 WHERE d = $2"
        );
        assert_eq!(&*Texts::of(Engine::MySql).get(sql.clone(), 1), &*sql);
    }

    #[test]
    fn an_insert_is_repeated_for_many_rows() {
        let sql = Cow::Borrowed("INSERT INTO a (b, c) VALUES (?, ?)");
        let texts = Texts::of(Engine::Postgres);
        assert_eq!(&*texts.get(sql.clone(), 1), "INSERT INTO a (b, c) VALUES ($1, $2)");
        assert_eq!(&*texts.get(sql.clone(), 2), "INSERT INTO a (b, c) VALUES ($1, $2), ($3, $4)");
        let sql = Cow::Borrowed("INSERT INTO a (b, c) VALUES ((SELECT d FROM e WHERE f = ?), ')?' || ?)");
        let row = |one, other| format!("((SELECT d FROM e WHERE f = ${one}), ')?' || ${other})");
        let expected = format!("INSERT INTO a (b, c) VALUES {}, {}", row(1, 2), row(3, 4));
        assert_eq!(&*texts.get(sql, 2), expected);
    }

    #[test]
    fn only_an_insert_of_one_row_is_one_that_can_be_repeated() {
        for sql in [
            "UPDATE a SET b = ?",
            "INSERT INTO a SELECT b FROM c WHERE d = ?",
            "INSERT INTO a (b) VALUES ?",
            "INSERT INTO a (b) VALUES (?), (?)",
            "INSERT INTO a (b) VALUES ((?)",
            "INSERT INTO a (b) VALUES (?) ON CONFLICT DO NOTHING",
        ] {
            assert!(Insert::read(sql).is_none(), "{sql}");
        }
    }
}
