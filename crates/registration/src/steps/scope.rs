//! `scope`: what it may ask for.
//!
//! Runs after `grant_types`. RFC 7591 §2, RFC 6749 §3.3, OpenID Connect Core §11 (`offline_access`).

use enroll_oauth_types::{GrantType, Rejection, Scope};

use super::supported::one_of;
use crate::{Registration, StepResult, UnknownScope};

const OFFLINE_ACCESS: &str = "offline_access";

const WITHOUT_REFRESH: &str = "must not hold offline_access without refresh_token in grant_types";

/// The most values of one request: each is looked for among the others.
const MOST_VALUES: usize = 500;

/// Takes the scopes over that the server knows and the caller's policy allows. Left out, they are the policy's
/// default ones. A client without scopes has no `scope`.
pub fn scope(r: &mut Registration<'_>) -> StepResult {
    let scope = match &r.request.scope {
        Some(asked) if asked.values().next().is_some() => granted(r, asked)?,
        _ => defaults(r),
    };
    r.client.metadata.scope = Some(scope).filter(|scope| !scope.as_str().is_empty());
    Ok(())
}

/// Whether the server knows this scope and the policy allows it.
fn is_allowed(r: &Registration<'_>, value: &str) -> bool {
    let rule = r.server.rules.unknown_scope;
    (rule == UnknownScope::Store || r.server.capabilities.scopes.iter().any(|own| own == value))
        && r.terms().allowed_scopes.as_ref().is_none_or(|own| own.iter().any(|own| own == value))
}

/// Whether a scope means anything with the grants of this client: only a refresh token outlasts the user's visit.
fn fits_grants(r: &Registration<'_>, value: &str) -> bool {
    value != OFFLINE_ACCESS || r.has_grant(&GrantType::RefreshToken)
}

fn granted(r: &mut Registration<'_>, asked: &Scope) -> Result<Scope, Rejection> {
    if asked.as_str().split(' ').nth(MOST_VALUES).is_some() {
        return Err(Rejection::metadata("scope", format!("must hold at most {MOST_VALUES} values")));
    }
    let mut granted = Vec::new();
    for value in asked.values() {
        if !Scope::is_token(value) {
            let problem =
                "must be scope values of printable ASCII without quotes and backslashes, one space between";
            return Err(Rejection::metadata("scope", problem));
        }
        if value == OFFLINE_ACCESS && r.server.rules.strip_offline_access {
            r.note("scope", "offline_access left out: refresh_token in grant_types says it");
        } else if !fits_grants(r, value) {
            if r.server.rules.unknown_scope == UnknownScope::Refuse {
                return Err(Rejection::metadata("scope", WITHOUT_REFRESH));
            }
            r.note("scope", "offline_access left out: grant_types does not hold refresh_token");
        } else if is_allowed(r, value) {
            granted.push(value);
        } else if r.server.rules.unknown_scope != UnknownScope::Refuse {
            r.note("scope", format!("{value} left out: not known here, or not allowed to this caller"));
        } else {
            return Err(Rejection::metadata("scope", format!("must not hold {value}: {}", remedy(r))));
        }
    }
    let is_stripped = |value: &str| value == OFFLINE_ACCESS && r.server.rules.strip_offline_access;
    if asked.values().all(is_stripped) {
        return Ok(defaults(r)); // as if it had not asked
    }
    if granted.is_empty() && asked.values().any(|value| !fits_grants(r, value)) {
        let problem =
            "holds offline_access alone, which needs the grant refresh_token: name it in grant_types";
        return Err(Rejection::metadata("scope", problem));
    }
    if granted.is_empty() {
        return Err(Rejection::metadata("scope", format!("holds no value that is allowed: {}", remedy(r))));
    }
    Ok(granted.into_iter().collect())
}

fn remedy(r: &Registration<'_>) -> String {
    let allowed: Vec<_> = r.server.capabilities.scopes.iter().filter(|own| is_allowed(r, own)).collect();
    match allowed.as_slice() {
        [] => "leave it out, since no scope can be registered".to_owned(),
        allowed => format!("each {}", one_of(allowed)),
    }
}

fn defaults(r: &Registration<'_>) -> Scope {
    let policy = r.terms();
    let defaults = policy.default_scopes.as_ref().unwrap_or(&r.server.capabilities.scopes);
    let is_stripped = |own: &str| own == OFFLINE_ACCESS && r.server.rules.strip_offline_access;
    let fits = |own: &&str| is_allowed(r, own) && fits_grants(r, own) && !is_stripped(own);
    defaults.iter().map(String::as_str).filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use enroll_access::Terms;
    use serde_json::json;

    use crate::steps::trial::{Trial, app, machine};

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    /// RFC 7591 §2
    #[test]
    fn what_is_not_known_is_left_out_and_the_rest_returned() {
        let registered =
            Trial::new().register(&app(json!({ "scope": "api1  made_up openid api1" }))).unwrap();
        assert_eq!(registered.json["scope"], "api1 openid");
        assert!(registered.notes_about("scope"));
        Trial::strict().refuses_about("scope", &app(json!({ "scope": "api1 made_up" })));
        Trial::strict().refuses_about("scope", &app(json!({ "scope": "api1 offline_access" })));
        let alone = Trial::new().register(&app(json!({ "scope": "offline_access" }))).unwrap_err();
        assert!(alone.to_string().contains("refresh_token"), "{alone}");
    }

    /// RFC 7591 §3.2.1: a scope that was asked for is never replaced by others.
    #[test]
    fn a_request_of_which_nothing_is_left_is_refused() {
        Trial::new().refuses_about("scope", &app(json!({ "scope": "made_up other" })));
        let trial = Trial::new().capable(|own| own.scopes.clear());
        trial.refuses_about("scope", &app(json!({ "scope": "api1" })));
    }

    #[test]
    fn the_policy_narrows_what_is_known() {
        let terms = Terms { allowed_scopes: Some(strings(&["api1", "not_known_here"])), ..Terms::default() };
        let trial = Trial::new().on(terms);
        assert_eq!(trial.accepts(&app(json!({ "scope": "api1 api2 not_known_here" })))["scope"], "api1");
        assert_eq!(trial.accepts(&app(json!({})))["scope"], "api1");
    }

    /// RFC 7591 §2: the server may register a default.
    #[test]
    fn no_scope_is_the_default_of_the_policy() {
        assert_eq!(Trial::new().accepts(&app(json!({})))["scope"], "openid profile api1 api2");
        let terms = Terms { default_scopes: Some(strings(&["api2", "openid"])), ..Terms::default() };
        assert_eq!(Trial::new().on(terms).accepts(&app(json!({ "scope": "" })))["scope"], "api2 openid");
    }

    #[test]
    fn no_scopes_are_no_member() {
        let trial = Trial::new().capable(|own| own.scopes.clear());
        assert!(trial.accepts(&app(json!({}))).get("scope").is_none());
    }

    /// OpenID Connect Core §11
    #[test]
    fn offline_access_needs_the_refresh_token_grant() {
        let scope = "openid offline_access";
        assert_eq!(Trial::new().accepts(&app(json!({ "scope": scope })))["scope"], "openid");
        assert_eq!(
            Trial::new().accepts(&machine(json!({ "scope": "api1 offline_access" })))["scope"],
            "api1"
        );
        let grants = ["authorization_code", "refresh_token"];
        let json = Trial::new().accepts(&app(json!({ "scope": scope, "grant_types": grants })));
        assert_eq!(json["scope"], scope);
    }

    /// RFC 6749 §3.3
    #[test]
    fn what_is_no_scope_value_is_always_refused() {
        Trial::new().refuses_about("scope", &app(json!({ "scope": "x ".repeat(500) + "api1" })));
        for bad in ["api1 a\"b", "api1 a\\b", "api1\tapi2", "api1\u{0}", "é api1"] {
            Trial::new().refuses_about("scope", &app(json!({ "scope": bad })));
        }
    }

    /// What is answered, sent back, must change nothing.
    #[test]
    fn a_client_that_asks_for_nothing_but_what_is_stripped_gets_the_defaults() {
        let mut trial = Trial::new();
        trial.server.rules.strip_offline_access = true;
        let asked =
            json!({ "scope": "offline_access", "grant_types": ["authorization_code", "refresh_token"] });
        let unasked = json!({ "grant_types": ["authorization_code", "refresh_token"] });
        assert_eq!(trial.accepts(&app(asked))["scope"], trial.accepts(&app(unasked))["scope"]);
    }
}
