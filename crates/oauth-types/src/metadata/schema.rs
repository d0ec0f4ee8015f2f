//! Client metadata as JSON Schema of 2020-12: what a request may hold, and what an answer holds.
//!
//! Made of the table of members. A schema says what is true of every request that is taken and of every answer; the
//! rules of the steps go further, and are told by refusals.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::member::Member;
use super::parse::{LONGEST_STRING, MOST_MEMBERS, MOST_REDIRECT_URIS};
use super::update::NEVER_SENT;
use crate::{ClientMetadata, ReadingRules, UpdateRequest};

/// The language tags that every reader takes; there are more. BCP 47 §2.1.
const TAG: &str = "[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?";

/// One line of the table.
pub(super) struct MemberSchema {
    name: &'static str,
    localized: bool,
    schema: Value,
}

impl MemberSchema {
    pub(super) fn of<T: Member>(name: &'static str, description: &str) -> Self {
        let mut schema = SchemaGenerator::default().subschema_for::<T>();
        schema.insert("description".to_owned(), description.trim().into());
        let mut schema = schema.to_value();
        if let Some(text) = text_of(&mut schema) {
            // Empty text is absent, and refused within a list.
            text.insert("minLength".to_owned(), 1.into());
        }
        Self { name, localized: T::fits(Some("en")), schema }
    }

    fn is_declaration(&self) -> bool {
        ClientMetadata::DECLARATIONS.contains(&self.name)
    }

    /// The same as a request may have it.
    fn requested(mut self, rules: &ReadingRules) -> Self {
        if self.is_declaration() && !rules.refuse_ill_typed_declarations {
            // What is not of its type is left out.
            self.schema = json!({ "description": self.schema["description"] });
            return self;
        }
        if let Some(text) = text_of(&mut self.schema).filter(|_| self.name != "software_statement") {
            text.insert("maxLength".to_owned(), LONGEST_STRING.into());
        }
        if self.name == "redirect_uris" {
            self.schema["maxItems"] = MOST_REDIRECT_URIS.into();
        }
        if !rules.refuse_empty {
            let mut schema = self.schema;
            let description = schema.as_object_mut().and_then(|schema| schema.shift_remove("description"));
            self.schema = json!({ "description": description, "anyOf": [schema, { "enum": [null, ""] }] });
        }
        self
    }
}

/// The part of a schema that is about text: itself, or that of its items.
fn text_of(schema: &mut Value) -> Option<&mut Map<String, Value>> {
    let schema = if schema["type"] == "array" { schema.get_mut("items")? } else { schema };
    if schema["type"] == "string" { schema.as_object_mut() } else { None }
}

impl ClientMetadata {
    /// The body of a registration request, as these rules read it, as a JSON Schema. RFC 7591 §3.1.
    pub fn request_schema(rules: &ReadingRules) -> Value {
        let members = Self::member_schemas().into_iter().map(|member| member.requested(rules));
        let mut schema = object(members.collect(), &format!("#{TAG}$"));
        schema["maxProperties"] = MOST_MEMBERS.into();
        schema
    }

    /// The metadata of a registered client as a JSON Schema: what is not set is not there. RFC 7591 §3.2.1.
    pub fn response_schema() -> Value {
        let mut schema = object(Self::member_schemas(), "#");
        // Members that no standard names, where the server keeps them.
        schema["additionalProperties"] = json!({ "not": { "enum": [null, ""] } });
        schema
    }
}

/// An object of these members; those that people read also by the names that end in `tag`, a pattern.
fn object(members: Vec<MemberSchema>, tag: &str) -> Value {
    let (mut properties, mut patterns) = (Map::new(), Map::new());
    for MemberSchema { name, localized, schema } in members {
        if localized {
            patterns.insert(format!("^{name}{tag}"), schema.clone());
        }
        properties.insert(name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties, "patternProperties": patterns })
}

impl UpdateRequest {
    /// What the body of an update holds besides metadata, as a JSON Schema. RFC 7592 §2.2.
    pub fn schema() -> Value {
        let mut properties = Map::from_iter([
            ("client_id".to_owned(), json!({ "type": "string", "description": "That of the client." })),
            (
                "client_secret".to_owned(),
                json!({ "type": ["string", "null"], "description": "One that the client has, if any." }),
            ),
        ]);
        for name in NEVER_SENT {
            properties.insert(name.to_owned(), json!({ "type": "null", "description": "Left out." }));
        }
        json!({ "type": "object", "properties": properties, "required": ["client_id"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lenient() -> Value {
        ClientMetadata::request_schema(&ReadingRules::default())
    }

    #[test]
    fn every_member_of_the_table_is_described() {
        for schema in [lenient(), ClientMetadata::response_schema()] {
            let members: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(members, ClientMetadata::MEMBERS);
            for name in members {
                assert!(schema["properties"][&name]["description"].is_string(), "{name}");
            }
        }
    }

    /// RFC 7591 §2.2
    #[test]
    fn names_people_see_are_described_in_every_language() {
        let described = |schema: &Value, pattern: &str| schema["patternProperties"].get(pattern).is_some();
        assert!(described(&lenient(), &format!("^client_name#{TAG}$")));
        assert!(described(&ClientMetadata::response_schema(), "^client_name#"));
        assert!(!described(&ClientMetadata::response_schema(), "^redirect_uris#"));
    }

    #[test]
    fn what_is_empty_may_be_sent_to_a_lenient_server_and_never_comes_back() {
        let strict = ClientMetadata::request_schema(&ReadingRules::strict());
        for (schema, lenient) in
            [(lenient(), true), (strict, false), (ClientMetadata::response_schema(), false)]
        {
            let member = &schema["properties"]["software_id"];
            assert_eq!(member["anyOf"][1] == json!({ "enum": [null, ""] }), lenient, "{member}");
            assert_eq!(member["minLength"] == 1, !lenient, "{member}");
        }
    }
}
