//! URIs that strangers name: kept as they were sent, used only where two ways of reading them agree.
//!
//! Servers tend to read a URI by RFC 3986, browsers by the WHATWG URL standard. Where the two find a different
//! scheme, host or port, one of them is about to be fooled, so such a URI is refused. Nothing is ever rewritten.

use std::borrow::Cow;
use std::net::IpAddr;

/// What is wrong with a value, in words that finish a sentence: "`redirect_uris[1]`: must be …".
pub type Problem = Cow<'static, str>;

/// A URI exactly as it was sent. Nothing is judged until it is asked for. RFC 3986.
///
/// ```
/// use enroll_oauth_types::Uri;
///
/// assert!(Uri::from("https://client.example/logo.png").check_web().is_ok());
/// assert!(Uri::from("JavaScript:alert(1)").check_web().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uri(String);

impl Uri {
    /// The longest URI that is accepted, in octets: what browsers and proxies are known to carry.
    const LONGEST: usize = 2048;

    /// The text as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components of an absolute URI that both standards read alike. RFC 3986 §3, WHATWG URL §4.4.
    pub fn parts(&self) -> Result<UriParts<'_>, Problem> {
        check_characters(&self.0)?;
        let parts = read(&self.0)?;
        check_browser_reading(&self.0, &parts)?;
        Ok(parts)
    }

    /// Whether people may be sent to it: `client_uri`, `logo_uri`, `tos_uri`, `policy_uri`. RFC 7591 §2.
    pub fn check_web(&self) -> Result<(), Problem> {
        if self.parts()?.is_web() { Ok(()) } else { Err("must be an https or http URL".into()) }
    }

    /// Whether the server may fetch it or send a browser to it over TLS: `jwks_uri`, `sector_identifier_uri`,
    /// `initiate_login_uri`. OpenID Connect Dynamic Client Registration 1.0 §2.
    pub fn check_https(&self) -> Result<(), Problem> {
        self.check_https_with_fragment()?;
        if self.0.contains('#') { Err("must not have a fragment".into()) } else { Ok(()) }
    }

    /// The same for `request_uris`, whose fragment may be a hash of the document. OpenID Connect Core §6.2.
    pub fn check_https_with_fragment(&self) -> Result<(), Problem> {
        if self.parts()?.scheme == "https" { Ok(()) } else { Err("must be an https URL".into()) }
    }

    /// Whether it is a page of a program on somebody's own machine, to which there is no TLS and no way from elsewhere.
    pub fn is_http_on_loopback(&self) -> bool {
        self.parts().is_ok_and(|parts| parts.scheme == "http" && parts.is_loopback())
    }

    /// Whether it is an origin spelled as browsers spell it, so that comparing text is enough:
    /// `allowed_cors_origins`. RFC 6454 §6.2.
    pub fn check_origin(&self) -> Result<(), Problem> {
        const RIGHT: &str = "must be an origin, such as https://app.example or http://localhost:3000";
        if !self.parts().map_err(|problem| format!("{RIGHT}: {problem}"))?.is_web() {
            return Err(RIGHT.into());
        }
        let url = url::Url::parse(&self.0).map_err(|error| format!("{RIGHT}: {error}"))?;
        match url.origin().ascii_serialization() {
            origin if origin == self.0 => Ok(()),
            origin => Err(format!("must be an origin as browsers send it: {origin}").into()),
        }
    }
}

text_as_sent!(Uri);
described!(Uri, { "type": "string", "format": "uri", "examples": ["https://app.example/"] });

/// The components of a URI. RFC 3986 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriParts<'a> {
    /// The scheme, in lower case.
    pub scheme: String,
    /// The host as it was sent, an IPv6 address in its brackets; `None` when there is none or it is empty.
    pub host: Option<&'a str>,
    /// The port, if one was sent.
    pub port: Option<u16>,
    /// The path as it was sent; it may be empty.
    pub path: &'a str,
    /// What follows `?`.
    pub query: Option<&'a str>,
    /// What follows `#`.
    pub fragment: Option<&'a str>,
}

impl UriParts<'_> {
    /// Whether this is `https` or `http`.
    pub fn is_web(&self) -> bool {
        self.scheme == "https" || self.scheme == "http"
    }

    /// Whether the host is exactly `127.0.0.1`, `[::1]` or `localhost`. RFC 8252 §7.3, §8.3.
    pub fn is_loopback(&self) -> bool {
        self.host.is_some_and(|host| {
            matches!(host, "127.0.0.1" | "[::1]") || host.eq_ignore_ascii_case("localhost")
        })
    }

    /// Whether the host is an address of the loopback network in any of its forms. RFC 1122 §3.2.1.3.
    pub(crate) fn is_loopback_network(&self) -> bool {
        self.is_loopback() || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Whether the host of a web address is `domain` or below it, label by label: `evil-corp.example` is not
    /// within `corp.example`. What stands in the host's place of a private-use scheme belongs to nobody, so it is
    /// within nothing.
    pub fn host_is_within(&self, domain: &str) -> bool {
        let Some(host) = self.host.filter(|_| self.is_web()) else { return false };
        let domain = domain.strip_prefix('.').unwrap_or(domain);
        if domain.is_empty() || self.ip().is_some() {
            return host == domain;
        }
        let mut labels = host.rsplit('.');
        domain.rsplit('.').all(|label| labels.next().is_some_and(|own| own.eq_ignore_ascii_case(label)))
    }

    fn ip(&self) -> Option<IpAddr> {
        let host = self.host?;
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
    }
}

/// A browser drops tabs and line breaks, trims spaces and turns `\` into `/` before it looks at anything.
fn check_characters(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err("must not be empty".into());
    }
    if text.len() > Uri::LONGEST {
        return Err(format!("must be at most {} octets long", Uri::LONGEST).into());
    }
    for character in text.chars() {
        match character {
            '\\' => return Err("must not contain a backslash: write /".into()),
            '<' | '>' | '"' | '`' | '{' | '}' | '|' | '^' => {
                return Err("must percent-encode angle brackets, quotes, braces, | and ^".into());
            }
            '!'..='~' => {}
            _ if character.is_ascii() => return Err("must not contain spaces or control characters".into()),
            _ => return Err("must be ASCII: write host names as browsers encode them, in xn-- labels, and percent-encode the rest".into()),
        }
    }
    Ok(())
}

/// The reading of RFC 3986, narrowed to what nobody can misread.
fn read(text: &str) -> Result<UriParts<'_>, Problem> {
    let uri = fluent_uri::Uri::parse(text).map_err(|_| unreadable(text))?;
    let mut parts = UriParts {
        scheme: uri.scheme().as_str().to_ascii_lowercase(),
        host: None,
        port: None,
        path: uri.path().as_str(),
        query: uri.query().map(fluent_uri::pct_enc::EStr::as_str),
        fragment: uri.fragment().map(fluent_uri::pct_enc::EStr::as_str),
    };
    if let Some(authority) = uri.authority() {
        if authority.has_userinfo() {
            return Err("must not have a user name or password before the host".into());
        }
        parts.host = Some(authority.host()).filter(|host| !host.is_empty());
        parts.port = authority.port().map(|port| read_port(port.as_str())).transpose()?;
    }
    if parts.is_web() {
        check_web_host(parts.host)?;
    }
    if parts.host.is_some_and(|host| host.contains('*')) {
        return Err("must not have a wildcard in its host: register each address".into());
    }
    if parts.path.split('/').any(is_dot_segment) {
        return Err("must not have . or .. as a segment of its path, plain or percent-encoded".into());
    }
    Ok(parts)
}

fn unreadable(text: &str) -> Problem {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    match scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_scheme) {
        true => "must be a URI by RFC 3986: % stands before two hexadecimal digits, [ and ] around an IPv6 \
                 address, and a number after the host's colon"
            .into(),
        false => "must be an absolute URI with a scheme, such as https://client.example/callback".into(),
    }
}

fn read_port(port: &str) -> Result<u16, Problem> {
    let number = port.parse().ok().filter(|_| !port.starts_with('0'));
    number
        .ok_or_else(|| "must have a port from 1 to 65535 without leading zeros, or none and no colon".into())
}

/// RFC 1123 §2.1, and the underscore that real names have: `;` and `,`, which both URI standards let through,
/// would end a directive wherever the host is put into a header.
fn check_web_host(host: Option<&str>) -> Result<(), Problem> {
    let Some(host) = host else {
        return Err("must have a host after two slashes, such as https://client.example/callback".into());
    };
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'*';
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    if host.starts_with('[') || host.len() <= 253 && host.split('.').all(is_label) {
        Ok(())
    } else {
        Err("must have a host of letters, digits, hyphens and single dots, without a dot at its end".into())
    }
}

/// The WHATWG standard takes these for `.` and `..` in any mixture.
fn is_dot_segment(segment: &str) -> bool {
    segment.len() <= 6 && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// The reading of the WHATWG standard has to name the same place in the same words.
fn check_browser_reading(text: &str, parts: &UriParts<'_>) -> Result<(), Problem> {
    if parts.is_web() && parts.host.is_some_and(is_plain_name) {
        return Ok(());
    }
    let url =
        url::Url::parse(text).map_err(|error| format!("must be a URL that browsers understand: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    let same_port = match parts.port {
        Some(port) => url.port_or_known_default() == Some(port),
        None => url.port().is_none(),
    };
    let same_host = host.eq_ignore_ascii_case(parts.host.unwrap_or_default());
    if same_host && same_port && url.scheme() == parts.scheme {
        Ok(())
    } else if same_host || host.is_empty() {
        Err("must be a URL that browsers read alike".into())
    } else {
        Err(format!("must name its host as browsers read it: {host}").into())
    }
}

/// Whether a host that [`check_web_host`] let pass is a name which the WHATWG standard takes as it is: no label is
/// encoded (`xn--`), and the last one cannot make it an IPv4 address. WHATWG URL §3.5.
fn is_plain_name(host: &str) -> bool {
    let encoded = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    let last = host.rsplit('.').next().unwrap_or_default();
    last.starts_with(|first: char| first.is_ascii_alphabetic())
        && !host.starts_with('[')
        && !host.split('.').any(encoded)
}

#[cfg(test)]
mod tests;
