use josekit::jwe::{JweDecrypter, deserialize_compact};
use josekit::jwk::alg::{ec::EcCurve, ecx::EcxCurve};
use serde_json::json;

use super::*;

/// A client's key, and what reads with its private half.
struct Pair {
    public: Value,
    private: Jwk,
}

fn rsa() -> Pair {
    let key = RsaesJweAlgorithm::RsaOaep256.generate_key_pair(2048).unwrap();
    pair(&key.to_jwk_private_key(), &key.to_jwk_public_key())
}

fn ec(curve: EcCurve) -> Pair {
    let key = EcdhEsJweAlgorithm::EcdhEs.generate_ec_key_pair(curve).unwrap();
    pair(&key.to_jwk_private_key(), &key.to_jwk_public_key())
}

fn x25519() -> Pair {
    let key = EcdhEsJweAlgorithm::EcdhEs.generate_ecx_key_pair(EcxCurve::X25519).unwrap();
    pair(&key.to_jwk_private_key(), &key.to_jwk_public_key())
}

/// Without the one algorithm that the library writes into each.
fn pair(private: &Jwk, public: &Jwk) -> Pair {
    let without = |key: &Jwk| {
        let mut key: Map<String, Value> = key.clone().into();
        key.remove("alg");
        key
    };
    Pair { public: Value::Object(without(public)), private: Jwk::from_map(without(private)).unwrap() }
}

fn set(key: &Value) -> Jwks {
    Jwks::from_slice(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
}

fn reader(alg: KeyManagement, key: &Jwk) -> Box<dyn JweDecrypter> {
    fn boxed(decrypter: impl JweDecrypter + 'static) -> Box<dyn JweDecrypter> {
        Box::new(decrypter)
    }
    let rsa = |algorithm: RsaesJweAlgorithm| boxed(algorithm.decrypter_from_jwk(key).unwrap());
    let agreed = |algorithm: EcdhEsJweAlgorithm| boxed(algorithm.decrypter_from_jwk(key).unwrap());
    match alg {
        KeyManagement::RsaOaep => rsa(RsaesJweAlgorithm::RsaOaep),
        KeyManagement::RsaOaep256 => rsa(RsaesJweAlgorithm::RsaOaep256),
        KeyManagement::EcdhEs => agreed(EcdhEsJweAlgorithm::EcdhEs),
        KeyManagement::EcdhEsA128Kw => agreed(EcdhEsJweAlgorithm::EcdhEsA128kw),
        KeyManagement::EcdhEsA256Kw => agreed(EcdhEsJweAlgorithm::EcdhEsA256kw),
    }
}

/// RFC 7516 §5
#[test]
fn the_owner_of_the_key_reads_what_was_encrypted_in_every_way() {
    let rsa = rsa();
    let agreeing = [ec(EcCurve::P256), ec(EcCurve::P384), ec(EcCurve::P521), x25519()];
    for alg in KeyManagement::ALL {
        let keys = match alg {
            KeyManagement::RsaOaep | KeyManagement::RsaOaep256 => std::slice::from_ref(&rsa),
            _ => &agreeing,
        };
        for key in keys {
            let reader = reader(alg, &key.private);
            for enc in ContentEncryption::ALL {
                let recipient = Recipient::of(&set(&key.public), alg, enc).unwrap();
                let token = recipient.encrypt_jwt("a.b.c").unwrap();
                let (read, header) = deserialize_compact(&token, reader.as_ref()).unwrap();
                assert_eq!(read, b"a.b.c", "{alg:?} {enc:?}");
                assert_eq!(header.claim("alg"), Some(&json!(alg.as_str())));
                assert_eq!(header.content_encryption(), Some(enc.as_str()));
                assert_eq!(header.content_type(), Some("JWT"));
                assert_eq!(header.claim("zip"), None);
            }
        }
    }
}

/// RFC 7516 §4.1.6, RFC 7519 §5.2
#[test]
fn the_header_names_the_key_and_says_whether_a_token_is_inside() {
    let mut key = ec(EcCurve::P256);
    let reader = reader(KeyManagement::EcdhEs, &key.private);
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256);
    let nameless = Recipient::of(&set(&key.public), alg, enc).unwrap().encrypt_jwt("a.b.c").unwrap();
    assert_eq!(deserialize_compact(&nameless, reader.as_ref()).unwrap().1.key_id(), None);
    key.public["kid"] = json!("ü 1");
    let recipient = Recipient::of(&set(&key.public), alg, enc).unwrap();
    let claims = json!({ "sub": "alice" });
    let token = recipient.encrypt_claims(claims.as_object().unwrap()).unwrap();
    let (read, header) = deserialize_compact(&token, reader.as_ref()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&read).unwrap(), claims);
    assert_eq!((header.key_id(), header.content_type()), (Some("ü 1"), None));
    assert_eq!(
        format!("{recipient:?}"),
        r#"Recipient { alg: "ECDH-ES", enc: "A128CBC-HS256", kid: Some("ü 1") }"#
    );
}

/// RFC 7516 §11.1: keys are made anew for each.
#[test]
fn the_same_content_is_never_encrypted_alike() {
    for (key, alg) in [(rsa(), KeyManagement::RsaOaep256), (ec(EcCurve::P256), KeyManagement::EcdhEs)] {
        let recipient = Recipient::of(&set(&key.public), alg, ContentEncryption::A256Gcm).unwrap();
        let tokens = [(); 2].map(|()| recipient.encrypt_jwt("a.b.c").unwrap());
        let parts =
            |part: usize| tokens.each_ref().map(|token| token.split('.').nth(part).unwrap().to_owned());
        for part in 2..5 {
            let [one, other] = parts(part);
            assert_ne!(one, other, "{alg:?}, part {part}");
        }
    }
}

/// RFC 7517 §4.3: what the library would not take, and the standard does.
#[test]
fn a_key_for_wrapping_or_for_deriving_bits_is_a_key_to_encrypt_to() {
    for (mut key, operation, alg) in [
        (rsa(), "wrapKey", KeyManagement::RsaOaep256),
        (ec(EcCurve::P256), "deriveBits", KeyManagement::EcdhEs),
    ] {
        key.public["key_ops"] = json!([operation]);
        assert!(Recipient::of(&set(&key.public), alg, ContentEncryption::A128Gcm).is_some(), "{operation}");
    }
}

/// OpenID Connect Core 1.0 §10.2
#[test]
fn nobody_is_encrypted_to_with_a_key_that_is_not_for_it() {
    let refused = |key: &Value, alg| Recipient::of(&set(key), alg, ContentEncryption::A128Gcm).is_none();
    let (rsa, ec) = (rsa().public, ec(EcCurve::P256).public);
    assert!(refused(&rsa, KeyManagement::EcdhEs) && refused(&ec, KeyManagement::RsaOaep));
    for (name, value) in [("use", "sig"), ("alg", "ECDH-ES+A128KW"), ("alg", "ES256"), ("crv", "secp256k1")] {
        let mut key = ec.clone();
        key[name] = json!(value);
        assert!(refused(&key, KeyManagement::EcdhEs), "{key}");
    }
    let mut short = rsa;
    let modulus = short["n"].as_str().unwrap()[..172].to_owned();
    short["n"] = json!(modulus);
    assert!(refused(&short, KeyManagement::RsaOaep));
}

#[test]
fn each_algorithm_is_found_by_its_own_name_alone() {
    for own in KeyManagement::ALL {
        assert_eq!(KeyManagement::of(&Algorithm::from(own.as_str())), Some(own));
    }
    for own in ContentEncryption::ALL {
        assert_eq!(ContentEncryption::of(&Algorithm::from(own.as_str())), Some(own));
    }
    for name in ["", "RSA1_5", "dir", "A128KW", "ECDH-ES+A192KW", "PBES2-HS256+A128KW", "A192GCM", "none"] {
        let name = Algorithm::from(name);
        assert_eq!((KeyManagement::of(&name), ContentEncryption::of(&name)), (None, None));
    }
}
