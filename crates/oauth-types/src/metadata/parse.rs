//! From the body of a request to [`ClientMetadata`]. RFC 7591 §3.1, RFC 8259 §4.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::member::At;
use super::strict_json::{self, Name};
use crate::{ClientMetadata, Rejection};

/// The members that only the server gives. In a request they mean nothing, and an answer that held an `error` of the
/// client's own would be taken for one.
const ASSIGNED: [&str; 8] = [
    "client_id",
    "client_secret",
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
    "error",
    "error_description",
];

pub(super) const MOST_MEMBERS: usize = 200;
pub(super) const MOST_REDIRECT_URIS: usize = 100;
const MOST_LANGUAGE_TAGS: usize = 50;
pub(super) const LONGEST_STRING: usize = 8 * 1024;

/// How rough a request may be. The default takes what real clients send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadingRules {
    /// Refuse `null` and `""` instead of taking them for absent.
    pub refuse_empty: bool,
    /// Refuse a malformed language tag instead of taking the member for an unknown one. BCP 47 §2.1.
    pub refuse_malformed_language_tags: bool,
    /// Refuse a declaration ([`ClientMetadata::DECLARATIONS`]) of the wrong type instead of ignoring it.
    pub refuse_ill_typed_declarations: bool,
}

impl ReadingRules {
    /// Nothing is mended.
    pub fn strict() -> Self {
        Self { refuse_empty: true, refuse_malformed_language_tags: true, refuse_ill_typed_declarations: true }
    }
}

impl ClientMetadata {
    /// The largest body, in bytes.
    pub const LARGEST_BODY: usize = 64 * 1024;

    /// Reads the body of a registration request: at most 64 KiB, one JSON object, no member twice at any depth, at most
    /// 200 members, 16 levels, 100 redirect URIs, 50 language tags, and strings of 8 KiB (`jwks` and
    /// `software_statement` excepted).
    ///
    /// Members of an unknown name go to `extensions`; those that only the server gives (`client_id` and so on) are
    /// ignored. A refusal names the member.
    pub fn parse(body: &[u8], rules: &ReadingRules) -> Result<Self, Rejection> {
        Self::parse_with(body, rules, |_, _| Ok(()))
    }

    /// The same, showing each member that only the server gives to `assigned`.
    pub(super) fn parse_with(
        body: &[u8],
        rules: &ReadingRules,
        mut assigned: impl FnMut(&str, &RawValue) -> Result<(), Rejection>,
    ) -> Result<Self, Rejection> {
        if body.len() > Self::LARGEST_BODY {
            return Err(Rejection::metadata("", "the body is larger than 64 KiB"));
        }
        let mut metadata = Self::default();
        let mut tags = 0;
        for (name, json) in members(body)? {
            judge(&name, json)?;
            if ASSIGNED.contains(&name.as_ref()) {
                assigned(&name, json)?;
                continue;
            }
            if matches!(json.get(), "null" | "\"\"") {
                if rules.refuse_empty {
                    return Err(at(&name).refuse("is empty; leave it out instead"));
                }
                continue;
            }
            tags += usize::from(metadata.take(&name, json, rules)?);
        }
        if tags > MOST_LANGUAGE_TAGS {
            return Err(Rejection::metadata(
                "",
                format!("more than {MOST_LANGUAGE_TAGS} members with a language tag"),
            ));
        }
        if metadata.redirect_uris.as_ref().is_some_and(|uris| uris.len() > MOST_REDIRECT_URIS) {
            return Err(Rejection::redirect_uri(format!("more than {MOST_REDIRECT_URIS} items")));
        }
        Ok(metadata)
    }

    /// Takes one member in; `true` when it carries a language tag.
    fn take(&mut self, name: &str, json: &RawValue, rules: &ReadingRules) -> Result<bool, Rejection> {
        let (base, tag) = name.split_once('#').map_or((name, None), |(base, tag)| (base, Some(tag)));
        match self.read_member(base, tag, json, at(name)) {
            Ok(true) => return Ok(tag.is_some()),
            Ok(false)
                if tag.is_some() && rules.refuse_malformed_language_tags && Self::is_localized(base) =>
            {
                return Err(at(name).refuse("ends in a malformed language tag; see BCP 47"));
            }
            Ok(false) => self.extensions.set(name, json.to_owned()),
            Err(_) if Self::DECLARATIONS.contains(&base) && !rules.refuse_ill_typed_declarations => {}
            Err(rejection) => return Err(rejection),
        }
        Ok(false)
    }

    fn is_localized(base: &str) -> bool {
        let mut probe = Self::default();
        let json = RawValue::from_string("\"x\"".to_owned()).expect("a string is JSON");
        probe.read_member(base, Some("en"), &json, at(base)).unwrap_or(false)
    }
}

fn at(member: &str) -> At<'_> {
    At { member, index: None }
}

fn judge(name: &str, json: &RawValue) -> Result<(), Rejection> {
    let longest = if matches!(name, "jwks" | "software_statement") { usize::MAX } else { LONGEST_STRING };
    strict_json::check(json, longest).map_err(|fault| {
        let mut rejection = at(name).refuse(fault.problem);
        rejection.member = format!("{name}{}", fault.path).into();
        rejection
    })
}

/// The top level of the body: each name, decoded, with the JSON text of its value.
fn members(body: &[u8]) -> Result<Vec<(Cow<'_, str>, &RawValue)>, Rejection> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Rejection::metadata("", format!("the body is not UTF-8 from byte {} on", error.valid_up_to()))
    })?;
    let Members(members) = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => Rejection::metadata("", "the body must be a JSON object"),
        false => Rejection::metadata("", format!("the body is not valid JSON: {error}")),
    })?;
    if members.len() > MOST_MEMBERS {
        return Err(Rejection::metadata("", format!("the body has more than {MOST_MEMBERS} members")));
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(at(pair[0]).refuse("stands twice")),
        None => Ok(members),
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Top;

        impl<'de> Visitor<'de> for Top {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    members.push((name.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Top)
    }
}

/// Reads what [`ClientMetadata`] wrote, from a text that is at hand as a whole. A member that this version does not know is
/// left out.
impl<'de> Deserialize<'de> for ClientMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Stored;

        impl<'de> Visitor<'de> for Stored {
            type Value = ClientMetadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("client metadata")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClientMetadata, A::Error> {
                let mut metadata = ClientMetadata::default();
                while let Some((name, json)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    let name = name.0;
                    let (base, tag) =
                        name.split_once('#').map_or((&*name, None), |(base, tag)| (base, Some(tag)));
                    metadata.read_member(base, tag, json, at(&name)).map_err(serde::de::Error::custom)?;
                }
                Ok(metadata)
            }
        }

        deserializer.deserialize_map(Stored)
    }
}

/// Reads metadata from a JSON value that is trusted, such as a template in a configuration file.
impl TryFrom<serde_json::Value> for ClientMetadata {
    type Error = Rejection;

    fn try_from(value: serde_json::Value) -> Result<Self, Rejection> {
        Self::parse(value.to_string().as_bytes(), &ReadingRules::strict())
    }
}
