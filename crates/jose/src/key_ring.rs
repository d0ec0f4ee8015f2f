//! The keys of this server, loaded: who signs, what is published, and what this server signed itself. RFC 7517 §5.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{KeyError, Schedule, SigningAlgorithm, SigningKey, VerifyError};

/// Keys of any algorithms, each with its age, under one schedule.
///
/// It does not change: when keys are made or deleted, another ring takes its place.
#[derive(Debug)]
pub struct KeyRing {
    schedule: Schedule,
    series: Vec<Series>,
}

/// The keys of one algorithm, oldest first.
#[derive(Debug)]
struct Series {
    algorithm: SigningAlgorithm,
    keys: Vec<SigningKey>,
    /// When each of them was made.
    made: Vec<Timestamp>,
    /// Until when each is needed, beyond what the schedule says.
    needed_until: Vec<Option<Timestamp>>,
}

/// What a token of this server says. Its claims are not judged: not its issuer, not its end, not whom it is for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// What kind of token it is: look at it, or an ID token passes for an access token. RFC 8725 §3.11.
    pub typ: Option<String>,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// The header that [`SigningKey::sign_jwt`] writes, and no other: this refuses `crit`, and keys that a token brings along.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: String,
}

impl KeyRing {
    /// A ring of these keys, each with the time when it was made; refused when two have one name.
    pub fn new(
        keys: impl IntoIterator<Item = (SigningKey, Timestamp)>,
        schedule: Schedule,
    ) -> Result<Self, KeyError> {
        let mut keys: Vec<_> = keys.into_iter().collect();
        let mut kids = HashSet::new();
        if let Some((twice, _)) = keys.iter().find(|(key, _)| !kids.insert(key.kid())) {
            return Err(KeyError::Twice { kid: twice.kid().to_owned() });
        }
        keys.sort_by(|(a, made_a), (b, made_b)| (made_a, a.kid()).cmp(&(made_b, b.kid())));
        let mut series = SigningAlgorithm::ALL.map(Series::empty);
        for (key, made) in keys {
            let own = series.iter_mut().find(|series| series.algorithm == key.algorithm());
            own.expect("there is one for each algorithm").push(key, made);
        }
        Ok(Self { schedule, series: series.into() })
    }

    /// The same ring, in which the key of this name is published until then at the least: [`KeyAge::needed_until`].
    ///
    /// [`KeyAge::needed_until`]: crate::KeyAge::needed_until
    #[must_use]
    pub fn with_needed(mut self, kid: &str, until: Timestamp) -> Self {
        for series in &mut self.series {
            let own = series.keys.iter().zip(&mut series.needed_until).find(|(key, _)| key.kid() == kid);
            if let Some((_, needed)) = own {
                *needed = Some(until);
            }
        }
        self
    }

    /// Until when the key that signs with this algorithm now, and those that will after it, are needed as far as
    /// [`KeyRing::with_needed`] said: the shortest of them; `None` when that was said of not all, or there is none.
    pub fn needed_until(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<Timestamp> {
        let series = self.series.iter().find(|series| series.algorithm == algorithm)?;
        let signer = self.schedule.signer(&series.made, now)?;
        // `None` is less than any time.
        series.needed_until[signer..].iter().min().copied().flatten()
    }

    /// The key that signs with this algorithm now; `None` when the ring has none for it.
    pub fn signer(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&SigningKey> {
        let series = self.series.iter().find(|series| series.algorithm == algorithm)?;
        self.schedule.signer(&series.made, now).map(|index| &series.keys[index])
    }

    /// The JWK Set to publish: by algorithm, oldest first. RFC 7517 §5.
    pub fn jwks(&self, now: Timestamp) -> Value {
        json!({ "keys": self.published(now).map(SigningKey::public_jwk).collect::<Vec<_>>() })
    }

    /// What a token says that this server signed, by a key that is still published. RFC 7515 §5.2.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, VerifyError> {
        let (message, signature) = token.rsplit_once('.').ok_or(VerifyError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(VerifyError::Malformed)?;

        // An object first: an array of three would do for the header's type.
        let header: Map<_, _> =
            serde_json::from_slice(&octets(header)?).map_err(|_| VerifyError::Malformed)?;
        let header = Header::deserialize(Value::Object(header)).map_err(|_| VerifyError::Header)?;
        let key = self.published(now).find(|key| key.kid() == header.kid).ok_or(VerifyError::UnknownKey)?;
        if key.algorithm().as_str() != header.alg {
            return Err(VerifyError::Algorithm);
        }
        if !key.verifies(message.as_bytes(), &octets(signature)?) {
            return Err(VerifyError::Signature);
        }
        let claims = serde_json::from_slice(&octets(claims)?).map_err(|_| VerifyError::Malformed)?;
        Ok(VerifiedToken { typ: header.typ, claims })
    }

    fn published(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        self.series.iter().flat_map(move |series| {
            let keys = series.keys.iter().enumerate();
            keys.filter(move |(index, _)| {
                self.schedule.is_published(&series.made, *index, series.needed_until[*index], now)
            })
            .map(|(_, key)| key)
        })
    }
}

impl Series {
    fn empty(algorithm: SigningAlgorithm) -> Self {
        Self { algorithm, keys: Vec::new(), made: Vec::new(), needed_until: Vec::new() }
    }

    fn push(&mut self, key: SigningKey, made: Timestamp) {
        self.keys.push(key);
        self.made.push(made);
        self.needed_until.push(None);
    }
}

fn octets(part: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed)
}

#[cfg(test)]
mod tests;
