//! One key of this server. RFC 7515, RFC 7517, RFC 7638.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::Pkcs8;
use serde::Serialize;
use serde_json::Value;

use crate::key_pair::KeyPair;
use crate::{KeyError, SigningAlgorithm, SigningError};

/// The types of the tokens that are signed all day: their headers are kept. RFC 9068 §2.1.
const FREQUENT_TYPES: [Option<&str>; 3] = [None, Some("JWT"), Some("at+jwt")];

/// A private key, parsed, with the one algorithm that it signs with. Its `Debug` tells its name alone.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    kid: String,
    pair: KeyPair,
    verifier: ParsedPublicKey,
    /// Of [`FREQUENT_TYPES`], in base64url.
    headers: [String; FREQUENT_TYPES.len()],
    jwk: Value,
}

/// What stands before the claims, in this order. RFC 7515 §4.1.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    kid: &'a str,
}

impl SigningKey {
    /// A new key: RSA of 2048 bits, P-256 or Ed25519.
    ///
    /// One for RS256 or PS256 takes some 40 to 200 ms: never make it in a request, nor on a thread that serves others.
    pub fn generate(algorithm: SigningAlgorithm) -> Self {
        let pair = KeyPair::generate(algorithm).expect("memory and randomness are there");
        Self::of(algorithm, pair).expect("a key that was just made is a key")
    }

    /// The key that [`SigningKey::to_pkcs8`] wrote, or that another program made. RFC 5958.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &Pkcs8) -> Result<Self, KeyError> {
        KeyPair::from_pkcs8(algorithm, pkcs8)
            .and_then(|pair| Self::of(algorithm, pair))
            .map_err(|rejected| KeyError::Unsuitable { algorithm, reason: rejected.to_string() })
    }

    fn of(algorithm: SigningAlgorithm, pair: KeyPair) -> Result<Self, aws_lc_rs::error::KeyRejected> {
        let public = pair.public();
        let kid = public.thumbprint();
        Ok(Self {
            verifier: pair.verifier(algorithm)?,
            headers: FREQUENT_TYPES.map(|typ| header(algorithm, typ, &kid)),
            jwk: public.jwk(algorithm, &kid),
            algorithm,
            kid,
            pair,
        })
    }

    /// The private key, to be sealed under its [name](SigningKey::kid) and stored. RFC 5958.
    pub fn to_pkcs8(&self) -> Pkcs8 {
        self.pair.to_pkcs8().expect("a key that was parsed can be written")
    }

    /// The name of the key: its thumbprint. RFC 7638 §3.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the key signs with, and nothing else. RFC 8725 §3.1.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public key as the server publishes it: `kty`, `use`, `alg`, `kid` and its public members. RFC 7517 §4.
    pub fn public_jwk(&self) -> &Value {
        &self.jwk
    }

    /// Signs claims as a JWT of this type, in compact serialization. RFC 7515 §7.1, RFC 8725 §3.11.
    pub fn sign_jwt(&self, typ: Option<&str>, claims: &impl Serialize) -> Result<String, SigningError> {
        let claims = serde_json::to_vec(claims)?;
        if claims.first() != Some(&b'{') {
            return Err(SigningError::NotAnObject);
        }
        let kept = FREQUENT_TYPES.iter().position(|frequent| *frequent == typ);
        let mut token = match kept {
            Some(index) => self.headers[index].clone(),
            None => header(self.algorithm, typ, &self.kid),
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.pair.sign(token.as_bytes()).map_err(|_| SigningError::Failed)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Whether the signature is one of this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm, self.kid)
    }
}

fn header(algorithm: SigningAlgorithm, typ: Option<&str>, kid: &str) -> String {
    let header = Header { alg: algorithm.as_str(), typ, kid };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).expect("three strings are JSON"))
}

#[cfg(test)]
mod tests;
