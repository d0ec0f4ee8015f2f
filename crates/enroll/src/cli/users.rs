//! The arguments of `enroll users`.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Add somebody; prints the subject
    Add {
        /// What they will type
        #[arg(value_name = "NAME")]
        name: String,
        /// What clients may come to know of them, by OpenID Connect Core 1.0 section 5.1
        #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
        claims: Vec<(String, Value)>,
        /// The same as --claim email=…
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List the users
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Replace what is known of somebody; the other claims stay
    Change {
        /// What they type
        #[arg(value_name = "NAME")]
        name: String,
        /// A claim, as with `add`; `null` takes it away
        #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim, required = true)]
        claims: Vec<(String, Value)>,
        #[command(flatten)]
        place: Place,
    },
    /// Give somebody another password; they are logged out everywhere
    Password(OneUser),
    /// Let somebody log in no more; they are logged out everywhere
    Disable(OneUser),
    /// Let somebody log in again
    Enable(OneUser),
    /// Delete somebody, with all that was given in their name
    Delete(OneUser),
}

#[derive(Args, Debug)]
pub(crate) struct OneUser {
    /// What they type
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `name=value`, where the value is JSON if the claim can be that, and a text otherwise: a birthdate of `1990` is one.
fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    let text = Value::from(value);
    let value = serde_json::from_str(value).unwrap_or_else(|_| text.clone());
    if value.is_null() {
        return Ok((name.to_owned(), value));
    }
    let fits = |value: &Value| enroll_provider::check_claim(name, value);
    let value = if fits(&value).is_err() && fits(&text).is_ok() { text } else { value };
    fits(&value)?;
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_json_where_it_can_be_and_a_text_otherwise() {
        for (text, value) in [
            ("email_verified=true", Value::from(true)),
            ("updated_at=1767225600", Value::from(1_767_225_600)),
            ("address={\"country\":\"CH\"}", serde_json::json!({ "country": "CH" })),
            ("name=Alice = A", Value::from("Alice = A")),
            ("name=\"Alice\"", Value::from("Alice")),
            ("birthdate=1990", Value::from("1990")),
            ("nickname=true", Value::from("true")),
            ("groups=[\"a\"]", serde_json::json!(["a"])),
            ("department=", Value::from("")),
        ] {
            assert_eq!(claim(text).map(|(_, value)| value), Ok(value), "{text}");
        }
        for text in ["name", "email_verified=yes", "sub=root", "=x"] {
            assert!(claim(text).is_err(), "{text}");
        }
    }
}
