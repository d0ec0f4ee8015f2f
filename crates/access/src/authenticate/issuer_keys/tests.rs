//! Signatures as issuers make them, and as attackers would.

use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::test_issuer::*;
use crate::{BearerJwt, BearerJwtBuilder};

/// RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2
#[tokio::test]
async fn every_default_algorithm_verifies_with_a_key_of_its_kind() {
    let keys = [
        ("ES256", Key::es256("k")),
        ("ES384", Key::es384("k")),
        ("EdDSA", Key::ed25519("k")),
        ("Ed25519", Key::ed25519("k")),
        ("RS256", Key::rsa("k", &signature::RSA_PKCS1_SHA256)),
        ("PS384", Key::rsa("k", &signature::RSA_PSS_SHA384)),
    ];
    for (algorithm, key) in keys {
        let tokens = rules().with_keys(&jwks(&[&key])).unwrap();
        accepted(&tokens, &key.token(&header(algorithm, "k"), &claims())).await;
    }
}

/// RFC 8725 §2.1 and §3.1
#[tokio::test]
async fn a_public_key_used_as_a_shared_secret_is_refused() {
    for key in [Key::es256("a"), Key::rsa("a", &signature::RSA_PKCS1_SHA256)] {
        let tokens = rules().with_keys(&jwks(&[&key])).unwrap();
        let text = key.jwk.to_string();
        let number =
            URL_SAFE_NO_PAD.decode(key.jwk["x"].as_str().or(key.jwk["n"].as_str()).unwrap()).unwrap();
        for secret in [text.as_bytes(), &number, b""] {
            let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let sign = move |message: &[u8]| hmac::sign(&hmac_key, message).as_ref().to_vec();
            let forger = Key { jwk: Value::Null, sign: Box::new(sign) };
            let why = refused(&tokens, &forger.token(&header("HS256", "a"), &claims())).await;
            assert_eq!(why, "the token must be signed with a public key algorithm");
        }
    }
}

/// RFC 8725 §2.1
#[tokio::test]
async fn an_unsigned_token_is_refused_however_it_spells_none() {
    let issuer = Issuer::new(rules());
    for algorithm in [json!("none"), json!("None"), json!("NONE"), json!(""), json!(0), json!(null)] {
        let header = with(header("", "a"), &json!({ "alg": algorithm }));
        let unsigned = format!("{}.{}.", b64(header.to_string()), b64(claims().to_string()));
        let why = "the token must be signed with a public key algorithm";
        assert_eq!(refused(&issuer.tokens, &unsigned).await, why, "{algorithm}");
        assert_eq!(refused(&issuer.tokens, &issuer.key.token(&header, &claims())).await, why, "{algorithm}");
    }
}

/// RFC 8725 §3.1
#[tokio::test]
async fn the_header_does_not_choose_what_a_key_is() {
    let rsa = Key::rsa("a", &signature::RSA_PSS_SHA256);
    let only_rs256 =
        jwks(&[&Key { jwk: with(rsa.jwk.clone(), &json!({ "alg": "RS256" })), sign: Box::new(|_| vec![]) }]);
    let by_key = rules().with_keys(&only_rs256).unwrap();
    let by_rule = rules().algorithms(["RS256", "ES256"]).with_keys(&jwks(&[&rsa])).unwrap();
    let token = rsa.token(&header("PS256", "a"), &claims());
    for tokens in [by_key, by_rule] {
        assert_eq!(refused(&tokens, &token).await, "the algorithm of the token is not one of its key");
    }
    let issuer = Issuer::new(rules());
    for other in ["RS256", "ES384", "EdDSA"] {
        let why = issuer.refuses(json!({ "alg": other }), json!({})).await;
        assert_eq!(why, "the algorithm of the token is not one of its key", "{other}");
    }
}

/// RFC 7515 §4.1.2, §4.1.3, §4.1.5
#[tokio::test]
async fn keys_that_a_token_brings_along_are_ignored() {
    let issuer = Issuer::new(rules());
    let forger = Key::es256("a");
    let header = with(
        header("ES256", "a"),
        &json!({ "jwk": forger.jwk, "jku": "https://evil.example", "x5c": ["AA=="] }),
    );
    assert_eq!(
        refused(&issuer.tokens, &forger.token(&header, &claims())).await,
        "the signature of the token is not valid"
    );
}

#[tokio::test]
async fn a_token_that_was_touched_is_refused() {
    let issuer = Issuer::new(rules());
    let token = issuer.varied(&json!({}), &json!({}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let other_claims = b64(with(claims(), &json!({ "scope": "everything" })).to_string());
    for touched in [
        format!("{header}.{other_claims}.{signature}"),
        format!("{signed}."),
        format!("{signed}.AAAA"),
        format!("{signed}.{signature}AAAA"),
        format!("{signed}.{signature}="),
        format!("{signed}.{}", b64([0; 64])),
    ] {
        assert_eq!(
            refused(&issuer.tokens, &touched).await,
            "the signature of the token is not valid",
            "{touched}"
        );
    }
}

/// RFC 7515 §4.1.4
#[tokio::test]
async fn a_token_is_verified_by_the_key_that_it_names_and_no_other() {
    let (one, other) = (Key::es256("one"), Key::es256("other"));
    let tokens = rules().with_keys(&jwks(&[&one, &other])).unwrap();
    accepted(&tokens, &one.token(&header("ES256", "one"), &claims())).await;
    accepted(&tokens, &other.token(&header("ES256", "other"), &claims())).await;

    let swapped = one.token(&header("ES256", "other"), &claims());
    assert_eq!(refused(&tokens, &swapped).await, "the signature of the token is not valid");
    let unknown = one.token(&header("ES256", "ONE"), &claims());
    assert_eq!(refused(&tokens, &unknown).await, "the key of the token is not known");
    let unnamed = one.token(&json!({ "alg": "ES256" }), &claims());
    assert_eq!(refused(&tokens, &unnamed).await, "the token must name its key: its issuer has several");
    let number = one.token(&json!({ "alg": "ES256", "kid": 1 }), &claims());
    assert!(refused(&tokens, &number).await.contains("kid"));
}

/// OpenID Connect Core §10.1
#[tokio::test]
async fn a_name_is_needed_only_where_keys_could_be_mistaken() {
    let (ec, ed) = (Key::es256("ec"), Key::ed25519("ed"));
    let of_two_kinds = rules().with_keys(&jwks(&[&ec, &ed])).unwrap();
    accepted(&of_two_kinds, &ec.token(&json!({ "alg": "ES256" }), &claims())).await;

    let only = Issuer::new(rules());
    only.accepts(json!({ "kid": null }), json!({})).await;
    assert_eq!(only.refuses(json!({ "kid": "b" }), json!({})).await, "the key of the token is not known");

    let mut nameless = Key::es256("");
    nameless.jwk = with(nameless.jwk, &json!({ "kid": null }));
    let tokens = rules().with_keys(&jwks(&[&nameless])).unwrap();
    accepted(&tokens, &nameless.token(&header("ES256", "any"), &claims())).await;
}

#[test]
fn a_verifier_says_what_is_missing_or_wrong_when_it_is_made() {
    let (ec, ed, p384) = (Key::es256("a"), Key::ed25519("b"), Key::es384("c"));
    let error = |rules: BearerJwtBuilder, jwks: &str| match rules.with_keys(jwks) {
        Ok(_) => panic!("{jwks} is accepted"),
        Err(error) => error.to_string(),
    };
    let good = jwks(&[&ec]);
    assert!(error(BearerJwt::issued_by("").for_audience(AUDIENCE), &good).starts_with("issuer: "));
    assert!(error(BearerJwt::issued_by(ISSUER), &good).starts_with("audience: "));
    for name in ["HS256", "none", "ES512", "es256", "RSA-OAEP", ""] {
        let text = error(rules().algorithms(["ES256", name]), &good);
        assert!(text.starts_with(&format!("algorithms: `{name}` is not one of [\"RS256\"")), "{text}");
    }
    assert!(error(rules().algorithms(["RS256"]), &good).starts_with("jwks.keys: "));
    assert!(error(rules().algorithms(Vec::<String>::new()), &good).starts_with("jwks.keys: "));

    let changed =
        |key: &Key, changes: &Value| json!({ "keys": [ed.jwk, with(key.jwk.clone(), changes)] }).to_string();
    for (set, start) in [
        ("{".to_owned(), "jwks: must be JSON"),
        ("[]".to_owned(), "jwks: "),
        ("{}".to_owned(), "jwks.keys: "),
        ("{\"keys\":[]}".to_owned(), "jwks.keys: "),
        (changed(&ec, &json!({ "x": "AAAA" })), "jwks.keys[1].x: "),
        (changed(&ec, &json!({ "y": ec.jwk["x"] })), "jwks.keys[1].x: "),
        (changed(&ec, &json!({ "d": "AAAA" })), "jwks.keys[1].d: "),
        (changed(&ec, &json!({ "kid": "b" })), "jwks.keys[1].kid: "),
        (changed(&ec, &json!({ "kty": "oct" })), "jwks.keys[1].kty: "),
        (changed(&ec, &json!({ "alg": "HS256" })), "jwks.keys[1].alg: "),
        (changed(&p384, &json!({ "alg": "ES256" })), "jwks.keys[1].alg: does not fit a key of kind EC P-384"),
        (
            jwks(&[&Key { jwk: with(ec.jwk.clone(), &json!({ "use": "enc" })), sign: Box::new(|_| vec![]) }]),
            "jwks.keys: ",
        ),
    ] {
        let text = error(rules(), &set);
        assert!(text.starts_with(start), "{text} for {set}");
    }
}

#[tokio::test]
async fn keys_that_cannot_verify_do_not_disturb_those_that_can() {
    let (key, enc) = (Key::es256("a"), Key::es256("enc"));
    let set = json!({ "keys": [
        with(enc.jwk, &json!({ "use": "enc" })),
        { "kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AAAA" },
        with(key.jwk.clone(), &json!({ "use": "sig", "alg": "ES256" })),
    ] });
    let tokens = rules().with_keys(&set.to_string()).unwrap();
    accepted(&tokens, &key.token(&json!({ "alg": "ES256" }), &claims())).await;
}
