//! `grant_types`: how it gets tokens.
//!
//! The first of the steps that the rest builds upon. RFC 7591 §2 and §2.1, RFC 9700 §2.4.

use enroll_oauth_types::{GrantType, Rejection, ResponseType};

use super::response_types::is_supported;
use super::supported::one_of;
use crate::{Registration, StepResult};

/// Takes the grants over that the server supports. Left out, they follow from `response_types`, or are
/// `authorization_code`.
pub fn grant_types(r: &mut Registration<'_>) -> StepResult {
    let grants = match (&r.request.grant_types, &r.request.response_types) {
        (Some(asked), _) => usable(r, asked)?,
        (None, Some(response_types)) => usable(r, &implied(r, response_types))?,
        (None, None) => usable(r, &[GrantType::AuthorizationCode])?,
    };
    if grants.contains(&GrantType::RefreshToken) && !grants.iter().any(GrantType::can_be_refreshed) {
        let problem = "refresh_token must stand beside a grant that gives refresh tokens, such as \
                       authorization_code";
        return Err(Rejection::metadata("grant_types", problem).into());
    }
    r.client.metadata.grant_types = Some(grants);
    Ok(())
}

/// Each supported grant once, in the order of first mention.
fn usable(r: &mut Registration<'_>, asked: &[GrantType]) -> Result<Vec<GrantType>, Rejection> {
    let supported = &r.server.capabilities.grant_types;
    let mut usable = Vec::with_capacity(asked.len());
    for (index, grant) in asked.iter().enumerate() {
        if *grant == GrantType::Password {
            let problem = "must not be password, which hands the client its users' passwords";
            return Err(Rejection::metadata("grant_types", problem).at(index));
        }
        if grant.as_str().contains(' ') {
            let problem = "must be one grant type, without spaces: write each as an item of its own";
            return Err(Rejection::metadata("grant_types", problem).at(index));
        }
        if usable.contains(grant) {
            continue;
        }
        if supported.contains(grant) {
            usable.push(grant.clone());
        } else if r.server.rules.drop_unsupported {
            r.note("grant_types", format!("{grant} left out: this server does not support it"));
        } else {
            return Err(Rejection::metadata("grant_types", one_of(supported)).at(index));
        }
    }
    if !usable.is_empty() {
        return Ok(usable);
    }
    match asked {
        [] => {
            Err(Rejection::metadata("grant_types", "must not be empty; left out, it is authorization_code"))
        }
        _ => Err(Rejection::metadata("grant_types", one_of(supported))),
    }
}

/// The grants that these response types need. RFC 7591 §2.1.
fn implied(r: &Registration<'_>, response_types: &[ResponseType]) -> Vec<GrantType> {
    let any = |test: fn(&ResponseType) -> bool| {
        response_types.iter().any(|own| test(own) && is_supported(&r.server.capabilities, own))
    };
    let mut grants = Vec::new();
    if any(|own| own.contains("code")) {
        grants.push(GrantType::AuthorizationCode);
    }
    if any(ResponseType::is_front_channel) {
        grants.push(GrantType::Implicit);
    }
    if grants.is_empty() {
        grants.push(GrantType::AuthorizationCode);
    }
    grants
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::Capabilities;
    use serde_json::{Value, json};

    use crate::steps::trial::{Trial, app, machine};

    fn legacy() -> Trial {
        Trial::new().capable(|own| {
            *own = Capabilities::code_and_client_credentials().with_legacy_implicit();
            own.response_types.extend(["code id_token".into(), "code token".into()]);
        })
    }

    /// RFC 7591 §2
    #[test]
    fn the_default_is_the_authorization_code() {
        assert_eq!(Trial::new().accepts(&app(json!({})))["grant_types"], json!(["authorization_code"]));
    }

    /// RFC 7591 §2.1
    #[test]
    fn response_types_alone_imply_their_grants() {
        let table: [(Value, Value); 4] = [
            (json!(["code"]), json!(["authorization_code"])),
            (json!(["id_token"]), json!(["implicit"])),
            (json!(["code id_token"]), json!(["authorization_code", "implicit"])),
            (json!(["code", "token id_token"]), json!(["authorization_code", "implicit"])),
        ];
        for (response_types, grants) in table {
            let json = legacy().accepts(&app(json!({ "response_types": response_types })));
            assert_eq!(json["grant_types"], grants, "{response_types}");
            assert_eq!(json["response_types"], response_types);
        }
    }

    /// RFC 9700 §2.4
    #[test]
    fn password_is_refused_even_beside_a_usable_grant() {
        for trial in [Trial::new(), Trial::strict()] {
            let body = app(json!({ "grant_types": ["authorization_code", "password"] }));
            trial.refuses_about("grant_types[1]", &body);
        }
    }

    /// RFC 7591 §2: the server may replace what was asked.
    #[test]
    fn an_unsupported_grant_beside_a_usable_one_is_left_out() {
        let device = "urn:ietf:params:oauth:grant-type:device_code";
        let body = app(json!({ "grant_types": ["authorization_code", device, "refresh_token", "made_up"] }));
        let registered = Trial::new().register(&body).unwrap();
        assert_eq!(registered.json["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_eq!(registered.notes.len(), 2);
        Trial::strict().refuses_about("grant_types[1]", &body);
    }

    #[test]
    fn nothing_usable_is_refused_with_the_supported_ones() {
        let refusal = Trial::new().refuses(&json!({ "grant_types": ["made_up"] }));
        assert!(refusal.ends_with("must be one of authorization_code, client_credentials, refresh_token"));
        Trial::new().refuses_about("grant_types", &json!({ "grant_types": [] }));
        Trial::new()
            .refuses_about("grant_types[0]", &json!({ "grant_types": ["authorization_code implicit"] }));
    }

    #[test]
    fn the_default_must_be_supported_too() {
        let trial = Trial::new().capable(|own| own.grant_types = vec!["client_credentials".into()]);
        trial.refuses_about("grant_types", &app(json!({})));
    }

    /// RFC 6749 §4.4.3: no refresh token comes of client credentials.
    #[test]
    fn refresh_token_needs_a_grant_that_can_be_refreshed() {
        for grants in [json!(["refresh_token"]), json!(["client_credentials", "refresh_token"])] {
            Trial::new().refuses_about("grant_types", &json!({ "grant_types": grants }));
        }
    }

    #[test]
    fn duplicates_are_registered_once() {
        let body = machine(json!({ "grant_types": ["client_credentials", "client_credentials"] }));
        assert_eq!(Trial::new().accepts(&body)["grant_types"], json!(["client_credentials"]));
    }
}
