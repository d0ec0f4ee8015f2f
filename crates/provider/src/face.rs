//! What people see of a client: its name and its links in a language that they read, its picture from this server.
//! OpenID Connect Dynamic Client Registration 1.0 §2, §2.1.

use enroll_oauth_types::{Localized, Uri};
use enroll_pages::ClientFace;
use enroll_store::Client;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::browser::Visitor;
use crate::{Provider, paths};

impl Provider {
    /// Where the picture of a client is, if it has one that can be had.
    pub(crate) fn logo_path(&self, client: &Client) -> Option<String> {
        client.metadata.logo_uri.as_ref().filter(|_| self.outbound.is_some())?;
        let id = utf8_percent_encode(client.id.as_str(), NON_ALPHANUMERIC);
        Some(format!("{}/{id}", self.path(paths::LOGO)))
    }
}

/// What a person sees of a client, in a language that they read.
pub(crate) fn face<'a>(client: &'a Client, visitor: &Visitor<'_>) -> ClientFace<'a> {
    fn chosen<'a, T>(names: Option<&'a Localized<T>>, visitor: &Visitor<'_>) -> Option<&'a T> {
        names.and_then(|names| names.lookup(visitor.languages()))
    }
    let metadata = &client.metadata;
    ClientFace {
        name: chosen(metadata.client_name.as_ref(), visitor).map_or(client.id.brief(), String::as_str),
        logo: None,
        client_uri: chosen(metadata.client_uri.as_ref(), visitor).map(Uri::as_str),
        policy_uri: chosen(metadata.policy_uri.as_ref(), visitor).map(Uri::as_str),
        tos_uri: chosen(metadata.tos_uri.as_ref(), visitor).map(Uri::as_str),
    }
}
