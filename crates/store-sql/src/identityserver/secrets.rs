//! `ClientSecrets`: the hashes of secrets, and public keys, a row each.
//!
//! A row of any other type, or with a value that is none of these, is somebody else's: it is never used, and stays.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use enroll_oauth_types::{Jwks, SecretHash, Timestamp};
use enroll_store::{Client, StoredSecret};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::columns::LATEST;

/// SHA-256 of a secret, in base64 with padding.
pub(super) const SHARED_SECRET: &str = "SharedSecret";

/// A public key as JSON. RFC 7517.
pub(super) const JWK: &str = "JWK";

/// How many characters of a value fit, where the catalogue does not say.
pub(super) const LONGEST: usize = 4000;

/// A row that means something here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SecretRow {
    /// Its `Id`; 0 for one that is not there yet.
    pub(super) id: i64,
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) created_at: Timestamp,
}

impl SecretRow {
    /// A row as it was read; `None` for one of somebody else's. A key has no end here, so one that has is not used: it would
    /// go on to work after that.
    pub(super) fn read(
        id: i64,
        kind: &str,
        value: &str,
        expires_at: Option<Timestamp>,
        created_at: Timestamp,
    ) -> Option<Self> {
        let kind = match kind {
            SHARED_SECRET if hash(value).is_some() => SHARED_SECRET,
            JWK if is_object(value) && expires_at.is_none() => JWK,
            _ => return None,
        };
        Some(Self { id, kind, value: value.to_owned(), expires_at, created_at })
    }

    /// What makes one row another.
    pub(super) fn content(&self) -> (&'static str, &str, Option<Timestamp>) {
        (self.kind, &self.value, self.expires_at)
    }
}

/// The rows of this client.
pub(super) fn of(client: &Client) -> Vec<SecretRow> {
    let secrets = client.secrets.iter().map(|own| SecretRow {
        id: 0,
        kind: SHARED_SECRET,
        value: BASE64_STANDARD.encode(own.hash.as_bytes()),
        expires_at: own.expires_at.map(|end| end.min(LATEST)),
        created_at: own.issued_at.min(LATEST),
    });
    let keys = client.metadata.jwks.as_ref().map(keys).unwrap_or_default();
    let keys = keys.into_iter().map(|value| SecretRow {
        id: 0,
        kind: JWK,
        value,
        expires_at: None,
        created_at: client.updated_at.min(LATEST),
    });
    let mut rows: Vec<SecretRow> = Vec::new();
    for row in secrets.chain(keys) {
        if rows.iter().all(|other| other.content() != row.content()) {
            rows.push(row);
        }
    }
    rows
}

/// The rows that are there, changed to those that are wanted: one whose end moves stays the same row.
pub(super) fn changed(before: &[SecretRow], wanted: Vec<SecretRow>) -> Vec<SecretRow> {
    let mut wanted = wanted;
    let mut rows = Vec::with_capacity(wanted.len());
    for row in before {
        let is_same = |own: &SecretRow| (own.kind, &own.value) == (row.kind, &row.value);
        let place = wanted.iter().position(|own| own.content() == row.content());
        if let Some(place) = place.or_else(|| wanted.iter().position(is_same)) {
            let SecretRow { expires_at, .. } = wanted.remove(place);
            rows.push(SecretRow { expires_at, ..row.clone() });
        }
    }
    rows.extend(wanted);
    rows
}

/// Makes the client what the rows say.
pub(super) fn tell(client: &mut Client, rows: &[SecretRow]) {
    tell_secrets(client, rows);
    tell_keys(client, rows);
}

/// The same where they say something else than the client is.
pub(super) fn correct(client: &mut Client, rows: &[SecretRow]) {
    let own = of(client);
    if !is_same(SHARED_SECRET, &own, rows) {
        tell_secrets(client, rows);
    }
    if !is_same(JWK, &own, rows) {
        tell_keys(client, rows);
    }
}

/// A secret that it has goes on to be readable where it was.
fn tell_secrets(client: &mut Client, rows: &[SecretRow]) {
    let before = std::mem::take(&mut client.secrets);
    for row in rows.iter().filter(|row| row.kind == SHARED_SECRET) {
        let Some(hash) = hash(&row.value) else { continue };
        let sealed = before.iter().find(|own| own.hash == hash).and_then(|own| own.sealed.clone());
        let (issued_at, expires_at) = (row.created_at, row.expires_at);
        client.secrets.push(StoredSecret { hash, sealed, issued_at, expires_at });
    }
}

fn tell_keys(client: &mut Client, rows: &[SecretRow]) {
    let keys: Vec<_> = rows.iter().filter(|row| row.kind == JWK).map(|row| row.value.as_str()).collect();
    client.metadata.jwks = match keys.is_empty() {
        true => None,
        false => Jwks::from_slice(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes()),
    };
}

/// Whether both hold the same rows of this type, in whichever order.
fn is_same(kind: &str, one: &[SecretRow], other: &[SecretRow]) -> bool {
    let sorted = |rows: &[SecretRow]| {
        let rows = rows.iter().filter(|row| row.kind == kind);
        let mut rows: Vec<_> = rows.map(|row| (row.value.clone(), row.expires_at)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    };
    sorted(one) == sorted(other)
}

/// The texts of the keys, as they were sent. What is no set of objects has none.
fn keys(jwks: &Jwks) -> Vec<String> {
    #[derive(Deserialize)]
    struct Set<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let set: Option<Set<'_>> = serde_json::from_str(jwks.as_str()).ok();
    let keys = set.map(|set| set.keys).unwrap_or_default();
    keys.into_iter().map(|key| key.get().to_owned()).filter(|key| is_object(key)).collect()
}

fn hash(value: &str) -> Option<SecretHash> {
    let bytes: [u8; 32] = BASE64_STANDARD.decode(value.trim()).ok()?.try_into().ok()?;
    Some(bytes.into())
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}
