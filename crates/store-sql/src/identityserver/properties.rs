//! What has no column: rows of `ClientProperties` whose keys begin with `enroll:`, a member each, as JSON.
//!
//! They say how a client differs from the one that the columns alone would make. So what a column says stands in no property,
//! and where somebody edits a column, the property that was about it says nothing any more.

use std::collections::BTreeMap;

use enroll_oauth_types::Extensions;
use enroll_store::{Client, StoreError};
use serde_json::value::RawValue;

/// Every key of ours begins so.
const PREFIX: &str = "enroll:";

/// The key of the revision.
pub(super) const REVISION: &str = "enroll:revision";

/// How many characters of a key fit.
pub(super) const LONGEST_KEY: usize = 250;

/// How many characters of a value fit, where the catalogue does not say.
pub(super) const LONGEST: usize = 2000;

/// Says that a member is absent.
const ABSENT: &str = "null";

/// The name of the member whose value stands in a row; with the number of the part where it stands in several.
pub(super) fn name(key: &str) -> Option<(&str, u32)> {
    let name = key.strip_prefix(PREFIX).filter(|_| key != REVISION)?;
    match name.rsplit_once(':') {
        Some((name, part)) => Some((name, part.parse().ok()?)),
        None => Some((name, 0)),
    }
}

/// The rows of these members: several, with numbers, where a value is too long for one.
pub(super) fn rows(members: &[(String, String)], longest: usize) -> Vec<(String, String)> {
    let mut rows = Vec::with_capacity(members.len());
    for (name, json) in members {
        let letters: Vec<char> = json.chars().collect();
        if letters.len() <= longest {
            rows.push((format!("{PREFIX}{name}"), json.clone()));
            continue;
        }
        let parts = letters.chunks(longest.max(1)).map(|part| part.iter().collect());
        rows.extend(
            (1..).zip(parts).map(|(number, part): (u32, _)| (format!("{PREFIX}{name}:{number}"), part)),
        );
    }
    rows
}

/// The members that these rows hold, in the order of the rows.
pub(super) fn members(rows: &[(String, String)]) -> Vec<(String, String)> {
    let mut order = Vec::new();
    let mut parts: BTreeMap<&str, BTreeMap<u32, &str>> = BTreeMap::new();
    for (key, value) in rows {
        let Some((name, part)) = name(key) else { continue };
        if !parts.contains_key(name) {
            order.push(name);
        }
        parts.entry(name).or_default().insert(part, value);
    }
    order.into_iter().map(|name| (name.to_owned(), parts[name].values().copied().collect())).collect()
}

/// How `client` differs from `base`: a member each, as JSON.
pub(super) fn difference(base: &Client, client: &Client) -> Result<Vec<(String, String)>, StoreError> {
    let (base, client) = (Document::of(base)?, Document::of(client)?);
    let mut members = Vec::new();
    for (base, client) in [(&base.metadata, &client.metadata), (&base.beside, &client.beside)] {
        for name in client.names().filter(|name| base.get(name) != client.get(name)) {
            members.push((name.to_owned(), client.get(name).unwrap_or(ABSENT).to_owned()));
        }
        let gone = base.names().filter(|name| client.get(name).is_none());
        members.extend(gone.map(|name| (name.to_owned(), ABSENT.to_owned())));
    }
    Ok(members)
}

/// The client that differs so from `base`. What somebody wrote there that no client can be is left out.
pub(super) fn overlay(base: &Client, members: &[(String, String)]) -> Result<Client, StoreError> {
    let document = Document::of(base)?;
    let whole = members.iter().fold(document.clone(), Document::with);
    if let Ok(client) = whole.read(base.revision) {
        return Ok(client);
    }
    let sound = members.iter().fold(document, |document, member| {
        let with = document.clone().with(member);
        if with.read(base.revision).is_ok() { with } else { document }
    });
    sound.read(base.revision)
}

/// A client's document, taken apart: its metadata, and what stands beside.
#[derive(Clone)]
struct Document {
    metadata: Extensions,
    beside: Extensions,
}

const METADATA: &str = "metadata";

/// What the key of a row says of a client, and not what it is called.
const CLIENT_ID: &str = "client_id";

impl Document {
    fn of(client: &Client) -> Result<Self, StoreError> {
        let mut beside: Extensions =
            serde_json::from_str(&client.to_document()).map_err(StoreError::backend)?;
        let metadata = beside.get(METADATA).unwrap_or("{}");
        let metadata = serde_json::from_str(metadata).map_err(StoreError::backend)?;
        beside.retain(|name| name != METADATA);
        Ok(Self { metadata, beside })
    }

    /// The same with another value of one member. Whose client it is cannot be said so.
    fn with(mut self, (name, json): &(String, String)) -> Self {
        let is_beside = BESIDE.contains(&name.as_str());
        let part = if is_beside { &mut self.beside } else { &mut self.metadata };
        match json.as_str() {
            _ if name == CLIENT_ID => {}
            ABSENT => part.retain(|own| own != name),
            json => {
                if let Ok(json) = RawValue::from_string(json.to_owned()) {
                    part.set(name, json);
                }
            }
        }
        self
    }

    fn read(&self, revision: u64) -> Result<Client, StoreError> {
        let mut document = self.beside.clone();
        document.set(METADATA, serde_json::value::to_raw_value(&self.metadata).map_err(StoreError::backend)?);
        let document = serde_json::to_string(&document).map_err(StoreError::backend)?;
        Client::from_document(&document, revision)
    }
}

/// The parts of a document that are no metadata.
const BESIDE: [&str; 9] = [
    "issued_at",
    "updated_at",
    "enabled",
    "registered_by",
    "extensions",
    "secrets",
    "registration_access_token",
    "superseded_tokens",
    "used_assertions",
];
