use proptest::prelude::*;

use super::*;

fn web() -> RedirectRules {
    RedirectRules::default()
}

fn native() -> RedirectRules {
    RedirectRules { application_type: ApplicationType::Native, ..web() }
}

fn accepted(text: &str, rules: &RedirectRules) -> bool {
    RedirectUri::from(text).check(rules).is_ok()
}

/// OpenID Connect Registration §2 (`application_type`), RFC 8252 §7 and §8.3, RFC 9700 §2.1
#[test]
fn what_a_client_may_register_depends_on_its_type() {
    for (text, as_web, as_native) in [
        ("https://client.example/cb", true, true),
        ("https://client.example/cb?x=1&y", true, true),
        ("https://client.example", true, true),
        ("HTTPS://client.example/cb", true, true),
        ("https://xn--bcher-kva.example/cb", true, true),
        ("https://localhost/cb", true, true),
        ("https://127.0.0.1:8443/cb", true, true),
        ("http://localhost/cb", true, true),
        ("http://localhost:3000/cb", true, true),
        ("http://LOCALHOST/cb", true, true),
        ("http://127.0.0.1/", true, true),
        ("http://127.0.0.1:33418/", true, true),
        ("http://[::1]:8080/cb", true, true),
        ("http://127.0.0.2/cb", false, false),
        ("http://0.0.0.0/cb", false, false),
        ("http://[::]/cb", false, false),
        ("http://client.example/cb", false, false),
        ("http://192.168.0.1/cb", false, false),
        ("http://localhost.evil.example/cb", false, false),
        ("http://127.0.0.1.nip.example/cb", false, false),
        ("http://a.localhost/cb", false, false),
        ("com.example:/cb", false, true),
        ("com.example:cb", false, true),
        ("com.example://cb", false, true),
        ("com.example:///cb", false, true),
        ("cursor://anysphere.cursor-retrieval/cb", false, true),
        ("vscode://x", false, true),
        ("COM.example:/cb", false, true),
        ("com.example:", false, false),
        ("com.example:/", false, false),
        ("com.example://", false, false),
        ("com.example:?code", false, false),
        ("localhost:8080/cb", false, false),
        ("app.example:8080/cb", false, false),
        ("client.example/cb", false, false),
        ("/cb", false, false),
        ("", false, false),
    ] {
        assert_eq!(accepted(text, &web()), as_web, "web: {text}");
        assert_eq!(accepted(text, &native()), as_native, "native: {text}");
    }
}

/// RFC 6749 §3.1.2, RFC 9700 §4.1, and a browser's way of reading: what nobody may register.
#[test]
fn what_no_client_may_register() {
    for text in [
        "https://client.example/cb#",
        "https://client.example/cb#f",
        "com.example:/cb#",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "javascript://client.example/%0aalert(1)",
        "vbscript:x",
        "data:text/html,x",
        "DATA:text/html;base64,AA",
        "blob:https://client.example/x",
        "file:///etc/passwd",
        "about:blank",
        "filesystem:https://a.example/x",
        "view-source:https://a.example/",
        "wss://a.example/",
        "ftp://a.example/",
        "mailto:a@b.example",
        "tel:+1",
        "intent://x#Intent;end",
        "intent://x",
        "android-app://a/b",
        "chrome-extension://abc/cb",
        "moz-extension://abc/cb",
        "ms-settings:x",
        "MS-Word:ofe/x",
        "ldap://a.example/",
        "jar:https://a.example/!/",
        "urn:ietf:wg:oauth:2.0:oob",
        "urn:ietf:wg:oauth:2.0:oob:auto",
        "https://user:secret@client.example/",
        "https://client.example@evil.example/",
        "https://client.example\\@evil.example/",
        "https:client.example",
        "https:///client.example",
        "https://client.example:0/",
        "https://client.example:65536/",
        "https://*.client.example/cb",
        "https://client.example/a/../cb",
        "https://client.example/a/%2e%2e/cb",
        "https://client.example./cb",
        "https://client.example/cb ",
        "https://клиент.example/cb",
        "http://2130706433/cb",
        "http://0x7f.1/cb",
        "http://%6c%6f%63alhost/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[::1%25lo]/cb",
        "http://localhost./cb",
        "http://localhost@evil.example/cb",
    ] {
        for rules in [web(), native(), RedirectRules { allow_http: true, ..web() }] {
            assert!(!accepted(text, &rules), "{text:?} {rules:?}");
        }
    }
}

/// OpenID Connect Registration §2: web clients of the implicit grant use `https`, and not `localhost`.
#[test]
fn the_implicit_grant_leaves_a_web_client_only_remote_https() {
    let implicit = RedirectRules { implicit: true, allow_http: true, ..web() };
    assert!(accepted("https://client.example/cb", &implicit));
    for text in [
        "https://localhost/cb",
        "https://127.0.0.1/cb",
        "https://127.1.2.3/cb",
        "https://[::1]/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
        "http://client.example/cb",
    ] {
        assert!(!accepted(text, &implicit), "{text}");
    }
    assert!(accepted("http://127.0.0.1/cb", &RedirectRules { implicit: true, ..native() }));
}

/// RFC 8252 §8.3 says MUST NOT for native clients, whatever an operator switches on.
#[test]
fn http_to_a_remote_host_is_for_web_clients_in_development() {
    for (rules, remote) in [(web(), true), (native(), false)] {
        let rules = RedirectRules { allow_http: true, ..rules };
        assert_eq!(accepted("http://client.example/cb", &rules), remote);
        assert!(!accepted("http://127.0.0.2/cb", &rules));
    }
}

/// RFC 8252 §7.1: a domain name under the app's control, turned round.
#[test]
fn strict_rules_ask_for_reverse_domains_and_plain_loopback() {
    let strict = RedirectRules { application_type: ApplicationType::Native, ..RedirectRules::strict() };
    for text in
        ["com.example:/cb", "com.example.app://cb", "http://127.0.0.1/cb", "https://client.example/cb"]
    {
        assert!(accepted(text, &strict), "{text}");
    }
    for text in ["cursor://x/cb", "com.:/cb", "a..b:/cb", "https://localhost/cb", "https://127.0.0.9/cb"] {
        assert!(!accepted(text, &strict), "{text}");
    }
}

#[test]
fn an_unknown_application_type_is_judged_as_web() {
    let rules = RedirectRules { application_type: ApplicationType::from("Native"), ..web() };
    assert!(accepted("https://client.example/cb", &rules) && !accepted("com.example:/cb", &rules));
}

#[test]
fn only_loopback_http_and_own_schemes_make_a_client_native() {
    for text in
        ["http://127.0.0.1/", "http://localhost:1/cb", "http://[::1]/", "cursor://a/cb", "com.example:/cb"]
    {
        assert!(RedirectUri::from(text).is_native_only(), "{text}");
    }
    for text in ["https://localhost/cb", "https://client.example/cb", "http://client.example/cb", "/cb", ""] {
        assert!(!RedirectUri::from(text).is_native_only(), "{text}");
    }
}

#[test]
fn a_domain_is_asked_for_by_labels() {
    assert!(RedirectUri::from("https://app.corp.example/cb").host_is_within("corp.example"));
    assert!(!RedirectUri::from("https://evilcorp.example/cb").host_is_within("corp.example"));
    assert!(!RedirectUri::from("https://corp.example\\@evil.example/cb").host_is_within("corp.example"));
}

/// RFC 3986 §6.2.1, RFC 9700 §4.1.3
#[test]
fn a_requested_uri_is_compared_byte_for_byte() {
    let registered = RedirectUri::from("https://client.example/cb?x=1");
    for native in [false, true] {
        assert!(registered.matches("https://client.example/cb?x=1", native));
        for requested in [
            "https://client.example/cb?x=1&y=2",
            "https://client.example/cb",
            "https://client.example/CB?x=1",
            "https://Client.example/cb?x=1",
            "HTTPS://client.example/cb?x=1",
            "https://client.example:443/cb?x=1",
            "https://client.example/cb/?x=1",
            "https://client.example/%63b?x=1",
            "https://client.example/cb?x=1#",
            "https://client.example/x/../cb?x=1",
            "",
        ] {
            assert!(!registered.matches(requested, native), "{requested}");
        }
    }
    let app = RedirectUri::from("com.example:/cb");
    assert!(app.matches("com.example:/cb", true) && !app.matches("COM.example:/cb", true));
}

/// RFC 8252 §7.3
#[test]
fn a_native_client_may_use_any_loopback_port() {
    for (registered, requested) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1/"),
        ("http://127.0.0.1:1/cb?x", "http://127.0.0.1:65535/cb?x"),
        ("http://[::1]/cb", "http://[::1]:8080/cb"),
        ("http://localhost/callback", "http://localhost:3118/callback"),
        ("http://127.0.0.1", "http://127.0.0.1:8080"),
    ] {
        assert!(RedirectUri::from(registered).matches(requested, true), "{registered} {requested}");
        assert!(!RedirectUri::from(registered).matches(requested, false), "{registered} {requested}");
    }
}

/// RFC 8252 §7.3, RFC 9700 §4.1.1
#[test]
fn nothing_but_the_port_of_a_loopback_address_may_differ() {
    for (registered, requested) in [
        ("http://127.0.0.1/cb", "http://localhost/cb"),
        ("http://localhost/cb", "http://127.0.0.1:1/cb"),
        ("http://127.0.0.1/cb", "http://[::1]:1/cb"),
        ("http://localhost/cb", "http://LOCALHOST:1/cb"),
        ("http://localhost/cb", "HTTP://localhost:1/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1:1/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:1/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/CB"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb/"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb?"),
        ("http://127.0.0.1", "http://127.0.0.1:1/"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb#"),
        ("http://127.0.0.1/cb", "http://127.0.0.1.nip.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.2/cb"),
        ("http://127.0.0.2/cb", "http://127.0.0.2:1/cb"),
        ("http://client.example/cb", "http://client.example:1/cb"),
        ("com.example://localhost/cb", "com.example://localhost:1/cb"),
    ] {
        assert!(!RedirectUri::from(registered).matches(requested, true), "{registered} {requested}");
    }
}

/// A store may hold what an older or another server let in.
#[test]
fn a_value_that_no_client_may_register_matches_not_even_itself() {
    for text in ["javascript:alert(1)", "https://client.example/cb#", "https://a.example\\@b.example/", "/cb"]
    {
        assert!(!RedirectUri::from(text).matches(text, true), "{text}");
    }
}

#[test]
fn every_blocked_scheme_is_a_scheme_in_lower_case() {
    for scheme in BLOCKED {
        let uri = RedirectUri::from(format!("{scheme}://a/cb").as_str());
        assert_eq!(uri.parts().map(|parts| parts.scheme).as_deref(), Ok(*scheme));
        assert!(uri.check(&native()).is_err() && !uri.matches(uri.as_str(), true), "{uri}");
    }
}

/// Texts that are nearly redirect URIs, from few enough pieces that pairs of them often match.
fn near_redirect_uri() -> impl Strategy<Value = String> {
    let scheme = "https?|HTTP|javascript|data|com\\.example|cursor|ms-x|[a-z.]{0,4}";
    let host = "(localhost|127\\.0\\.0\\.[12]|\\[::1\\]|a\\.example|[a-z0-9.%*@\\[\\]-]{0,6})";
    (scheme, ":(//|/|///)?", host, "(:[0-9]{0,5})?", "(/|/cb|[/.%2ea?#\\\\]{0,6})")
        .prop_map(|(a, b, c, d, e)| a + &b + &c + &d + &e)
}

fn rules() -> impl Strategy<Value = RedirectRules> {
    (any::<bool>(), any::<[bool; 4]>()).prop_map(|(native, [implicit, http, loopback, reverse])| {
        RedirectRules {
            application_type: if native { ApplicationType::Native } else { ApplicationType::Web },
            implicit,
            allow_http: http,
            refuse_https_loopback: loopback,
            require_reverse_domain: reverse,
        }
    })
}

/// The port cut out by hand, without the parser under test.
fn without_port(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    format!("{scheme}://{host}{tail}")
}

proptest! {
    #[test]
    fn no_text_brings_a_check_down(text in any::<String>(), other in any::<String>(), rules in rules()) {
        let uri = RedirectUri::from(text.as_str());
        let _ = (uri.check(&rules), uri.is_native_only(), uri.matches(&other, true), uri.host_is_within(&other));
    }

    /// RFC 3986 §3.1: letter case cannot turn a refused scheme into an accepted one.
    #[test]
    fn the_case_of_the_scheme_changes_no_verdict(
        text in near_redirect_uri(),
        upper in any::<u64>(),
        rules in rules(),
    ) {
        let (scheme, rest) = text.split_once(':').unwrap();
        let flip = |(place, letter): (usize, char)| match upper >> (place % 64) & 1 {
            1 => letter.to_ascii_uppercase(),
            _ => letter.to_ascii_lowercase(),
        };
        let flipped: String = scheme.chars().enumerate().map(flip).collect();
        let flipped = format!("{flipped}:{rest}");
        prop_assert_eq!(RedirectUri::from(text.as_str()).check(&rules), RedirectUri::from(flipped.as_str()).check(&rules));
    }

    #[test]
    fn what_is_accepted_matches_itself_and_has_no_fragment(text in near_redirect_uri(), rules in rules()) {
        let uri = RedirectUri::from(text.as_str());
        if uri.check(&rules).is_ok() {
            prop_assert!(uri.matches(&text, false) && uri.matches(&text, true) && !text.contains('#'));
        }
    }

    /// RFC 8252 §7.3
    #[test]
    fn a_match_is_equality_up_to_the_port(registered in near_redirect_uri(), requested in near_redirect_uri()) {
        let uri = RedirectUri::from(registered.as_str());
        if uri.matches(&requested, true) {
            prop_assert_eq!(without_port(&registered), without_port(&requested));
        }
        if uri.matches(&requested, false) {
            prop_assert_eq!(registered, requested);
        }
    }

    /// The same with texts that differ in nothing but the port.
    #[test]
    fn another_port_matches_only_on_loopback_http(
        host in "localhost|127\\.0\\.0\\.[12]|\\[::1\\]|a\\.example",
        ports in prop::array::uniform2(1_u16..),
        scheme in "https?|com\\.example",
    ) {
        let [registered, requested] = ports.map(|port| format!("{scheme}://{host}:{port}/cb"));
        let loopback = scheme == "http" && ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str());
        let matches = RedirectUri::from(registered.as_str()).matches(&requested, true);
        prop_assert_eq!(matches, loopback || registered == requested);
    }
}
