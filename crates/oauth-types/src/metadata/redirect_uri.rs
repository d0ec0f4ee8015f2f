//! `redirect_uris`: where users may be sent back to, with the code in hand.
//!
//! RFC 6749 §3.1.2, RFC 7591 §5, RFC 8252 §7 and §8 (native), RFC 9700 §2.1 and §4.1, OpenID Connect Dynamic
//! Client Registration 1.0 §2 (`application_type`).

use std::fmt;

use serde::Serialize;

use crate::ApplicationType;
use crate::uri::{Problem, Uri, UriParts};

/// A redirect URI exactly as it was sent: it is compared byte for byte, so it is never rewritten.
/// RFC 6749 §3.1.2.
///
/// ```
/// use enroll_oauth_types::{RedirectRules, RedirectUri};
///
/// let uri = RedirectUri::from("http://127.0.0.1/callback");
/// assert!(uri.check(&RedirectRules::default()).is_ok());
/// assert!(uri.matches("http://127.0.0.1:51004/callback", true));
/// assert!(!uri.matches("http://localhost:51004/callback", true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RedirectUri(Uri);

described!(RedirectUri, { "type": "string", "format": "uri", "examples": ["https://app.example/callback"] });

/// What a redirect URI is judged by, beside its own text.
#[expect(clippy::struct_excessive_bools, reason = "each is a rule that stands alone")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectRules {
    /// The client's `application_type`, default applied; anything unknown is judged as `web`.
    pub application_type: ApplicationType,
    /// Whether tokens come straight from the authorization endpoint.
    pub implicit: bool,
    /// Whether a `web` client may use `http` to any host. For development.
    pub allow_http: bool,
    /// Whether `https` to a loopback address is refused.
    pub refuse_https_loopback: bool,
    /// Whether a private-use scheme must be a domain name turned round. RFC 8252 §7.1.
    pub require_reverse_domain: bool,
}

impl Default for RedirectRules {
    fn default() -> Self {
        Self {
            application_type: ApplicationType::Web,
            implicit: false,
            allow_http: false,
            refuse_https_loopback: false,
            require_reverse_domain: false,
        }
    }
}

impl RedirectRules {
    /// The standard rules, with every SHOULD as a MUST.
    pub fn strict() -> Self {
        Self { refuse_https_loopback: true, require_reverse_domain: true, ..Self::default() }
    }
}

impl RedirectUri {
    /// The text as it was sent.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its components, if everybody reads them alike.
    pub fn parts(&self) -> Result<UriParts<'_>, Problem> {
        self.0.parts()
    }

    /// Whether a client may register it. RFC 8252 §8.3, RFC 9700 §2.1, OpenID Connect Registration §2.
    pub fn check(&self, rules: &RedirectRules) -> Result<(), Problem> {
        let parts = self.safe_parts()?;
        let native = rules.application_type == ApplicationType::Native;
        match parts.scheme.as_str() {
            "https" => check_https(&parts, native, rules),
            "http" => check_http(&parts, native, rules),
            _ if native => check_private_use(&parts, rules),
            _ => Err("must be https or loopback http; own schemes are for application_type native".into()),
        }
    }

    /// Whether only an app on the user's own machine can receive it: loopback `http` or an app's own scheme.
    /// RFC 8252 §7.1, §7.3.
    pub fn is_native_only(&self) -> bool {
        // Most are plain https, which needs no second reading.
        if self.as_str().starts_with("https:") {
            return false;
        }
        self.parts().is_ok_and(|parts| match parts.scheme.as_str() {
            "https" => false,
            "http" => parts.is_loopback(),
            _ => true,
        })
    }

    /// Whether it leads to `domain` or below. See [`UriParts::host_is_within`].
    pub fn host_is_within(&self, domain: &str) -> bool {
        self.parts().is_ok_and(|parts| parts.host_is_within(domain))
    }

    /// Whether a request may use `requested` in place of this registered value: the same bytes, save that a
    /// `native` client may choose its loopback port anew each time. RFC 3986 §6.2.1, RFC 8252 §7.3, RFC 9700 §4.1.3.
    ///
    /// A value that no client could register matches nothing, even when an import has stored it.
    pub fn matches(&self, requested: &str, native: bool) -> bool {
        let requested = Self::from(requested);
        let (Ok(own), Ok(other)) = (self.safe_parts(), requested.safe_parts()) else { return false };
        *self == requested || native && self.differs_by_loopback_port(&own, &requested, &other)
    }

    fn differs_by_loopback_port(&self, own: &UriParts<'_>, requested: &Self, other: &UriParts<'_>) -> bool {
        // The parts hold the scheme in lower case; the texts must agree in that, too.
        let scheme = |uri: &Self| uri.as_str().bytes().take(4).collect::<Vec<_>>();
        own.scheme == "http"
            && own.is_loopback()
            && scheme(self) == scheme(requested)
            && (own.scheme.as_str(), own.host, own.path, own.query)
                == (other.scheme.as_str(), other.host, other.path, other.query)
    }

    /// What holds for every client, whatever its type.
    fn safe_parts(&self) -> Result<UriParts<'_>, Problem> {
        let parts = self.parts()?;
        if self.as_str().contains('#') {
            return Err("must not have a fragment, not even an empty one".into());
        }
        if is_blocked(&parts.scheme) {
            return Err(format!(
                "must not use the scheme {}: be https, loopback http or an app's own",
                parts.scheme
            )
            .into());
        }
        Ok(parts)
    }
}

fn check_https(parts: &UriParts<'_>, native: bool, rules: &RedirectRules) -> Result<(), Problem> {
    if !parts.is_loopback_network() {
        return Ok(());
    }
    if rules.implicit && !native {
        return Err("must not be a loopback address when the implicit grant is used".into());
    }
    if rules.refuse_https_loopback {
        return Err("must not be https on a loopback address: use http there, or a public host".into());
    }
    Ok(())
}

fn check_http(parts: &UriParts<'_>, native: bool, rules: &RedirectRules) -> Result<(), Problem> {
    if rules.implicit && !native {
        return Err("must be https when the implicit grant is used".into());
    }
    if parts.is_loopback() {
        return Ok(());
    }
    if parts.is_loopback_network() {
        return Err("must be http on 127.0.0.1, [::1] or localhost, no other loopback address".into());
    }
    match (native, rules.allow_http) {
        (false, true) => Ok(()),
        _ => Err("must be https, or http on a loopback address".into()),
    }
}

/// RFC 8252 §7.1, RFC 7595 §3.8
fn check_private_use(parts: &UriParts<'_>, rules: &RedirectRules) -> Result<(), Problem> {
    if parts.host.is_none() && parts.path.trim_matches('/').is_empty() {
        return Err(format!("must have a path or a host, such as {}:/callback", parts.scheme).into());
    }
    // `localhost:8080/cb` and `app.example:443/cb` are schemes to a parser, and slips to everybody else.
    let first = parts.path.split('/').next().unwrap_or_default();
    if parts.host.is_none() && !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must begin with its scheme: https:// or http:// before the host and port".into());
    }
    if rules.require_reverse_domain && !is_reverse_domain(&parts.scheme) {
        return Err("must use a scheme made of a domain name turned round, such as com.example.app".into());
    }
    Ok(())
}

fn is_reverse_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// Schemes that run something, read something, or hand the code to a program other than the client.
///
/// This is not what keeps a `web` client safe (only `https` and loopback `http` are allowed there): it narrows the
/// open set of private-use schemes.
fn is_blocked(scheme: &str) -> bool {
    scheme.starts_with("ms-") || BLOCKED.contains(&scheme)
}

#[rustfmt::skip]
const BLOCKED: &[&str] = &[
    // Run by the browser, or rendered as a page of somebody's making.
    "javascript", "vbscript", "livescript", "mocha", "data", "blob", "filesystem", "mhtml", "cid", "mid",
    // Wrap another URI, whose scheme would go unseen.
    "view-source", "jar", "feed", "wyciwyg", "intent", "android-app",
    // Pages and add-ons of browsers.
    "about", "chrome", "chrome-extension", "chrome-search", "chrome-untrusted", "devtools", "edge", "opera", "brave",
    "moz-extension", "resource", "safari-extension", "safari-web-extension", "extension",
    // Files and programs of the operating system.
    "file", "res", "shell", "search-ms", "search", "hcp", "its", "mk", "smb", "nfs", "afp", "x-apple.systempreferences",
    // Other protocols, with programs of their own.
    "ws", "wss", "ftp", "ftps", "sftp", "ssh", "telnet", "rlogin", "tn3270", "gopher", "ldap", "ldaps", "dict", "tftp",
    "imap", "pop", "news", "nntp", "irc", "ircs", "rtsp", "vnc", "rdp", "svn", "git", "magnet",
    // Messages and calls.
    "mailto", "tel", "sms", "smsto", "mms", "mmsto", "callto", "facetime", "facetime-audio", "sip", "sips", "xmpp",
    // Names, not places; `urn:ietf:wg:oauth:2.0:oob` made users copy codes by hand.
    "urn", "tag", "oob", "localhost",
];

impl From<&str> for RedirectUri {
    fn from(text: &str) -> Self {
        Self(Uri::from(text))
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
