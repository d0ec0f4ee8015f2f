//! Who somebody is to a client: the same to all, or to each sector somebody else. OpenID Connect Core 1.0 §8.

use enroll_oauth_types::{ClientMetadata, RedirectUri, SubjectType, Uri};
use enroll_store::Client;

use crate::Provider;

/// What the derived texts are for.
const PURPOSE: &str = "pairwise subject";
const PURPOSE_OF_SESSIONS: &str = "pairwise session";

impl Provider {
    /// What `sub` is for this client. Whoever knows what two sectors are told cannot tell that it is one person. §8.1.
    pub(crate) fn subject_for(&self, client: &Client, subject: &str) -> String {
        self.told_to_sector(client, subject, PURPOSE)
    }

    /// What `sid` is for this client: two sectors that are told the same would know that it is one person after all.
    pub(crate) fn session_for(&self, client: &Client, sid: &str) -> String {
        self.told_to_sector(client, sid, PURPOSE_OF_SESSIONS)
    }

    fn told_to_sector(&self, client: &Client, name: &str, purpose: &str) -> String {
        match client.metadata.subject_type {
            Some(SubjectType::Pairwise) => {
                let sector = sector(&client.metadata).unwrap_or_else(|| client.id.as_str().to_owned());
                self.sealing_key.derived(&format!("{sector}\n{name}"), purpose)
            }
            _ => name.to_owned(),
        }
    }
}

/// The host of `sector_identifier_uri`, or the one of the redirect URIs: registration saw to it that there is but one. A
/// loopback address is nobody's host: clients on it have nothing in common, so each is a sector of its own.
fn sector(metadata: &ClientMetadata) -> Option<String> {
    let document = metadata.sector_identifier_uri.as_ref().map(Uri::parts);
    let redirect = || metadata.redirect_uris.as_ref()?.first().map(RedirectUri::parts);
    let parts = document.or_else(redirect)?.ok().filter(|parts| !parts.is_loopback())?;
    parts.host.map(str::to_ascii_lowercase)
}
