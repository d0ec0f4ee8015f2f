//! A URL that may be fetched from, as far as its text tells.

use std::net::IpAddr;

use url::{Host, Url};

use crate::FetchError;
use crate::reach::Reach;

/// No address of a document needs more, and what is fetched is a key of the cache.
const LONGEST: usize = 2048;

/// Where to fetch from.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Without its fragment, which is never sent.
    pub(crate) url: Url,
    /// The host as browsers read it: lower case, Punycode, addresses in their one form.
    pub(crate) host: String,
    /// The address, where the URL names one and no resolver is asked.
    pub(crate) literal: Option<IpAddr>,
}

impl Target {
    /// Reads the URL as browsers and the HTTP client do, so that what is checked is what is connected to.
    pub(crate) fn read(text: &str, reach: Reach) -> Result<Self, FetchError> {
        if text.len() > LONGEST {
            return Err(FetchError::Url("must be at most 2048 bytes long"));
        }
        let mut url = Url::parse(text).map_err(|_| FetchError::Url("must be an absolute https URL"))?;
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Url("must not contain a user name or a password"));
        }
        let (host, literal) = match url.host() {
            // A dot at its end makes it the same host, and not another budget.
            Some(Host::Domain(name)) if !name.trim_end_matches('.').is_empty() => {
                (name.trim_end_matches('.').to_owned(), None)
            }
            Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
            Some(Host::Ipv6(address)) => (address.to_string(), Some(IpAddr::V6(address))),
            _ => return Err(FetchError::Url("must name a host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if reach.allows_http(&host, literal) => {}
            _ => return Err(FetchError::Url("must be an https URL")),
        }
        if literal.is_some_and(|address| !reach.includes(address)) {
            return Err(FetchError::NotPublic);
        }
        Ok(Self { url, host, literal })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::address::is_public;

    #[test]
    fn the_fragment_is_left_off() {
        let target = Target::read("https://A.example/jwks#here", Reach::Public).unwrap();
        assert_eq!(target.url.as_str(), "https://a.example/jwks");
        assert_eq!(target.host, "a.example");
    }

    #[test]
    fn a_dot_at_the_end_is_not_another_host() {
        assert_eq!(Target::read("https://a.example./jwks", Reach::Public).unwrap().host, "a.example");
    }

    #[test]
    fn http_is_for_loopback_only_and_only_where_that_is_allowed() {
        for url in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/"] {
            assert!(Target::read(url, Reach::Loopback).is_ok(), "{url}");
            assert!(Target::read(url, Reach::Public).is_err(), "{url}");
        }
        for url in ["http://a.example/", "http://8.8.8.8/", "http://localhost.example/"] {
            assert!(Target::read(url, Reach::Loopback).is_err(), "{url}");
        }
    }

    #[test]
    fn a_private_host_may_be_asked_without_tls_where_private_ones_are_allowed() {
        for url in ["http://10.0.0.1/", "http://login.internal/", "http://127.0.0.1:1/", "https://10.0.0.1/"]
        {
            assert!(Target::read(url, Reach::Private).is_ok(), "{url}");
        }
        for url in
            ["http://8.8.8.8/", "http://169.254.169.254/", "https://169.254.169.254/", "ftp://10.0.0.1/"]
        {
            assert!(Target::read(url, Reach::Private).is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_text_stops_it(text in "\\PC*") {
            let _ = Target::read(&text, Reach::Public);
        }

        #[test]
        fn no_text_that_looks_like_a_url_stops_it(rest in "[a-z0-9@:/?#\\[\\].%\\\\ -]{0,40}") {
            let target = Target::read(&format!("https://{rest}"), Reach::Public);
            if let Ok(target) = target {
                prop_assert_eq!(target.url.scheme(), "https");
                prop_assert!(target.literal.is_none_or(is_public));
            }
        }
    }
}
