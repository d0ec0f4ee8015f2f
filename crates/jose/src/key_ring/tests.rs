use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};

use super::*;

const NOW: Timestamp = Timestamp(1_000);

fn schedule() -> Schedule {
    let [announce, use_for, keep] = [10, 100, 30].map(Duration::from_secs);
    Schedule { announce, use_for, keep }
}

fn es256() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::Es256)
}

fn ring(keys: Vec<(SigningKey, Timestamp)>) -> KeyRing {
    KeyRing::new(keys, schedule()).unwrap()
}

fn one_of_each() -> KeyRing {
    ring(SigningAlgorithm::ALL.map(|algorithm| (SigningKey::generate(algorithm), NOW)).into())
}

fn signed(ring: &KeyRing, algorithm: SigningAlgorithm) -> String {
    ring.signer(algorithm, NOW).unwrap().sign_jwt(Some("at+jwt"), &json!({ "sub": "a" })).unwrap()
}

fn kids(jwks: &Value) -> Vec<&str> {
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

/// A token with this header and these claims, and a signature that the key made of them.
fn forged(key: &SigningKey, header: &Value, claims: &[u8]) -> String {
    let part = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let message = format!("{}.{}", part(header.to_string().as_bytes()), part(claims));
    let pkcs8 = key.to_pkcs8();
    let signature = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &EncodingKey::from_ec_der(pkcs8.expose()),
        Algorithm::ES256,
    );
    format!("{message}.{}", signature.unwrap())
}

#[test]
fn what_was_signed_is_verified_with_its_type() {
    let ring = one_of_each();
    for algorithm in SigningAlgorithm::ALL {
        let verified = ring.verify(&signed(&ring, algorithm), NOW).unwrap();
        assert_eq!(verified.typ.as_deref(), Some("at+jwt"));
        assert_eq!(Value::Object(verified.claims), json!({ "sub": "a" }));
    }
}

#[test]
fn a_ring_has_a_signer_for_the_algorithms_of_its_keys_alone() {
    let ring = ring(vec![(es256(), NOW)]);
    assert!(ring.signer(SigningAlgorithm::Es256, NOW).is_some());
    assert!(ring.signer(SigningAlgorithm::Rs256, NOW).is_none());
}

/// RFC 7517 §5
#[test]
fn the_set_is_in_one_order_however_the_keys_were_loaded() {
    let make = || [(es256(), Timestamp(2)), (SigningKey::generate(SigningAlgorithm::EdDsa), Timestamp(1))];
    let keys: Vec<_> = make().into_iter().chain(make()).collect();
    let copy = |(key, made): &(SigningKey, Timestamp)| {
        (SigningKey::from_pkcs8(key.algorithm(), &key.to_pkcs8()).unwrap(), *made)
    };
    let (forth, back) = (ring(keys.iter().map(copy).collect()), ring(keys.iter().rev().map(copy).collect()));
    assert_eq!(kids(&forth.jwks(Timestamp(2))).len(), 4);
    assert_eq!(forth.jwks(Timestamp(2)).to_string(), back.jwks(Timestamp(2)).to_string());
}

#[test]
fn a_key_is_announced_signs_and_goes_with_its_tokens() {
    let (old, new) = (es256(), es256());
    let (old_kid, new_kid) = (old.kid().to_owned(), new.kid().to_owned());
    let ring = ring(vec![(old, Timestamp(0)), (new, Timestamp(100))]);
    let signer = |now| ring.signer(SigningAlgorithm::Es256, Timestamp(now)).unwrap();
    assert_eq!((signer(109).kid(), signer(110).kid()), (&*old_kid, &*new_kid));

    let last = signer(109).sign_jwt(None, &json!({})).unwrap();
    assert_eq!(kids(&ring.jwks(Timestamp(139))), [&old_kid, &new_kid]);
    assert!(ring.verify(&last, Timestamp(139)).is_ok());
    assert_eq!(kids(&ring.jwks(Timestamp(140))), [&new_kid]);
    assert_eq!(ring.verify(&last, Timestamp(140)), Err(VerifyError::UnknownKey));
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let rsa = SigningKey::generate(SigningAlgorithm::Rs256);
    let other_use = SigningKey::from_pkcs8(SigningAlgorithm::Ps256, &rsa.to_pkcs8()).unwrap();
    let kid = rsa.kid().to_owned();
    let refusal = KeyRing::new([(rsa, NOW), (other_use, NOW)], schedule()).unwrap_err();
    assert!(refusal.to_string().contains(&kid), "{refusal}");
}

/// RFC 7515 §5.2
#[test]
fn a_token_that_was_changed_anywhere_is_refused() {
    let ring = one_of_each();
    let token = signed(&ring, SigningAlgorithm::Es256);
    for position in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        assert!(ring.verify(str::from_utf8(&changed).unwrap(), NOW).is_err(), "octet {position}");
        assert!(ring.verify(&token[..position], NOW).is_err(), "cut at {position}");
    }
}

/// RFC 7515 §7.1
#[test]
fn what_is_no_compact_jws_is_refused() {
    let ring = one_of_each();
    let token = signed(&ring, SigningAlgorithm::EdDsa);
    for bad in ["", ".", "..", "...", "a.b", "é.é.é", "e30.e30.", "W10.e30.AA"] {
        assert!(ring.verify(bad, NOW).is_err(), "{bad}");
    }
    for bad in [format!("{token}."), format!(".{token}"), format!("{token}="), format!(" {token}")] {
        assert!(ring.verify(&bad, NOW).is_err(), "{bad}");
    }
}

/// RFC 8725 §2.1, §3.1: the key says how it verifies, the header does not.
#[test]
fn another_algorithm_than_the_keys_own_is_refused() {
    let ring = one_of_each();
    for own in SigningAlgorithm::ALL {
        let token = signed(&ring, own);
        let kid = ring.signer(own, NOW).unwrap().kid();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (_, claims) = message.split_once('.').unwrap();
        for alg in ["none", "None", "HS256", "RS256", "PS256", "ES256", "EdDSA", "Ed25519", ""] {
            let header = URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "kid": kid }).to_string());
            let expected = if alg == own.as_str() { VerifyError::Signature } else { VerifyError::Algorithm };
            for signature in [signature, ""] {
                assert_eq!(
                    ring.verify(&format!("{header}.{claims}.{signature}"), NOW),
                    Err(expected),
                    "{alg}"
                );
            }
        }
    }
}

/// RFC 8725 §2.1: HMAC, with the public key as the secret.
#[test]
fn the_public_key_is_no_shared_secret() {
    let ring = one_of_each();
    let key = ring.signer(SigningAlgorithm::Rs256, NOW).unwrap();
    let secret = EncodingKey::from_secret(key.public_jwk().to_string().as_bytes());
    let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
    header.kid = Some(key.kid().to_owned());
    let token = jsonwebtoken::encode(&header, &json!({ "sub": "a" }), &secret).unwrap();
    assert_eq!(ring.verify(&token, NOW), Err(VerifyError::Algorithm));
}

/// RFC 7515 §4.1.4
#[test]
fn a_token_under_the_name_of_another_key_is_refused() {
    let (ours, other, stranger) = (es256(), es256(), es256());
    let names = [ours.kid().to_owned(), other.kid().to_owned()];
    let of_stranger = stranger.sign_jwt(None, &json!({})).unwrap();
    let ours_for_other = forged(&ours, &json!({ "alg": "ES256", "kid": names[1] }), b"{}");
    let stranger_for_ours = forged(&stranger, &json!({ "alg": "ES256", "kid": names[0] }), b"{}");
    let without_name = forged(&ours, &json!({ "alg": "ES256" }), b"{}");
    let ring = ring(vec![(ours, NOW), (other, NOW)]);
    assert_eq!(ring.verify(&of_stranger, NOW), Err(VerifyError::UnknownKey));
    assert_eq!(ring.verify(&ours_for_other, NOW), Err(VerifyError::Signature));
    assert_eq!(ring.verify(&stranger_for_ours, NOW), Err(VerifyError::Signature));
    assert_eq!(ring.verify(&without_name, NOW), Err(VerifyError::Header));
}

/// RFC 7515 §4.1.11, and members by which a token would bring its own key along: §4.1.2 to §4.1.6
#[test]
fn a_header_that_this_server_would_not_write_is_refused_though_the_signature_is_right() {
    let key = es256();
    let kid = key.kid().to_owned();
    let with = |name: &str, value: Value| {
        let mut header = json!({ "alg": "ES256", "kid": kid });
        header[name] = value;
        forged(&key, &header, b"{}")
    };
    let good = with("typ", json!("JWT"));
    let crit = [json!(["exp"]), json!([]), json!(null)].map(|value| with("crit", value));
    let others = ["jwk", "jku", "x5u", "x5c", "b64", "zip", "cty"].map(|name| with(name, json!(false)));
    let typ = with("typ", json!(1));
    let list = forged(&key, &json!(["ES256", null, kid]), b"{}");
    let ring = ring(vec![(key, NOW)]);
    assert!(ring.verify(&good, NOW).is_ok());
    for bad in crit.iter().chain(&others).chain([&typ]) {
        assert_eq!(ring.verify(bad, NOW), Err(VerifyError::Header));
    }
    assert_eq!(ring.verify(&list, NOW), Err(VerifyError::Malformed));
}

/// RFC 7519 §3
#[test]
fn a_payload_that_is_no_object_is_refused() {
    let key = es256();
    let header = json!({ "alg": "ES256", "kid": key.kid() });
    let tokens =
        [&b"[]"[..], b"null", b"", b"{", b"\xff", b"{} {}"].map(|claims| forged(&key, &header, claims));
    let ring = ring(vec![(key, NOW)]);
    for token in &tokens {
        assert_eq!(ring.verify(token, NOW), Err(VerifyError::Malformed), "{token}");
    }
}

#[test]
fn nothing_private_prints() {
    let printed = format!("{:?}", one_of_each());
    assert_eq!(printed.matches("SigningKey(").count(), 4);
    assert!(!printed.contains('"') && !printed.contains("KeyPair"), "{printed}");
}
