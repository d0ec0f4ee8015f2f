//! `redirect_uris`: where users may be sent back to.
//!
//! Runs after `grant_types` and `application_type`. What makes one URI safe is in `enroll_oauth_types::RedirectUri`;
//! here is when a client needs any. RFC 6749 §3.1.2.2, RFC 7591 §2 and §5.

use enroll_oauth_types::{ApplicationType, GrantType, RedirectRules, Rejection};

use super::lists::distinct;
use crate::{Registration, StepResult};

/// Takes the redirect URIs over as they were sent and in their order, exact duplicates once.
pub fn redirect_uris(r: &mut Registration<'_>) -> StepResult {
    let uris = r.request.redirect_uris.as_deref().unwrap_or_default();
    if !r.uses_redirects() {
        return if uris.is_empty() { Ok(()) } else { needless(r) };
    }
    if uris.is_empty() {
        let problem = "must hold at least one URI, since grant_types sends users back to the client";
        return Err(Rejection::redirect_uri(problem).into());
    }
    let rules = RedirectRules { implicit: r.has_grant(&GrantType::Implicit), ..redirect_rules(r) };
    for (index, uri) in uris.iter().enumerate() {
        uri.check(&rules).map_err(|problem| Rejection::redirect_uri(problem).at(index))?;
    }
    r.client.metadata.redirect_uris = Some(distinct(uris));
    Ok(())
}

/// A machine client with redirect URIs is a mistake, unless it is only we who do not support its other grant.
fn needless(r: &mut Registration<'_>) -> StepResult {
    let is_ours = r.request.grant_types.iter().flatten().any(GrantType::uses_redirects);
    if is_ours || r.server.rules.drop_needless_redirects {
        r.note("redirect_uris", "left out: no grant is left that sends users back to the client");
        return Ok(());
    }
    let problem = "must be left out: no grant of grant_types sends users back to the client";
    Err(Rejection::redirect_uri(problem).into())
}

/// What the URIs of this client that browsers are sent to are judged by.
pub(super) fn redirect_rules(r: &Registration<'_>) -> RedirectRules {
    let rules = &r.server.rules;
    RedirectRules {
        application_type: r.client.metadata.application_type.clone().unwrap_or(ApplicationType::Web),
        implicit: false,
        allow_http: rules.insecure_allow_http_redirect_uris,
        refuse_https_loopback: !rules.allow_https_loopback,
        require_reverse_domain: !rules.allow_short_schemes,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app, machine};

    /// RFC 6749 §3.1.2.2
    #[test]
    fn a_client_that_is_sent_users_says_where() {
        for body in [json!({}), json!({ "redirect_uris": [] }), json!({ "redirect_uris": null })] {
            let refusal = Trial::new().refuses(&body);
            assert!(refusal.starts_with("invalid_redirect_uri redirect_uris: must hold"), "{refusal}");
        }
    }

    /// RFC 3986 §6.2.1: they are compared byte by byte, so they are kept so.
    #[test]
    fn bytes_and_order_are_kept_and_duplicates_dropped() {
        let uris =
            ["https://B.example", "https://a.example:443/cb?x=%7e", "https://B.example", "https://b.example"];
        let json = Trial::new().accepts(&json!({ "redirect_uris": uris }));
        assert_eq!(json["redirect_uris"], json!([uris[0], uris[1], uris[3]]));
    }

    /// RFC 7591 §3.2.2
    #[test]
    fn the_item_at_fault_is_named() {
        let refusal = Trial::new()
            .refuses(&json!({ "redirect_uris": ["https://a.example/cb", "https://a.example/#x"] }));
        assert!(refusal.starts_with("invalid_redirect_uri redirect_uris[1]: "), "{refusal}");
    }

    #[test]
    fn a_machine_has_no_redirect_uris() {
        assert!(
            Trial::new().accepts(&machine(json!({ "redirect_uris": [] }))).get("redirect_uris").is_none()
        );
        let refusal = Trial::new().refuses(&machine(json!({ "redirect_uris": ["https://a.example/cb"] })));
        assert!(refusal.starts_with("invalid_redirect_uri redirect_uris: must be left out"), "{refusal}");
    }

    #[test]
    fn redirect_uris_of_a_grant_that_the_server_dropped_are_no_mistake() {
        let trial = Trial::new().capable(|own| own.grant_types = vec!["client_credentials".into()]);
        let body = app(json!({ "grant_types": ["client_credentials", "authorization_code"] }));
        let registered = trial.register(&body).unwrap();
        assert!(registered.notes_about("redirect_uris"));
        assert!(registered.json.get("redirect_uris").is_none());
    }

    /// RFC 9700 §2.6
    #[test]
    fn http_to_other_machines_is_for_development() {
        let body = json!({ "redirect_uris": ["http://app.example/cb"] });
        assert!(Trial::new().refuses(&body).starts_with("invalid_redirect_uri redirect_uris[0]: "));
        let mut trial = Trial::new();
        trial.server.rules.insecure_allow_http_redirect_uris = true;
        trial.accepts(&body);
    }

    /// RFC 8252 §7.1
    #[test]
    fn a_scheme_without_a_dot_is_refused_by_a_strict_server() {
        let body = json!({ "redirect_uris": ["cursor://auth/cb"], "application_type": "native" });
        Trial::new().accepts(&body);
        assert!(Trial::strict().refuses(&body).starts_with("invalid_redirect_uri redirect_uris[0]: "));
    }

    #[test]
    fn script_schemes_are_refused_in_any_spelling() {
        for uri in ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "java\tscript:x"] {
            let refusal = Trial::new().refuses(&json!({ "redirect_uris": [uri] }));
            assert!(refusal.starts_with("invalid_redirect_uri redirect_uris[0]: "), "{uri}: {refusal}");
        }
    }

    #[test]
    fn needless_redirect_uris_are_left_out_on_request() {
        let body = machine(json!({ "redirect_uris": ["https://app.example/cb"] }));
        assert!(Trial::new().refuses(&body).starts_with("invalid_redirect_uri redirect_uris: "));
        let mut trial = Trial::new();
        trial.server.rules.drop_needless_redirects = true;
        let registered = trial.register(&body).unwrap();
        assert!(registered.json.get("redirect_uris").is_none() && registered.notes_about("redirect_uris"));
    }
}
