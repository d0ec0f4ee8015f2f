//! `client_name#ja` and its like: one member in several languages. OpenID Connect Dynamic Client Registration
//! 1.0 §2.1, RFC 7591 §2.2.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::member::{At, Member, Text};
use crate::Rejection;

/// A value that may differ by language.
#[derive(Clone, Debug, PartialEq)]
pub struct Localized<T> {
    untagged: Option<T>,
    tagged: Vec<(String, T)>,
}

impl<T> Localized<T> {
    /// A value without a language.
    pub fn new(value: T) -> Self {
        Self { untagged: Some(value), tagged: Vec::new() }
    }

    /// The value without a language, to be shown when no tag matches.
    pub fn untagged(&self) -> Option<&T> {
        self.untagged.as_ref()
    }

    /// The value of exactly this language tag, in any letter case. BCP 47 §2.1.1.
    pub fn tagged(&self, tag: &str) -> Option<&T> {
        self.tagged.iter().find(|(own, _)| own.eq_ignore_ascii_case(tag)).map(|(_, value)| value)
    }

    /// Every value with its tag, the untagged one first.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &T)> {
        let untagged = self.untagged.iter().map(|value| (None, value));
        untagged.chain(self.tagged.iter().map(|(tag, value)| (Some(tag.as_str()), value)))
    }

    fn set(&mut self, tag: Option<&str>, value: T) {
        let Some(tag) = tag else {
            self.untagged = Some(value);
            return;
        };
        match self.tagged.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(tag)) {
            Some(slot) => *slot = (tag.to_owned(), value),
            None => self.tagged.push((tag.to_owned(), value)),
        }
    }
}

impl<T: Text> Member for Localized<T> {
    fn fits(tag: Option<&str>) -> bool {
        tag.is_none_or(|tag| oxilangtag::LanguageTag::parse(tag).is_ok())
    }

    fn read(json: &RawValue, at: At<'_>) -> Result<Self, Rejection> {
        Ok(Self::new(T::read(json, at)?))
    }

    fn read_into(
        slot: &mut Option<Self>,
        tag: Option<&str>,
        json: &RawValue,
        at: At<'_>,
    ) -> Result<(), Rejection> {
        let value = T::read(json, at)?;
        let localized = slot.get_or_insert(Self { untagged: None, tagged: Vec::new() });
        if tag.is_some_and(|tag| localized.tagged(tag).is_some()) {
            return Err(at.refuse("stands twice; language tags that differ only in letter case are the same"));
        }
        localized.set(tag, value);
        Ok(())
    }

    fn write<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        for (tag, value) in self.iter() {
            match tag {
                None => map.serialize_entry(name, value)?,
                Some(tag) => map.serialize_entry(&format!("{name}#{tag}"), value)?,
            }
        }
        Ok(())
    }

    fn overlay(self, slot: &mut Option<Self>) {
        let below = slot.get_or_insert(Self { untagged: None, tagged: Vec::new() });
        if let Some(value) = self.untagged {
            below.set(None, value);
        }
        for (tag, value) in self.tagged {
            below.set(Some(&tag), value);
        }
    }
}

/// One value: a localized member is described by its owner, as several members.
impl<T: JsonSchema> JsonSchema for Localized<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The untagged value alone: a localized member is written by its owner, as several members.
impl<T: Serialize> Serialize for Localized<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.untagged.serialize(serializer)
    }
}
