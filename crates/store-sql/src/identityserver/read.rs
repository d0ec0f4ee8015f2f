//! One statement that reads clients whole. Several could see one client before a change and its redirect URIs after it.

use std::collections::BTreeMap;

use enroll_store::StoreError;

use super::catalogue::{CLIENTS, Catalogue, PROPERTIES, SECRETS};
use super::children::CHILDREN;
use super::columns::{COLUMNS, Column, Held, Kind};
use super::rows::Rows;
use super::secrets::SecretRow;
use super::{moments, properties};
use crate::database::{Engine, Row, Value};

/// Whose rows are read.
#[derive(Clone, Copy)]
enum Selection {
    /// That of one identifier.
    One,
    /// Those whose identifiers come after one, a few.
    Page,
}

/// The statements that read, composed once.
pub(super) struct Reading {
    one: String,
    page: String,
    /// The columns that are read, in their order.
    columns: Vec<&'static Column>,
}

/// The column that says whether browsers may carry access tokens. It follows from other members, but not the other way round.
const BY_BROWSER: &str = "AllowAccessTokensViaBrowser";

/// Columns beside those of [`COLUMNS`]: the identifier, and [`BY_BROWSER`].
const BESIDE: usize = 2;

impl Reading {
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let columns: Vec<_> =
            COLUMNS.iter().filter(|column| column.is_read() && catalogue.has(column)).collect();
        let compose = |selection| statement(catalogue, &columns, selection);
        Self { one: compose(Selection::One), page: compose(Selection::Page), columns }
    }

    /// The statement for one client, and its values.
    pub(super) fn one(&self, id: &str) -> (String, Vec<Value>) {
        (self.one.clone(), vec![id.into(); PARTS])
    }

    /// The statement for at most `limit` clients that come after one, and its values.
    pub(super) fn page(&self, after: &str, limit: u32) -> (String, Vec<Value>) {
        let values: [Value; 2] = [after.into(), limit.into()];
        (self.page.clone(), values.iter().cycle().take(2 * PARTS).cloned().collect())
    }

    /// What the statement gave, by identifier.
    pub(super) fn clients(&self, rows: Vec<Row>) -> Result<Vec<Rows>, StoreError> {
        let mut rows: Vec<Found> = rows.into_iter().map(Found::read).collect::<Result<_, _>>()?;
        rows.sort_by_key(|row| (row.table, row.id));
        let mut clients = BTreeMap::<i64, Rows>::new();
        for row in rows {
            let client = clients
                .entry(row.client)
                .or_insert_with(|| Rows { children: vec![Vec::new(); CHILDREN.len()], ..Rows::default() });
            self.take(client, row)?;
        }
        // One whose rows came without itself is gone.
        let mut clients: Vec<_> = clients.into_values().filter(|rows| !rows.client_id.is_empty()).collect();
        clients.sort_by(|one, other| one.client_id.cmp(&other.client_id));
        Ok(clients)
    }

    fn take(&self, client: &mut Rows, mut row: Found) -> Result<(), StoreError> {
        match row.table {
            0 => {
                client.id = row.id;
                client.client_id = row.row.optional_text()?.unwrap_or_default();
                client.tokens_by_browser = flag(row.row.optional_text()?.as_deref()) == Some(true);
                for column in &self.columns {
                    let text = row.row.optional_text()?;
                    match column.name {
                        "Updated" => client.guard[0].clone_from(&text),
                        "Enabled" => client.guard[1].clone_from(&text),
                        _ => {}
                    }
                    client.columns.push((column, held(column.kind, text)));
                }
            }
            SECRET => {
                let (kind, value) = (row.row.optional_text()?, row.row.optional_text()?);
                let (end, created) = (row.row.optional_text()?, row.row.optional_text()?);
                // An end that nobody can read has come.
                let end = end.map(|text| moments::from_text(&text).unwrap_or_default());
                let created = created.and_then(|text| moments::from_text(&text)).unwrap_or_default();
                let (kind, value) = (kind.unwrap_or_default(), value.unwrap_or_default());
                client.secrets.extend(SecretRow::read(row.id, &kind, &value, end, created));
            }
            PROPERTY => {
                let key = row.row.optional_text()?.unwrap_or_default();
                let value = row.row.optional_text()?.unwrap_or_default();
                if key == properties::REVISION {
                    client.revision = Some(value);
                } else if properties::name(&key).is_some() {
                    client.properties.push((key, value));
                }
            }
            child => {
                if let (Some(child), Some(rows)) =
                    (CHILDREN.get(child - 1), client.children.get_mut(child - 1))
                {
                    rows.extend(row.row.optional_text()?.filter(|row| child.reads(row)));
                }
            }
        }
        Ok(())
    }
}

/// The tables in their order: `Clients`, those of one value a row, secrets, properties.
const SECRET: usize = CHILDREN_COUNT + 1;
const PROPERTY: usize = CHILDREN_COUNT + 2;
const PARTS: usize = CHILDREN_COUNT + 3;
const CHILDREN_COUNT: usize = 6;

/// A row of any of the tables.
struct Found {
    table: usize,
    /// The `Id` of the client.
    client: i64,
    /// Its own `Id`.
    id: i64,
    row: Row,
}

impl Found {
    fn read(mut row: Row) -> Result<Self, StoreError> {
        let mut number = || {
            let text = row.text()?;
            text.parse::<i64>().map_err(StoreError::backend)
        };
        let (table, client, id) = (number()?, number()?, number()?);
        Ok(Self { table: usize::try_from(table).map_err(StoreError::backend)?, client, id, row })
    }
}

/// What a column of this kind holds. A text without a letter says nothing.
fn held(kind: Kind, text: Option<String>) -> Held {
    let Some(text) = text else { return Held::Nothing };
    match kind {
        Kind::Flag => flag(Some(&text)).map_or(Held::Nothing, Held::Flag),
        Kind::Number => text.parse().map_or(Held::Nothing, Held::Number),
        Kind::Moment => moments::from_text(&text).map_or(Held::Nothing, Held::Moment),
        Kind::Text if text.is_empty() => Held::Nothing,
        Kind::Text | Kind::Span => Held::Text(text),
    }
}

fn flag(text: Option<&str>) -> Option<bool> {
    match text? {
        "true" | "t" => Some(true),
        "false" | "f" => Some(false),
        number => number.parse::<i64>().ok().map(|number| number != 0),
    }
}

/// All as text, since the parts of a union have one type.
fn statement(catalogue: &Catalogue, columns: &[&Column], selection: Selection) -> String {
    let engine = catalogue.engine;
    let width = columns.len() + BESIDE;
    let own = |name: &str| format!("own.{}", engine.quoted(name));
    let read = |table: &str, name: &str, kind| engine.read(&own(name), kind, catalogue.type_of(table, name));
    let text = |table: &str, name: &str| read(table, name, Kind::Text);
    let part = |number: usize, table: &str, key: &str, mut values: Vec<String>| {
        values.resize(width, "NULL".to_owned());
        format!(
            "SELECT {} AS part, {} AS client, {} AS id, {} FROM {} own WHERE {} IN ({})",
            engine.text(&number.to_string()),
            engine.text(&own(key)),
            engine.text(&own("Id")),
            values.join(", "),
            engine.quoted(table),
            own(key),
            selected(engine, selection),
        )
    };
    let mut of_client = vec![text(CLIENTS, "ClientId"), read(CLIENTS, BY_BROWSER, Kind::Flag)];
    of_client.extend(columns.iter().map(|column| read(CLIENTS, column.name, column.kind)));
    let mut parts = vec![part(0, CLIENTS, "Id", of_client)];
    for (number, child) in (1..).zip(CHILDREN) {
        parts.push(part(number, child.table, "ClientId", vec![text(child.table, child.column)]));
    }
    let of_secret = vec![
        text(SECRETS, "Type"),
        text(SECRETS, "Value"),
        read(SECRETS, "Expiration", Kind::Moment),
        read(SECRETS, "Created", Kind::Moment),
    ];
    parts.push(part(SECRET, SECRETS, "ClientId", of_secret));
    let of_property = vec![text(PROPERTIES, "Key"), text(PROPERTIES, "Value")];
    parts.push(part(PROPERTY, PROPERTIES, "ClientId", of_property));
    parts.join(" UNION ALL ")
}

/// The `Id` of whoever is selected. Clients of another protocol are not ours to serve.
fn selected(engine: Engine, selection: Selection) -> String {
    let (clients, id) = (engine.quoted(CLIENTS), engine.quoted("Id"));
    let protocol = format!("{} = 'oidc'", engine.quoted("ProtocolType"));
    let client_id = engine.quoted("ClientId");
    let bytes = engine.bytewise(&client_id);
    match selection {
        Selection::One => format!("SELECT {id} FROM {clients} WHERE {client_id} = ? AND {protocol}"),
        // In a table of its own, since one of the engines takes no limit here otherwise.
        Selection::Page => format!(
            "SELECT page.{id} FROM (SELECT {id} FROM {clients} WHERE {bytes} > ? AND {protocol} \
             ORDER BY {bytes} LIMIT ?) page"
        ),
    }
}
