//! Requests that the standards allow and a server may be told to refuse all the same, to judge as another one does.
//!
//! Runs first. Each is off by default: RFC 7591 §2 gives `grant_types` a default and lets keys stand beside any method,
//! OpenID Connect Dynamic Client Registration 1.0 §2 lets `default_max_age` be 0.

use enroll_oauth_types::{AuthMethod, GrantType, Rejection};

use crate::{Registration, StepResult};

/// Refuses what the rules single out.
pub fn compatibility(r: &mut Registration<'_>) -> StepResult {
    let (request, refused) = (r.request, &r.server.rules.also_refuse);
    let method = request.token_endpoint_auth_method.as_ref();
    let by_key = method == Some(&AuthMethod::PrivateKeyJwt);
    let has_code = request.grant_types.iter().flatten().any(|grant| *grant == GrantType::AuthorizationCode);
    let checks = [
        (refused.missing_grant_types && request.grant_types.is_none(), "grant_types", "is required here"),
        (
            refused.keys_without_private_key_jwt && request.jwks.is_some() && method.is_some() && !by_key,
            "jwks",
            "must stand beside token_endpoint_auth_method private_key_jwt here",
        ),
        (
            refused.private_key_jwt_without_jwks && by_key && request.jwks.is_none(),
            "jwks",
            "is required beside private_key_jwt here, by value",
        ),
        (
            refused.signed_request_objects_without_jwks
                && request.require_signed_request_object == Some(true)
                && request.jwks.is_none(),
            "require_signed_request_object",
            "needs jwks here, by value",
        ),
        (
            refused.max_age_of_zero && request.default_max_age.is_some_and(|age| age.get() == 0),
            "default_max_age",
            "must be at least 1 second here",
        ),
        (
            refused.max_age_without_code && request.default_max_age.is_some() && !has_code,
            "default_max_age",
            "must stand beside the grant authorization_code here",
        ),
    ];
    match checks.iter().find(|(refused, ..)| *refused) {
        Some((_, member, problem)) => Err(Rejection::metadata(*member, *problem).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::Rules;
    use crate::steps::trial::{Trial, app, keys, machine};

    fn duende() -> Trial {
        let mut trial = Trial::new();
        trial.server.rules = Rules::duende();
        trial
    }

    #[test]
    fn what_is_singled_out_is_refused_and_nothing_else() {
        let code = |over: Value| {
            let mut body = app(json!({ "grant_types": ["authorization_code"] }));
            body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
            body
        };
        for (member, body) in [
            ("grant_types", app(json!({}))),
            ("jwks", code(json!({ "jwks": keys(), "token_endpoint_auth_method": "client_secret_basic" }))),
            (
                "jwks",
                code(
                    json!({ "jwks_uri": "https://app.example/jwks", "token_endpoint_auth_method": "private_key_jwt" }),
                ),
            ),
            (
                "require_signed_request_object",
                code(
                    json!({ "jwks_uri": "https://app.example/jwks", "require_signed_request_object": true }),
                ),
            ),
            ("default_max_age", code(json!({ "default_max_age": 0 }))),
            ("default_max_age", machine(json!({ "default_max_age": 60 }))),
        ] {
            duende().refuses_about(member, &body);
            if member != "grant_types" {
                Trial::new().accepts(&body);
            }
        }
        duende().accepts(&code(
            json!({ "jwks": keys(), "default_max_age": 60, "require_signed_request_object": true }),
        ));
        duende().accepts(&machine(json!({})));
    }
}
