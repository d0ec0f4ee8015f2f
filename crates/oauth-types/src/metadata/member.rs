//! How a member of each JSON type is read and written.

use schemars::JsonSchema;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::strict_json::Name;
use crate::{
    AccessTokenType, Algorithm, ApplicationType, AuthMethod, ErrorCode, GrantType, Jwks, RedirectUri,
    RefreshTokenExpiration, RefreshTokenUsage, Rejection, ResponseType, Scope, Seconds, SubjectType, Uri,
};

/// Where in the body a value stands.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) member: &'a str,
    pub(super) index: Option<usize>,
}

impl At<'_> {
    pub(super) fn refuse(self, problem: impl Into<String>) -> Rejection {
        let mut rejection = Rejection::metadata(self.member.to_owned(), problem.into());
        if self.member == "redirect_uris" {
            rejection.code = ErrorCode::InvalidRedirectUri;
        }
        match self.index {
            Some(index) => rejection.at(index),
            None => rejection,
        }
    }

    fn refuse_type(self, expected: &str, json: &RawValue) -> Rejection {
        self.refuse(format!("must be {expected}, not {}", kind(json)))
    }
}

/// A value that a member can have.
pub(super) trait Member: Clone + Sized + Serialize + JsonSchema {
    /// Whether the member may carry this language tag: `name#tag`.
    fn fits(tag: Option<&str>) -> bool {
        tag.is_none()
    }

    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection>;

    fn read_into(
        slot: &mut Option<Self>,
        _tag: Option<&str>,
        json: &RawValue,
        at: At<'_>,
    ) -> Result<(), Rejection> {
        *slot = Some(Self::read(json, at)?);
        Ok(())
    }

    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, self)
    }

    fn overlay(self, slot: &mut Option<Self>) {
        *slot = Some(self);
    }
}

/// A member that stands as a string.
pub(super) trait Text: for<'a> From<&'a str> + Clone + Serialize + JsonSchema {}

impl Text for String {}
impl Text for Uri {}
impl Text for RedirectUri {}
impl Text for Scope {}
impl Text for Algorithm {}
impl Text for GrantType {}
impl Text for ResponseType {}
impl Text for AuthMethod {}
impl Text for ApplicationType {}
impl Text for SubjectType {}
impl Text for AccessTokenType {}
impl Text for RefreshTokenUsage {}
impl Text for RefreshTokenExpiration {}

impl<T: Text> Member for T {
    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        if !json.get().starts_with('"') {
            return Err(at.refuse_type("a string", json));
        }
        let text: Name<'_> = decode(json, at)?;
        Ok(T::from(&text.0))
    }
}

impl<T: Text> Member for Vec<T> {
    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        if !json.get().starts_with('[') {
            return Err(at.refuse_type("an array of strings", json));
        }
        let items: Vec<&RawValue> = decode(json, at)?;
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let at = At { index: Some(index), ..at };
                if item.get() == "\"\"" {
                    return Err(at.refuse("must not be empty"));
                }
                T::read(item, at)
            })
            .collect()
    }
}

impl Member for bool {
    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        match json.get() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(at.refuse_type("true or false", json)),
        }
    }
}

impl Member for Seconds {
    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        let seconds = json.get().parse().ok().filter(|_| !json.get().starts_with('+')).and_then(Self::new);
        seconds.ok_or_else(|| {
            at.refuse(format!(
                "must be a whole number of seconds from 0 to {}, written without quotes or a point",
                Self::MAX
            ))
        })
    }
}

impl Member for Jwks {
    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        match kind(json) {
            "an object" => Ok(Self::from_raw(json)),
            _ => Err(at.refuse_type("a JWK Set, which is an object with `keys`", json)),
        }
    }
}

/// A JSON object that is kept as it was sent.
#[derive(Clone, Debug)]
pub struct JsonObject(Box<RawValue>);

impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

described!(JsonObject, { "type": "object" });

impl Member for JsonObject {
    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        match kind(json) {
            "an object" => Ok(Self(json.to_owned())),
            _ => Err(at.refuse_type("an object", json)),
        }
    }
}

fn decode<'a, T: serde::Deserialize<'a>>(json: &'a RawValue, at: At<'_>) -> Result<T, Rejection> {
    serde_json::from_str(json.get()).map_err(|error| at.refuse(format!("is not valid JSON: {error}")))
}

/// What a JSON text is, with its article.
fn kind(json: &RawValue) -> &'static str {
    match json.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}
