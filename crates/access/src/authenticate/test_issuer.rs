//! An issuer for tests: keys, tokens as it signs them, and the verdict on variations of a good one.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::{Clock, Timestamp};
use http::Request;
use serde_json::{Value, json};

use super::{Authenticate as _, BearerJwt, BearerJwtBuilder};
use crate::{AccessError, Caller};

pub(super) const ISSUER: &str = "https://id.example";
pub(super) const AUDIENCE: &str = "https://register.example";
pub(super) const NOW: u64 = 1_800_000_000;

pub(super) struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

type Sign = dyn Fn(&[u8]) -> Vec<u8>;

/// One key of the issuer: what it publishes, and how it signs.
pub(super) struct Key {
    pub(super) jwk: Value,
    pub(super) sign: Box<Sign>,
}

pub(super) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    pub(super) fn ec(kid: &str, curve: &str, algorithm: &'static signature::EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "kid": kid, "x": b64(x), "y": b64(y) });
        Self {
            jwk,
            sign: Box::new(move |message| {
                pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }),
        }
    }

    pub(super) fn es256(kid: &str) -> Self {
        Self::ec(kid, "P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(super) fn es384(kid: &str) -> Self {
        Self::ec(kid, "P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    pub(super) fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(pair.public_key()) });
        Self { jwk, sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()) }
    }

    pub(super) fn rsa(kid: &str, encoding: &'static dyn signature::RsaEncoding) -> Self {
        let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let public: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let jwk = json!({ "kty": "RSA", "kid": kid, "n": b64(public.n), "e": b64(public.e) });
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        Self { jwk, sign: Box::new(sign) }
    }

    /// A token with this header and these claims.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        format!("{signed}.{}", b64((self.sign)(signed.as_bytes())))
    }
}

pub(super) fn jwks(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() }).to_string()
}

pub(super) fn rules() -> BearerJwtBuilder {
    BearerJwt::issued_by(ISSUER).for_audience(AUDIENCE).clock(Arc::new(StandingClock))
}

pub(super) fn header(algorithm: &str, kid: &str) -> Value {
    json!({ "alg": algorithm, "typ": "at+jwt", "kid": kid })
}

pub(super) fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW, "sub": "ada", "scope": "openid client:register" })
}

/// These with some members replaced; `null` takes one away.
pub(super) fn with(mut base: Value, changes: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    base
}

pub(super) async fn present(tokens: &BearerJwt, token: &str) -> Result<Option<Caller>, AccessError> {
    let request = Request::post("/").header("authorization", format!("Bearer {token}"));
    tokens.authenticate(&request.body(()).unwrap().into_parts().0).await
}

pub(super) async fn accepted(tokens: &BearerJwt, token: &str) -> Caller {
    present(tokens, token).await.unwrap().expect("the token is of this issuer")
}

pub(super) async fn refused(tokens: &BearerJwt, token: &str) -> &'static str {
    match present(tokens, token).await {
        Err(AccessError::InvalidToken(why)) => why,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn left_to_the_next(tokens: &BearerJwt, token: &str) -> bool {
    matches!(present(tokens, token).await, Ok(None))
}

/// One key, rules, and the verdict on variations of a good token.
pub(super) struct Issuer {
    pub(super) key: Key,
    pub(super) tokens: BearerJwt,
}

impl Issuer {
    pub(super) fn new(rules: BearerJwtBuilder) -> Self {
        let key = Key::es256("a");
        let tokens = rules.with_keys(&jwks(&[&key])).unwrap();
        Self { key, tokens }
    }

    pub(super) async fn accepts(&self, header_changes: Value, claim_changes: Value) -> Caller {
        accepted(&self.tokens, &self.varied(&header_changes, &claim_changes)).await
    }

    pub(super) async fn refuses(&self, header_changes: Value, claim_changes: Value) -> &'static str {
        refused(&self.tokens, &self.varied(&header_changes, &claim_changes)).await
    }

    pub(super) fn varied(&self, header_changes: &Value, claim_changes: &Value) -> String {
        self.key.token(&with(header("ES256", "a"), header_changes), &with(claims(), claim_changes))
    }
}
