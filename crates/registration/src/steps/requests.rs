//! `request_uris`, `request_object_*`, `require_*`, `default_*`, `initiate_login_uri`, `authorization_details_types`,
//! `allowed_cors_origins`: what its requests must be, and where they come from.
//!
//! Runs after `keys` and `token_endpoint_auth`. OpenID Connect Dynamic Client Registration 1.0 §2, RFC 9101 §10.5,
//! RFC 9126 §6, RFC 9396 §10.

use enroll_oauth_types::{Jwk, Rejection};

use super::algorithms::{Encryption, check_signing};
use super::keys::has_key;
use super::lists::{check_length, distinct};
use super::supported;
use crate::{Registration, StepResult};

/// Takes over how the client asks for tokens.
pub fn requests(r: &mut Registration<'_>) -> StepResult {
    request_object(r)?;
    addresses(r)?;
    defaults(r)?;
    if r.request.require_pushed_authorization_requests == Some(true)
        && !r.server.capabilities.pushed_authorization_requests
    {
        let problem = "must be false, or left out: this server does not support it";
        return Err(Rejection::metadata("require_pushed_authorization_requests", problem).into());
    }
    take_over!(r: require_pushed_authorization_requests);
    Ok(())
}

/// RFC 9101 §10.5, OpenID Connect Core §6.1
fn request_object(r: &mut Registration<'_>) -> StepResult {
    const SIGNED: &str = "request_object_signing_alg";
    let request = r.request;
    let algorithm = request.request_object_signing_alg.as_ref();
    let required = request.require_signed_request_object == Some(true);
    if let Some(algorithm) = algorithm {
        if required && algorithm.is_none() {
            let problem = "must not be none beside require_signed_request_object";
            return Err(Rejection::metadata(SIGNED, problem).into());
        }
        check_signing(r, SIGNED, algorithm, &r.server.capabilities.request_object_signing_algs)?;
    }
    let without_keys = algorithm.is_some_and(|own| own.is_none() || own.is_symmetric());
    let signs = |key: &Jwk| algorithm.map_or(key.can_sign(), |algorithm| key.can_sign_with(algorithm));
    if (required || algorithm.is_some()) && !without_keys && !has_key(r, signs) {
        let member = if algorithm.is_some() { SIGNED } else { "require_signed_request_object" };
        let problem = "needs a public key in jwks that signs so, or a jwks_uri";
        return Err(Rejection::metadata(member, problem).into());
    }
    let encryption = Encryption {
        alg: ("request_object_encryption_alg", request.request_object_encryption_alg.as_ref()),
        enc: ("request_object_encryption_enc", request.request_object_encryption_enc.as_ref()),
        to_client: false,
    };
    r.client.metadata.request_object_encryption_enc = encryption.judge(r)?;
    take_over!(r: request_object_signing_alg, request_object_encryption_alg, require_signed_request_object);
    Ok(())
}

fn addresses(r: &mut Registration<'_>) -> StepResult {
    initiate_login(r)?;
    let request = r.request;
    check_length("request_uris", request.request_uris.as_ref())?;
    check_length("allowed_cors_origins", request.allowed_cors_origins.as_ref())?;
    for (index, uri) in request.request_uris.iter().flatten().enumerate() {
        uri.check_https_with_fragment()
            .map_err(|problem| Rejection::metadata("request_uris", problem).at(index))?;
    }
    for (index, origin) in request.allowed_cors_origins.iter().flatten().enumerate() {
        origin
            .check_origin()
            .map_err(|problem| Rejection::metadata("allowed_cors_origins", problem).at(index))?;
    }
    r.client.metadata.request_uris = request.request_uris.as_deref().map(distinct);
    r.client.metadata.allowed_cors_origins = request.allowed_cors_origins.as_deref().map(distinct);
    Ok(())
}

/// It is https. An app on somebody's own machine names its pages over http, as its redirect URIs may be, and has no use
/// for third parties that start a login. OpenID Connect Dynamic Client Registration 1.0 §2.
fn initiate_login(r: &mut Registration<'_>) -> StepResult {
    const MEMBER: &str = "initiate_login_uri";
    let Some(uri) = &r.request.initiate_login_uri else { return Ok(()) };
    if uri.is_http_on_loopback() {
        return r.leave_out(MEMBER, "it is not https");
    }
    uri.check_https().map_err(|problem| Rejection::metadata(MEMBER, problem))?;
    take_over!(r: initiate_login_uri);
    Ok(())
}

fn defaults(r: &mut Registration<'_>) -> StepResult {
    let (request, capabilities) = (r.request, &r.server.capabilities);
    if let Some(asked) = &request.default_acr_values {
        supported::check_all("default_acr_values", asked, &capabilities.acr_values)?;
    }
    if let Some(asked) = &request.authorization_details_types {
        let supported = &capabilities.authorization_details_types;
        supported::check_all("authorization_details_types", asked, supported)?;
    }
    if request.default_max_age.is_some() && !r.uses_redirects() {
        r.leave_out("default_max_age", "no user logs in to this client")?;
    } else {
        take_over!(r: default_max_age);
    }
    take_over!(r: default_acr_values, authorization_details_types, require_auth_time);
    Ok(())
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::Capabilities;
    use serde_json::{Value, json};

    use crate::steps::trial::{Trial, app, keys, machine};

    /// OpenID Connect Dynamic Client Registration 1.0 §2
    #[test]
    fn a_page_on_loopback_that_starts_a_login_is_left_out() {
        const MEMBER: &str = "initiate_login_uri";
        let body = app(json!({ MEMBER: "http://127.0.0.1:8080/login" }));
        let registered = Trial::new().register(&body).unwrap();
        assert!(registered.json.get(MEMBER).is_none());
        assert!(registered.notes_about(MEMBER));
        Trial::strict().refuses_about(MEMBER, &body);
    }

    /// OpenID Connect Dynamic Client Registration 1.0 §2
    #[test]
    fn request_objects_are_signed_with_a_key_or_the_secret() {
        const MEMBER: &str = "request_object_signing_alg";
        assert_eq!(Trial::new().accepts(&app(json!({ MEMBER: "ES256", "jwks": keys() })))[MEMBER], "ES256");
        assert_eq!(Trial::new().accepts(&app(json!({ MEMBER: "HS256" })))[MEMBER], "HS256");
        Trial::new().refuses_about(MEMBER, &app(json!({ MEMBER: "ES256" })));
        Trial::new().refuses_about(MEMBER, &app(json!({ MEMBER: "none" })));
        Trial::new()
            .refuses_about(MEMBER, &app(json!({ MEMBER: "HS256", "token_endpoint_auth_method": "none" })));
    }

    /// RFC 9101 §10.5
    #[test]
    fn a_required_signature_is_possible() {
        const MEMBER: &str = "require_signed_request_object";
        Trial::new().refuses_about(MEMBER, &app(json!({ MEMBER: true })));
        Trial::new().accepts(&app(json!({ MEMBER: false })));
        Trial::new().accepts(&app(json!({ MEMBER: true, "jwks": keys() })));
        Trial::new().accepts(&app(json!({ MEMBER: true, "jwks_uri": "https://app.example/jwks" })));
        Trial::new().accepts(&app(json!({ MEMBER: true, "request_object_signing_alg": "HS256" })));
        let unsigned = Trial::new().capable(|own| own.request_object_signing_algs.push("none".into()));
        unsigned.accepts(&app(json!({ "request_object_signing_alg": "none" })));
        let body = app(json!({ MEMBER: true, "request_object_signing_alg": "none" }));
        unsigned.refuses_about("request_object_signing_alg", &body);
    }

    /// OpenID Connect Dynamic Client Registration 1.0 §2: request objects are encrypted to the server.
    #[test]
    fn encrypted_request_objects_need_no_key_of_the_clients() {
        let trial = Trial::new().capable(|own| {
            own.request_object_encryption_algs = vec!["RSA-OAEP-256".into()];
            own.request_object_encryption_encs = vec!["A128CBC-HS256".into()];
        });
        let json = trial.accepts(&app(json!({ "request_object_encryption_alg": "RSA-OAEP-256" })));
        assert_eq!(json["request_object_encryption_enc"], "A128CBC-HS256");
        let body = app(json!({ "request_object_encryption_enc": "A128CBC-HS256" }));
        trial.refuses_about("request_object_encryption_enc", &body);
        let one_way = Trial::new().capable(|own| own.encryption_algs = vec!["RSA-OAEP-256".into()]);
        let body = app(json!({ "request_object_encryption_alg": "RSA-OAEP-256" }));
        one_way.refuses_about("request_object_encryption_alg", &body);
    }

    /// OpenID Connect Core §4 and §6.2
    #[test]
    fn addresses_that_are_opened_are_https() {
        let uris = json!(["https://app.example/r.jwt#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"]);
        assert_eq!(Trial::new().accepts(&app(json!({ "request_uris": uris })))["request_uris"], uris);
        for bad in ["http://app.example/x", "javascript:alert(1)", "urn:x:y"] {
            Trial::new().refuses_about("initiate_login_uri", &app(json!({ "initiate_login_uri": bad })));
            let body = app(json!({ "request_uris": ["https://app.example/r", bad] }));
            Trial::new().refuses_about("request_uris[1]", &body);
        }
    }

    /// RFC 6454 §6.2
    #[test]
    fn origins_are_spelled_as_browsers_spell_them() {
        const MEMBER: &str = "allowed_cors_origins";
        let body =
            app(json!({ MEMBER: ["https://app.example", "http://localhost:3000", "https://app.example"] }));
        assert_eq!(
            Trial::new().accepts(&body)[MEMBER],
            json!(["https://app.example", "http://localhost:3000"])
        );
        for bad in ["https://app.example/", "https://*.example", "*", "null", "https://APP.example", "data:x"]
        {
            Trial::new().refuses_about("allowed_cors_origins[0]", &app(json!({ MEMBER: [bad] })));
        }
    }

    #[test]
    fn values_are_those_of_the_server() {
        let table: [(&str, Value); 2] =
            [("default_acr_values", json!(["gold"])), ("authorization_details_types", json!(["payment"]))];
        let able = Trial::new().capable(|own| {
            own.acr_values = vec!["gold".to_owned()];
            own.authorization_details_types = vec!["payment".to_owned()];
        });
        for (member, value) in table {
            assert_eq!(able.accepts(&app(json!({ member: value })))[member], value);
            Trial::new().refuses_about(&format!("{member}[0]"), &app(json!({ member: value })));
        }
    }

    /// OpenID Connect Core §3.1.2.1: 0 asks for a login every time.
    #[test]
    fn a_maximal_age_is_any_number_of_seconds() {
        assert_eq!(Trial::new().accepts(&app(json!({ "default_max_age": 0 })))["default_max_age"], 0);
        Trial::new().refuses_about("default_max_age", &app(json!({ "default_max_age": -1 })));
        let body = machine(json!({ "default_max_age": 60 }));
        assert!(Trial::new().register(&body).unwrap().notes_about("default_max_age"));
        Trial::strict().refuses_about("default_max_age", &body);
        let implicit = Trial::new()
            .capable(|own| *own = Capabilities::code_and_client_credentials().with_legacy_implicit());
        let body = app(json!({ "default_max_age": 60, "response_types": ["id_token"] }));
        assert_eq!(implicit.accepts(&body)["default_max_age"], 60);
    }

    /// RFC 9126 §6
    #[test]
    fn pushed_requests_are_required_only_where_they_are_possible() {
        let body = app(json!({ "require_pushed_authorization_requests": true }));
        assert_eq!(Trial::new().accepts(&body)["require_pushed_authorization_requests"], true);
        let trial = Trial::new().capable(|own| own.pushed_authorization_requests = false);
        trial.refuses_about("require_pushed_authorization_requests", &body);
    }
}
