//! No accepted redirect URI can run code, hide its host or leave its own words: RFC 9700 §2.1.
#![no_main]

use enroll_oauth_types::{ApplicationType, RedirectRules, RedirectUri};
use libfuzzer_sys::fuzz_target;
use url::Url;

/// Kept apart from the list in the crate, so that a slip there shows here.
const NEVER: [&str; 8] = ["javascript", "vbscript", "data", "blob", "file", "about", "view-source", "urn"];

fuzz_target!(|input: (u8, &str)| {
    let (switches, text) = input;
    let on = |bit: u8| switches >> bit & 1 == 1;
    let rules = RedirectRules {
        application_type: if on(0) { ApplicationType::Native } else { ApplicationType::Web },
        implicit: on(1),
        allow_http: on(2),
        refuse_https_loopback: on(3),
        require_reverse_domain: on(4),
    };
    let uri = RedirectUri::from(text);
    if uri.check(&rules).is_err() {
        return;
    }
    assert_eq!(uri.as_str(), text);
    assert!(!text.contains(['#', '\\', ' ', '\t', '\n', '\r']) && text.is_ascii());
    assert!(uri.matches(text, false) && uri.matches(text, true));

    let url = Url::parse(text).expect("what is accepted is a URL to a browser");
    assert!(!NEVER.contains(&url.scheme()));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    match url.scheme() {
        "https" => {}
        "http" => {
            let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            assert!(local || !on(0) && !on(1) && on(2), "remote http");
        }
        _ => assert!(on(0), "private-use scheme of a web client"),
    }
    if let ("https" | "http", Some(host)) = (url.scheme(), url.host_str()) {
        let rest = &text[url.scheme().len()..];
        assert!(rest.to_ascii_lowercase().starts_with(&format!("://{host}")), "host read apart");
    }
});
