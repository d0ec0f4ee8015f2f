//! Members that no standard we know names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Unknown members in the order in which they were sent, each with its JSON as it was sent.
#[derive(Clone, Debug, Default)]
pub struct Extensions(Vec<(String, Box<RawValue>)>);

impl Extensions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The JSON text of one member.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, json)| json.get())
    }

    /// Adds a member at the end, or replaces it where it stands.
    pub fn set(&mut self, name: &str, json: Box<RawValue>) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some(slot) => slot.1 = json,
            None => self.0.push((name.to_owned(), json)),
        }
    }

    /// Keeps the members whose names pass.
    pub fn retain(&mut self, keeps: impl Fn(&str) -> bool) {
        self.0.retain(|(name, _)| keeps(name));
    }

    /// Writes every member into a JSON object.
    pub fn write_members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.0.iter().try_for_each(|(name, json)| map.serialize_entry(name, json))
    }

    pub(super) fn overlay(&mut self, over: &Self) {
        for (name, json) in &over.0 {
            self.set(name, json.clone());
        }
    }
}

impl PartialEq for Extensions {
    fn eq(&self, other: &Self) -> bool {
        let text = |(name, json): &(String, Box<RawValue>)| (name.clone(), json.get().to_owned());
        self.0.len() == other.0.len() && self.0.iter().map(text).eq(other.0.iter().map(text))
    }
}

impl Serialize for Extensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.write_members(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Extensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Extensions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extensions, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Extensions(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
