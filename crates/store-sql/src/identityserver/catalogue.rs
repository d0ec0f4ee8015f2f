//! Which tables and columns a database has: versions of the schema differ, and operators change it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use enroll_oauth_types::Rejection;
use enroll_store::StoreError;

use super::children::CHILDREN;
use super::columns::{COLUMNS, Column, Held};
use super::rows::Rows;
use super::secrets::{JWK, SecretRow};
use super::{LONGEST_ID, properties, secrets};
use crate::database::{Engine, Row};

/// What the catalogue says of a column.
pub(super) struct Found {
    /// In small letters.
    pub(super) type_name: String,
    /// Whether a row without a value for it is refused.
    needs_value: bool,
    /// How many characters fit, where its type says so.
    longest: Option<usize>,
    /// Whether a letter is equal to its capital.
    is_loose: bool,
}

/// The tables of clients, as they are in one database.
pub(super) struct Catalogue {
    pub(super) engine: Engine,
    columns: BTreeMap<(String, String), Found>,
}

pub(super) const CLIENTS: &str = "Clients";
pub(super) const SECRETS: &str = "ClientSecrets";
pub(super) const PROPERTIES: &str = "ClientProperties";

/// The columns of the tables that hold more than one value a row. Claims are deleted with their client, and otherwise left alone.
const OTHERS: [(&str, &[&str]); 3] = [
    (SECRETS, &["Description", "Value", "Expiration", "Type", "Created"]),
    (PROPERTIES, &["Key", "Value"]),
    ("ClientClaims", &["Type", "Value"]),
];

impl Catalogue {
    /// Reads what [`Engine::catalogue`] gave.
    pub(super) fn read(engine: Engine, rows: Vec<Row>) -> Result<Self, StoreError> {
        let mut columns = BTreeMap::new();
        for mut row in rows {
            let place = (row.text()?, row.text()?);
            let type_name = row.text()?;
            let needs_value = row.text()? == "1";
            let longest = row.optional_text()?.and_then(|number| number.parse().ok());
            let is_loose =
                row.optional_text()?.is_some_and(|name| !name.ends_with("_bin") && !name.contains("_cs"));
            columns.insert(place, Found { type_name, needs_value, longest, is_loose });
        }
        Ok(Self { engine, columns })
    }

    /// What keeps a database from being used, in words for its operator.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_missing = |(table, column): &(&str, &str)| self.found(table, column).is_none();
        let missing: Vec<_> =
            needed().filter(is_missing).map(|(table, column)| format!("{table}.{column}")).collect();
        if !missing.is_empty() {
            return Err(format!("its tables lack {}", missing.join(", ")));
        }
        let known: Vec<_> = known().collect();
        let is_strange = |((table, column), found): &(&(String, String), &Found)| {
            found.needs_value
                && known.iter().any(|(own, _)| own == table)
                && !known.contains(&(table.as_str(), column.as_str()))
        };
        let strange = self.columns.iter().filter(is_strange);
        let strange: Vec<_> = strange.map(|((table, column), _)| format!("{table}.{column}")).collect();
        match strange.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "its tables have columns that need a value and that this version does not know: {}",
                strange.join(", ")
            )),
        }
    }

    /// Every table with its columns.
    #[cfg(test)]
    pub(super) fn tables(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut tables = BTreeMap::<&str, Vec<&str>>::new();
        for (table, column) in self.columns.keys() {
            tables.entry(table).or_default().push(column);
        }
        tables
    }

    pub(super) fn found(&self, table: &str, column: &str) -> Option<&Found> {
        self.columns.get(&(table.to_owned(), column.to_owned()))
    }

    /// Whether the database has this column of `Clients`.
    pub(super) fn has(&self, column: &Column) -> bool {
        self.found(CLIENTS, column.name).is_some()
    }

    pub(super) fn type_of(&self, table: &str, column: &str) -> &str {
        self.found(table, column).map_or("", |found| found.type_name.as_str())
    }

    fn longest(&self, table: &str, column: &str, otherwise: usize) -> usize {
        self.found(table, column).and_then(|found| found.longest).unwrap_or(otherwise)
    }

    /// How many characters of a property's value fit.
    pub(super) fn longest_property(&self) -> usize {
        self.longest(PROPERTIES, "Value", properties::LONGEST)
    }

    /// Refuses what does not fit, naming the member: nothing is ever cut. What is there already has its place.
    pub(super) fn check_values(&self, rows: &Rows, before: &Rows) -> Result<(), StoreError> {
        if rows.client_id != before.client_id {
            fits("client_id", &rows.client_id, self.longest(CLIENTS, "ClientId", LONGEST_ID), None)?;
        }
        for entry in rows.columns.iter().filter(|entry| !before.columns.contains(entry)) {
            if let ((column, Held::Text(text)), Some(longest)) = (entry, entry.0.longest) {
                fits(column.member, text, self.longest(CLIENTS, column.name, longest), None)?;
            }
        }
        for (number, (child, values)) in CHILDREN.iter().zip(&rows.children).enumerate() {
            let there = before.children.get(number).map_or(&[][..], Vec::as_slice);
            let longest = self.longest(child.table, child.column, child.longest);
            let is_loose = self.found(child.table, child.column).is_some_and(|found| found.is_loose);
            for (index, value) in values.iter().enumerate().filter(|(_, value)| !there.contains(value)) {
                let index = Some(index).filter(|_| child.member != "scope");
                fits(child.member, value, longest, index)?;
                if is_loose && values.iter().filter(|other| folded(other) == folded(value)).count() > 1 {
                    let problem = "must differ from the others in more than letter case: the database takes them for equal";
                    return Err(refusal(child.member, problem, index));
                }
            }
        }
        let longest = self.longest(SECRETS, "Value", secrets::LONGEST);
        let is_there = |row: &SecretRow| before.secrets.iter().any(|own| own.content() == row.content());
        let keys = rows.secrets.iter().filter(|row| row.kind == JWK).enumerate();
        for (index, key) in keys.filter(|(_, row)| !is_there(row)) {
            fits("jwks.keys", &key.value, longest, Some(index))?;
        }
        let longest = self.longest(PROPERTIES, "Key", properties::LONGEST_KEY);
        for (key, _) in &rows.properties {
            let name = properties::name(key).map_or("", |(name, _)| name);
            if key.chars().count() > longest {
                let problem = format!("has too long a name: at most {longest} characters fit");
                return Err(StoreError::Refused(Rejection::metadata(name.to_owned(), problem)));
            }
        }
        Ok(())
    }
}

fn fits(member: &'static str, value: &str, longest: usize, index: Option<usize>) -> Result<(), StoreError> {
    let length = value.chars().count();
    if length > longest {
        let problem = format!(
            "must have at most {longest} characters, which is what the database holds; it has {length}"
        );
        return Err(refusal(member, problem, index));
    }
    match value.contains('\0') {
        true => Err(refusal(member, "must not contain U+0000", index)),
        false => Ok(()),
    }
}

fn refusal(member: &'static str, problem: impl Into<Cow<'static, str>>, index: Option<usize>) -> StoreError {
    let rejection = Rejection::metadata(member, problem);
    StoreError::Refused(index.into_iter().fold(rejection, Rejection::at))
}

/// A text as a loose comparison sees it.
fn folded(text: &str) -> String {
    text.trim_end().to_lowercase()
}

/// The columns that every version has.
fn needed() -> impl Iterator<Item = (&'static str, &'static str)> {
    let old = COLUMNS.iter().filter(|column| column.is_old).map(|column| (CLIENTS, column.name));
    keys().chain(old).chain(beside())
}

/// The columns that some version has.
fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    keys().chain(COLUMNS.iter().map(|column| (CLIENTS, column.name))).chain(beside())
}

/// What finds a row, in each table.
fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    let children = CHILDREN.iter().map(|child| child.table).chain(OTHERS.map(|(table, _)| table));
    [CLIENTS].into_iter().chain(children).flat_map(|table| [(table, "Id"), (table, "ClientId")])
}

fn beside() -> impl Iterator<Item = (&'static str, &'static str)> {
    let others =
        OTHERS.into_iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, *column)));
    CHILDREN.iter().map(|child| (child.table, child.column)).chain(others)
}
