//! Which units can be written together: those that pay with the same, begin with an insert into the same table, and have nothing
//! but inserts, which can be done in one order for all of them.

use std::borrow::Cow;

use super::text::Insert;
use crate::database::{Statement, Value};

/// What units have in common that can be written together.
#[derive(Debug, PartialEq)]
pub(super) struct Shape<'a> {
    /// What each does before its inserts, all of them the same.
    payment: Option<(&'a str, &'a [Value])>,
    /// The inserts, each once however many rows there are of it, in the order in which they are done. A unit need not have each.
    pub(super) inserts: Vec<&'a Cow<'static, str>>,
}

impl<'a> Shape<'a> {
    /// `None` for a unit that is written alone.
    pub(super) fn of(unit: &'a [Statement]) -> Option<Self> {
        let (payment, rows) = split(unit);
        let mut inserts: Vec<&Cow<'static, str>> = Vec::new();
        for row in rows {
            if row.otherwise.is_some() {
                return None;
            }
            if inserts.last().is_none_or(|last| **last != row.sql) {
                // It has a single place in the order.
                if inserts.contains(&&row.sql) || Insert::read(&row.sql).is_none() {
                    return None;
                }
                inserts.push(&row.sql);
            }
        }
        let payment = payment.map(|statement| (&*statement.sql, &*statement.values));
        (!inserts.is_empty()).then_some(Self { payment, inserts })
    }

    /// `None` where they cannot all be written together.
    pub(super) fn of_all(units: &'a [Vec<Statement>]) -> Option<Self> {
        let (first, others) = units.split_first()?;
        let mut shape = Self::of(first)?;
        let are_alike = others.iter().all(|unit| shape.takes_in(unit));
        are_alike.then_some(shape)
    }

    /// Becomes the shape of this unit, too, and says whether it could.
    pub(super) fn takes_in(&mut self, unit: &'a [Statement]) -> bool {
        let Some(other) = Self::of(unit) else { return false };
        if self.payment != other.payment || self.inserts.first() != other.inserts.first() {
            return false;
        }
        let (mut inserts, mut next) = (self.inserts.clone(), 0);
        for insert in other.inserts {
            match inserts.iter().position(|own| *own == insert) {
                Some(place) if place < next => return false,
                Some(place) => next = place + 1,
                None => {
                    inserts.insert(next, insert);
                    next += 1;
                }
            }
        }
        self.inserts = inserts;
        true
    }

    /// Whether units of this shape pay.
    pub(super) fn is_paid(&self) -> bool {
        self.payment.is_some()
    }

    /// What units of this shape pay with, as a name that is the same for those alone that pay with the same.
    pub(super) fn payment(&self) -> Option<String> {
        self.payment.map(|payment| format!("{payment:?}"))
    }
}

/// The statement that can be done for several units at once, if the unit begins with one, and the others.
pub(super) fn split(unit: &[Statement]) -> (Option<&Statement>, &[Statement]) {
    match unit.split_first() {
        Some((first, inserts)) if !first.counts.is_empty() => (Some(first), inserts),
        _ => (None, unit),
    }
}

#[cfg(test)]
mod tests {
    use enroll_store::StoreError;

    use super::*;

    const PAY: &str = "UPDATE c SET d = d - ? WHERE e = ?";
    const DELETE: &str = "DELETE FROM a WHERE b = ?";

    fn pay(with: &str) -> Statement {
        Statement::new(PAY, [1_u32.into(), with.into()]).counting(&[0]).or(StoreError::Spent)
    }

    /// A unit of inserts into the tables of these names.
    fn inserts(tables: &[&str]) -> Vec<Statement> {
        let insert =
            |table: &&str| Statement::new(format!("INSERT INTO {table} (b) VALUES (?)"), ["1".into()]);
        tables.iter().map(insert).collect()
    }

    fn paid(with: &str, tables: &[&str]) -> Vec<Statement> {
        [vec![pay(with)], inserts(tables)].into_iter().flatten().collect()
    }

    #[test]
    fn what_is_written_together_begins_with_the_same_insert_and_pays_with_the_same() {
        let are_alike = |units: &[Vec<Statement>]| Shape::of_all(units).is_some();
        assert!(are_alike(&[inserts(&["a"]), inserts(&["a"]), inserts(&["a", "a"]), inserts(&["a", "b"])]));
        assert!(!are_alike(&[inserts(&["a"]), inserts(&["b"])]));
        assert!(!are_alike(&[inserts(&["a", "b"]), inserts(&["b"])]));
        assert!(are_alike(&[paid("x", &["a"]), paid("x", &["a", "b"])]));
        assert!(!are_alike(&[paid("x", &["a"]), paid("y", &["a"])]));
        assert!(!are_alike(&[paid("x", &["a"]), inserts(&["a"])]));
        let name = |with: &str, tables: &[&str]| Shape::of(&paid(with, tables)).unwrap().payment().unwrap();
        assert_eq!(name("x", &["a"]), name("x", &["a", "b"]));
        assert_ne!(name("x", &["a"]), name("y", &["a"]));
        assert_eq!(Shape::of(&inserts(&["a"])).unwrap().payment(), None);
    }

    #[test]
    fn what_is_no_list_of_inserts_is_written_alone() {
        let delete = || Statement::new(DELETE, ["1".into()]);
        for alone in [
            vec![],
            vec![pay("x")],
            vec![delete()],
            [inserts(&["a"]), vec![delete()]].into_iter().flatten().collect(),
            inserts(&["a"]).into_iter().map(|insert| insert.or(StoreError::Conflict)).collect(),
            inserts(&["a", "b", "a"]),
        ] {
            assert!(Shape::of(&alone).is_none());
        }
    }

    #[test]
    fn inserts_of_all_are_done_in_an_order_that_is_that_of_each() {
        let order = |units: &[&[&str]]| {
            let units: Vec<_> = units.iter().map(|tables| inserts(tables)).collect();
            let shape = Shape::of_all(&units)?;
            Some(shape.inserts.iter().map(|insert| insert.split(' ').nth(2).unwrap()).collect::<String>())
        };
        assert_eq!(order(&[&["a", "c"], &["a", "b", "c"], &["a", "c", "d"]]).unwrap(), "abcd");
        assert_eq!(order(&[&["a"], &["a", "d"], &["a", "b", "b", "d"]]).unwrap(), "abd");
        assert_eq!(order(&[&["a", "b", "c"], &["a", "c", "b"]]), None);
    }
}
