//! Why there is no document, in words that a client may read.

use crate::Media;

/// Why a document was not fetched.
///
/// Every sentence may be shown to whoever named the address: none tells what this server's network looks like from
/// within, nor which ports of others are open. In particular, a name that leads nowhere and one that leads to a private
/// address are the same to the reader.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not one to fetch from; what it should be.
    #[error("the URL {0}")]
    Url(&'static str),
    /// The host has no address, or not only public ones.
    #[error("the host does not resolve to public addresses only")]
    NotPublic,
    /// Nobody accepts connections there.
    #[error("{}", NO_ANSWER)]
    Connect,
    /// TLS was not agreed upon.
    #[error("{}", NO_ANSWER)]
    Tls,
    /// The time was up.
    #[error("{}", NO_ANSWER)]
    Timeout,
    /// The answer was not HTTP, or ended early.
    #[error("{}", NO_ANSWER)]
    Broken,
    /// The host redirects.
    #[error("the host answered {0}, and redirects are not followed: name the final address")]
    Redirect(u16),
    /// Another status than 200.
    #[error("the host answered {0}, not 200")]
    Status(u16),
    /// The answer is compressed, though that was not asked for.
    #[error("the document has a Content-Encoding: it must be sent uncompressed")]
    Encoded,
    /// The answer is another kind of document.
    #[error("the document's Content-Type must be {}", .0.expected())]
    MediaType(Media),
    /// The document is too long.
    #[error("the document is longer than {0} bytes")]
    TooLong(usize),
    /// Too many fetches are under way.
    #[error("too many documents are being fetched just now: try again in a moment")]
    Busy,
    /// The host was asked too often.
    #[error("too many documents were fetched from the host: try again in {retry_after} seconds")]
    Budget {
        /// When to ask again, in seconds.
        retry_after: u64,
    },
}

/// One sentence for whatever is there or not: who may name any port of any host must not learn which are open.
const NO_ANSWER: &str = "the host gave no complete answer by https in the time allowed: it must be reachable at this port, \
                         with a certificate that is trusted and valid for its name";

impl FetchError {
    /// One word, for metrics and for queries over logs.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::NotPublic => "not_public",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Redirect(_) => "redirect",
            Self::Status(_) => "status",
            Self::Encoded => "encoded",
            Self::MediaType(_) => "media_type",
            Self::TooLong(_) => "too_long",
            Self::Busy => "busy",
            Self::Budget { .. } => "budget",
        }
    }

    /// The HTTP status of the answer, if one came.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect(status) | Self::Status(status) => Some(*status),
            Self::Encoded | Self::MediaType(_) | Self::TooLong(_) => Some(200),
            _ => None,
        }
    }

    /// Whether this says something of the host, and will be so for a while, rather than of how busy we are.
    pub(crate) fn lasts(&self) -> bool {
        !matches!(self, Self::Busy | Self::Budget { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_the_remedy() {
        let media = FetchError::MediaType(Media::JwkSet).to_string();
        assert_eq!(media, "the document's Content-Type must be application/jwk-set+json or application/json");
        let redirect = FetchError::Redirect(301).to_string();
        assert_eq!(redirect, "the host answered 301, and redirects are not followed: name the final address");
    }
}
