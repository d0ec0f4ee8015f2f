//! What stands at `sector_identifier_uri`: that the redirect URIs belong to one sector.
//!
//! Runs when everything else but the policy has passed, since it asks somebody else's server. OpenID Connect Dynamic
//! Client Registration 1.0 §5.

use async_trait::async_trait;
use enroll_oauth_types::{ClientMetadata, RedirectUri, Rejection, SubjectType, Uri};
use enroll_outbound::{Document, Media};

use super::subject::authenticates_elsewhere;
use crate::remote::not_fetched;
use crate::{Registration, Remote, Step, StepResult};

const MEMBER: &str = "sector_identifier_uri";

/// Fetches the document and finds each redirect URI in it. What was found once need not be found again: an update that
/// changes neither asks nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct SectorIdentifier;

#[async_trait]
impl Step for SectorIdentifier {
    async fn run(&self, r: &mut Registration<'_>) -> StepResult {
        let metadata = &r.client.metadata;
        let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
        if r.current.is_some_and(|current| listed(&current.metadata) == listed(metadata)) {
            return Ok(());
        }
        let outbound = match &r.server.remote {
            Remote::Fetched(outbound) => outbound,
            Remote::Unchecked => {
                r.note(
                    MEMBER,
                    "not fetched now: the redirect_uris must be in the document when the client registers",
                );
                return Ok(());
            }
            Remote::Off => {
                let problem = "must be left out: this server does not fetch sector documents";
                return Err(Rejection::metadata(MEMBER, problem).into());
            }
        };
        let refuse = |error| not_fetched(MEMBER, uri, error);
        let document = outbound.json(uri.as_str()).await.map_err(refuse)?;
        if check(metadata, &document).is_err() {
            // Its owner may have just added what is missing.
            let document = outbound.refetch(uri.as_str(), Media::Json).await.map_err(refuse)?;
            check(metadata, &document)?;
        }
        Ok(())
    }
}

/// What must be in the document, and where the document is.
fn listed(metadata: &ClientMetadata) -> (Option<&Uri>, Vec<&str>, Option<&Uri>) {
    let redirect_uris = metadata.redirect_uris.iter().flatten().map(RedirectUri::as_str).collect();
    // Clients that authenticate users without redirecting them are in the sector of their keys. CIBA §4.
    let is_pairwise = metadata.subject_type == Some(SubjectType::Pairwise);
    let keys = metadata.jwks_uri.as_ref().filter(|_| is_pairwise && authenticates_elsewhere(metadata));
    (metadata.sector_identifier_uri.as_ref(), redirect_uris, keys)
}

fn check(metadata: &ClientMetadata, document: &Document) -> Result<(), Rejection> {
    let uris: Vec<String> = serde_json::from_slice(&document.bytes)
        .map_err(|_| Rejection::metadata(MEMBER, "must lead to a JSON array of strings"))?;
    let (_, redirect_uris, keys) = listed(metadata);
    let is_missing = |uri: &&str| !uris.iter().any(|own| own == uri);
    if let Some(index) = redirect_uris.iter().position(is_missing) {
        let problem =
            format!("must lead to a list of all redirect_uris: redirect_uris[{index}] is not in it");
        return Err(Rejection::metadata(MEMBER, problem));
    }
    if keys.is_some_and(|uri| is_missing(&uri.as_str())) {
        return Err(Rejection::metadata(
            MEMBER,
            "must lead to a list with the jwks_uri of a pairwise client",
        ));
    }
    Ok(())
}
