//! Signed access tokens of an issuer whose keys are known, or can be discovered. RFC 9068 §4, RFC 8725.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use enroll_oauth_types::{Clock, Rejection, Scope, SystemClock};
use enroll_outbound::Outbound;
use http::request::Parts;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::discovered_keys::DiscoveredKeys;
use super::issuer_keys::{ALGORITHMS, IssuerKeys, asymmetric};
use super::jws::{Jws, numeric_date};
use super::{Authenticate, bearer_token};
use crate::{AccessError, Caller, Credential};

/// Knows the signed access tokens of one issuer. RFC 9068 §4.
///
/// A token of another issuer, an opaque or an encrypted one is left to the next authenticator. A token of this issuer
/// must be right in all: signature, `aud`, `exp`, and no `crit` or `cnf`, which nobody here would honour.
///
/// ```
/// use enroll_access::BearerJwt;
///
/// let jwks = r#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "a",
///     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;
/// let tokens = BearerJwt::issued_by("https://id.example")
///     .for_audience("https://register.example")
///     .require_type()
///     .with_keys(jwks)?;
/// # Ok::<(), enroll_access::BearerJwtError>(())
/// ```
pub struct BearerJwt {
    rules: BearerJwtBuilder,
    keys: Keys,
}

/// Where the keys come from.
enum Keys {
    /// They were named with the issuer.
    Named(IssuerKeys),
    /// The issuer publishes them.
    Discovered(Box<DiscoveredKeys>),
}

/// Says what a [`BearerJwt`] must be; [`BearerJwtBuilder::with_keys`] or [`BearerJwtBuilder::with_discovery`] makes it.
pub struct BearerJwtBuilder {
    issuer: String,
    audience: String,
    algorithms: Vec<String>,
    leeway: Duration,
    requires_type: bool,
    clock: Arc<dyn Clock>,
}

/// Why a verifier of access tokens cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BearerJwtError {
    /// Without an issuer, whoever signs with the keys is believed.
    #[error("issuer: is required, exactly as it stands in the claim `iss` of its tokens")]
    Issuer,
    /// Without an audience, tokens meant for others would open this door. RFC 8725 §3.9.
    #[error("audience: is required, exactly as it stands in the claim `aud` of the tokens")]
    Audience,
    /// Not an algorithm for public keys that is built in.
    #[error("algorithms: `{0}` is not one of {ALGORITHMS:?}")]
    Algorithm(String),
    /// Nothing can be found below such an issuer. RFC 8414 §2.
    #[error("issuer: must be a URL without query and fragment, so that its keys can be discovered")]
    Undiscoverable,
    /// A key, or the set, is not what it should be.
    #[error(transparent)]
    Keys(#[from] Rejection),
}

impl BearerJwt {
    /// The longest token that is read. Those of real issuers stay below a quarter.
    const LONGEST: usize = 16 * 1024;

    /// Starts a verifier of the tokens whose `iss` is exactly this.
    pub fn issued_by(issuer: impl Into<String>) -> BearerJwtBuilder {
        BearerJwtBuilder {
            issuer: issuer.into(),
            audience: String::new(),
            algorithms: ALGORITHMS.map(str::to_owned).to_vec(),
            leeway: Duration::from_mins(1),
            requires_type: false,
            clock: Arc::new(SystemClock),
        }
    }

    async fn verify(&self, token: &Jws<'_>) -> Result<(), AccessError> {
        self.rules.check_header(&token.header).map_err(AccessError::InvalidToken)?;
        let text = |name: &str| token.header.get(name).and_then(Value::as_str);
        let (algorithm, kid) = (text("alg").unwrap_or("none"), text("kid"));
        let is_signed = match &self.keys {
            Keys::Named(keys) => keys.verify(algorithm, kid, token.signed, token.signature),
            Keys::Discovered(keys) => {
                // Nobody is asked for the sake of a token that would be refused anyhow.
                self.rules.check_claims(token).map_err(AccessError::InvalidToken)?;
                let keys = keys.for_token(algorithm, kid, self.rules.clock.now()).await;
                keys.map_err(AccessError::Internal)?.verify(algorithm, kid, token.signed, token.signature)
            }
        };
        is_signed.and_then(|()| self.rules.check_claims(token)).map_err(AccessError::InvalidToken)
    }
}

#[async_trait]
impl Authenticate for BearerJwt {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError> {
        let Some(token) = bearer_token(parts)? else { return Ok(None) };
        if token.len() > Self::LONGEST {
            return Err(AccessError::InvalidToken("the token is longer than 16 KiB"));
        }
        // The issuer is not verified yet: it only decides who is to verify.
        let Some(token) = Jws::read(token).filter(|token| token.is_issued_by(&self.rules.issuer)) else {
            return Ok(None);
        };
        self.verify(&token).await?;
        caller(token.claims).map(Some).map_err(AccessError::InvalidToken)
    }
}

impl BearerJwtBuilder {
    /// What `aud` must be or contain.
    #[must_use]
    pub fn for_audience(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    /// The algorithms that tokens may be signed with, by their names in RFC 7518. By default all for public keys that
    /// are built in.
    #[must_use]
    pub fn algorithms(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { algorithms: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// How far the issuer's clock may be off. By default 60 seconds.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Only tokens of the type `at+jwt`, so that no ID token of the same issuer can pass for one. RFC 9068 §2.1.
    #[must_use]
    pub fn require_type(self) -> Self {
        Self { requires_type: true, ..self }
    }

    /// What time it is. By default the operating system's clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The issuer's public keys, as a JWK Set. All that was configured is checked here, and nothing later.
    pub fn with_keys(self, jwks_json: &str) -> Result<BearerJwt, BearerJwtError> {
        let keys = IssuerKeys::read(jwks_json, &self.allowed()?)?;
        Ok(BearerJwt { rules: self, keys: Keys::Named(keys) })
    }

    /// The public keys that the issuer publishes: at the `jwks_uri` in its metadata, which must name exactly this issuer.
    /// OpenID Connect Discovery 1.0 §4, RFC 8414 §3.
    ///
    /// Nothing is fetched before the first token comes. A token by a key that is not known has the keys fetched again, now
    /// and then. While the issuer does not answer, those that it had work for another hour, and without any its tokens are
    /// answered with 503, which is nobody else's concern: give it an [`Outbound`] of its own, so that fetches for others do
    /// not use up its budget.
    pub fn with_discovery(self, outbound: Outbound) -> Result<BearerJwt, BearerJwtError> {
        let keys = DiscoveredKeys::of(&self.issuer, self.allowed()?, outbound);
        let keys = Box::new(keys.ok_or(BearerJwtError::Undiscoverable)?);
        Ok(BearerJwt { rules: self, keys: Keys::Discovered(keys) })
    }

    /// The algorithms, once all else is checked that was configured.
    fn allowed(&self) -> Result<Vec<Algorithm>, BearerJwtError> {
        if self.issuer.is_empty() {
            return Err(BearerJwtError::Issuer);
        }
        if self.audience.is_empty() {
            return Err(BearerJwtError::Audience);
        }
        let read = |name: &String| asymmetric(name).ok_or_else(|| BearerJwtError::Algorithm(name.clone()));
        self.algorithms.iter().map(read).collect()
    }

    /// What a token must say, whoever signed it.
    fn check_claims(&self, token: &Jws<'_>) -> Result<(), &'static str> {
        if !token.is_for(&self.audience) {
            return Err("the token is meant for another audience");
        }
        self.check_times(&token.claims)?;
        if token.claims.contains_key("cnf") {
            // Whoever stole it could present it without the key that it is bound to. RFC 9449 §7.1.
            return Err("the token is bound to a key, so it cannot be presented as a bearer token");
        }
        Ok(())
    }

    /// RFC 7515 §4.1.11, RFC 9068 §4
    fn check_header(&self, header: &Map<String, Value>) -> Result<(), &'static str> {
        if header.contains_key("crit") {
            return Err("the token has critical header parameters, and none is known here");
        }
        if header.get("kid").is_some_and(|kid| !kid.is_string()) {
            return Err("the header parameter kid of the token must be a string");
        }
        let is_of_type = match header.get("typ") {
            None => !self.requires_type,
            Some(Value::String(typ)) => {
                let is = |name: &str| typ.eq_ignore_ascii_case(name);
                is("at+jwt") || is("application/at+jwt") || (is("JWT") && !self.requires_type)
            }
            Some(_) => false,
        };
        is_of_type
            .then_some(())
            .ok_or("the token is not an access token: its header parameter typ must be at+jwt")
    }

    /// RFC 7519 §4.1.4 to §4.1.6
    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), &'static str> {
        let now = Duration::from_secs(self.clock.now().seconds());
        let end = numeric_date(claims, "exp")?.ok_or("the token must say when it expires")?;
        if now >= end.saturating_add(self.leeway) {
            return Err("the token is expired");
        }
        let latest = now.saturating_add(self.leeway);
        for name in ["nbf", "iat"] {
            if numeric_date(claims, name)?.is_some_and(|start| start > latest) {
                return Err("the token is not valid yet");
            }
        }
        Ok(())
    }
}

/// Whom verified claims describe.
fn caller(claims: Map<String, Value>) -> Result<Caller, &'static str> {
    let text = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err("the claims iss and sub of the token must be strings"),
    };
    Ok(Caller {
        subject: text("sub")?,
        issuer: text("iss")?,
        scopes: scopes(&claims)?,
        claims,
        ..Caller::new(Credential::BearerJwt)
    })
}

/// `scope` as RFC 9068 §2.2.3 has it, or the list, or the name `scp`, that some issuers write instead.
fn scopes(claims: &Map<String, Value>) -> Result<Vec<String>, &'static str> {
    let scopes = match claims.get("scope").or_else(|| claims.get("scp")) {
        None => Some(Vec::new()),
        Some(Value::String(text)) => Some(Scope::from(text.as_str()).values().map(str::to_owned).collect()),
        Some(Value::Array(values)) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    };
    scopes.ok_or("the claim scope of the token must be a string or a list of strings")
}

#[cfg(test)]
mod tests;
