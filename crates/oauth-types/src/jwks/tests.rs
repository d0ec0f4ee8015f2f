use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn jwks(text: &str) -> Jwks {
    Jwks::from_raw(&RawValue::from_string(text.to_owned()).unwrap())
}

fn keys(keys: &Value) -> Result<Vec<Jwk>, Rejection> {
    jwks(&json!({ "keys": keys }).to_string()).keys()
}

/// The member that a set of this one key is refused for.
fn refused(key: &Value) -> String {
    keys(&json!([key])).expect_err(&key.to_string()).member.into_owned()
}

fn with(key: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut key = key.clone();
    key[name] = value.into();
    key
}

/// An RSA key whose modulus has this many bits; nobody knows its factors, which a public key does not need.
fn rsa(bits: usize) -> Value {
    let mut n = vec![0xC5; bits.div_ceil(8)];
    n[0] = if bits.is_multiple_of(8) { 0x80 } else { 1 << (bits % 8 - 1) };
    json!({ "kty": "RSA", "n": b64(n), "e": "AQAB" })
}

fn ec(crv: &str, algorithm: &'static EcdsaSigningAlgorithm) -> Value {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
    json!({ "kty": "EC", "crv": crv, "x": b64(x), "y": b64(y) })
}

fn p256() -> Value {
    ec("P-256", &ECDSA_P256_SHA256_ASN1_SIGNING)
}

fn okp(crv: &str) -> Value {
    let mut x = [0; 32];
    aws_lc_rs::rand::SecureRandom::fill(&SystemRandom::new(), &mut x).unwrap();
    json!({ "kty": "OKP", "crv": crv, "x": b64(x) })
}

/// RFC 7591 §2: what was sent comes back.
#[test]
fn the_text_is_kept_byte_for_byte() {
    let text = "{ \"keys\" : [ {\"kty\":\"XYZ\", \"z\":1e2}\n ] }";
    assert_eq!(jwks(text).as_str(), text);
    assert_eq!(serde_json::to_string(&jwks(text)).unwrap(), text);
    assert_ne!(jwks(text), jwks(&text.replace(' ', "")));
    assert_eq!(format!("{:?}", jwks(text)), format!("Jwks({} octets)", text.len()));
}

/// RFC 7517 §5
#[test]
fn a_set_is_an_object_with_keys_that_are_objects() {
    for (text, member) in [
        ("[]", "jwks"),
        ("\"{}\"", "jwks"),
        ("{}", "jwks.keys"),
        ("{\"keys\":null}", "jwks.keys"),
        ("{\"keys\":{}}", "jwks.keys"),
        ("{\"keys\":[]}", "jwks.keys"),
        ("{\"keys\":[[]]}", "jwks.keys[0]"),
        ("{\"keys\":[null]}", "jwks.keys[0]"),
        ("{\"keys\":[{}]}", "jwks.keys[0].kty"),
        ("{\"keys\":[{\"kty\":1}]}", "jwks.keys[0].kty"),
    ] {
        assert_eq!(jwks(text).keys().expect_err(text).member, member, "{text}");
    }
    let many = |count| keys(&Value::from(vec![json!({ "kty": "XYZ" }); count]));
    assert!(many(100).is_ok());
    assert_eq!(many(101).unwrap_err().member, "jwks.keys");
}

/// RFC 7518 §6
#[test]
fn every_kind_of_public_key_that_is_known_is_usable() {
    let set = json!([
        rsa(2048),
        rsa(8192),
        p256(),
        ec("P-384", &ECDSA_P384_SHA384_ASN1_SIGNING),
        ec("P-521", &ECDSA_P521_SHA512_ASN1_SIGNING),
        okp("Ed25519"),
        okp("X25519"),
    ]);
    let all = keys(&set).unwrap();
    assert!(all.iter().all(Jwk::is_usable));
    let signing: Vec<_> = all.iter().map(Jwk::can_sign).collect();
    assert_eq!(signing, [true, true, true, true, true, true, false]);
    let encrypting: Vec<_> = all.iter().map(Jwk::can_encrypt).collect();
    assert_eq!(encrypting, [true, true, true, true, true, false, true]);
}

/// RFC 7517 §5: implementations SHOULD ignore keys with values that they do not understand.
#[test]
fn a_key_of_an_unknown_kind_is_kept_and_not_usable() {
    for key in [json!({ "kty": "AKP", "pub": "AA" }), with(&p256(), "crv", "secp256k1"), okp("Ed448")] {
        let keys = keys(&json!([key])).unwrap();
        assert!(!keys[0].is_usable() && !keys[0].can_sign() && !keys[0].can_encrypt());
    }
}

/// RFC 7591 §2: public keys only.
#[test]
fn private_and_symmetric_members_are_refused_by_name() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        for key in
            [rsa(2048), p256(), okp("Ed25519"), json!({ "kty": "oct" }), json!({ "kty": "XYZ" }), json!({})]
        {
            assert_eq!(refused(&with(&key, name, "AQAB")), format!("jwks.keys[0].{name}"));
            assert_eq!(refused(&with(&key, name, 1)), format!("jwks.keys[0].{name}"));
        }
        assert!(keys(&json!([with(&p256(), name, Value::Null)])).is_ok(), "null is the same as absent");
    }
    assert_eq!(refused(&json!({ "kty": "oct" })), "jwks.keys[0].kty");
    let second = keys(&json!([p256(), with(&p256(), "d", "AA")])).unwrap_err();
    assert_eq!(second.member, "jwks.keys[1].d");
}

/// An escaped spelling is the same member. RFC 8259 §8.3
#[test]
fn an_escaped_private_member_is_still_private() {
    let text = r#"{"keys":[{"kty":"RSA","\u0064":"AQAB"}]}"#;
    assert_eq!(jwks(text).keys().unwrap_err().member, "jwks.keys[0].d");
}

/// RFC 7518 §3.3, §6.3.1
#[test]
fn an_rsa_key_has_2048_to_8192_bits_and_an_odd_exponent() {
    for bits in [0, 8, 1024, 2047, 8193, 16384] {
        let key = if bits == 0 { with(&rsa(2048), "n", "") } else { rsa(bits) };
        assert_eq!(refused(&key), "jwks.keys[0].n", "{bits} bits");
    }
    let even = with(&rsa(2048), "n", b64([0xC4; 256]));
    let sign_octet = with(&rsa(2048), "n", b64([&[0][..], &[0xC5; 256]].concat()));
    let missing = json!({ "kty": "RSA", "e": "AQAB" });
    for key in [even, sign_octet, missing, with(&rsa(2048), "n", 5), with(&rsa(2048), "n", "a+/=")] {
        assert_eq!(refused(&key), "jwks.keys[0].n");
    }
    for e in ["", "AQ", "Ag", "AAEAAQ", "AQAA", "AQAB=", "/w"] {
        assert_eq!(refused(&with(&rsa(2048), "e", e)), "jwks.keys[0].e", "{e}");
    }
    assert_eq!(refused(&with(&rsa(2048), "e", b64([0xFF; 32]))), "jwks.keys[0].e");
    assert!(keys(&json!([with(&rsa(2048), "e", "Aw")])).unwrap()[0].is_usable());
}

/// RFC 7518 §6.2.1
#[test]
fn an_elliptic_curve_key_is_a_point_on_its_curve() {
    let key = p256();
    for (name, value, member) in [
        ("x", json!(b64([1; 32])), "x"),
        ("x", json!(b64([0; 32])), "x"),
        ("x", json!(b64([1; 31])), "x"),
        ("y", json!(b64([1; 33])), "y"),
        ("y", json!(""), "y"),
        ("y", Value::Null, "y"),
        ("x", json!([1]), "x"),
        ("crv", Value::Null, "crv"),
        ("crv", json!("P-384"), "x"),
        ("crv", json!(256), "crv"),
    ] {
        assert_eq!(
            refused(&with(&key, name, value.clone())),
            format!("jwks.keys[0].{member}"),
            "{name} {value}"
        );
    }
    let swapped = json!({ "kty": "EC", "crv": "P-256", "x": key["y"], "y": key["x"] });
    assert_eq!(refused(&swapped), "jwks.keys[0].x");
}

/// RFC 8037 §2
#[test]
fn an_edwards_key_has_32_octets() {
    for crv in ["Ed25519", "X25519"] {
        for octets in [0, 31, 33, 44] {
            assert_eq!(refused(&with(&okp(crv), "x", b64(vec![9; octets]))), "jwks.keys[0].x");
        }
    }
}

/// RFC 7517 §4.2, §4.3
#[test]
fn use_and_key_ops_say_what_a_key_is_for() {
    for (usage, operations, signs, encrypts) in [
        (json!(null), json!(null), true, true),
        (json!("sig"), json!(null), true, false),
        (json!("enc"), json!(null), false, true),
        (json!("tls"), json!(null), false, false),
        (json!(null), json!(["verify"]), true, false),
        (json!(null), json!(["wrapKey"]), false, true),
        (json!(null), json!(["deriveBits", "verify"]), true, true),
        (json!(null), json!([]), false, false),
        (json!("sig"), json!(["encrypt"]), false, false),
    ] {
        let key = with(&with(&p256(), "use", usage.clone()), "key_ops", operations.clone());
        let key = keys(&json!([key])).unwrap().remove(0);
        assert_eq!((key.can_sign(), key.can_encrypt()), (signs, encrypts), "{usage} {operations}");
    }
    for (name, value) in [("use", json!(["sig"])), ("key_ops", json!("verify")), ("key_ops", json!([1]))] {
        assert_eq!(refused(&with(&p256(), name, value)), format!("jwks.keys[0].{name}"));
    }
}

/// RFC 7518 §4.1, RFC 8037 §3.2
#[test]
fn a_key_takes_content_keys_over_by_the_algorithms_of_its_kind() {
    for (key, rsa, agrees) in [
        (rsa(2048), true, false),
        (p256(), false, true),
        (okp("X25519"), false, true),
        (okp("Ed25519"), false, false),
        (with(&p256(), "use", "sig"), false, false),
        (with(&p256(), "alg", "ECDH-ES"), false, false),
        (with(&p256(), "alg", "ECDH-ES+A256KW"), false, true),
    ] {
        let key = keys(&json!([key])).unwrap().remove(0);
        for (algorithm, fits) in [("RSA-OAEP", rsa), ("RSA-OAEP-256", rsa), ("ECDH-ES+A256KW", agrees)] {
            assert_eq!(key.can_encrypt_with(&Algorithm::from(algorithm)), fits, "{key:?} {algorithm}");
        }
        assert!(!key.can_encrypt_with(&Algorithm::from("ES256")));
    }
}

/// RFC 7517 §5, OpenID Connect Core 1.0 §10.2
#[test]
fn the_key_to_encrypt_to_is_the_one_that_says_so() {
    let named = |kid: &str, over: &[(&str, &str)]| {
        over.iter().fold(with(&p256(), "kid", kid), |key, (name, value)| with(&key, name, *value))
    };
    let chosen = |keys: &[Value]| {
        let set = jwks(&json!({ "keys": keys }).to_string());
        let (key, members) = set.to_encrypt_with(&Algorithm::from("ECDH-ES"))?;
        assert_eq!(members["kid"].as_str(), key.kid.as_deref());
        key.kid
    };
    let (any, of_alg) = (named("any", &[]), named("of alg", &[("alg", "ECDH-ES")]));
    let (for_enc, for_sig) = (named("enc", &[("use", "enc")]), named("sig", &[("use", "sig")]));
    assert_eq!(chosen(&[for_sig.clone(), any.clone(), named("later", &[])]).as_deref(), Some("any"));
    assert_eq!(chosen(&[any.clone(), of_alg.clone()]).as_deref(), Some("of alg"));
    assert_eq!(chosen(&[any, of_alg, for_enc.clone()]).as_deref(), Some("enc"));
    let odd =
        [named("private", &[("d", "AA")]), with(&p256(), "x", "AA"), json!("key"), rsa(1024), rsa(2048)];
    assert_eq!(chosen(&[&odd[..], &[for_enc]].concat()).as_deref(), Some("enc"));
    assert_eq!(chosen(&[&odd[..], &[for_sig]].concat()), None);
    assert_eq!(chosen(&vec![p256(); 101]), None);
    assert!(jwks("[]").to_encrypt_with(&Algorithm::from("ECDH-ES")).is_none());
}

/// RFC 8725 §3.1: a public key that says it is a shared one invites confusion.
#[test]
fn an_algorithm_of_shared_secrets_is_refused_on_a_public_key() {
    for alg in ["HS256", "none", "dir", "A128KW"] {
        assert_eq!(refused(&with(&rsa(2048), "alg", alg)), "jwks.keys[0].alg");
    }
    let key = keys(&json!([with(&rsa(2048), "alg", "RSA-OAEP-256")])).unwrap().remove(0);
    assert_eq!(key.alg, Some(Algorithm::from("RSA-OAEP-256")));
}

#[test]
fn two_keys_must_not_share_a_name() {
    let named = |kid: &str| with(&p256(), "kid", kid);
    assert!(keys(&json!([named("a"), named("A"), p256(), p256()])).is_ok());
    assert_eq!(keys(&json!([named("a"), p256(), named("a")])).unwrap_err().member, "jwks.keys[2].kid");
    assert_eq!(refused(&with(&p256(), "kid", 1)), "jwks.keys[0].kid");
}

/// RFC 7517 §4.7
#[test]
fn certificates_are_an_array_of_padded_base64() {
    assert_eq!(keys(&json!([with(&p256(), "x5c", json!(["AAE="]))])).unwrap()[0].x5c, ["AAE="]);
    for x5c in [
        json!("AAE="),
        json!([]),
        json!([""]),
        json!(["AAE"]),
        json!(["_-8="]),
        json!(["AA\nE="]),
        json!([1]),
    ] {
        assert_eq!(refused(&with(&p256(), "x5c", x5c)), "jwks.keys[0].x5c");
    }
}

proptest! {
    /// A key of any text, in any member that is looked at, is judged without a panic.
    #[test]
    fn no_text_in_any_member_brings_the_judge_down(
        kty in "RSA|EC|OKP|oct|.{0,4}",
        crv in "P-256|P-384|P-521|Ed25519|X25519|.{0,4}",
        texts in prop::collection::vec("[A-Za-z0-9_-]{0,90}|.{0,8}", 4),
    ) {
        let key = json!({ "kty": kty, "crv": crv, "n": texts[0], "e": texts[1], "x": texts[2], "y": texts[3] });
        let _ = keys(&json!([key]));
    }
}

/// RFC 7518 §3.1, RFC 7517 §4.4
#[test]
fn a_key_signs_with_the_algorithms_of_its_kind_and_with_its_own_alone() {
    let key = |alg: &str| {
        let set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"{alg}}}]}}"#
        );
        jwks(&set).keys().unwrap().remove(0)
    };
    for (alg, algorithm, signs) in [
        ("", "EdDSA", true),
        ("", "Ed25519", true),
        ("", "ES256", false),
        ("", "RS256", false),
        (r#","alg":"EdDSA""#, "EdDSA", true),
        (r#","alg":"EdDSA""#, "Ed25519", false),
        (r#","use":"enc""#, "EdDSA", false),
    ] {
        assert_eq!(key(alg).can_sign_with(&Algorithm::from(algorithm)), signs, "{alg} {algorithm}");
    }
}

/// RFC 7515 §4.1.4: what a stranger's signature makes us look at.
#[test]
fn the_candidates_are_the_keys_of_the_name_and_never_many() {
    let set = |kids: &[Option<&str>]| {
        let keys: Vec<_> =
            kids.iter().map(|kid| kid.map_or(json!({}), |kid| json!({ "kid": kid }))).collect();
        jwks(&json!({ "keys": keys }).to_string())
    };
    let many = [Some("a"); 9];
    for (kids, kid, expected) in [
        (&[Some("a"), Some("b"), None][..], Some("a"), Some(1)),
        (&[Some("a"), Some("b"), None], Some("c"), None),
        (&[Some("a"), Some("b"), None], None, Some(3)),
        (&[Some("a"), Some("a")], Some("a"), Some(2)),
        (&[None], Some("a"), Some(1)),
        (&[Some("b")], Some("a"), None),
        (&many[..8], Some("a"), Some(8)),
        (&many, Some("a"), None),
        (&many, None, None),
        (&[], None, None),
    ] {
        let candidates = set(kids).candidates(kid);
        let count = candidates.map(|set| set.as_str().matches('{').count() - 1);
        assert_eq!(count, expected, "{kids:?} {kid:?}");
    }
    assert!(jwks("[]").candidates(None).is_none());
    assert!(jwks(r#"{"keys":[7,{"kid":7},{"kid":"a"}]}"#).candidates(Some("a")).is_some());
}
