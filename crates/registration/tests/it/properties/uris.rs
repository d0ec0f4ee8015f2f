//! Addresses that are nearly right, and nearly wrong: whatever is accepted reads alike to servers and browsers, and is
//! what its member asks for.

use fluent_uri::Uri;
use proptest::prelude::*;
use serde_json::{Value, json};
use url::{Host, Url};

use super::{On, app, register, wait_for};

/// Every member that holds a URI, with what its scheme may be beside `https`.
const MEMBERS: [(&str, Allowed); 20] = [
    ("redirect_uris", Allowed::Redirect),
    ("post_logout_redirect_uris", Allowed::Redirect),
    ("claims_redirect_uris", Allowed::Opened),
    ("client_uri", Allowed::Web),
    ("logo_uri", Allowed::Web),
    ("tos_uri", Allowed::Web),
    ("policy_uri", Allowed::Web),
    ("client_uri#de", Allowed::Web),
    ("information_uri", Allowed::Web),
    ("organization_uri", Allowed::Web),
    ("frontchannel_logout_uri", Allowed::Web),
    ("allowed_cors_origins", Allowed::Web),
    ("credential_offer_endpoint", Allowed::Opened),
    ("jwks_uri", Allowed::Https),
    ("sector_identifier_uri", Allowed::Https),
    ("initiate_login_uri", Allowed::Https),
    ("request_uris", Allowed::Https),
    ("backchannel_logout_uri", Allowed::Loopback),
    ("signed_jwks_uri", Allowed::Https),
    ("backchannel_client_notification_endpoint", Allowed::Https),
];

#[derive(Clone, Copy, Debug)]
enum Allowed {
    /// By the application type: see [`is_safe_redirect`].
    Redirect,
    /// The same as for native clients: it may lead to an app whatever the client is.
    Opened,
    /// `http`.
    Web,
    /// `http` on loopback.
    Loopback,
    /// Nothing.
    Https,
}

/// Good and bad ones to begin with.
const SEEDS: [&str; 24] = [
    "https://app.example/cb",
    "https://app.example",
    "https://app.example:8443/a/b?x=1",
    "https://xn--e1afmkfd.example/cb",
    "https://192.0.2.1/cb",
    "https://[2001:db8::1]/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:51004/cb",
    "http://[::1]:8080/cb",
    "http://localhost/cb",
    "com.example.app:/cb",
    "com.example.app://host/cb",
    "cursor://anysphere/cb",
    "http://app.example/cb",
    "http://127.0.0.2/cb",
    "http://0177.0.0.1/cb",
    "http://2130706433/cb",
    "http://localhost.app.example/cb",
    "javascript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "blob:https://app.example/x",
    "urn:ietf:wg:oauth:2.0:oob",
];

/// What is put into a URI to make one reader see another address than the next.
const TRICKS: [&str; 44] = [
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{b}",
    "\u{7f}",
    "\u{a0}",
    "\u{ad}",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2066}",
    "\u{feff}",
    "\u{3002}",
    "\u{ff0e}",
    "\u{ff0f}",
    "\u{ff1a}",
    "\u{2024}",
    "\u{430}",
    "\u{131}",
    "\u{212a}",
    "\u{17f}",
    "\u{df}",
    "\u{1f4a9}",
    "\\",
    "/",
    "//",
    "@",
    "a@",
    ":",
    "#",
    "?",
    "*",
    ".",
    "..",
    "%00",
    "%2e",
    "%2F",
    "%40",
    "%5c",
    "%0d%0a",
    "%",
    ";",
];

/// One change to a text.
#[derive(Clone, Debug)]
enum Change {
    Insert(usize, &'static str),
    FlipCase(usize),
    Escape(usize),
    Widen(usize),
    Remove(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..60_usize, prop::sample::select(&TRICKS[..])).prop_map(|(at, trick)| Change::Insert(at, trick)),
        2 => (0..30_usize).prop_map(Change::FlipCase),
        1 => (0..30_usize).prop_map(Change::Escape),
        1 => (0..30_usize).prop_map(Change::Widen),
        1 => (0..30_usize).prop_map(Change::Remove),
    ]
}

impl Change {
    /// The text with this change, counted in characters from its beginning and again from there when it is short.
    fn apply(&self, text: &str) -> String {
        let mut parts: Vec<String> = text.chars().map(String::from).collect();
        let (Self::Insert(at, _)
        | Self::FlipCase(at)
        | Self::Escape(at)
        | Self::Widen(at)
        | Self::Remove(at)) = *self;
        if parts.is_empty() {
            return text.to_owned();
        }
        let at = at % parts.len();
        let old = parts[at].clone();
        let first = old.chars().next().unwrap();
        parts[at] = match self {
            Self::Insert(_, trick) => format!("{trick}{old}"),
            Self::FlipCase(_) if first.is_ascii_lowercase() => old.to_ascii_uppercase(),
            Self::FlipCase(_) => old.to_ascii_lowercase(),
            Self::Escape(_) => old.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}")),
            // The same character in the block that stands as wide as Chinese does, and folds back to ASCII.
            Self::Widen(_) if first.is_ascii_graphic() => {
                char::from_u32(u32::from(first) + 0xfee0).unwrap().into()
            }
            Self::Widen(_) => old,
            Self::Remove(_) => String::new(),
        };
        parts.concat()
    }
}

fn near_uri() -> impl Strategy<Value = String> {
    (prop::sample::select(&SEEDS[..]), prop::collection::vec(change(), 0..3))
        .prop_map(|(seed, changes)| changes.iter().fold(seed.to_owned(), |text, change| change.apply(&text)))
}

/// RFC 8252 §7.1 to §7.3, RFC 9700 §2.1: spelled anew here, by other means than the server's.
fn is_safe_redirect(url: &Url, native: bool) -> bool {
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    match url.scheme() {
        "https" => true,
        "http" => loopback,
        "javascript" | "data" | "file" | "blob" | "vbscript" | "about" => false,
        _ => native,
    }
}

/// What is wrong with an address that was accepted.
fn fault(text: &str, allowed: Allowed, native: bool) -> Option<&'static str> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Some("has a character that some readers drop or turn into another");
    }
    let (Ok(uri), Ok(url)) = (Uri::parse(text), Url::parse(text)) else {
        return Some("is no URI to one reader");
    };
    if !uri.scheme().as_str().eq_ignore_ascii_case(url.scheme()) {
        return Some("has two schemes");
    }
    let authority = uri.authority();
    let host = authority.map(|authority| authority.host()).unwrap_or_default();
    if !host.eq_ignore_ascii_case(url.host_str().unwrap_or_default()) {
        return Some("has two hosts");
    }
    if authority.is_some_and(|authority| authority.has_userinfo()) || !url.username().is_empty() {
        return Some("has a user name");
    }
    let web = matches!(url.scheme(), "http" | "https");
    if web && matches!(url.host(), None | Some(Host::Domain(""))) {
        return Some("has no host");
    }
    let right = match allowed {
        Allowed::Redirect => is_safe_redirect(&url, native) && uri.fragment().is_none(),
        Allowed::Opened => is_safe_redirect(&url, true) && uri.fragment().is_none(),
        Allowed::Web => web,
        Allowed::Loopback => is_safe_redirect(&url, false) && uri.fragment().is_none(),
        Allowed::Https => url.scheme() == "https",
    };
    (!right).then_some("is not what its member may hold")
}

/// A request with this address in this member, and what that member needs beside it.
fn asking(member: &str, text: &str, native: bool) -> Value {
    let value = match member.ends_with("uris") || member == "allowed_cors_origins" {
        true => json!([text]),
        false => json!(text),
    };
    let mut body = json!({
        "application_type": if native { "native" } else { "web" },
        "redirect_uris": ["https://app.example/cb"],
    });
    if member == "backchannel_client_notification_endpoint" {
        body["grant_types"] = json!(["authorization_code", "urn:openid:params:grant-type:ciba"]);
        body["backchannel_token_delivery_mode"] = "ping".into();
    }
    body[member] = value;
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// RFC 3986 §3, WHATWG URL §4.4, RFC 8252 §7, RFC 9700 §2.1
    #[test]
    fn no_spelling_gets_an_address_past_its_rule(text in near_uri(), native in any::<bool>()) {
        wait_for(async {
            let app = app(On::Unrestricted);
            for (member, allowed) in MEMBERS {
                let Some(client) = register(&app, &asking(member, &text, native)).await else { continue };
                let registered = match &client.told[member] {
                    Value::Array(items) => items[0].clone(),
                    other => other.clone(),
                };
                if registered.is_null() {
                    continue; // left out: it does nothing, and is not shown
                }
                prop_assert_eq!(&registered, &text, "{} was rewritten", member);
                let fault = fault(&text, allowed, native);
                prop_assert_eq!(fault, None, "{} as {:?}", member, &text);
            }
            Ok(())
        })?;
    }
}

/// The rule above can be met: every member takes the address that its seeds begin with.
#[test]
fn every_member_takes_a_plain_address() {
    let app = app(On::Unrestricted);
    for (member, _) in MEMBERS.into_iter().filter(|(member, _)| *member != "sector_identifier_uri") {
        let text = if member == "allowed_cors_origins" { "https://app.example" } else { SEEDS[0] };
        let taken = wait_for(register(&app, &asking(member, text, false)));
        assert!(taken.is_some_and(|client| !client.told[member].is_null()), "{member}");
    }
}
