//! `jwks`, `jwks_uri`: its public keys.
//!
//! What makes a key public and sound is in `enroll_oauth_types::Jwks`. RFC 7591 §2, RFC 7517 §5.

use enroll_oauth_types::{Jwk, Rejection};

use crate::{Registration, StepResult};

/// Takes the keys over as they were sent, once each of them is known to be public. Keys behind a `jwks_uri` are
/// fetched when they are needed, not now.
pub fn keys(r: &mut Registration<'_>) -> StepResult {
    if let Some(uri) = &r.request.jwks_uri {
        let checked = match r.server.rules.insecure_allow_http_jwks_uri {
            true => uri.check_web(),
            false => uri.check_https(),
        };
        checked.map_err(|problem| Rejection::metadata("jwks_uri", problem))?;
    }
    if let Some(jwks) = &r.request.jwks {
        if r.request.jwks_uri.is_some() {
            let problem = "must not stand beside jwks_uri: send one of the two";
            return Err(Rejection::metadata("jwks", problem).into());
        }
        let keys = jwks.keys()?;
        r.extensions.insert(Judged(keys));
    }
    take_over!(r: jwks, jwks_uri);
    Ok(())
}

/// The keys of `jwks`, so that later steps need not read them again.
#[derive(Clone)]
struct Judged(Vec<Jwk>);

/// Whether the client has a key that passes the test. Keys that are not here but behind a `jwks_uri` may.
pub(super) fn has_key(r: &Registration<'_>, test: impl Fn(&Jwk) -> bool) -> bool {
    let metadata = &r.client.metadata;
    match (&metadata.jwks_uri, &metadata.jwks, r.extensions.get::<Judged>()) {
        (Some(_), _, _) => true,
        (None, Some(_), Some(Judged(keys))) => keys.iter().any(test),
        // A step of somebody else's stands in the place of this one.
        (None, Some(jwks), None) => jwks.keys().is_ok_and(|keys| keys.iter().any(test)),
        (None, None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app, keys};

    /// OpenID Connect Dynamic Client Registration 1.0 §2: keys also serve request objects and encryption.
    #[test]
    fn keys_are_welcome_beside_any_authentication_method() {
        for method in ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"] {
            let body = app(json!({ "jwks": keys(), "token_endpoint_auth_method": method }));
            assert_eq!(Trial::new().accepts(&body)["jwks"], keys(), "{method}");
        }
    }

    /// RFC 7591 §2
    #[test]
    fn jwks_and_jwks_uri_together_are_refused() {
        let body = app(json!({ "jwks": keys(), "jwks_uri": "https://app.example/jwks" }));
        Trial::new().refuses_about("jwks", &body);
    }

    /// RFC 7517 §9.2: private and shared keys are nobody else's business.
    #[test]
    fn keys_that_are_not_public_are_refused() {
        let mut private = keys();
        private["keys"][0]["d"] = json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
        Trial::new().refuses_about("jwks.keys[0].d", &app(json!({ "jwks": private })));
        let shared = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] });
        Trial::new().refuses_about("jwks.keys[0].k", &app(json!({ "jwks": shared })));
        Trial::new().refuses_about("jwks.keys", &app(json!({ "jwks": { "keys": [] } })));
    }

    /// RFC 7591 §5
    #[test]
    fn jwks_uri_is_https() {
        let body = app(json!({ "jwks_uri": "https://app.example/jwks" }));
        assert_eq!(Trial::new().accepts(&body)["jwks_uri"], "https://app.example/jwks");
        for bad in ["http://app.example/jwks", "javascript:alert(1)", "https://u:p@app.example/jwks", "/jwks"]
        {
            Trial::new().refuses_about("jwks_uri", &app(json!({ "jwks_uri": bad })));
        }
    }

    #[test]
    fn a_server_in_development_may_take_an_http_jwks_uri() {
        let mut trial = Trial::new();
        trial.server.rules.insecure_allow_http_jwks_uri = true;
        trial.accepts(&app(json!({ "jwks_uri": "http://127.0.0.1:8080/jwks" })));
        trial.refuses_about("jwks_uri", &app(json!({ "jwks_uri": "javascript:alert(1)" })));
    }
}
