//! The browser at the other end: its cookies, its language, where it is. RFC 6265.

use std::net::{IpAddr, Ipv4Addr};

use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use enroll_endpoint::Source;
use enroll_oauth_types::{BrowserToken, Random, Secret, SecretKind};
use enroll_pages::{Language, Look, language_ranges};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::Provider;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jar {
    /// Which browser this is, so that a page that one was given cannot be sent by another.
    Browser,
    /// Who is logged in.
    Session,
    /// That somebody logged in here before.
    Device,
}

impl Jar {
    fn name(self, is_https: bool) -> &'static str {
        // A name that begins so is taken by browsers from this host alone, over TLS alone. RFC 6265bis §4.1.3.
        match (self, is_https) {
            (Self::Browser, true) => "__Host-enroll-browser",
            (Self::Session, true) => "__Host-enroll-session",
            (Self::Device, true) => "__Host-enroll-device",
            (Self::Browser, false) => "enroll-browser",
            (Self::Session, false) => "enroll-session",
            (Self::Device, false) => "enroll-device",
        }
    }

    /// What outlives the browser's own session.
    fn lasts(self) -> Option<Duration> {
        match self {
            Self::Session => None,
            Self::Browser | Self::Device => Some(Duration::days(365)),
        }
    }
}

/// Who looks at a page.
pub(crate) struct Visitor<'a> {
    parts: &'a Parts,
    ui_locales: Option<String>,
    service: &'a str,
    is_https: bool,
}

impl Provider {
    /// Who sent a request.
    pub(crate) fn visitor<'a>(&'a self, parts: &'a Parts) -> Visitor<'a> {
        let is_https = self.issuer.starts_with("https:");
        Visitor { parts, ui_locales: None, service: &self.service, is_https }
    }
}

impl<'a> Visitor<'a> {
    /// The same, who said which languages to speak. OpenID Connect Core 1.0 §3.1.2.1.
    pub(crate) fn speaking(self, ui_locales: Option<&str>) -> Self {
        Self { ui_locales: ui_locales.map(str::to_owned), ..self }
    }

    pub(crate) fn look(&self) -> Look<'_> {
        let language = Language::choose(self.ui_locales.as_deref(), self.accept_language());
        Look { language, service: self.service }
    }

    /// The languages that names are to be shown in, the best first.
    pub(crate) fn languages(&self) -> Vec<&str> {
        language_ranges(self.ui_locales.as_deref(), self.accept_language())
    }

    fn accept_language(&self) -> Option<&'a str> {
        self.parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()
    }

    /// Whether this may be a form of another site, which comes without the cookies of whoever is logged in: the browser is
    /// sent here once more then, by GET, with them. RFC 6265bis §5.6.7.
    pub(crate) fn comes_without_cookies(&self) -> bool {
        self.parts.method == Method::POST && self.cookie(Jar::Session).is_none()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// Where the request came from, as far as the server said.
    pub(crate) fn source(&self) -> IpAddr {
        let source = self.parts.extensions.get::<Source>();
        source.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |source| source.0)
    }

    /// What the browser keeps.
    pub(crate) fn cookie(&self, jar: Jar) -> Option<&'a str> {
        let name = jar.name(self.is_https);
        let lines = self.parts.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == name).and_then(|cookie| cookie.value_raw())
    }

    /// The same as a secret of its kind; what has not the shape of one is none.
    pub(crate) fn secret<K: SecretKind>(&self, jar: Jar) -> Option<Secret<K>> {
        let shown = self.cookie(jar).filter(|value| value.starts_with(K::PREFIX) && value.len() < 100)?;
        Some(Secret::presented(shown.to_owned()))
    }

    /// Which browser this is; one that is not known yet gets a name, with the header that tells it.
    pub(crate) fn browser(&self, random: &dyn Random) -> (BrowserToken, Option<HeaderValue>) {
        if let Some(known) = self.secret(Jar::Browser) {
            return (known, None);
        }
        let token = BrowserToken::generate(random);
        let header = self.kept(Jar::Browser, token.expose());
        (token, Some(header))
    }

    /// The header that lets the browser keep this.
    pub(crate) fn kept(&self, jar: Jar, value: &str) -> HeaderValue {
        let mut cookie = self.made(jar, value);
        cookie.set_max_age(jar.lasts());
        header_of(&cookie)
    }

    /// The header that lets the browser forget.
    pub(crate) fn forgotten(&self, jar: Jar) -> HeaderValue {
        let mut cookie = self.made(jar, "");
        cookie.set_max_age(Duration::ZERO);
        header_of(&cookie)
    }

    fn made<'c>(&self, jar: Jar, value: &'c str) -> Cookie<'c> {
        // Lax, since people come from the sites of clients.
        Cookie::build((jar.name(self.is_https), value))
            .path("/")
            .http_only(true)
            .secure(self.is_https)
            .same_site(SameSite::Lax)
            .build()
    }
}

fn header_of(cookie: &Cookie<'_>) -> HeaderValue {
    HeaderValue::from_str(&cookie.to_string()).expect("a cookie of ours is printable ASCII")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(cookies: &[&str]) -> Parts {
        let mut request = Request::builder().uri("/");
        for line in cookies {
            request = request.header(header::COOKIE, *line);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn visitor(parts: &Parts, is_https: bool) -> Visitor<'_> {
        Visitor { parts, ui_locales: None, service: "id.example", is_https }
    }

    /// RFC 6265bis §4.1.3
    #[test]
    fn over_tls_a_cookie_is_bound_to_its_host() {
        let parts = parts(&[]);
        let https = visitor(&parts, true).kept(Jar::Session, "enr_ses_x");
        assert_eq!(https, "__Host-enroll-session=enr_ses_x; HttpOnly; SameSite=Lax; Secure; Path=/");
        let http = visitor(&parts, false).kept(Jar::Browser, "x");
        assert_eq!(http, "enroll-browser=x; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000");
        assert!(visitor(&parts, false).forgotten(Jar::Session).to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn a_cookie_is_found_in_any_line_by_its_whole_name() {
        let parts = parts(&["a=b; xenroll-session=no; enroll-session", "enroll-session=enr_ses_1; c=d"]);
        assert_eq!(visitor(&parts, false).cookie(Jar::Session), Some("enr_ses_1"));
        // What a page without TLS could have set is not what a page with TLS reads.
        assert_eq!(visitor(&parts, true).cookie(Jar::Session), None);
    }
}
