//! Where an address leads, as a browser reads it. WHATWG URL Standard; RFC 8252 §7.

use url::{Host, Url};

/// An address that a person may follow: `http` or `https`, and no user name that could pass for a host.
pub(crate) struct WebLink {
    /// The address as a browser writes it, so that nothing else can be read from it.
    pub(crate) href: String,
    /// What a person should look at.
    pub(crate) host: String,
}

impl WebLink {
    pub(crate) fn parse(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok().filter(is_web)?;
        let plain = url.username().is_empty() && url.password().is_none();
        plain.then(|| Self { host: host(&url), href: url.into() })
    }
}

/// Where a form of [`FormPostPage`](crate::FormPostPage) may be sent: a redirect URI of `http` or `https`. OAuth 2.0 Form
/// Post Response Mode 1.0 §2.
#[derive(Clone, Copy, Debug)]
pub struct PostTarget<'a>(&'a str);

impl<'a> PostTarget<'a> {
    /// `None` for a scheme to which a browser cannot post, or that it would run (`javascript`).
    ///
    /// ```
    /// use enroll_pages::PostTarget;
    ///
    /// assert!(PostTarget::parse("https://app.example/callback").is_some());
    /// assert!(PostTarget::parse("com.example.app:/callback").is_none());
    /// ```
    pub fn parse(redirect_uri: &'a str) -> Option<Self> {
        Url::parse(redirect_uri).is_ok_and(|url| is_web(&url)).then_some(Self(redirect_uri))
    }

    /// The address as it was registered.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    pub(crate) fn host(self) -> String {
        Url::parse(self.0).as_ref().map(host).unwrap_or_default()
    }
}

/// A path on our own origin, for a picture. Whatever a browser could take for another host is none.
pub(crate) fn own_path(path: &str) -> Option<&str> {
    let elsewhere = path.starts_with("//") || path.contains('\\') || path.contains(char::is_control);
    (path.starts_with('/') && !elsewhere).then_some(path)
}

/// Where a redirect URI takes a person.
#[derive(Debug, PartialEq)]
pub(crate) enum Destination {
    /// A site, by its host.
    Site(String),
    /// A program on the same device, by its host. RFC 8252 §7.3.
    Loopback(String),
    /// An app on the same device, by its scheme. RFC 8252 §7.1.
    App(String),
}

impl Destination {
    pub(crate) fn of(redirect_uri: &str) -> Self {
        match Url::parse(redirect_uri) {
            Ok(url) if is_web(&url) && is_loopback(&url) => Self::Loopback(host(&url)),
            Ok(url) if is_web(&url) => Self::Site(host(&url)),
            Ok(url) => Self::App(format!("{}:", url.scheme())),
            Err(_) => Self::App(redirect_uri.to_owned()),
        }
    }

    pub(crate) fn is_on_device(&self) -> bool {
        !matches!(self, Self::Site(_))
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|address| address.is_loopback());
            mapped || address.is_loopback() || address.is_unspecified()
        }
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// The host, and the port where it is not the usual one.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_and_https_become_links() {
        for address in [
            "javascript:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example",
            "/path",
            "",
            "mailto:a@b.example",
            "blob:https://a.example/x",
            "https://",
            "https://bank.example@evil.example/",
            "https://:pw@evil.example/",
        ] {
            assert!(WebLink::parse(address).is_none(), "{address:?}");
        }
        let link = WebLink::parse("HTTPS://Example.COM:8443/a b?\"><script>").unwrap();
        assert_eq!(link.host, "example.com:8443");
        assert_eq!(link.href, "https://example.com:8443/a%20b?%22%3E%3Cscript%3E");
    }

    #[test]
    fn a_host_that_only_looks_like_another_shows_what_it_is() {
        assert_eq!(WebLink::parse("https://аpple.example/").unwrap().host, "xn--pple-43d.example");
    }

    #[test]
    fn a_form_is_posted_to_the_web_alone() {
        assert!(PostTarget::parse("javascript:alert(1)").is_none());
        assert!(PostTarget::parse("com.example.app:/cb").is_none());
        assert_eq!(PostTarget::parse("http://[::1]:1/cb").unwrap().host(), "[::1]:1");
    }

    #[test]
    fn a_picture_comes_from_our_own_origin() {
        assert_eq!(own_path("/logos/1.png"), Some("/logos/1.png"));
        for path in
            ["//evil.example/x", "/\\evil.example", "/\t/evil.example", "https://evil.example/x", "x", ""]
        {
            assert_eq!(own_path(path), None, "{path:?}");
        }
    }

    // RFC 8252 §7
    #[test]
    fn a_destination_on_the_same_device_is_told_from_a_site() {
        let site = |host: &str| Destination::Site(host.to_owned());
        assert_eq!(Destination::of("https://app.example:444/cb?x"), site("app.example:444"));
        assert_eq!(Destination::of("https://localhost.example/"), site("localhost.example"));
        for loopback in
            ["127.0.0.1:5", "127.9.9.9", "[::1]:5", "localhost", "a.localhost", "localhost.", "0x7f.1"]
        {
            let destination = Destination::of(&format!("http://{loopback}/cb"));
            assert!(matches!(destination, Destination::Loopback(_)), "{loopback}: {destination:?}");
        }
        assert_eq!(Destination::of("com.example.app:/cb"), Destination::App("com.example.app:".to_owned()));
        assert_eq!(Destination::of("nonsense"), Destination::App("nonsense".to_owned()));
    }
}
