//! A signed token before it is verified. RFC 7515, RFC 7519.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A JWS in its compact form with JSON inside, nothing of it verified. RFC 7515 §7.1.
pub(super) struct Jws<'a> {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    pub(super) signed: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Jws<'a> {
    /// `None` when the token is something else; five parts are an encrypted one.
    pub(super) fn read(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self { header: object(header)?, claims: object(claims)?, signed, signature })
    }

    /// Whether `aud` is this, or contains it. RFC 7519 §4.1.3.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(audience)),
            value => value.and_then(Value::as_str) == Some(audience),
        }
    }

    pub(super) fn is_issued_by(&self, issuer: &str) -> bool {
        self.claims.get("iss").and_then(Value::as_str) == Some(issuer)
    }
}

/// Seconds since 1970, fractions allowed. RFC 7519 §2.
pub(super) fn numeric_date(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<Duration>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.map(Some).ok_or("the claims exp, nbf and iat of the token must be seconds since 1970")
}
