//! What a person sees of a client. OpenID Connect Dynamic Client Registration 1.0 §2.

use crate::address::{WebLink, own_path};

/// What a client says of itself, in the language that the caller chose for the person.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientFace<'a> {
    /// `client_name`; for a client without one, whatever else it is known by.
    pub name: &'a str,
    /// A path on our own origin where the picture is, never the address that the client named.
    pub logo: Option<&'a str>,
    /// `client_uri`. This and the next two become links where they are `http` or `https`, and nothing otherwise.
    pub client_uri: Option<&'a str>,
    /// `policy_uri`.
    pub policy_uri: Option<&'a str>,
    /// `tos_uri`.
    pub tos_uri: Option<&'a str>,
}

impl ClientFace<'_> {
    pub(crate) fn logo_path(&self) -> Option<&str> {
        self.logo.and_then(own_path)
    }

    /// Stands where a picture would.
    pub(crate) fn initial(&self) -> char {
        let first = self.name.chars().find(|character| character.is_alphanumeric());
        first.map_or('•', |letter| {
            let mut capital = letter.to_uppercase();
            capital.next().filter(|_| capital.next().is_none()).unwrap_or(letter)
        })
    }

    pub(crate) fn website(&self) -> Option<WebLink> {
        self.client_uri.and_then(WebLink::parse)
    }

    pub(crate) fn privacy_policy(&self) -> Option<WebLink> {
        self.policy_uri.and_then(WebLink::parse)
    }

    pub(crate) fn terms(&self) -> Option<WebLink> {
        self.tos_uri.and_then(WebLink::parse)
    }

    pub(crate) fn has_links(&self) -> bool {
        self.website().is_some() || self.privacy_policy().is_some() || self.terms().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_without_a_picture_has_an_initial() {
        let initial = |name| ClientFace { name, ..ClientFace::default() }.initial();
        assert_eq!(initial("photos"), 'P');
        assert_eq!(initial("  “élan”"), 'É');
        assert_eq!(initial("写真"), '写');
        assert_eq!(initial("ßeta"), 'ß');
        assert_eq!(initial("🎈"), '•');
        assert_eq!(initial(""), '•');
    }
}
