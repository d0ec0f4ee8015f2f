//! What is written for a client: a unit of statements, all or none.

use enroll_oauth_types::Timestamp;
use enroll_store::{Client, StoreError};

use super::catalogue::{CLIENTS, Catalogue, PROPERTIES, SECRETS};
use super::children::CHILDREN;
use super::columns::{COLUMNS, Column, Held, Kind};
use super::rows::Rows;
use super::secrets::SecretRow;
use super::{moments, properties};
use crate::database::{Statement, Value};

/// Every identifier that was ever given here, so that one unique index keeps it from being given again.
const GIVE: &str = "INSERT INTO enroll_client_ids (client_id) VALUES (?)";
const BURY: &str = "UPDATE enroll_client_ids SET deleted_at = ? WHERE client_id = ?";

/// The tables of one client, without `Clients` itself.
fn tables() -> impl Iterator<Item = &'static str> {
    CHILDREN.iter().map(|child| child.table).chain([SECRETS, PROPERTIES, "ClientClaims"])
}

/// Composes statements for one database.
pub(super) struct Writing<'a>(pub(super) &'a Catalogue);

impl Writing<'_> {
    /// Writes a new client: nothing but inserts, table after table, so that those of many clients can be done together.
    pub(super) fn insert(&self, client: &Client, rows: &Rows) -> Vec<Statement> {
        let mut unit = vec![Statement::new(GIVE, [rows.client_id.as_str().into()])];
        let columns: Vec<_> = COLUMNS.iter().filter(|column| self.0.has(column)).collect();
        let mut names = vec![self.quoted("ClientId")];
        names.extend(columns.iter().map(|column| self.quoted(column.name)));
        let mut places = vec!["?"];
        places.extend(columns.iter().map(|column| self.place(column)));
        let mut values = vec![Value::from(rows.client_id.as_str())];
        values.extend(columns.iter().map(|column| value(column.of_new(client))));
        unit.push(Statement::new(self.insertion(CLIENTS, &names, &places), values));
        let owner = Owner::Named(&rows.client_id);
        for (child, values) in CHILDREN.iter().zip(&rows.children) {
            for value in values {
                unit.push(self.add(
                    child.table,
                    &[(child.column, Kind::Text, value.as_str().into())],
                    &owner,
                ));
            }
        }
        unit.extend(rows.secrets.iter().map(|row| self.add_secret(row, &owner)));
        let revision = (properties::REVISION.to_owned(), rows.revision.clone().unwrap_or_default());
        unit.extend(
            [revision].iter().chain(&rows.properties).map(|property| self.add_property(property, &owner)),
        );
        unit
    }

    /// Makes the rows `before`, which make the client `current`, those `after`. What no member is behind, and what is the same,
    /// is not written.
    pub(super) fn replace(
        &self,
        before: &Rows,
        after: &Rows,
        current: &Client,
        client: &Client,
    ) -> Vec<Statement> {
        let owner = Owner::Known(before.id);
        let mut unit = vec![self.update(before, current, client), self.count(before, after)];
        let id = before.id;
        for ((child, before), after) in CHILDREN.iter().zip(&before.children).zip(&after.children) {
            let gone = before.iter().filter(|value| !after.contains(value));
            unit.extend(gone.map(|value| self.remove(child.table, child.column, value, id)));
            let new = after.iter().filter(|value| !before.contains(value));
            unit.extend(new.map(|value| {
                self.add(child.table, &[(child.column, Kind::Text, value.as_str().into())], &owner)
            }));
        }
        let is_gone = |row: &&SecretRow| after.secrets.iter().all(|own| own.id != row.id);
        unit.extend(before.secrets.iter().filter(is_gone).map(|row| self.remove_row(SECRETS, row.id)));
        for row in &after.secrets {
            match before.secrets.iter().find(|own| own.id == row.id) {
                None => unit.push(self.add_secret(row, &owner)),
                Some(own) if own.expires_at != row.expires_at => unit.push(self.end_secret(row)),
                Some(_) => {}
            }
        }
        if before.properties != after.properties {
            unit.extend(before.properties.iter().map(|(key, _)| self.remove(PROPERTIES, "Key", key, id)));
            unit.extend(after.properties.iter().map(|property| self.add_property(property, &owner)));
        }
        unit
    }

    /// Deletes a client and buries its identifier. What locks its row touches nothing when it is gone already.
    pub(super) fn delete(&self, rows: &Rows, now: Timestamp) -> Vec<Statement> {
        let mut unit = vec![
            self.give_late(&rows.client_id),
            Statement::new(BURY, [now.seconds().into(), rows.client_id.as_str().into()]),
        ];
        // First the client, as a replacement does, lest each wait for the other.
        let (id, clients) = (self.quoted("Id"), self.quoted(CLIENTS));
        let named = self.quoted("ClientId");
        let lock = format!("UPDATE {clients} SET {named} = {named} WHERE {id} = ?");
        unit.push(Statement::new(lock, [integer(rows.id)]).or(StoreError::Conflict));
        for table in tables() {
            let sql = format!("DELETE FROM {} WHERE {} = ?", self.quoted(table), self.quoted("ClientId"));
            unit.push(Statement::new(sql, [integer(rows.id)]));
        }
        unit.push(self.remove_row(CLIENTS, rows.id).or(StoreError::Conflict));
        unit
    }

    /// The same, only where nobody has changed the client since it was read. `after` is what counts its revision up.
    pub(super) fn retire(
        &self,
        before: &Rows,
        after: &Rows,
        current: &Client,
        now: Timestamp,
    ) -> Vec<Statement> {
        let mut unit = vec![self.update(before, current, current), self.count(before, after)];
        unit.extend(self.delete(before, now));
        unit
    }

    /// The identifier of a client of somebody else's, which was never given here.
    fn give_late(&self, id: &str) -> Statement {
        let sql = format!(
            "INSERT INTO enroll_client_ids (client_id) SELECT own.id FROM (SELECT {} AS id) own \
             WHERE NOT EXISTS (SELECT 1 FROM enroll_client_ids given WHERE given.client_id = ?)",
            self.0.engine.text("?"),
        );
        Statement::new(sql, [id.into(), id.into()])
    }

    /// Only where nobody has changed the row since it was read.
    fn update(&self, before: &Rows, current: &Client, client: &Client) -> Statement {
        let is_changed = |column: &&Column| column.of(client) != column.of(current);
        let changed = COLUMNS.iter().filter(|column| self.0.has(column)).filter(is_changed);
        let mut sets = vec![format!("{0} = {0}", self.quoted("ClientId"))];
        let mut values = Vec::new();
        for column in changed {
            sets.push(format!("{} = {}", self.quoted(column.name), self.place(column)));
            values.push(value(column.of(client).unwrap_or(Held::Nothing)));
        }
        let mut conditions = vec![format!("{} = ?", self.quoted("Id"))];
        values.push(integer(before.id));
        for (name, read) in ["Updated", "Enabled"].into_iter().zip(&before.guard) {
            let kind = if name == "Updated" { Kind::Moment } else { Kind::Flag };
            let column = self.0.engine.read(&self.quoted(name), kind, self.0.type_of(CLIENTS, name));
            match read {
                None => conditions.push(format!("{column} IS NULL")),
                Some(read) => {
                    conditions.push(format!("{column} = ?"));
                    values.push(read.as_str().into());
                }
            }
        }
        let (table, sets) = (self.quoted(CLIENTS), sets.join(", "));
        let sql = format!("UPDATE {table} SET {sets} WHERE {}", conditions.join(" AND "));
        Statement::new(sql, values).or(StoreError::Conflict)
    }

    /// Counts the revision, from the one that was read.
    fn count(&self, before: &Rows, after: &Rows) -> Statement {
        let (table, owner) = (self.quoted(PROPERTIES), self.quoted("ClientId"));
        let (key, held) = (self.quoted("Key"), self.quoted("Value"));
        let next = Value::from(after.revision.as_deref());
        let statement = match &before.revision {
            Some(revision) => Statement::new(
                format!("UPDATE {table} SET {held} = ? WHERE {owner} = ? AND {key} = ? AND {held} = ?"),
                [next, integer(before.id), properties::REVISION.into(), revision.as_str().into()],
            ),
            None => Statement::new(
                format!(
                    "INSERT INTO {table} ({owner}, {key}, {held}) SELECT own.{}, {text}, {text} FROM {} own \
                     WHERE own.{} = ? AND NOT EXISTS (SELECT 1 FROM {table} other WHERE other.{owner} = own.{} \
                     AND other.{key} = ?)",
                    self.quoted("Id"),
                    self.quoted(CLIENTS),
                    self.quoted("Id"),
                    self.quoted("Id"),
                    text = self.0.engine.placeholder(Kind::Text, ""),
                ),
                [properties::REVISION.into(), next, integer(before.id), properties::REVISION.into()],
            ),
        };
        statement.or(StoreError::Conflict)
    }

    fn add_secret(&self, row: &SecretRow, owner: &Owner<'_>) -> Statement {
        let end = row.expires_at.map(moments::to_text);
        let values = [
            ("Type", Kind::Text, row.kind.into()),
            ("Value", Kind::Text, row.value.as_str().into()),
            ("Expiration", Kind::Moment, end.into()),
            ("Created", Kind::Moment, moments::to_text(row.created_at).into()),
        ];
        self.add(SECRETS, &values, owner)
    }

    fn end_secret(&self, row: &SecretRow) -> Statement {
        let place = self.0.engine.placeholder(Kind::Moment, self.0.type_of(SECRETS, "Expiration"));
        let (end, id) = (self.quoted("Expiration"), self.quoted("Id"));
        let sql = format!("UPDATE {} SET {end} = {place} WHERE {id} = ?", self.quoted(SECRETS));
        Statement::new(sql, [row.expires_at.map(moments::to_text).into(), integer(row.id)])
    }

    fn add_property(&self, (key, value): &(String, String), owner: &Owner<'_>) -> Statement {
        let values = [("Key", Kind::Text, key.as_str().into()), ("Value", Kind::Text, value.as_str().into())];
        self.add(PROPERTIES, &values, owner)
    }

    /// One more row of a client. Where the client is not there, the engine refuses the row, since nobody would own it.
    fn add(&self, table: &str, values: &[(&str, Kind, Value)], owner: &Owner<'_>) -> Statement {
        let mut names = vec![self.quoted("ClientId")];
        names.extend(values.iter().map(|(name, ..)| self.quoted(name)));
        let (column, id) = owner.found_by();
        let (own, clients, found_by) = (self.quoted("Id"), self.quoted(CLIENTS), self.quoted(column));
        let mut places = vec![format!("(SELECT {own} FROM {clients} WHERE {found_by} = ?)")];
        places.extend(
            values.iter().map(|(name, kind, _)| {
                self.0.engine.placeholder(*kind, self.0.type_of(table, name)).to_owned()
            }),
        );
        let values = std::iter::once(id).chain(values.iter().map(|(.., value)| value.clone()));
        Statement::new(self.insertion(table, &names, &places), values.collect::<Vec<_>>())
    }

    fn insertion(&self, table: &str, names: &[String], places: &[impl AsRef<str>]) -> String {
        let places: Vec<_> = places.iter().map(AsRef::as_ref).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.quoted(table), names.join(", "), places.join(", "))
    }

    fn remove(&self, table: &str, column: &str, value: &str, client: i64) -> Statement {
        let (whose, held) = (self.quoted("ClientId"), self.0.engine.bytewise(&self.quoted(column)));
        let value_held = self.0.engine.bytewise("?");
        let sql = format!("DELETE FROM {} WHERE {whose} = ? AND {held} = {value_held}", self.quoted(table));
        Statement::new(sql, [integer(client), value.into()])
    }

    fn remove_row(&self, table: &str, id: i64) -> Statement {
        Statement::new(
            format!("DELETE FROM {} WHERE {} = ?", self.quoted(table), self.quoted("Id")),
            [integer(id)],
        )
    }

    fn place(&self, column: &Column) -> &'static str {
        self.0.engine.placeholder(column.kind, self.0.type_of(CLIENTS, column.name))
    }

    fn quoted(&self, name: &str) -> String {
        self.0.engine.quoted(name)
    }
}

/// Whose row a new one is.
enum Owner<'a> {
    /// Somebody new, whose `Id` the engine makes.
    Named(&'a str),
    Known(i64),
}

impl Owner<'_> {
    /// The column of `Clients` that finds it, and its value there.
    fn found_by(&self) -> (&'static str, Value) {
        match self {
            Self::Named(id) => ("ClientId", (*id).into()),
            Self::Known(id) => ("Id", integer(*id)),
        }
    }
}

fn integer(number: i64) -> Value {
    Value::Integer(number)
}

fn value(held: Held) -> Value {
    match held {
        Held::Nothing => Value::Null,
        Held::Flag(on) => on.into(),
        Held::Number(number) => Value::Integer(number),
        Held::Text(text) => text.into(),
        Held::Moment(moment) => moments::to_text(moment).into(),
    }
}
