//! `post_logout_redirect_uris`, `frontchannel_logout_*`, `backchannel_logout_*`: what happens at logout.
//!
//! Runs after `redirect_uris`. OpenID Connect RP-Initiated Logout 1.0 §3.1, Front-Channel Logout 1.0 §2,
//! Back-Channel Logout 1.0 §2.2.

use enroll_oauth_types::{AuthMethod, Problem, RedirectUri, Rejection, Uri, UriParts};

use super::lists::{check_length, distinct};
use super::redirect_uris::redirect_rules;
use crate::{Registration, StepResult};

const FRONTCHANNEL: &str = "frontchannel_logout_uri";
const BACKCHANNEL: &str = "backchannel_logout_uri";

/// Takes the logout members over. A client that users never log in to has no use for them.
pub fn logout(r: &mut Registration<'_>) -> StepResult {
    check_post_logout(r)?;
    check_frontchannel(r)?;
    if !r.uses_redirects() {
        check_backchannel(r)?;
        return leave_out_all(r);
    }
    backchannel(r)?;
    r.client.metadata.post_logout_redirect_uris =
        r.request.post_logout_redirect_uris.as_deref().map(distinct);
    take_over!(r: frontchannel_logout_uri);
    let request = r.request;
    let by_default = r.server.rules.logout_session_required.then_some(true);
    if request.frontchannel_logout_uri.is_some() {
        r.client.metadata.frontchannel_logout_session_required =
            request.frontchannel_logout_session_required.or(by_default);
    } else if request.frontchannel_logout_session_required.is_some() {
        r.note("frontchannel_logout_session_required", "left out: there is no frontchannel_logout_uri");
    }
    if r.client.metadata.backchannel_logout_uri.is_some() {
        r.client.metadata.backchannel_logout_session_required =
            request.backchannel_logout_session_required.or(by_default);
    } else if request.backchannel_logout_session_required.is_some() {
        r.note("backchannel_logout_session_required", "left out: there is no backchannel_logout_uri");
    }
    Ok(())
}

/// Browsers are sent there as they are to a redirect URI, so the same rules hold.
fn check_post_logout(r: &Registration<'_>) -> Result<(), Rejection> {
    check_length("post_logout_redirect_uris", r.request.post_logout_redirect_uris.as_ref())?;
    let Some(uris) = &r.request.post_logout_redirect_uris else { return Ok(()) };
    let rules = redirect_rules(r);
    for (index, uri) in uris.iter().enumerate() {
        uri.check(&rules)
            .map_err(|problem| Rejection::metadata("post_logout_redirect_uris", problem).at(index))?;
    }
    Ok(())
}

/// It is loaded in a frame with the user's cookies, so it must be a page of the client's own.
/// OpenID Connect Front-Channel Logout 1.0 §2.
fn check_frontchannel(r: &Registration<'_>) -> Result<(), Rejection> {
    let Some(uri) = &r.request.frontchannel_logout_uri else { return Ok(()) };
    let refuse = |problem: Problem| Rejection::metadata(FRONTCHANNEL, problem);
    uri.check_web().map_err(refuse)?;
    let parts = uri.parts().map_err(refuse)?;
    if parts.fragment.is_some() {
        return Err(refuse("must not have a fragment".into()));
    }
    let is_public = r.client.metadata.token_endpoint_auth_method == Some(AuthMethod::None);
    if is_public && !parts.scheme.eq_ignore_ascii_case("https") {
        return Err(refuse("must be https, since the client does not authenticate".into()));
    }
    let own = r.client.metadata.redirect_uris.as_deref().unwrap_or_default();
    if r.uses_redirects() && !own.iter().any(|own| is_same_origin(own, &parts)) {
        return Err(refuse("must have the scheme, host and port of one of redirect_uris".into()));
    }
    Ok(())
}

/// An app on somebody's own machine names its pages over http, as its redirect URIs may be; it cannot be called there from
/// here. OpenID Connect Back-Channel Logout 1.0 §2.2.
fn backchannel(r: &mut Registration<'_>) -> StepResult {
    if r.request.backchannel_logout_uri.as_ref().is_some_and(Uri::is_http_on_loopback) {
        return r.leave_out(BACKCHANNEL, "it is not https");
    }
    check_backchannel(r)?;
    take_over!(r: backchannel_logout_uri);
    Ok(())
}

fn check_backchannel(r: &Registration<'_>) -> Result<(), Rejection> {
    let Some(uri) = &r.request.backchannel_logout_uri else { return Ok(()) };
    uri.check_https().map_err(|problem| Rejection::metadata(BACKCHANNEL, problem))
}

/// RFC 6454 §5
fn is_same_origin(redirect: &RedirectUri, other: &UriParts<'_>) -> bool {
    let Ok(own) = redirect.parts() else { return false };
    let (Some(host), Some(other_host)) = (own.host, other.host) else { return false };
    own.scheme == other.scheme && host.eq_ignore_ascii_case(other_host) && port(&own) == port(other)
}

fn port(uri: &UriParts<'_>) -> Option<u16> {
    uri.port.or(match uri.scheme.as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    })
}

fn leave_out_all(r: &mut Registration<'_>) -> StepResult {
    let request = r.request;
    let uri = |own: &Option<Uri>| own.is_some();
    let asked = [
        (
            "post_logout_redirect_uris",
            request.post_logout_redirect_uris.as_ref().is_some_and(|own| !own.is_empty()),
        ),
        (FRONTCHANNEL, uri(&request.frontchannel_logout_uri)),
        ("frontchannel_logout_session_required", request.frontchannel_logout_session_required.is_some()),
        (BACKCHANNEL, uri(&request.backchannel_logout_uri)),
        ("backchannel_logout_session_required", request.backchannel_logout_session_required.is_some()),
    ];
    asked
        .into_iter()
        .filter(|(_, asked)| *asked)
        .try_for_each(|(member, _)| r.leave_out(member, "no user logs in to this client"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{BACKCHANNEL, FRONTCHANNEL};
    use crate::steps::trial::{Trial, app, machine};

    /// OpenID Connect RP-Initiated Logout 1.0 §3.1
    #[test]
    fn users_are_sent_back_after_logout_as_safely_as_after_login() {
        const MEMBER: &str = "post_logout_redirect_uris";
        let uris = json!(["https://app.example/bye?x=1", "https://other.example"]);
        assert_eq!(Trial::new().accepts(&app(json!({ MEMBER: uris })))[MEMBER], uris);
        for bad in
            ["http://app.example/", "https://app.example/#x", "javascript:alert(1)", "com.example:/bye"]
        {
            let body = app(json!({ MEMBER: ["https://app.example/bye", bad] }));
            Trial::new().refuses_about("post_logout_redirect_uris[1]", &body);
        }
        let native = json!({ "redirect_uris": ["com.example:/cb"], MEMBER: ["com.example:/bye"] });
        Trial::new().accepts(&native);
    }

    /// OpenID Connect Front-Channel Logout 1.0 §2
    #[test]
    fn the_frontchannel_uri_is_a_page_of_the_clients_own() {
        for good in ["https://app.example/out?x", "https://APP.example:443/out"] {
            assert_eq!(Trial::new().accepts(&app(json!({ FRONTCHANNEL: good })))[FRONTCHANNEL], good);
        }
        for bad in [
            "https://other.example/out",
            "https://app.example:8443/out",
            "http://app.example/out",
            "https://app.example/out#x",
            "javascript:alert(1)",
        ] {
            Trial::new().refuses_about(FRONTCHANNEL, &app(json!({ FRONTCHANNEL: bad })));
        }
    }

    /// OpenID Connect Back-Channel Logout 1.0 §2.2
    #[test]
    fn the_backchannel_uri_is_https_without_fragment() {
        let uri = "https://other.example/out?x";
        assert_eq!(Trial::new().accepts(&app(json!({ BACKCHANNEL: uri })))[BACKCHANNEL], uri);
        for bad in
            ["http://app.example/out", "http://127.0.0.2/out", "https://app.example/out#", "data:x", "out"]
        {
            Trial::new().refuses_about(BACKCHANNEL, &app(json!({ BACKCHANNEL: bad })));
        }
    }

    #[test]
    fn a_backchannel_uri_on_loopback_is_left_out() {
        let body = app(
            json!({ BACKCHANNEL: "http://127.0.0.1:8080/out", "backchannel_logout_session_required": true }),
        );
        let registered = Trial::new().register(&body).unwrap();
        for member in [BACKCHANNEL, "backchannel_logout_session_required"] {
            assert!(registered.json.get(member).is_none() && registered.notes_about(member), "{member}");
        }
        Trial::strict().refuses_about(BACKCHANNEL, &body);
    }

    #[test]
    fn session_required_means_nothing_without_its_uri() {
        let body = app(json!({
            "frontchannel_logout_session_required": true, "backchannel_logout_session_required": true,
        }));
        let registered = Trial::new().register(&body).unwrap();
        assert!(registered.json.get("frontchannel_logout_session_required").is_none());
        assert!(registered.json.get("backchannel_logout_session_required").is_none());
        assert_eq!(registered.notes.len(), 2);
        let body =
            app(json!({ BACKCHANNEL: "https://app.example/", "backchannel_logout_session_required": true }));
        assert_eq!(Trial::new().accepts(&body)["backchannel_logout_session_required"], true);
    }

    #[test]
    fn a_machine_has_nothing_to_log_out_of() {
        let table: [(&str, Value); 3] = [
            ("post_logout_redirect_uris", json!(["https://app.example/bye"])),
            (FRONTCHANNEL, json!("https://app.example/out")),
            (BACKCHANNEL, json!("https://app.example/out")),
        ];
        for (member, value) in table {
            let body = machine(json!({ member: value }));
            let registered = Trial::new().register(&body).unwrap();
            assert!(registered.json.get(member).is_none(), "{member}");
            assert!(registered.notes_about(member));
            Trial::strict().refuses_about(member, &body);
        }
    }
}
