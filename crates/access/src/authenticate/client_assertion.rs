//! A client's signed statement of who it is. RFC 7523 §3, OpenID Connect Core 1.0 §9 (`private_key_jwt`).

use std::str::FromStr as _;
use std::sync::LazyLock;
use std::time::Duration;

use enroll_oauth_types::{Algorithm, ClientId, ClientSecret, Jwks, SecretHash, Timestamp};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, crypto};
use serde_json::Value;

use super::issuer_keys::{ALGORITHMS, IssuerKeys, asymmetric};
use super::jws::{Jws, numeric_date};

/// What an assertion must be, to be that of one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct AssertionRules<'a> {
    /// Whose it must be.
    pub(super) client: &'a ClientId,
    /// The client's public keys, when there is such a client and it has any.
    pub(super) keys: Option<&'a Jwks>,
    /// `token_endpoint_auth_signing_alg`: the one algorithm that the client registered for this, if it did.
    pub(super) algorithm: Option<&'a Algorithm>,
    /// What `aud` must be, or contain, one of: the address that the request goes to, or whose it is.
    pub(super) audiences: &'a [&'a str],
    /// The present moment.
    pub(super) now: Timestamp,
}

/// An assertion that is good, once. Whoever takes it must remember that it was used, until it ends by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientAssertion {
    /// The hash of its `jti`.
    pub jti: SecretHash,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Why an assertion is not good. RFC 7523 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// It does not show that its sender has a key of the client. Nothing else must be told: there may be no such client.
    #[error("the assertion is not signed by the client")]
    NotSigned,
    /// The client signed it, and may know what is wrong with it.
    #[error("{0}")]
    Wrong(&'static str),
}

/// How long an assertion may live: as long as those that libraries make when nobody tells them. Its identifier is
/// remembered as long, so that it is taken once all the same. RFC 7523 §3.
const LONGEST: Duration = Duration::from_hours(1);

/// Those of real clients stay below an eighth of this, in bytes.
const LONGEST_TOKEN: usize = 8 * 1024;

/// How far the client's clock may be off.
const LEEWAY: Duration = Duration::from_mins(1);

impl ClientAssertion {
    /// Whether this claims to be an assertion of the client, before anything is asked of anybody for it.
    pub fn is_for(token: &str, client: &ClientId) -> bool {
        Self::read(token).is_some_and(|jws| jws.is_issued_by(client.as_str()))
    }

    /// Whose this claims to be, before anything of it is verified.
    pub fn subject(token: &str) -> Option<String> {
        Self::read(token)?.claims.get("sub").and_then(Value::as_str).map(str::to_owned)
    }

    /// Verifies an assertion by the secrets that both sides have. OpenID Connect Core 1.0 §9 (`client_secret_jwt`).
    pub(super) fn verify_shared(
        token: &str,
        secrets: &[ClientSecret],
        rules: &AssertionRules<'_>,
    ) -> Result<Self, AssertionError> {
        let jws = Self::read(token).ok_or(AssertionError::NotSigned)?;
        let name = jws.header.get("alg").and_then(Value::as_str).unwrap_or("none");
        let algorithm = jsonwebtoken::Algorithm::from_str(name).map_err(|_| AssertionError::NotSigned)?;
        let is_registered = rules.algorithm.is_none_or(|own| own.as_str() == name);
        let is_shared = AlgorithmFamily::Hmac.algorithms().contains(&algorithm);
        let is_by = |secret: &ClientSecret| {
            let key = DecodingKey::from_secret(secret.expose().as_bytes());
            crypto::verify(jws.signature, jws.signed.as_bytes(), &key, algorithm).unwrap_or(false)
        };
        let is_good = is_registered && is_shared && !jws.header.contains_key("crit");
        if is_good && secrets.iter().any(is_by) {
            check_claims(&jws, rules).map_err(AssertionError::Wrong)
        } else {
            Err(AssertionError::NotSigned)
        }
    }

    /// Whoever sends this is not known yet, so long ones are not read.
    fn read(token: &str) -> Option<Jws<'_>> {
        if token.len() > LONGEST_TOKEN { None } else { Jws::read(token) }
    }

    /// Verifies an assertion: its signature first, since only the client may know the rest. One signature is verified
    /// whether or not there is such a client, so that the time tells as little as the answer.
    pub(super) fn verify(token: &str, rules: &AssertionRules<'_>) -> Result<Self, AssertionError> {
        let jws = Self::read(token).ok_or(AssertionError::NotSigned)?;
        verify_signature(&jws, rules)?;
        check_claims(&jws, rules).map_err(AssertionError::Wrong)
    }
}

/// A client without keys is given one that nobody has, and an algorithm that none of its keys fits is verified with a key
/// that nobody has.
fn verify_signature(jws: &Jws<'_>, rules: &AssertionRules<'_>) -> Result<(), AssertionError> {
    let text = |name: &str| jws.header.get(name).and_then(Value::as_str);
    let (algorithm, kid) = (text("alg").unwrap_or("none"), text("kid"));
    let own = rules.keys.and_then(|keys| keys.candidates(kid));
    let keys = read(own.as_ref().map_or(NOBODYS_KEY, Jwks::as_str));
    let fitting = keys.as_ref().filter(|keys| keys.fits(algorithm, kid));
    let outcome = fitting.unwrap_or(&NOBODYS_KEYS).verify(
        algorithm,
        kid.filter(|_| fitting.is_some()),
        jws.signed,
        jws.signature,
    );
    let is_own = own.is_some() && fitting.is_some();
    let is_registered = rules.algorithm.is_none_or(|own| own.as_str() == algorithm);
    let is_good = outcome.is_ok() && is_own && is_registered && !jws.header.contains_key("crit");
    is_good.then_some(()).ok_or(AssertionError::NotSigned)
}

fn read(jwks: &str) -> Option<IssuerKeys> {
    let allowed: Vec<_> = ALGORITHMS.iter().filter_map(|name| asymmetric(name)).collect();
    IssuerKeys::read_usable(jwks, &allowed).ok()
}

static NOBODYS_KEYS: LazyLock<IssuerKeys> =
    LazyLock::new(|| read(include_str!("client_assertion/nobodys_keys.json")).expect("they are keys"));

/// One of them, since most clients have one.
const NOBODYS_KEY: &str = include_str!("client_assertion/nobodys_key.json");

/// RFC 7523 §3
fn check_claims(jws: &Jws<'_>, rules: &AssertionRules<'_>) -> Result<ClientAssertion, &'static str> {
    let text = |name: &str| jws.claims.get(name).and_then(Value::as_str);
    if [text("iss"), text("sub")] != [Some(rules.client.as_str()); 2] {
        return Err("the claims iss and sub of the assertion must be the client_id");
    }
    if !rules.audiences.iter().any(|audience| jws.is_for(audience)) {
        return Err("the claim aud of the assertion must be the address that the request goes to");
    }
    let jti = text("jti").filter(|jti| !jti.is_empty());
    let jti = jti.ok_or("the assertion must have a claim jti, different for each request")?;
    let now = Duration::from_secs(rules.now.seconds());
    let end = numeric_date(&jws.claims, "exp")?.ok_or("the assertion must say when it expires")?;
    if now >= end.saturating_add(LEEWAY) {
        return Err("the assertion is expired");
    }
    if end > now.saturating_add(LONGEST).saturating_add(LEEWAY) {
        return Err("the claim exp of the assertion must be within an hour");
    }
    for name in ["nbf", "iat"] {
        if numeric_date(&jws.claims, name)?.is_some_and(|start| start > now.saturating_add(LEEWAY)) {
            return Err("the assertion is not valid yet");
        }
    }
    let expires_at = rules.now + (end.saturating_add(LEEWAY * 2)).saturating_sub(now);
    Ok(ClientAssertion { jti: SecretHash::of(jti), expires_at })
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::{Algorithm, ClientId, Jwks};
    use serde_json::{Value, json};

    use super::super::test_issuer::{Key, NOW};
    use super::*;

    const AUDIENCE: &str = "https://id.example/connect/dcr/app";

    fn good() -> Value {
        json!({ "iss": "app", "sub": "app", "aud": AUDIENCE, "jti": "1", "exp": NOW + 60 })
    }

    fn jwks(keys: &[&Key]) -> Jwks {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        Jwks::from_raw(&serde_json::value::to_raw_value(&json!({ "keys": keys })).unwrap())
    }

    fn verify(token: &str, keys: Option<&Jwks>) -> Result<ClientAssertion, AssertionError> {
        let client = ClientId::from("app");
        let rules = AssertionRules {
            client: &client,
            keys,
            algorithm: None,
            audiences: &[AUDIENCE],
            now: Timestamp(NOW),
        };
        ClientAssertion::verify(token, &rules)
    }

    /// RFC 7523 §3
    #[test]
    fn what_the_client_signed_is_good_until_it_ends() {
        let key = Key::es256("k");
        let keys = jwks(&[&key]);
        let assertion =
            verify(&key.token(&json!({ "alg": "ES256", "kid": "k" }), &good()), Some(&keys)).unwrap();
        assert_eq!(assertion.jti, SecretHash::of("1"));
        assert!(assertion.expires_at > Timestamp(NOW + 60));
        assert!(verify(&key.token(&json!({ "alg": "ES256" }), &good()), Some(&keys)).is_ok());
        let mut of_an_hour = good();
        of_an_hour["exp"] = json!(NOW + 3600);
        assert!(verify(&key.token(&json!({ "alg": "ES256" }), &of_an_hour), Some(&keys)).is_ok());
    }

    /// RFC 7517 §5: a key that nothing can be verified with does not take the others along.
    #[test]
    fn a_key_that_cannot_be_used_leaves_the_others_good() {
        let (key, mut odd) = (Key::es256("k"), Key::es256("odd"));
        for alg in ["ES384", "RS256", "EdDSA"] {
            odd.jwk["alg"] = alg.into();
            let token = key.token(&json!({ "alg": "ES256", "kid": "k" }), &good());
            assert!(verify(&token, Some(&jwks(&[&odd, &key]))).is_ok(), "{alg}");
            let by_odd = odd.token(&json!({ "alg": "ES256", "kid": "odd" }), &good());
            assert_eq!(verify(&by_odd, Some(&jwks(&[&odd, &key]))), Err(AssertionError::NotSigned), "{alg}");
        }
    }

    /// RFC 7523 §3
    #[test]
    fn what_is_wrong_is_told_to_whoever_signed_it() {
        let key = Key::es256("k");
        let keys = jwks(&[&key]);
        for (claim, value, about) in [
            ("iss", json!("other"), "iss and sub"),
            ("sub", json!(null), "iss and sub"),
            ("aud", json!("https://id.example/connect/token"), "aud"),
            ("aud", json!(null), "aud"),
            ("jti", json!(""), "jti"),
            ("jti", json!(7), "jti"),
            ("exp", json!(null), "seconds"),
            ("exp", json!("soon"), "seconds"),
            ("exp", json!(NOW - 60), "expired"),
            ("exp", json!(NOW + 3661), "within an hour"),
            ("nbf", json!(NOW + 61), "not valid yet"),
            ("iat", json!(NOW + 61), "not valid yet"),
        ] {
            let mut claims = good();
            claims[claim] = value;
            match verify(&key.token(&json!({ "alg": "ES256", "kid": "k" }), &claims), Some(&keys)) {
                Err(AssertionError::Wrong(why)) => assert!(why.contains(about), "{claims}: {why}"),
                other => panic!("{claims}: {other:?}"),
            }
        }
        let mut claims = good();
        claims["aud"] = json!(["https://other.example", AUDIENCE]);
        assert!(verify(&key.token(&json!({ "alg": "ES256", "kid": "k" }), &claims), Some(&keys)).is_ok());
    }

    /// RFC 8725 §3.1
    #[test]
    fn what_the_client_did_not_sign_is_told_nothing_more() {
        let (own, other) = (Key::es256("k"), Key::es256("k"));
        let keys = jwks(&[&own]);
        let header = json!({ "alg": "ES256", "kid": "k" });
        let by_own = own.token(&header, &good());
        for (token, keys) in [
            (other.token(&header, &good()), Some(&keys)),
            (other.token(&header, &json!({})), Some(&keys)),
            (own.token(&json!({ "alg": "ES256", "kid": "z", "crit": ["z"] }), &good()), Some(&keys)),
            (own.token(&json!({ "alg": "none" }), &good()), Some(&keys)),
            (own.token(&json!({ "alg": "RS256" }), &good()), Some(&keys)),
            (by_own.clone(), None),
            ("no.token.atall".to_owned(), Some(&keys)),
            (own.token(&header, &json!({ "iss": "a".repeat(8 * 1024) })), Some(&keys)),
            (String::new(), None),
        ] {
            assert_eq!(verify(&token, keys), Err(AssertionError::NotSigned), "{token}");
        }
        let client = ClientId::from("app");
        let algorithm = Algorithm::from("PS256");
        let rules = AssertionRules {
            client: &client,
            keys: Some(&keys),
            algorithm: Some(&algorithm),
            audiences: &[AUDIENCE],
            now: Timestamp(NOW),
        };
        assert_eq!(ClientAssertion::verify(&by_own, &rules), Err(AssertionError::NotSigned));
    }
}
