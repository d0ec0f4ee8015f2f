//! `response_types`, `response_modes`: what it asks of the authorization endpoint.
//!
//! Runs after `grant_types`, with which it must agree. RFC 7591 §2.1, OAuth 2.0 Multiple Response Types §3 and §5.

use enroll_oauth_types::{Capabilities, GrantType, Rejection, ResponseType};

use super::lists::distinct;
use super::supported::{self, one_of};
use crate::{Registration, StepResult};

/// Takes the response types over that the server supports. Left out, they are `code` for a client of that grant
/// and none for a client that never sends a browser.
pub fn response_types(r: &mut Registration<'_>) -> StepResult {
    let types = match &r.request.response_types {
        Some(asked) => usable(r, asked)?,
        None if r.has_grant(&GrantType::AuthorizationCode) => vec![ResponseType::from("code")],
        None => Vec::new(),
    };
    check_agreement(r, &types)?;
    r.client.metadata.response_types = Some(types);
    response_modes(r)
}

/// Whether the server supports this response type, and the grants it needs.
pub(super) fn is_supported(capabilities: &Capabilities, own: &ResponseType) -> bool {
    capabilities.response_types.contains(own)
        && needs(own).all(|grant| capabilities.grant_types.contains(&grant))
}

/// The grants that a response type needs. RFC 7591 §2.1.
fn needs(own: &ResponseType) -> impl Iterator<Item = GrantType> {
    let code = own.contains("code").then_some(GrantType::AuthorizationCode);
    let implicit = own.is_front_channel().then_some(GrantType::Implicit);
    code.into_iter().chain(implicit)
}

/// Each supported response type once, in the order of first mention, spelled as sent.
fn usable(r: &mut Registration<'_>, asked: &[ResponseType]) -> Result<Vec<ResponseType>, Rejection> {
    let capabilities = &r.server.capabilities;
    let mut usable = Vec::with_capacity(asked.len());
    for (index, own) in asked.iter().enumerate() {
        if usable.contains(own) {
            continue;
        }
        if is_supported(capabilities, own) {
            usable.push(own.clone());
        } else if r.server.rules.drop_unsupported {
            r.note("response_types", format!("{own} left out: this server does not support it"));
        } else {
            return Err(Rejection::metadata("response_types", one_of(&capabilities.response_types)).at(index));
        }
    }
    if usable.is_empty() && !asked.is_empty() && r.uses_redirects() {
        return Err(Rejection::metadata("response_types", one_of(&capabilities.response_types)));
    }
    Ok(usable)
}

/// RFC 7591 §2.1: the table that pairs the two.
fn check_agreement(r: &Registration<'_>, types: &[ResponseType]) -> Result<(), Rejection> {
    let refuse = |problem: String| Err(Rejection::metadata("response_types", problem));
    for own in types {
        if let Some(grant) = needs(own).find(|grant| !r.has_grant(grant)) {
            return refuse(format!("must not hold {own} unless grant_types holds {grant}"));
        }
    }
    if r.has_grant(&GrantType::AuthorizationCode) && !types.iter().any(|own| own.contains("code")) {
        return refuse("must hold code, since grant_types holds authorization_code".to_owned());
    }
    if r.has_grant(&GrantType::Implicit) && !types.iter().any(ResponseType::is_front_channel) {
        return refuse(
            "must hold id_token, alone or beside token, since grant_types holds implicit".to_owned(),
        );
    }
    Ok(())
}

fn response_modes(r: &mut Registration<'_>) -> StepResult {
    let Some(modes) = &r.request.response_modes else { return Ok(()) };
    let supported = &r.server.capabilities.response_modes;
    if modes.is_empty() {
        return Err(Rejection::metadata("response_modes", "must not be empty; left out, it is any").into());
    }
    supported::check_all("response_modes", modes, supported)?;
    if !r.uses_redirects() {
        return r.leave_out("response_modes", "this client does not use the authorization endpoint");
    }
    let wants_tokens = r.client.metadata.response_types.iter().flatten().any(ResponseType::is_front_channel);
    if wants_tokens && modes.iter().all(|mode| mode.starts_with("query")) {
        let problem =
            "must hold one that carries tokens, such as form_post, since response_types asks for them";
        return Err(Rejection::metadata("response_modes", problem).into());
    }
    r.client.metadata.response_modes = Some(distinct(modes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::Capabilities;
    use serde_json::json;

    use crate::steps::trial::{Trial, app, machine};

    fn legacy() -> Trial {
        Trial::new().capable(|own| *own = Capabilities::code_and_client_credentials().with_legacy_implicit())
    }

    /// RFC 7591 §2
    #[test]
    fn the_default_is_code() {
        assert_eq!(Trial::new().accepts(&app(json!({})))["response_types"], json!(["code"]));
        let body = app(json!({ "grant_types": ["refresh_token", "authorization_code"] }));
        assert_eq!(Trial::new().accepts(&body)["response_types"], json!(["code"]));
    }

    /// RFC 7591 §2.1: `code` would contradict the grants.
    #[test]
    fn a_machine_has_no_response_types() {
        assert_eq!(Trial::new().accepts(&machine(json!({})))["response_types"], json!([]));
        assert_eq!(
            Trial::new().accepts(&machine(json!({ "response_types": [] })))["response_types"],
            json!([])
        );
    }

    /// RFC 7591 §2.1
    #[test]
    fn grants_and_response_types_that_disagree_are_refused() {
        let table = [
            (json!(["client_credentials"]), json!(["code"])),
            (json!(["authorization_code"]), json!([])),
            (json!(["authorization_code"]), json!(["code", "id_token"])),
            (json!(["implicit"]), json!(["code"])),
            (json!(["authorization_code", "implicit"]), json!(["code"])),
            (json!(["implicit"]), json!(["id_token", "code"])),
        ];
        for (grants, types) in table {
            let body = json!({
                "grant_types": grants, "response_types": types, "redirect_uris": ["https://a.example/cb"],
            });
            legacy().refuses_about("response_types", &body);
        }
        legacy().refuses_about("response_types", &app(json!({ "grant_types": ["implicit"] })));
        legacy().refuses_about("response_types", &app(json!({ "response_types": [] })));
    }

    /// OAuth 2.0 Multiple Response Types §3
    #[test]
    fn a_response_type_is_a_set_spelled_as_sent() {
        let body = app(json!({
            "grant_types": ["implicit"],
            "response_types": ["token id_token", "id_token token", "id_token"],
        }));
        assert_eq!(legacy().accepts(&body)["response_types"], json!(["token id_token", "id_token"]));
    }

    /// RFC 9700 §2.1.2: no ID token tells whose the access token is.
    #[test]
    fn an_access_token_alone_never_comes_by_way_of_the_browser() {
        legacy().refuses_about("response_types", &app(json!({ "response_types": ["token"] })));
        let json = legacy().accepts(&app(json!({ "response_types": ["token", "id_token token"] })));
        assert_eq!(json["response_types"], json!(["id_token token"]));
    }

    /// OAuth 2.0 Multiple Response Types §3: no token stands in a query.
    #[test]
    fn a_client_that_wants_tokens_can_be_given_them() {
        let body = |modes| app(json!({ "response_types": ["code", "id_token"], "response_modes": modes }));
        legacy().refuses_about("response_modes", &body(json!(["query", "query.jwt"])));
        for mode in ["fragment", "form_post", "jwt", "fragment.jwt"] {
            legacy().accepts(&body(json!(["query", mode])));
        }
    }

    /// RFC 9700 §2.1.2, as an Apache module asks.
    #[test]
    fn implicit_beside_code_is_left_out_where_it_is_not_supported() {
        let body = app(json!({
            "grant_types": ["authorization_code", "implicit", "refresh_token"],
            "response_types": ["code", "id_token", "id_token token", "code id_token"],
        }));
        let json = Trial::new().accepts(&body);
        assert_eq!(json["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_eq!(json["response_types"], json!(["code"]));
        Trial::strict().refuses_about("grant_types[1]", &body);
        Trial::strict()
            .refuses_about("response_types[1]", &app(json!({ "response_types": ["code", "token"] })));
    }

    #[test]
    fn nothing_usable_is_refused() {
        Trial::new().refuses_about("response_types", &app(json!({ "response_types": ["token"] })));
        let trial = Trial::new().capable(|own| own.grant_types.retain(|own| !own.uses_redirects()));
        let body = json!({
            "grant_types": ["authorization_code", "client_credentials"],
            "response_types": ["code"],
            "redirect_uris": ["https://app.example/cb"],
        });
        assert_eq!(trial.accepts(&body)["response_types"], json!([]));
    }

    #[test]
    fn response_modes_are_those_of_the_server() {
        let json = Trial::new().accepts(&app(json!({ "response_modes": ["form_post", "query", "query"] })));
        assert_eq!(json["response_modes"], json!(["form_post", "query"]));
        Trial::new().refuses_about("response_modes", &app(json!({ "response_modes": [] })));
        Trial::new()
            .refuses_about("response_modes[1]", &app(json!({ "response_modes": ["query", "fragment"] })));
        assert!(
            Trial::new()
                .accepts(&machine(json!({ "response_modes": ["query"] })))
                .get("response_modes")
                .is_none()
        );
    }
}
