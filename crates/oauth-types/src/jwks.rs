//! `jwks`: the client's public keys, by value. RFC 7517, RFC 7591 §2.
//!
//! The text is kept byte for byte, and judged as text: a typed key that drops what it does not know would make a
//! client that sends its private key look innocent.

mod public_key;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Algorithm, Rejection};
use public_key::PublicKey;

/// A JWK Set exactly as it was sent. Nothing is judged until its keys are asked for. RFC 7517 §5.
#[derive(Clone)]
pub struct Jwks(Box<RawValue>);

impl Jwks {
    /// Each key costs an elliptic curve operation to check, and nobody rotates through more.
    const MOST_KEYS: usize = 100;

    /// Who has more than a few keys names them, and has one of each name, or one of each kind.
    const MOST_CANDIDATES: usize = 8;

    /// Keeps the JSON value as it stands.
    pub fn from_raw(json: &RawValue) -> Self {
        Self(json.to_owned())
    }

    /// Keeps a document as it stands; `None` when it is no JSON.
    pub fn from_slice(document: &[u8]) -> Option<Self> {
        serde_json::from_slice::<&RawValue>(document).ok().map(Self::from_raw)
    }

    /// The JSON text as it was sent.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The keys that a signature may be of whose header has this `kid`: a cheap look before [`Jwks::keys`] judges them, for
    /// signatures of strangers. A key without a name can be meant by any if it is the only one. `None` when there is none,
    /// or there are too many to try.
    pub fn candidates(&self, kid: Option<&str>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Name<'a> {
            #[serde(borrow)]
            kid: Option<Cow<'a, str>>,
        }
        let set: Set<'_> = serde_json::from_str(self.as_str()).ok()?;
        let is_only = set.keys.len() == 1;
        let is_meant = |key: &&&RawValue| {
            let own = serde_json::from_str(key.get()).ok().and_then(|name: Name<'_>| name.kid);
            kid.is_none_or(|kid| own.map_or(is_only, |own| own == kid))
        };
        let keys: Vec<_> = set.keys.iter().filter(is_meant).map(|key| key.get()).collect();
        if keys.is_empty() || keys.len() > Self::MOST_CANDIDATES {
            return None;
        }
        RawValue::from_string(format!(r#"{{"keys":[{}]}}"#, keys.join(","))).ok().map(Self)
    }

    /// The key to encrypt to by this algorithm, and its members as they were sent. One that is for encryption alone comes
    /// before one that is for anything. What is wrong with a key leaves the others good, since nobody has judged those behind
    /// a `jwks_uri` before. RFC 7517 §5, OpenID Connect Core 1.0 §10.2.
    pub fn to_encrypt_with(&self, algorithm: &Algorithm) -> Option<(Jwk, Map<String, Value>)> {
        let set: Value = serde_json::from_str(self.as_str()).ok()?;
        let keys = set.get("keys")?.as_array().filter(|keys| keys.len() <= Self::MOST_KEYS)?;
        let read = keys.iter().enumerate().filter_map(|key| Some((Jwk::read(key).ok()?, key.1.as_object()?)));
        let fitting = read.filter(|(key, _)| key.can_encrypt_with(algorithm));
        let (key, members) = fitting.min_by_key(|(key, _)| (key.usage.is_none(), key.alg.is_none()))?;
        Some((key, members.clone()))
    }

    /// The public keys, or what is wrong with the first that should not be here. RFC 7517 §4, RFC 7518 §6.
    ///
    /// Keys of a kind that this version does not know are among them, but not [usable](Jwk::is_usable).
    pub fn keys(&self) -> Result<Vec<Jwk>, Rejection> {
        let set: Value = serde_json::from_str(self.as_str())
            .map_err(|error| Rejection::metadata("jwks", format!("must be JSON: {error}")))?;
        let Some(set) = set.as_object() else {
            return Err(Rejection::metadata("jwks", "must be an object with an array `keys`"));
        };
        let Some(keys) = set.get("keys").and_then(Value::as_array) else {
            return Err(Rejection::metadata("jwks.keys", "must be an array of public keys"));
        };
        if keys.is_empty() || keys.len() > Self::MOST_KEYS {
            let problem = format!("must hold from 1 to {} public keys", Self::MOST_KEYS);
            return Err(Rejection::metadata("jwks.keys", problem));
        }
        let keys: Vec<_> = keys.iter().enumerate().map(Jwk::read).collect::<Result<_, _>>()?;
        check_kids_differ(&keys)?;
        Ok(keys)
    }
}

impl PartialEq for Jwks {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Jwks {}

/// Without the text: until it is judged, it may hold a private key.
impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwks({} octets)", self.as_str().len())
    }
}

impl Serialize for Jwks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

described!(Jwks, {
    "type": "object",
    "properties": {
        "keys": { "type": "array", "items": { "type": "object" }, "minItems": 1, "maxItems": Jwks::MOST_KEYS },
    },
    "required": ["keys"],
});

/// One public key of a set. RFC 7517 §4.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Jwk {
    /// The family of the key, as it was sent: `RSA`, `EC`, `OKP`.
    pub kty: String,
    /// The name by which a signature picks this key.
    pub kid: Option<String>,
    /// `use`: `sig`, `enc`, or a value that is neither.
    pub usage: Option<String>,
    /// The operations that the key is for.
    pub key_ops: Option<Vec<String>>,
    /// The one algorithm that the key is for.
    pub alg: Option<Algorithm>,
    /// The certificate chain, the key's own first, in base64 of DER. Only its shape is checked.
    pub x5c: Vec<String>,
    key: PublicKey,
}

impl Jwk {
    /// What only the owner of a key may hold: RFC 7518 §6.2.2, §6.3.2, §6.4.1; `priv` of `AKP` keys.
    const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

    /// Whether this version knows the kind of key, and has checked it.
    pub fn is_usable(&self) -> bool {
        self.key != PublicKey::Unknown
    }

    /// Whether the client may sign with its half of this key. RFC 7517 §4.2, §4.3.
    pub fn can_sign(&self) -> bool {
        self.key.can_sign() && self.is_for("sig", &["verify"])
    }

    /// Whether the client may sign with its half of this key by this algorithm. RFC 7517 §4.4.
    pub fn can_sign_with(&self, algorithm: &Algorithm) -> bool {
        self.can_sign()
            && self.key.fits(algorithm.as_str())
            && self.alg.as_ref().is_none_or(|own| own == algorithm)
    }

    /// Whether something may be encrypted to the client with this key. RFC 7517 §4.2, §4.3.
    pub fn can_encrypt(&self) -> bool {
        self.key.can_encrypt() && self.is_for("enc", &["encrypt", "wrapKey", "deriveKey", "deriveBits"])
    }

    /// Whether something may be encrypted to the client with this key by this algorithm. RFC 7517 §4.4.
    pub fn can_encrypt_with(&self, algorithm: &Algorithm) -> bool {
        self.can_encrypt()
            && self.key.agrees_or_unwraps(algorithm.as_str())
            && self.alg.as_ref().is_none_or(|own| own == algorithm)
    }

    fn is_for(&self, usage: &str, operations: &[&str]) -> bool {
        self.usage.as_deref().is_none_or(|own| own == usage)
            && self
                .key_ops
                .as_ref()
                .is_none_or(|own| own.iter().any(|own| operations.contains(&own.as_str())))
    }

    fn read((index, json): (usize, &Value)) -> Result<Self, Rejection> {
        let Some(json) = json.as_object() else {
            return Err(Rejection::metadata(format!("jwks.keys[{index}]"), "must be an object"));
        };
        let members = Members { index, json };
        for name in Self::PRIVATE {
            if members.get(name).is_some() {
                let problem =
                    "must be left out: it is private. Make a new key, and send its public members only";
                return Err(members.refuse(name, problem));
            }
        }
        let Some(kty) = members.text("kty")? else {
            return Err(members.refuse("kty", "is required, such as RSA, EC or OKP"));
        };
        if kty == "oct" {
            return Err(
                members.refuse("kty", "must be a public key: a shared secret is issued by the server")
            );
        }
        let alg = members.text("alg")?.map(Algorithm::from);
        if alg.as_ref().is_some_and(|alg| alg.is_symmetric() || alg.is_none()) {
            return Err(members.refuse("alg", "must be an algorithm for public keys"));
        }
        Ok(Self {
            kty: kty.to_owned(),
            kid: members.text("kid")?.map(str::to_owned),
            usage: members.text("use")?.map(str::to_owned),
            key_ops: members.texts("key_ops")?,
            alg,
            x5c: members.certificates()?,
            key: PublicKey::read(kty, &members)?,
        })
    }
}

/// Two keys under one name would leave it to chance which of them verifies.
fn check_kids_differ(keys: &[Jwk]) -> Result<(), Rejection> {
    let mut seen = HashMap::new();
    for (index, key) in keys.iter().enumerate() {
        let Some(kid) = &key.kid else { continue };
        if let Some(earlier) = seen.insert(kid, index) {
            let problem = format!("must differ from the kid of keys[{earlier}]");
            return Err(Rejection::metadata(format!("jwks.keys[{index}].kid"), problem));
        }
    }
    Ok(())
}

/// The members of one key, and its place in the set. `null` is the same as absent.
struct Members<'a> {
    index: usize,
    json: &'a Map<String, Value>,
}

impl<'a> Members<'a> {
    fn refuse(&self, name: &str, problem: &'static str) -> Rejection {
        Rejection::metadata(format!("jwks.keys[{}].{name}", self.index), problem)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.json.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Rejection> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| self.refuse(name, "must be a string"));
        self.get(name).map(text).transpose()
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Rejection> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = value.as_array().into_iter().flatten();
        let texts: Option<Vec<_>> = items.map(|item| item.as_str().map(str::to_owned)).collect();
        match texts {
            Some(texts) if value.is_array() => Ok(Some(texts)),
            _ => Err(self.refuse(name, "must be an array of strings")),
        }
    }

    /// RFC 7517 §4.7: base64 with padding, not base64url.
    fn certificates(&self) -> Result<Vec<String>, Rejection> {
        let Some(chain) = self.texts("x5c")? else { return Ok(Vec::new()) };
        let is_base64 = |text: &String| !text.is_empty() && BASE64_STANDARD.decode(text).is_ok();
        if !chain.is_empty() && chain.iter().all(is_base64) {
            Ok(chain)
        } else {
            Err(self
                .refuse("x5c", "must be certificates in base64 (not base64url) of DER, without line breaks"))
        }
    }
}

#[cfg(test)]
mod tests;
