//! The JSON Schema of `enroll.toml`: its types, with the comments of the example.

use enroll_access::{Ceilings, Privileges};
use enroll_oauth_types::{ClientMetadata, ReadingRules, Seconds};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{Config, EXAMPLE};

/// The schema as text. What two keys have to do with each other it cannot say; `enroll config check` does.
pub(crate) fn schema() -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<Config>().to_value();
    schema["title"] = "enroll.toml".into();
    explain(&mut schema);
    format!("{schema:#}")
}

/// Gives each key the comment that stands above it in the example.
fn explain(schema: &mut Value) {
    let (mut table, mut comment) = ("", String::new());
    for line in EXAMPLE.lines() {
        // A key that is commented out is one all the same; the text of a comment has a space before it.
        let key = line.strip_prefix('#').unwrap_or(line);
        if let Some(text) = line.strip_prefix("# ") {
            comment.push_str(text);
            comment.push(' ');
        } else if key.starts_with('[') {
            table = key.trim_matches(['[', ']']);
            describe(within(schema, table), &std::mem::take(&mut comment));
        } else if let Some((name, _)) = key.split_once(" = ") {
            let table = within(schema, table);
            describe(table.and_then(|table| property(table, name)), &std::mem::take(&mut comment));
        } else {
            comment.clear();
        }
    }
}

fn describe(schema: Option<&mut Value>, comment: &str) {
    if let Some(schema) = schema.filter(|_| !comment.is_empty()) {
        schema["description"] = comment.trim_end().into();
    }
}

/// The schema of the table of this name.
fn within<'a>(schema: &'a mut Value, table: &str) -> Option<&'a mut Value> {
    table.split('.').filter(|name| !name.is_empty()).try_fold(schema, property)
}

/// The schema of one key of a table, or of an item of an array of tables.
fn property<'a>(mut table: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    if table["type"] == "array" {
        table = table.get_mut("items")?;
    }
    // A table whose keys are names of the operator's own describes them all by one.
    let members = if table.get("properties").is_some() { "properties" } else { "additionalProperties" };
    let members = table.get_mut(members)?;
    if members.get(name).is_some() {
        members.get_mut(name)
    } else {
        Some(members).filter(|own| own.get("type").is_some())
    }
}

/// `privileges` of a policy.
pub(super) fn privileges(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "anyOf": [{ "const": ["all"] }, { "items": { "enum": Privileges::MEMBERS } }],
    })
}

/// `ceilings` of a policy.
pub(super) fn ceilings(_: &mut SchemaGenerator) -> Schema {
    let ceiling = json!({ "type": "integer", "minimum": 1, "maximum": Seconds::MAX });
    let ceilings: Map<_, _> =
        Ceilings::MEMBERS.iter().map(|member| ((*member).to_owned(), ceiling.clone())).collect();
    json_schema!({ "type": "object", "properties": ceilings, "additionalProperties": false })
}

/// `template` of a policy.
pub(super) fn template(_: &mut SchemaGenerator) -> Schema {
    let Value::Object(schema) = ClientMetadata::request_schema(&ReadingRules::strict()) else {
        return Schema::default();
    };
    schema.into()
}

#[cfg(test)]
mod tests {
    use boon::{Compiler, Schemas};
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    use super::*;
    use crate::config::tests::{all_keys, parse};
    use crate::snapshot;

    fn problem(toml: &str) -> Option<String> {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource("enroll", serde_json::from_str(&schema()).unwrap()).unwrap();
        let index = compiler.compile("enroll", &mut schemas).unwrap();
        let content: Value = Figment::from(Toml::string(toml)).extract().unwrap();
        schemas.validate(&content, index).err().map(|error| error.to_string())
    }

    #[test]
    fn the_snapshot_of_the_schema_is_current() {
        snapshot::is_current("enroll.schema.json", &format!("{}\n", schema()));
    }

    #[test]
    fn the_example_and_its_keys_turned_on_fit_the_schema() {
        for toml in ["", EXAMPLE, &all_keys()] {
            assert_eq!(problem(toml), None);
        }
    }

    #[test]
    fn what_does_not_fit_the_schema_is_refused_by_the_server_too() {
        for toml in [
            "unknown = 1",
            "role = \"none\"",
            "listen = 1",
            "[registration]\nstrict = \"yes\"",
            "[[scopes]]\ndynamic = \"no\"",
            "[policies.a]\nprivileges = [\"scope\"]",
            "[policies.a]\nprivileges = [\"all\", \"require_consent\"]",
            "[policies.a]\nsecret_lifetime = 0",
            "[policies.a.ceilings]\nscope = 1",
            "[policies.a.ceilings]\nconsent_lifetime = 0",
            "[policies.a]\ntemplate = { redirect_uris = 1 }",
            "[limits]\nconnections = 0",
            "[limits]\nbody_timeout = 0",
        ] {
            assert!(problem(toml).is_some(), "{toml} fits");
            assert!(parse(toml).is_err(), "{toml} is taken");
        }
    }

    #[test]
    fn every_member_that_a_policy_can_limit_is_in_the_schema() {
        for member in Ceilings::MEMBERS {
            let toml = format!("[policies.a.ceilings]\n{member} = 1");
            assert!(parse(&toml).is_ok() && problem(&toml).is_none(), "{member}");
        }
    }

    #[test]
    fn keys_are_explained_by_the_comments_of_the_example() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let registration = &schema["properties"]["registration"]["properties"];
        for (key, word) in [
            (&schema["properties"]["issuer"], "https"),
            (&registration["strict"], "Refuse"),
            (&schema["properties"]["limits"]["properties"]["header_timeout"], "Seconds"),
            (&schema["properties"]["policies"]["additionalProperties"], "callers"),
        ] {
            assert!(key["description"].as_str().is_some_and(|text| text.contains(word)), "{word}: {key}");
        }
    }
}
