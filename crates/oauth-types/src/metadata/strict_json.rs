//! JSON without surprises: no member twice, no bottomless nesting, no endless strings, no NUL.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a body may nest, itself counted as the first level.
pub(super) const DEEPEST: usize = 16;

/// Where inside of the value something is wrong, and what.
pub(super) struct Fault {
    /// As a path below the value: `.keys[0].kid`.
    pub(super) path: String,
    pub(super) problem: String,
}

/// Judges one value of the body's top level; `longest` is the limit for each string in it, in bytes.
pub(super) fn check(json: &RawValue, longest: usize) -> Result<(), Fault> {
    let fault = RefCell::new(None);
    let value = Value { depth: 1, longest, fault: &fault };
    let mut reader = serde_json::Deserializer::from_str(json.get());
    value.deserialize(&mut reader).map_err(|error| {
        fault
            .take()
            .unwrap_or_else(|| Fault { path: String::new(), problem: format!("is not valid JSON: {error}") })
    })
}

/// The name of a member, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// One value at one depth. A fault is kept aside, since the path to it is known only on the way out.
#[derive(Clone, Copy)]
struct Value<'a> {
    depth: usize,
    longest: usize,
    fault: &'a RefCell<Option<Fault>>,
}

impl Value<'_> {
    fn refuse<E: Error>(&self, problem: String) -> E {
        self.fault.replace(Some(Fault { path: String::new(), problem }));
        E::custom("refused")
    }

    fn deeper<E: Error>(&self) -> Result<Self, E> {
        if self.depth + 1 > DEEPEST {
            return Err(self.refuse(format!("nests deeper than {DEEPEST} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..*self })
    }

    /// Puts one more segment in front of the path to the fault.
    fn found_below(&self, segment: fmt::Arguments<'_>) {
        if let Some(fault) = self.fault.borrow_mut().as_mut() {
            fault.path.insert_str(0, &segment.to_string());
        }
    }

    fn text<E: Error>(&self, text: &str) -> Result<(), E> {
        if text.len() > self.longest {
            return Err(self.refuse(format!("is longer than {} bytes", self.longest)));
        }
        if text.contains('\0') {
            return Err(self.refuse("must not contain U+0000".to_owned()));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let below = self.deeper()?;
        for index in 0.. {
            match items.next_element_seed(below) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(error) => {
                    self.found_below(format_args!("[{index}]"));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let below = self.deeper()?;
        let mut names = BTreeSet::new();
        while let Some(Name(name)) = members.next_key()? {
            let result = match names.contains(&name) {
                true => Err(self.refuse("stands twice".to_owned())),
                false => self.text(&name).and_then(|()| members.next_value_seed(below)),
            };
            if let Err(error) = result {
                self.found_below(format_args!(".{name}"));
                return Err(error);
            }
            names.insert(name);
        }
        Ok(())
    }
}
