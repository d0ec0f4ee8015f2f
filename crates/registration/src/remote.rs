//! Documents at addresses that a client names: whether they are fetched, and how a failure is told.

use enroll_oauth_types::{ClientMetadata, Jwks, Rejection, Uri};
use enroll_outbound::{Document, FetchError, Media, Outbound};
use serde_json::value::RawValue;

use crate::RegistrationError;

/// What is done about documents at addresses that a client names.
#[derive(Clone, Debug, Default)]
pub enum Remote {
    /// None is fetched. A member that cannot be judged without one is refused.
    #[default]
    Off,
    /// None is fetched, and what they would say is left open: for a dry run that touches no network.
    Unchecked,
    /// They are fetched when they are needed.
    Fetched(Outbound),
}

impl Remote {
    pub(crate) fn outbound(&self) -> Option<&Outbound> {
        match self {
            Self::Fetched(outbound) => Some(outbound),
            Self::Off | Self::Unchecked => None,
        }
    }
}

/// The keys of a client: its `jwks`, or what its `jwks_uri` holds. `anew` asks its host again, as when a signature names a
/// key that is not among them. `None` when it has none, or its host does not show them now.
pub(crate) async fn keys_of(remote: &Remote, metadata: &ClientMetadata, anew: bool) -> Option<Jwks> {
    if let Some(jwks) = &metadata.jwks {
        return (!anew).then(|| jwks.clone());
    }
    let (outbound, uri) = (remote.outbound()?, metadata.jwks_uri.as_ref()?);
    let document = match anew {
        true => outbound.refetch(uri.as_str(), Media::JwkSet).await,
        false => outbound.jwk_set(uri.as_str()).await,
    };
    jwks(&document.ok()?)
}

/// The set that a document holds, unjudged.
pub(crate) fn jwks(document: &Document) -> Option<Jwks> {
    serde_json::from_slice::<&RawValue>(&document.bytes).ok().map(Jwks::from_raw)
}

/// A document could not be had: the client's fault, or ours when too much is under way.
pub(crate) fn not_fetched(member: &'static str, uri: &Uri, error: FetchError) -> RegistrationError {
    match error {
        FetchError::Busy | FetchError::Budget { .. } => RegistrationError::Internal(error.into()),
        error => {
            tracing::info!("`{uri}` of `{member}` could not be fetched: {error}");
            Rejection::metadata(member, format!("could not be fetched: {error}")).into()
        }
    }
}
