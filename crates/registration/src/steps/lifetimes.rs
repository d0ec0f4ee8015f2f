//! `*_lifetime`, `refresh_token_*`, `access_token_type`, `update_access_token_claims_on_refresh`: how long its
//! tokens live, and how they are renewed.
//!
//! Extension members. Runs after `token_endpoint_auth` and `proof`; `policy` limits what is asked here.
//! RFC 9700 §2.2.2 and §4.14 (refresh tokens of public clients).

use enroll_oauth_types::{
    AccessTokenType, AuthMethod, GrantType, RefreshTokenExpiration, RefreshTokenUsage, Rejection, Seconds,
};

use super::supported;
use crate::{Registration, StepResult};

/// `access_token_lifetime` of a client that asks for none, in seconds.
pub const DEFAULT_ACCESS_TOKEN_LIFETIME: u32 = 3600;
/// `identity_token_lifetime` of a client that asks for none, in seconds.
pub const DEFAULT_IDENTITY_TOKEN_LIFETIME: u32 = 300;
/// `authorization_code_lifetime` of a client that asks for none, in seconds.
pub const DEFAULT_AUTHORIZATION_CODE_LIFETIME: u32 = 300;
/// `absolute_refresh_token_lifetime` of a client that asks for none, in seconds.
pub const DEFAULT_ABSOLUTE_REFRESH_TOKEN_LIFETIME: u32 = 2_592_000;
/// `sliding_refresh_token_lifetime` of a client that asks for none, in seconds.
pub const DEFAULT_SLIDING_REFRESH_TOKEN_LIFETIME: u32 = 1_296_000;

/// Takes the lifetimes over. Each is judged whether or not the grants of this client make use of it.
pub fn lifetimes(r: &mut Registration<'_>) -> StepResult {
    let request = r.request;
    let positive = [
        ("access_token_lifetime", request.access_token_lifetime),
        ("identity_token_lifetime", request.identity_token_lifetime),
        ("authorization_code_lifetime", request.authorization_code_lifetime),
        ("sliding_refresh_token_lifetime", request.sliding_refresh_token_lifetime),
    ];
    for (member, seconds) in positive {
        check_positive(member, seconds)?;
    }
    if let Some(asked) = &request.access_token_type {
        let known = [AccessTokenType::Jwt, AccessTokenType::Reference];
        supported::check("access_token_type", asked, &known)?;
    }
    take_over!(r: access_token_lifetime, identity_token_lifetime, authorization_code_lifetime);
    take_over!(r: access_token_type, update_access_token_claims_on_refresh);
    refresh_token_expiration(r)?;
    refresh_token_usage(r)
}

pub(super) fn check_positive(member: &'static str, seconds: Option<Seconds>) -> Result<(), Rejection> {
    match seconds.map(Seconds::get) {
        Some(0) => Err(Rejection::metadata(member, "must be more than 0 seconds")),
        _ => Ok(()),
    }
}

/// 0 seconds are no end where each use moves it, and an end before the first use elsewhere.
fn refresh_token_expiration(r: &mut Registration<'_>) -> StepResult {
    let request = r.request;
    let known = [RefreshTokenExpiration::Absolute, RefreshTokenExpiration::Sliding];
    if let Some(asked) = &request.refresh_token_expiration {
        supported::check("refresh_token_expiration", asked, &known)?;
    }
    let slides = request.refresh_token_expiration == Some(RefreshTokenExpiration::Sliding);
    let ends_at_once = request.absolute_refresh_token_lifetime.is_some_and(|own| own.get() == 0) && !slides;
    if ends_at_once && !r.server.rules.substitute {
        let problem = "must be more than 0 seconds, unless refresh_token_expiration is Sliding";
        return Err(Rejection::metadata("absolute_refresh_token_lifetime", problem).into());
    }
    if ends_at_once {
        r.note(
            "absolute_refresh_token_lifetime",
            "0 seconds without Sliding: no refresh token is ever usable",
        );
    }
    take_over!(r: refresh_token_expiration, absolute_refresh_token_lifetime, sliding_refresh_token_lifetime);
    Ok(())
}

/// RFC 9700 §2.2.2: a refresh token of a client that cannot authenticate is used once, or bound to a key.
fn refresh_token_usage(r: &mut Registration<'_>) -> StepResult {
    const MEMBER: &str = "refresh_token_usage";
    let Some(asked) = &r.request.refresh_token_usage else { return Ok(()) };
    supported::check(MEMBER, asked, &[RefreshTokenUsage::OneTimeOnly, RefreshTokenUsage::ReUse])?;
    let metadata = &r.client.metadata;
    let stealable = metadata.token_endpoint_auth_method == Some(AuthMethod::None)
        && metadata.dpop_bound_access_tokens != Some(true)
        && metadata.tls_client_certificate_bound_access_tokens != Some(true);
    if stealable && *asked == RefreshTokenUsage::ReUse && r.has_grant(&GrantType::RefreshToken) {
        let reason = "the client cannot authenticate, and its tokens are bound to no key";
        r.put_instead(MEMBER, &RefreshTokenUsage::OneTimeOnly, reason)?;
        r.client.metadata.refresh_token_usage = Some(RefreshTokenUsage::OneTimeOnly);
    } else {
        take_over!(r: refresh_token_usage);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::steps::trial::{Trial, app};

    fn refreshing(over: Value) -> Value {
        let mut body = app(over);
        body["grant_types"] = json!(["authorization_code", "refresh_token"]);
        body
    }

    #[test]
    fn a_lifetime_is_more_than_nothing() {
        for member in [
            "access_token_lifetime",
            "identity_token_lifetime",
            "authorization_code_lifetime",
            "sliding_refresh_token_lifetime",
            "consent_lifetime",
        ] {
            assert_eq!(Trial::new().accepts(&app(json!({ member: 1 })))[member], 1);
            for bad in [json!(0), json!(-1), json!(1.5), json!("60"), json!(2_147_483_648_u64)] {
                Trial::new().refuses_about(member, &app(json!({ member: bad })));
            }
        }
    }

    #[test]
    fn enumerations_are_compared_exactly() {
        for (member, good) in [
            ("access_token_type", "Reference"),
            ("refresh_token_usage", "OneTimeOnly"),
            ("refresh_token_expiration", "Sliding"),
        ] {
            assert_eq!(Trial::new().accepts(&refreshing(json!({ member: good })))[member], good);
            for bad in [good.to_lowercase(), "1".to_owned()] {
                Trial::new().refuses_about(member, &refreshing(json!({ member: bad })));
            }
        }
    }

    /// RFC 9700 §2.2.2
    #[test]
    fn refresh_tokens_of_public_clients_rotate() {
        const MEMBER: &str = "refresh_token_usage";
        let public = |over: Value| {
            let mut body = refreshing(json!({ MEMBER: "ReUse", "token_endpoint_auth_method": "none" }));
            body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
            body
        };
        let registered = Trial::new().register(&public(json!({}))).unwrap();
        assert_eq!(registered.json[MEMBER], "OneTimeOnly");
        assert!(registered.notes_about(MEMBER));
        Trial::strict().refuses_about(MEMBER, &public(json!({})));
        for bound in ["dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"] {
            assert_eq!(Trial::new().accepts(&public(json!({ bound: true })))[MEMBER], "ReUse");
        }
        assert_eq!(Trial::new().accepts(&refreshing(json!({ MEMBER: "ReUse" })))[MEMBER], "ReUse");
    }

    #[test]
    fn no_absolute_end_is_only_for_sliding_ones() {
        const MEMBER: &str = "absolute_refresh_token_lifetime";
        let never = refreshing(json!({ MEMBER: 0 }));
        let registered = Trial::new().register(&never).unwrap();
        assert_eq!(registered.json[MEMBER], 0);
        assert!(registered.notes_about(MEMBER));
        Trial::strict().refuses_about(MEMBER, &never);
    }
}
