//! The keys of an issuer, each bound to what it may verify. RFC 7517, RFC 8725 §3.1.
//!
//! The header of a token picks among these keys; it never says what a key is.

use std::str::FromStr as _;

use enroll_oauth_types::{Jwk, Jwks, Rejection};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, crypto};
use serde_json::Value;
use serde_json::value::RawValue;

/// The signature algorithms for public keys that are built in.
pub(super) const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// The algorithm of this name, unless it is symmetric, `none` or unknown. `Ed25519` is the newer name of the only
/// curve of `EdDSA` that is built in. RFC 9864 §2.2.
pub(super) fn asymmetric(name: &str) -> Option<Algorithm> {
    let name = if name == "Ed25519" { "EdDSA" } else { name };
    let is_public = |algorithm: &Algorithm| !AlgorithmFamily::Hmac.algorithms().contains(algorithm);
    Algorithm::from_str(name).ok().filter(is_public)
}

/// The keys of an issuer that can verify with an allowed algorithm.
pub(super) struct IssuerKeys(Vec<IssuerKey>);

struct IssuerKey {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl IssuerKeys {
    /// Reads and checks a JWK Set. Keys for encryption and kinds that are not known are left out; a key that should
    /// not be there (private, too short, off its curve) is named in the error.
    pub(super) fn read(json: &str, allowed: &[Algorithm]) -> Result<Self, Rejection> {
        Self::collect(json, allowed, Err)
    }

    /// The same of a set that a client keeps: an `alg` that does not fit its key takes that key out, not the others along
    /// with it. RFC 7517 §5.
    pub(super) fn read_usable(json: &str, allowed: &[Algorithm]) -> Result<Self, Rejection> {
        Self::collect(json, allowed, |_| Ok(None))
    }

    fn collect(
        json: &str,
        allowed: &[Algorithm],
        or: impl Fn(Rejection) -> Result<Option<IssuerKey>, Rejection>,
    ) -> Result<Self, Rejection> {
        let not_json = |error| Rejection::metadata("jwks", format!("must be JSON: {error}"));
        let raw: &RawValue = serde_json::from_str(json).map_err(not_json)?;
        let checked = Jwks::from_raw(raw).keys()?;
        let set: Value = serde_json::from_str(json).map_err(not_json)?;
        let members = set["keys"].as_array().into_iter().flatten();

        let mut keys = Vec::new();
        for (index, (jwk, members)) in checked.iter().zip(members).enumerate() {
            keys.extend(IssuerKey::read(index, jwk, members, allowed).or_else(&or)?);
        }
        if keys.is_empty() {
            let problem = "must hold a key that verifies signatures with one of the allowed algorithms";
            return Err(Rejection::metadata("jwks.keys", problem));
        }
        Ok(Self(keys))
    }

    /// Whether `signature` over `message` is that of the key which the header picks. RFC 7515 §4.1.4.
    pub(super) fn verify(
        &self,
        algorithm: &str,
        kid: Option<&str>,
        message: &str,
        signature: &str,
    ) -> Result<(), &'static str> {
        let algorithm =
            asymmetric(algorithm).ok_or("the token must be signed with a public key algorithm")?;
        let key = self.pick(algorithm, kid)?;
        match crypto::verify(signature, message.as_bytes(), &key.key, algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err("the signature of the token is not valid"),
        }
    }

    /// Whether the header of a token picks one of these.
    pub(super) fn fits(&self, algorithm: &str, kid: Option<&str>) -> bool {
        asymmetric(algorithm).is_some_and(|algorithm| self.pick(algorithm, kid).is_ok())
    }

    fn pick(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&IssuerKey, &'static str> {
        let suits = |key: &&IssuerKey| key.algorithms.contains(&algorithm);
        let unsuitable = "the algorithm of the token is not one of its key";
        if let Some(kid) = kid {
            let key = self.named(kid).ok_or("the key of the token is not known")?;
            return Some(key).filter(suits).ok_or(unsuitable);
        }
        let mut suitable = self.0.iter().filter(suits);
        match (suitable.next(), suitable.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(unsuitable),
            (Some(_), Some(_)) => Err("the token must name its key: its issuer has several"),
        }
    }

    fn named(&self, kid: &str) -> Option<&IssuerKey> {
        match &self.0[..] {
            // An only key without a name cannot be mistaken for another.
            [only] if only.kid.is_none() => Some(only),
            keys => keys.iter().find(|key| key.kid.as_deref() == Some(kid)),
        }
    }
}

impl IssuerKey {
    fn read(
        index: usize,
        jwk: &Jwk,
        members: &Value,
        allowed: &[Algorithm],
    ) -> Result<Option<Self>, Rejection> {
        let member = |name: &str| members[name].as_str().unwrap_or_default();
        let mut algorithms = algorithms_of(jwk, member("crv")).to_vec();
        if let Some(alg) = &jwk.alg {
            let own = asymmetric(alg.as_str());
            let misfits = own.is_some_and(|own| !algorithms.contains(&own));
            if misfits && !algorithms.is_empty() {
                let problem = format!("does not fit a key of kind {} {}", jwk.kty, member("crv"));
                return Err(Rejection::metadata(format!("jwks.keys[{index}].alg"), problem));
            }
            algorithms.retain(|algorithm| own == Some(*algorithm));
        }
        algorithms.retain(|algorithm| allowed.contains(algorithm));
        if algorithms.is_empty() {
            return Ok(None);
        }
        let key = match jwk.kty.as_str() {
            "RSA" => DecodingKey::from_rsa_components(member("n"), member("e")),
            "EC" => DecodingKey::from_ec_components(member("x"), member("y")),
            _ => DecodingKey::from_ed_components(member("x")),
        };
        let refuse = |_| Rejection::metadata(format!("jwks.keys[{index}]"), "must be a public key");
        Ok(Some(Self { kid: jwk.kid.clone(), algorithms, key: key.map_err(refuse)? }))
    }
}

/// What a key of this kind and curve can verify. RFC 7518 §3.1, RFC 8037 §3.1.
fn algorithms_of(jwk: &Jwk, curve: &str) -> &'static [Algorithm] {
    match (jwk.kty.as_str(), curve) {
        _ if !jwk.can_sign() => &[],
        ("RSA", _) => AlgorithmFamily::Rsa.algorithms(),
        ("EC", "P-256") => &[Algorithm::ES256],
        ("EC", "P-384") => &[Algorithm::ES384],
        ("OKP", "Ed25519") => &[Algorithm::EdDSA],
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
