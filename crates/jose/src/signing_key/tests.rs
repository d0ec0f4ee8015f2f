use std::collections::HashSet;
use std::str::FromStr as _;

use enroll_oauth_types::Jwks;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::json;
use serde_json::value::to_raw_value;

use super::*;

fn one_of_each() -> [SigningKey; 4] {
    SigningAlgorithm::ALL.map(SigningKey::generate)
}

/// What another implementation makes of a token, knowing the published key alone.
fn verified_elsewhere(token: &str, jwk: &Value) -> Value {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).unwrap();
    let mut validation =
        Validation::new(Algorithm::from_str(&jwk.common.key_algorithm.unwrap().to_string()).unwrap());
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    jsonwebtoken::decode(token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap().claims
}

fn decoded(part: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// RFC 7515 §5.2
#[test]
fn others_verify_what_each_algorithm_signs() {
    let claims = json!({ "iss": "https://id.example", "sub": "é\u{1f600}", "scope": "a b" });
    for key in one_of_each() {
        for typ in [None, Some("JWT"), Some("at+jwt"), Some("logout+jwt")] {
            let token = key.sign_jwt(typ, &claims).unwrap();
            assert_eq!(verified_elsewhere(&token, key.public_jwk()), claims, "{key:?} {typ:?}");
        }
    }
}

/// RFC 7515 §4.1, RFC 8725 §3.11
#[test]
fn the_header_names_algorithm_type_and_key_in_this_order() {
    let key = SigningKey::generate(SigningAlgorithm::Es256);
    let header = |typ| decoded(key.sign_jwt(typ, &json!({})).unwrap().split('.').next().unwrap());
    let kid = key.kid();
    assert_eq!(header(None), format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#));
    assert_eq!(header(Some("at+jwt")), format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}"}}"#));
    assert_eq!(header(Some("a\"b")), format!(r#"{{"alg":"ES256","typ":"a\"b","kid":"{kid}"}}"#));
}

/// RFC 7517 §4, RFC 7518 §6
#[test]
fn what_is_published_is_public() {
    let expected = [
        ("RSA", vec!["kty", "use", "alg", "kid", "e", "n"]),
        ("RSA", vec!["kty", "use", "alg", "kid", "e", "n"]),
        ("EC", vec!["kty", "use", "alg", "kid", "crv", "x", "y"]),
        ("OKP", vec!["kty", "use", "alg", "kid", "crv", "x"]),
    ];
    for (key, (kty, names)) in one_of_each().iter().zip(expected) {
        let jwk = key.public_jwk();
        assert_eq!(jwk.as_object().unwrap().keys().collect::<Vec<_>>(), names);
        assert_eq!(jwk["kty"], kty);
        assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("sig"), &json!(key.algorithm().as_str())));
        assert_eq!(jwk["kid"], key.kid());
        // The rules for the keys of clients hold for ours.
        let set = Jwks::from_raw(&to_raw_value(&json!({ "keys": [jwk] })).unwrap());
        assert!(set.keys().unwrap()[0].can_sign_with(&key.algorithm().into()));
    }
}

/// RFC 7638 §3
#[test]
fn the_name_of_a_key_is_its_thumbprint() {
    for key in one_of_each() {
        let jwk: Jwk = serde_json::from_value(key.public_jwk().clone()).unwrap();
        assert_eq!(key.kid(), jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap());
    }
}

#[test]
fn a_stored_key_is_the_same_key() {
    for key in one_of_each() {
        let again = SigningKey::from_pkcs8(key.algorithm(), &key.to_pkcs8()).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
        let token = again.sign_jwt(None, &json!({ "a": 1 })).unwrap();
        assert_eq!(verified_elsewhere(&token, key.public_jwk()), json!({ "a": 1 }));
    }
}

#[test]
fn a_key_of_another_kind_or_a_cut_one_is_refused() {
    for key in one_of_each() {
        let pkcs8 = key.to_pkcs8();
        for algorithm in SigningAlgorithm::ALL {
            let is_rsa = |algorithm| matches!(algorithm, SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256);
            let fits = algorithm == key.algorithm() || is_rsa(algorithm) && is_rsa(key.algorithm());
            assert_eq!(SigningKey::from_pkcs8(algorithm, &pkcs8).is_ok(), fits, "{key:?} for {algorithm}");
        }
        for length in [0, 1, pkcs8.expose().len() / 2, pkcs8.expose().len() - 1] {
            let cut = Pkcs8::from(&pkcs8.expose()[..length]);
            let refusal = SigningKey::from_pkcs8(key.algorithm(), &cut).unwrap_err().to_string();
            assert!(refusal.contains(key.algorithm().as_str()), "{refusal}");
        }
    }
}

/// RFC 7519 §3
#[test]
fn claims_are_an_object() {
    let key = SigningKey::generate(SigningAlgorithm::EdDsa);
    for claims in [json!(null), json!([1]), json!("{"), json!(1)] {
        assert!(matches!(key.sign_jwt(None, &claims), Err(SigningError::NotAnObject)), "{claims}");
    }
    let keyed_by_lists = std::collections::HashMap::from([([1, 2], 3)]);
    assert!(matches!(key.sign_jwt(None, &keyed_by_lists), Err(SigningError::NotJson(_))));
}

#[test]
fn nothing_private_prints() {
    for key in one_of_each() {
        assert_eq!(format!("{key:?}"), format!("SigningKey({} {})", key.algorithm(), key.kid()));
        assert_eq!(format!("{:?}", key.to_pkcs8()), "[redacted]");
    }
}
