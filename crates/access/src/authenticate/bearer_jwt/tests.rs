//! Tokens as issuers send them, and as others would.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use serde_json::json;

use super::super::test_issuer::*;
use crate::{AccessError, BearerJwt, Credential, Gate, policy};

/// RFC 9068 §4
#[tokio::test]
async fn a_good_token_makes_a_caller() {
    let caller = Issuer::new(rules()).accepts(json!({}), json!({ "tenant": "a" })).await;
    assert_eq!(caller.credential, Credential::BearerJwt);
    assert_eq!(caller.subject.as_deref(), Some("ada"));
    assert_eq!(caller.issuer.as_deref(), Some(ISSUER));
    assert_eq!(caller.scopes, ["openid", "client:register"]);
    assert_eq!(caller.claims["tenant"], "a");
    assert_eq!(caller.pays_with, None);
}

/// RFC 7515 §4.1.11
#[tokio::test]
async fn any_critical_header_parameter_is_refused() {
    let issuer = Issuer::new(rules());
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x")] {
        let why = issuer.refuses(json!({ "crit": crit }), json!({})).await;
        assert!(why.contains("critical"), "{crit}: {why}");
    }
    let token = issuer.key.token(&json!({ "alg": "ES256", "crit": null }), &claims());
    assert!(refused(&issuer.tokens, &token).await.contains("critical"));
}

/// RFC 9068 §2.1 and §4
#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let (lenient, strict) = (Issuer::new(rules()), Issuer::new(rules().require_type()));
    for typ in [json!("at+jwt"), json!("AT+JWT"), json!("application/at+jwt")] {
        lenient.accepts(json!({ "typ": typ }), json!({})).await;
        strict.accepts(json!({ "typ": typ }), json!({})).await;
    }
    for typ in [json!("JWT"), json!("jwt"), json!(null)] {
        lenient.accepts(json!({ "typ": typ }), json!({})).await;
        assert!(strict.refuses(json!({ "typ": typ }), json!({})).await.contains("at+jwt"), "{typ}");
    }
    for typ in [json!("dpop+jwt"), json!("logout+jwt"), json!("at+jwt "), json!(""), json!(1)] {
        assert!(lenient.refuses(json!({ "typ": typ }), json!({})).await.contains("at+jwt"), "{typ}");
    }
}

/// RFC 7519 §4.1.3
#[tokio::test]
async fn the_audience_must_be_or_contain_ours_exactly() {
    let issuer = Issuer::new(rules());
    for aud in [json!(AUDIENCE), json!([AUDIENCE]), json!(["https://other.example", AUDIENCE])] {
        issuer.accepts(json!({}), json!({ "aud": aud })).await;
    }
    let slash = format!("{AUDIENCE}/");
    for aud in [
        json!(null),
        json!("https://other.example"),
        json!(slash),
        json!([]),
        json!([[AUDIENCE]]),
        json!({ AUDIENCE: 1 }),
    ] {
        let why = issuer.refuses(json!({}), json!({ "aud": aud })).await;
        assert_eq!(why, "the token is meant for another audience", "{aud}");
    }
}

/// RFC 7519 §4.1.4: "on or after which" it must not be accepted.
#[tokio::test]
async fn a_token_expires_at_the_second_that_leeway_ends() {
    let exact = Issuer::new(rules().leeway(Duration::ZERO));
    exact.accepts(json!({}), json!({ "exp": NOW + 1 })).await;
    assert_eq!(exact.refuses(json!({}), json!({ "exp": NOW })).await, "the token is expired");

    let usual = Issuer::new(rules());
    usual.accepts(json!({}), json!({ "exp": NOW })).await;
    usual.accepts(json!({}), json!({ "exp": NOW - 59 })).await;
    assert_eq!(usual.refuses(json!({}), json!({ "exp": NOW - 60 })).await, "the token is expired");
    assert_eq!(usual.refuses(json!({}), json!({ "exp": NOW - 61 })).await, "the token is expired");
}

/// RFC 7519 §2
#[tokio::test]
async fn dates_may_have_fractions_and_must_be_numbers() {
    let exact = Issuer::new(rules().leeway(Duration::ZERO));
    exact.accepts(json!({}), json!({ "exp": 1_800_000_000.5 })).await;
    exact.accepts(json!({}), json!({ "exp": NOW + 1, "nbf": 1_799_999_999.5 })).await;
    assert_eq!(exact.refuses(json!({}), json!({ "exp": 1_799_999_999.5 })).await, "the token is expired");
    assert_eq!(
        exact.refuses(json!({}), json!({ "nbf": 1_800_000_000.5 })).await,
        "the token is not valid yet"
    );
    let missing = exact.refuses(json!({}), json!({ "exp": null })).await;
    assert_eq!(missing, "the token must say when it expires");
    for date in [json!("1800000300"), json!(-1), json!(1e300), json!([NOW + 300]), json!(true)] {
        for name in ["exp", "nbf", "iat"] {
            let why = exact.refuses(json!({}), json!({ name: date })).await;
            assert!(why.contains("seconds since 1970"), "{name} {date}: {why}");
        }
    }
}

/// RFC 7519 §4.1.5 and §4.1.6
#[tokio::test]
async fn a_token_of_the_future_is_refused_beyond_leeway() {
    let (exact, usual) = (Issuer::new(rules().leeway(Duration::ZERO)), Issuer::new(rules()));
    for name in ["nbf", "iat"] {
        exact.accepts(json!({}), json!({ name: NOW })).await;
        assert_eq!(exact.refuses(json!({}), json!({ name: NOW + 1 })).await, "the token is not valid yet");
        usual.accepts(json!({}), json!({ name: NOW + 60 })).await;
        assert_eq!(usual.refuses(json!({}), json!({ name: NOW + 61 })).await, "the token is not valid yet");
    }
}

/// RFC 9068 §2.2.3, and what issuers send instead
#[tokio::test]
async fn scopes_are_a_string_or_a_list_under_either_name() {
    let issuer = Issuer::new(rules());
    for claims in [
        json!({ "scope": "a b" }),
        json!({ "scope": ["a", "b"] }),
        json!({ "scope": null, "scp": "a b" }),
        json!({ "scope": null, "scp": ["a", "b"] }),
        json!({ "scope": "a b", "scp": "c" }),
    ] {
        assert_eq!(issuer.accepts(json!({}), claims.clone()).await.scopes, ["a", "b"], "{claims}");
    }
    assert!(issuer.accepts(json!({}), json!({ "scope": null, "sub": null })).await.scopes.is_empty());
    for scope in [json!(1), json!([1]), json!({ "a": true })] {
        assert!(issuer.refuses(json!({}), json!({ "scope": scope })).await.contains("scope"), "{scope}");
    }
    assert!(issuer.refuses(json!({}), json!({ "sub": 1 })).await.contains("sub"));
}

/// RFC 9449 §7.1, RFC 8705 §3
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let issuer = Issuer::new(rules());
    for cnf in [json!({ "jkt": "abc" }), json!({ "x5t#S256": "abc" })] {
        assert!(issuer.refuses(json!({}), json!({ "cnf": cnf })).await.contains("bound to a key"));
    }
}

#[tokio::test]
async fn what_is_not_of_this_issuer_is_left_to_the_next() {
    let issuer = Issuer::new(rules());
    let slash = format!("{ISSUER}/");
    for iss in [
        json!("https://other.example"),
        json!(slash),
        json!("HTTPS://id.example"),
        json!([ISSUER]),
        json!(null),
    ] {
        assert!(
            left_to_the_next(&issuer.tokens, &issuer.varied(&json!({}), &json!({ "iss": iss }))).await,
            "{iss}"
        );
    }
    let token = issuer.varied(&json!({}), &json!({}));
    let encrypted = format!("{token}.AAAA.AAAA");
    let list = format!("{}.{}.AAAA", b64("{\"alg\":\"ES256\"}"), b64("[1]"));
    for other in ["abc", "enr_iat_abc", "a.b", "a.b.c", "...", "..", "e30.e30.e30", &encrypted, &list] {
        assert!(left_to_the_next(&issuer.tokens, other).await, "{other}");
    }
}

#[tokio::test]
async fn several_issuers_stand_side_by_side_and_strangers_are_refused() {
    let (one, other) = (Issuer::new(rules()), Key::ed25519("b"));
    let second =
        BearerJwt::issued_by("https://two.example").for_audience(AUDIENCE).clock(Arc::new(StandingClock));
    let first_token = one.varied(&json!({}), &json!({}));
    let strange_token = one.varied(&json!({}), &json!({ "iss": "https://three.example" }));
    let second_token =
        other.token(&header("EdDSA", "b"), &with(claims(), &json!({ "iss": "https://two.example" })));
    let gate = Gate::require(policy::scope("client:register"))
        .authenticate(one.tokens)
        .authenticate(second.with_keys(&jwks(&[&other])).unwrap());
    let admit = async |token: &str| {
        let request = Request::post("/").header("authorization", format!("Bearer {token}"));
        gate.admit(&request.body(()).unwrap().into_parts().0).await
    };
    assert_eq!(admit(&first_token).await.unwrap().issuer.as_deref(), Some(ISSUER));
    assert_eq!(admit(&second_token).await.unwrap().issuer.as_deref(), Some("https://two.example"));
    for stranger in [strange_token, format!("{first_token}.AAAA.AAAA")] {
        assert!(matches!(admit(&stranger).await, Err(AccessError::InvalidToken(_))));
    }
}

#[tokio::test]
async fn a_token_longer_than_16_kib_is_not_even_read() {
    let issuer = Issuer::new(rules());
    let empty = issuer.varied(&json!({}), &json!({ "pad": "" })).len();
    let fits = issuer.varied(&json!({}), &json!({ "pad": "x".repeat((16 * 1024 - empty) / 4 * 3 - 3) }));
    assert!((16 * 1024 - 8..=16 * 1024).contains(&fits.len()), "{}", fits.len());
    accepted(&issuer.tokens, &fits).await;
    assert!(refused(&issuer.tokens, &"a".repeat(16 * 1024 + 1)).await.contains("16 KiB"));
    assert!(left_to_the_next(&issuer.tokens, &"a".repeat(16 * 1024)).await);
}
