//! What a browser does with an answer: it keeps cookies, and reads the form of a page.

use std::collections::BTreeMap;

use http::{HeaderMap, header};

/// The cookies of one browser at one server.
#[derive(Clone, Debug, Default)]
pub struct Cookies(BTreeMap<String, String>);

impl Cookies {
    /// Keeps what an answer sets, and forgets what it ends. RFC 6265 §5.3.
    pub fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text");
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a name and a value");
            if attributes.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.set(name, value);
            }
        }
    }

    /// Somebody put this there.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// What is kept under this name; empty when nothing is.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The header that goes along with each request, if there is anything to send.
    pub fn header(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// The first form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// What it carries along.
    pub hidden: Vec<(String, String)>,
    /// The scopes that it offers.
    pub scopes: Vec<String>,
    /// Whether it asks for a password.
    pub asks_for_password: bool,
    /// Whether it asks what a client may have.
    pub asks_for_consent: bool,
}

impl Form {
    /// The first form of this page, if there is one.
    pub fn of(html: &str) -> Option<Self> {
        let (_, form) = html.split_once("<form method=\"post\" action=\"")?;
        let value = |text: &str| unescaped(text.split('"').next().unwrap_or_default());
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").expect("a hidden field has a value");
            (unescaped(name), value(rest))
        });
        Some(Self {
            action: value(form),
            hidden: hidden.collect(),
            scopes: form.split("name=\"scope\" value=\"").skip(1).map(value).collect(),
            asks_for_password: form.contains("name=\"password\""),
            asks_for_consent: form.contains("name=\"decision\" value=\"allow\""),
        })
    }

    /// What is sent by somebody who allows all.
    pub fn allowing_all(&self) -> Vec<(&str, &str)> {
        let scopes = self.scopes.iter().map(|scope| ("scope", scope.as_str()));
        std::iter::once(("decision", "allow")).chain(scopes).collect()
    }

    /// What is sent by somebody who fills in these fields.
    pub fn filled_in(&self, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.hidden.iter().cloned().chain(fields.iter().map(own)).collect()
    }
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    text.replace("&#38;", "&")
}
