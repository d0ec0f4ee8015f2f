//! `claims`: which claims a client wants to see, and where. OpenID Connect Core 1.0 §5.5.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ProtocolError;

/// What a `claims` parameter asks for. Members that nobody here knows are passed over. OpenID Connect Core 1.0 §5.5.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClaimsRequest {
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) userinfo: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) id_token: Map<String, Value>,
}

/// The longest, in bytes: it is stored with what comes of the request.
const LONGEST: usize = 8 * 1024;

impl ClaimsRequest {
    /// Reads the parameter.
    pub(crate) fn read(sent: Option<&str>) -> Result<Self, ProtocolError> {
        let Some(sent) = sent else { return Ok(Self::default()) };
        let refuse = || {
            let problem = "claims: must be a JSON object of userinfo and id_token, of names with null or an object, at most 8 KiB";
            ProtocolError::invalid_request(problem)
        };
        if sent.len() > LONGEST {
            return Err(refuse());
        }
        // An object first: an array of two would do for the type.
        let read: Map<String, Value> = serde_json::from_str(sent).map_err(|_| refuse())?;
        let read: Self = serde_json::from_value(Value::Object(read)).map_err(|_| refuse())?;
        let fits = |wish: &Value| wish.is_null() || wish.is_object();
        match read.userinfo.values().chain(read.id_token.values()).all(fits) {
            true => Ok(read),
            false => Err(refuse()),
        }
    }

    /// Keeps the claims that are right by this.
    pub(crate) fn retain(&mut self, mut is_right: impl FnMut(&str) -> bool) {
        for wishes in [&mut self.userinfo, &mut self.id_token] {
            wishes.retain(|claim, _| is_right(claim));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Every claim that is asked for, wherever it is to be told.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.userinfo.keys().chain(self.id_token.keys()).map(String::as_str)
    }

    /// Each subject that the answer may be about alone. §5.5.1.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &str> {
        let wanted = [&self.id_token, &self.userinfo];
        let wanted = wanted.into_iter().filter_map(|own| own.get("sub")?.get("value"));
        // A number or the like is nobody's subject, and must match nobody.
        wanted.map(|subject| subject.as_str().unwrap_or_default())
    }

    /// Whether the ID token must tell when the user logged in. §5.5.1.
    pub(crate) fn wants_auth_time(&self) -> bool {
        self.id_token.contains_key("auth_time")
    }

    /// The contexts that one of must be met, where that is essential. §5.5.1.1.
    pub(crate) fn essential_acr(&self) -> Option<Vec<&str>> {
        let wish = self.id_token.get("acr")?;
        if wish.get("essential") != Some(&Value::Bool(true)) {
            return None;
        }
        let one = wish.get("value").into_iter();
        let several = wish.get("values").and_then(Value::as_array).into_iter().flatten();
        let named: Vec<&str> = one.chain(several).filter_map(Value::as_str).collect();
        // Essential without a value: any will do.
        (wish.get("value").is_some() || wish.get("values").is_some()).then_some(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ClaimsRequest {
        ClaimsRequest::read(Some(text)).unwrap()
    }

    #[test]
    fn what_is_unknown_is_passed_over_and_what_is_malformed_is_refused() {
        assert!(ClaimsRequest::read(None).unwrap().is_empty());
        let claims = read(r#"{ "userinfo": { "email": { "essential": true }, "name": null }, "other": 1 }"#);
        assert_eq!(claims.userinfo.len(), 2);
        let long = format!(r#"{{ "userinfo": {{ "{}": null }} }}"#, "a".repeat(LONGEST));
        for wrong in ["", "[]", "null", "{", r#"{ "userinfo": [] }"#, r#"{ "id_token": { "a": 1 } }"#, &long]
        {
            assert!(ClaimsRequest::read(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_subject_that_is_no_string_is_nobody() {
        let subjects = |text: &str| read(text).subjects().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(subjects(r#"{ "id_token": { "sub": { "value": "a" } } }"#), ["a"]);
        let both = r#"{ "userinfo": { "sub": { "value": "b" } }, "id_token": { "sub": { "value": "a" } } }"#;
        assert_eq!(subjects(both), ["a", "b"]);
        assert_eq!(subjects(r#"{ "id_token": { "sub": { "value": 1 } } }"#), [""]);
        assert!(subjects(r#"{ "id_token": { "sub": null } }"#).is_empty());
    }

    #[test]
    fn an_essential_context_is_one_of_those_named() {
        let acr = |wish: &str| {
            let claims = read(&format!(r#"{{ "id_token": {{ "acr": {wish} }} }}"#));
            claims.essential_acr().map(|named| named.join(" "))
        };
        assert_eq!(acr(r#"{ "essential": true, "values": ["a", "b"] }"#), Some("a b".to_owned()));
        assert_eq!(acr(r#"{ "essential": true, "value": "a" }"#), Some("a".to_owned()));
        assert_eq!(acr(r#"{ "essential": true }"#), None);
        assert_eq!(acr(r#"{ "values": ["a"] }"#), None);
        assert_eq!(acr(r#"{ "essential": true, "value": 1 }"#), Some(String::new()));
    }
}
