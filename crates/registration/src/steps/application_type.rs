//! `application_type`: web or native.
//!
//! Runs after `grant_types`; `redirect_uris` builds upon it. OpenID Connect Dynamic Client Registration 1.0 §2,
//! RFC 8252 §8.4.

use enroll_oauth_types::{ApplicationType, GrantType, RedirectUri};

use super::supported;
use crate::{Registration, StepResult};

/// Takes the type over. Left out, it is `native` for a client with a redirect URI that only an app on the user's
/// machine can receive, since most such clients never say so, and else `web`.
pub fn application_type(r: &mut Registration<'_>) -> StepResult {
    let effective = match &r.request.application_type {
        Some(asked) => {
            let known = [ApplicationType::Web, ApplicationType::Native];
            supported::check("application_type", asked, &known)?;
            asked.clone()
        }
        None if looks_native(r) => {
            r.note(
                "application_type",
                "set to native: a redirect URI is on loopback or of an app's own scheme",
            );
            ApplicationType::Native
        }
        None => ApplicationType::Web,
    };
    r.client.metadata.application_type = Some(effective);
    Ok(())
}

/// A client with the implicit grant is not guessed to be native: that would let it send tokens to places where
/// only a client that says so may have them. OpenID Connect Dynamic Client Registration 1.0 §2.
fn looks_native(r: &Registration<'_>) -> bool {
    r.server.rules.infer_native
        && r.uses_redirects()
        && !r.has_grant(&GrantType::Implicit)
        && r.request.redirect_uris.iter().flatten().any(RedirectUri::is_native_only)
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::Capabilities;
    use serde_json::{Value, json};

    use crate::steps::trial::{Trial, app, machine};

    fn inferred(uris: &Value) -> Value {
        Trial::new().accepts(&json!({ "redirect_uris": uris }))["application_type"].clone()
    }

    /// OpenID Connect Dynamic Client Registration 1.0 §2
    #[test]
    fn the_default_is_web() {
        assert_eq!(inferred(&json!(["https://app.example/cb", "https://b.example/cb"])), "web");
        assert_eq!(Trial::new().accepts(&machine(json!({})))["application_type"], "web");
    }

    /// RFC 8252 §7
    #[test]
    fn a_redirect_uri_of_an_app_makes_it_native() {
        for uris in [
            json!(["http://127.0.0.1/cb"]),
            json!(["http://localhost:3000/cb", "http://[::1]/cb"]),
            json!(["com.example.app:/cb"]),
            json!(["cursor://auth/cb", "https://www.example.com/cb", "http://localhost:8787/cb"]),
        ] {
            assert_eq!(inferred(&uris), "native", "{uris}");
        }
    }

    #[test]
    fn what_the_client_says_is_not_guessed_away() {
        let body = json!({ "redirect_uris": ["http://localhost/cb"], "application_type": "web" });
        assert_eq!(Trial::new().accepts(&body)["application_type"], "web");
        let body = app(json!({ "application_type": "native" }));
        assert_eq!(Trial::new().accepts(&body)["application_type"], "native");
    }

    #[test]
    fn a_strict_server_guesses_nothing() {
        let json = Trial::strict().accepts(&json!({ "redirect_uris": ["http://127.0.0.1/cb"] }));
        assert_eq!(json["application_type"], "web");
        let refusal = Trial::strict().refuses(&json!({ "redirect_uris": ["com.example.app:/cb"] }));
        assert!(refusal.starts_with("invalid_redirect_uri redirect_uris[0]: "), "{refusal}");
    }

    /// OpenID Connect Dynamic Client Registration 1.0 §2
    #[test]
    fn an_implicit_client_is_not_guessed_to_be_native() {
        let trial = Trial::new()
            .capable(|own| *own = Capabilities::code_and_client_credentials().with_legacy_implicit());
        let body = json!({ "redirect_uris": ["http://localhost/cb"], "response_types": ["id_token"] });
        assert!(trial.refuses(&body).starts_with("invalid_redirect_uri redirect_uris[0]: "));
    }

    #[test]
    fn an_unknown_type_is_refused() {
        let refusal = Trial::new().refuses(&app(json!({ "application_type": "mobile" })));
        assert_eq!(refusal, "invalid_client_metadata application_type: must be one of web, native");
    }
}
