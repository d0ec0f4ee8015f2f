//! The keys of an issuer that publishes them. OpenID Connect Discovery 1.0 §4, RFC 8414 §3, RFC 7517 §5.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use enroll_oauth_types::Timestamp;
use enroll_outbound::{FetchError, Media, Outbound};
use enroll_store::BoxError;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use url::Url;

use super::issuer_keys::IssuerKeys;

/// For how long keys are used after the issuer was last asked with success: its tokens go on to work while it is away, but
/// not for ever, since it could not take a key back.
const KEEP: Duration = Duration::from_hours(1);

/// Where an issuer says what its keys are, and the keys that it had.
pub(super) struct DiscoveredKeys {
    issuer: String,
    /// Where its metadata may be, in the order in which to look.
    metadata: [Url; 2],
    allowed: Vec<Algorithm>,
    outbound: Outbound,
    last: Mutex<Option<Known>>,
}

/// Keys as they were read last.
#[derive(Clone)]
struct Known {
    set: Vec<u8>,
    keys: Arc<IssuerKeys>,
    at: Timestamp,
}

/// What is read of its metadata. RFC 8414 §2.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl DiscoveredKeys {
    /// Asks nobody yet. `None` when the issuer is no URL that metadata can stand under.
    pub(super) fn of(issuer: &str, allowed: Vec<Algorithm>, outbound: Outbound) -> Option<Self> {
        let url = Url::parse(issuer).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return None;
        }
        let own = url.path().trim_end_matches('/');
        let at = |path: String| {
            let mut url = url.clone();
            url.set_path(&path);
            url
        };
        let metadata = [
            at(format!("{own}/.well-known/openid-configuration")),
            at(format!("/.well-known/oauth-authorization-server{own}")),
        ];
        Some(Self { issuer: issuer.to_owned(), metadata, allowed, outbound, last: Mutex::default() })
    }

    /// The keys to verify a token with whose header says this. Where none of them fits, the issuer may have a new one, and is
    /// asked again, as often as `outbound` lets us.
    pub(super) async fn for_token(
        &self,
        algorithm: &str,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<IssuerKeys>, BoxError> {
        let keys = match self.fetched(now, false).await {
            Ok(keys) => keys,
            Err(error) => self.last().filter(|last| now < last.at + KEEP).ok_or(error)?.keys,
        };
        if keys.fits(algorithm, kid) { Ok(keys) } else { self.fetched(now, true).await }
    }

    async fn fetched(&self, now: Timestamp, anew: bool) -> Result<Arc<IssuerKeys>, BoxError> {
        let uri = self.jwks_uri().await?;
        let set = match anew {
            true => self.outbound.refetch(&uri, Media::JwkSet).await,
            false => self.outbound.jwk_set(&uri).await,
        };
        let set = set.map_err(|error| self.failed(&uri, &error))?.bytes;
        let keys = if let Some(last) = self.last().filter(|last| last.set == set) {
            last.keys
        } else {
            let text = std::str::from_utf8(&set).map_err(|error| self.failed(&uri, &error))?;
            let read = IssuerKeys::read_usable(text, &self.allowed);
            Arc::new(read.map_err(|error| self.failed(&uri, &error))?)
        };
        let known = Known { set: set.to_vec(), keys: keys.clone(), at: now };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(keys)
    }

    fn last(&self) -> Option<Known> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the metadata names, when it is that of this issuer: else another could have its keys believed. RFC 8414 §3.3.
    async fn jwks_uri(&self) -> Result<String, BoxError> {
        let [first, second] = &self.metadata;
        let (place, document) = match self.outbound.json(first.as_str()).await {
            // It is there, and publishes the other form alone.
            Err(FetchError::Status(_) | FetchError::MediaType(_) | FetchError::Redirect(_)) => {
                (second, self.outbound.json(second.as_str()).await)
            }
            document => (first, document),
        };
        let document = document.map_err(|error| self.failed(place.as_str(), &error))?;
        let metadata: Metadata =
            serde_json::from_slice(&document.bytes).map_err(|error| self.failed(place.as_str(), &error))?;
        if metadata.issuer != self.issuer {
            let problem = format!("it is the metadata of `{}`", metadata.issuer.escape_debug());
            return Err(self.failed(place.as_str(), &problem));
        }
        if place.scheme() == "https" && !metadata.jwks_uri.starts_with("https:") {
            return Err(self.failed(place.as_str(), &"jwks_uri: must be an https URL"));
        }
        Ok(metadata.jwks_uri)
    }

    fn failed(&self, place: &str, problem: &dyn std::fmt::Display) -> BoxError {
        format!("the keys of the issuer {} are not known: {place}: {problem}", self.issuer).into()
    }
}

#[cfg(test)]
mod tests;
