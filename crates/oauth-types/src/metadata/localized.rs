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

    /// The same values, each made over. The first that cannot be ends it.
    pub fn try_map<E>(&self, mut make: impl FnMut(Option<&str>, &T) -> Result<T, E>) -> Result<Self, E> {
        let untagged = self.untagged.as_ref().map(|value| make(None, value)).transpose()?;
        let make_tagged = |(tag, value): &(String, T)| Ok((tag.clone(), make(Some(tag), value)?));
        Ok(Self { untagged, tagged: self.tagged.iter().map(make_tagged).collect::<Result<_, E>>()? })
    }

    /// The value for somebody who reads these languages, best first: `ui_locales`, or the ranges of `Accept-Language`
    /// by their weight. Each range is shortened from its end until a tag is equal to it; then comes the untagged value,
    /// then any. RFC 4647 §3.4.
    ///
    /// ```
    /// use enroll_oauth_types::{ClientMetadata, ReadingRules};
    ///
    /// let body = r#"{ "client_name": "App", "client_name#ja": "アプリ", "client_name#de-CH": "Äpp" }"#;
    /// let names = ClientMetadata::parse(body.as_bytes(), &ReadingRules::default())?.client_name.unwrap();
    /// assert_eq!(names.lookup(["fr", "ja-JP-u-ca-japanese"]).unwrap(), "アプリ");
    /// assert_eq!(names.lookup(["de"]).unwrap(), "App");
    /// # Ok::<(), enroll_oauth_types::Rejection>(())
    /// ```
    pub fn lookup<'a>(&self, ranges: impl IntoIterator<Item = &'a str>) -> Option<&T> {
        let found = ranges.into_iter().find_map(|range| self.lookup_one(range));
        let any = || self.tagged.first().map(|(_, value)| value);
        found.or(self.untagged.as_ref()).or_else(any)
    }

    /// RFC 4647 §3.4. A range of `*` alone matches nothing in particular.
    fn lookup_one(&self, mut range: &str) -> Option<&T> {
        loop {
            if let Some(value) = self.tagged(range) {
                return Some(value);
            }
            let (shorter, _) = range.rsplit_once('-')?;
            // What announces an extension goes with it.
            range = match shorter.rsplit_once('-') {
                Some((before, single)) if single.len() == 1 => before,
                _ => shorter,
            };
        }
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

/// Of several values for one tag the last counts.
impl<T> FromIterator<(Option<String>, T)> for Localized<T> {
    fn from_iter<I: IntoIterator<Item = (Option<String>, T)>>(values: I) -> Self {
        let mut localized = Self { untagged: None, tagged: Vec::new() };
        for (tag, value) in values {
            localized.set(tag.as_deref(), value);
        }
        localized
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tagged: &[&str], untagged: bool) -> Localized<String> {
        let tagged = tagged.iter().map(|tag| ((*tag).to_owned(), (*tag).to_owned())).collect();
        Localized { untagged: untagged.then(|| "untagged".to_owned()), tagged }
    }

    /// RFC 4647 §3.4
    #[test]
    fn the_longest_tag_that_begins_a_range_is_found() {
        let tags = ["zh-Hant", "de", "zh", "zh-Hant-TW"];
        for (ranges, found) in [
            (&["zh-Hant-CN-x-private1-private2"][..], "zh-Hant"),
            (&["ZH-HANT-TW"], "zh-Hant-TW"),
            (&["zh-Hans"], "zh"),
            (&["de-u-co-phonebk"], "de"),
            (&["fr", "de-AT"], "de"),
            (&["fr", "it"], "untagged"),
            (&["*"], "untagged"),
            (&[""], "untagged"),
            (&["-"], "untagged"),
            (&[], "untagged"),
        ] {
            assert_eq!(names(&tags, true).lookup(ranges.iter().copied()).unwrap(), found, "{ranges:?}");
        }
    }

    /// RFC 7591 §2.2: without an untagged value, some value is better than none.
    #[test]
    fn without_an_untagged_value_any_is_found() {
        assert_eq!(names(&["ja", "de"], false).lookup(["fr"]).unwrap(), "ja");
        assert_eq!(names(&["ja", "de"], false).lookup(["de-CH"]).unwrap(), "de");
    }
}
