use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> Uri {
    Uri::from(text)
}

/// RFC 3986 §3
#[test]
fn components_are_those_that_were_sent() {
    let uri = uri("HTTPS://Client.Example:8443/A%2fb/?q=%C3%A9&r#f");
    let parts = uri.parts().unwrap();
    assert_eq!(parts.scheme, "https");
    assert_eq!((parts.host, parts.port, parts.path), (Some("Client.Example"), Some(8443), "/A%2fb/"));
    assert_eq!((parts.query, parts.fragment), (Some("q=%C3%A9&r"), Some("f")));
    assert_eq!(uri.to_string(), "HTTPS://Client.Example:8443/A%2fb/?q=%C3%A9&r#f");
    assert_eq!(serde_json::to_string(&uri).unwrap(), format!("\"{uri}\""));
}

/// RFC 3986 §3.2.2, RFC 1123 §2.1
#[test]
fn addresses_that_everybody_reads_alike_are_accepted() {
    for (text, host, port) in [
        ("https://a.example", Some("a.example"), None),
        ("https://a.example?x", Some("a.example"), None),
        ("https://A.EXAMPLE:443/", Some("A.EXAMPLE"), Some(443)),
        ("http://a.example:1/", Some("a.example"), Some(1)),
        ("http://a.example:65535/", Some("a.example"), Some(65535)),
        ("https://xn--bcher-kva.example/", Some("xn--bcher-kva.example"), None),
        ("https://a_b.example/*", Some("a_b.example"), None),
        ("https://192.0.2.1/", Some("192.0.2.1"), None),
        ("https://[2001:DB8::1]/", Some("[2001:DB8::1]"), None),
        ("http://[::1]:8080/cb", Some("[::1]"), Some(8080)),
        ("https://a.example/.well-known/x", Some("a.example"), None),
        ("https://a.example/...", Some("a.example"), None),
        ("https://a.example/?..%2f/../", Some("a.example"), None),
        ("com.example:/cb", None, None),
        ("com.example:///cb", None, None),
        ("com.example:cb", None, None),
        ("cursor://anysphere.cursor-retrieval/cb", Some("anysphere.cursor-retrieval"), None),
        ("urn:ietf:wg:oauth:2.0:oob", None, None),
    ] {
        let uri = uri(text);
        let parts = uri.parts().unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!((parts.host, parts.port), (host, port), "{text}");
    }
}

/// RFC 3986 §7.6, WHATWG URL §4.4: each of these means two things, or nothing.
#[test]
fn addresses_that_two_readers_read_apart_are_refused_with_a_reason() {
    for (text, reason) in [
        ("", "empty"),
        ("/cb", "absolute"),
        ("//a.example/cb", "absolute"),
        ("a.example/cb", "absolute"),
        ("1a://x/cb", "absolute"),
        (":", "absolute"),
        ("https://a.example/%zz", "hexadecimal"),
        (" https://a.example/", "spaces"),
        ("https://a.example/\n", "spaces"),
        ("java\tscript:alert(1)", "spaces"),
        ("https://a.exam\tple/", "spaces"),
        ("https://a.example/\0", "control"),
        ("https://a.example/\x7f", "control"),
        ("https://a\\@b.example/", "backslash"),
        ("https:\\\\a.example/", "backslash"),
        ("https://a.example/<b>", "percent-encode"),
        ("https://a.example/{id}", "percent-encode"),
        ("https://bücher.example/", "xn--"),
        ("https://a.example/\u{202e}", "ASCII"),
        ("https://a。example/", "ASCII"),
        ("https://", "host"),
        ("https:", "host"),
        ("https:///x", "host"),
        ("https:a.example", "host"),
        ("https:/a.example", "host"),
        ("https://:443/", "host"),
        ("https://user@a.example/", "user name"),
        ("https://@a.example/", "user name"),
        ("https://a.example:b@c.example/", "user name"),
        ("com.example://u:p@x/", "user name"),
        ("https://a.example:/", "port"),
        ("https://a.example:0/", "port"),
        ("https://a.example:0443/", "port"),
        ("https://a.example:65536/", "port"),
        ("cursor://x:99999/", "port"),
        ("https://*.example/", "wildcard"),
        ("https://*/", "wildcard"),
        ("com.example://*/cb", "wildcard"),
        ("https://a.example./", "end"),
        ("https://localhost./", "end"),
        ("https://./", "host"),
        ("https://a..example/", "host"),
        ("https://.a.example/", "host"),
        ("https://a;b.example/", "host"),
        ("https://a,b.example/", "host"),
        ("https://a'b.example/", "host"),
        ("https://%6c%6f%63alhost/", "host"),
        ("https://a%2eexample/", "host"),
        ("https://xn--a.example/", "browsers"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("http://127.1/", "127.0.0.1"),
        ("http://127.0.0.256/", "browsers"),
        ("http://1.2.3.4.5/", "browsers"),
        ("http://[::ffff:127.0.0.1]/", "[::ffff:7f00:1]"),
        ("http://[0:0:0:0:0:0:0:1]/", "[::1]"),
        ("http://[::1%25lo]/", ""),
        ("http://[fe80::1%lo]/", ""),
        ("http://[v1.a]/", ""),
        ("http://[::1/", ""),
        ("http://[]/", ""),
        ("https://a.example/..", "segment"),
        ("https://a.example/./cb", "segment"),
        ("https://a.example/cb/%2e%2E/x", "segment"),
        ("https://a.example/.%2e", "segment"),
        ("https://a.example/%2E", "segment"),
        ("com.example:/cb/../x", "segment"),
        ("ws:a.example", "a.example"),
    ] {
        let problem = uri(text).parts().expect_err(text);
        assert!(problem.contains(reason), "{text}: {problem}");
    }
}

#[test]
fn an_address_has_at_most_2048_octets() {
    let long = |length: usize| uri(&format!("{:a<length$}", "https://a.example/"));
    assert!(long(2048).parts().is_ok());
    assert!(long(2049).parts().is_err());
}

/// RFC 1034 §3.5
#[test]
fn a_host_name_has_at_most_253_octets_in_labels_of_at_most_63() {
    let host =
        |labels: &[usize]| labels.iter().map(|length| "a".repeat(*length)).collect::<Vec<_>>().join(".");
    let parts = |labels: &[usize]| uri(&format!("https://{}/", host(labels))).parts().is_ok();
    assert!(parts(&[63, 63, 63, 61]));
    assert!(!parts(&[63, 63, 63, 62]));
    assert!(!parts(&[64]));
}

/// RFC 8252 §7.3, §8.3
#[test]
fn loopback_is_three_hosts_and_nothing_that_resembles_them() {
    let is_loopback =
        |host: &str| uri(&format!("http://{host}/")).parts().is_ok_and(|parts| parts.is_loopback());
    for host in ["127.0.0.1", "[::1]", "localhost", "LocalHost", "127.0.0.1:80", "localhost:3000"] {
        assert!(is_loopback(host), "{host}");
    }
    for host in [
        "localhost.evil.example",
        "127.0.0.1.nip.example",
        "evil-localhost",
        "a.localhost",
        "localhost.",
        "127.0.0.2",
        "0.0.0.0",
        "[::]",
        "[::2]",
        "127.0.0.1.",
        "2130706433",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(!is_loopback(host), "{host}");
    }
}

#[test]
fn a_host_is_within_a_domain_label_by_label() {
    let within = |text: &str, domain: &str| uri(text).parts().unwrap().host_is_within(domain);
    for (text, domain) in [
        ("https://corp.example/", "corp.example"),
        ("https://App.Corp.Example:8443/", "corp.example"),
        ("https://a.b.corp.example/", ".CORP.example"),
        ("http://127.0.0.1/", "127.0.0.1"),
    ] {
        assert!(within(text, domain), "{text} {domain}");
    }
    for (text, domain) in [
        ("https://evilcorp.example/", "corp.example"),
        ("https://evil-corp.example/", "corp.example"),
        ("https://corp.example.evil.example/", "corp.example"),
        ("https://example/", "corp.example"),
        ("https://a.example/", ""),
        ("https://a.example/", "."),
        ("https://192.0.2.1/", "2.1"),
        ("com.example.app://app.corp.example/", "corp.example"),
        ("com.example.app:/corp.example", "corp.example"),
    ] {
        assert!(!within(text, domain), "{text} {domain}");
    }
}

/// RFC 7591 §2, OpenID Connect Registration §2
#[test]
fn each_kind_of_address_has_its_own_rule() {
    for (text, web, https, with_fragment) in [
        ("https://a.example/x", true, true, true),
        ("https://a.example/x#f", true, false, true),
        ("https://a.example/x#", true, false, true),
        ("HTTPS://a.example", true, true, true),
        ("http://a.example/", true, false, false),
        ("javascript:alert(1)", false, false, false),
        ("JaVaScRiPt:alert(1)", false, false, false),
        ("data:image/png;base64,AA", false, false, false),
        ("com.example:/x", false, false, false),
        ("file:///etc/passwd", false, false, false),
        ("a.example", false, false, false),
    ] {
        let uri = uri(text);
        assert_eq!(uri.check_web().is_ok(), web, "{text}");
        assert_eq!(uri.check_https().is_ok(), https, "{text}");
        assert_eq!(uri.check_https_with_fragment().is_ok(), with_fragment, "{text}");
    }
}

/// RFC 6454 §6.2: what a browser sends in `Origin`.
#[test]
fn an_origin_is_spelled_as_browsers_spell_it() {
    for text in ["https://a.example", "https://a.example:8443", "http://localhost:3000", "http://[::1]:1"] {
        assert_eq!(uri(text).check_origin(), Ok(()), "{text}");
    }
    for text in [
        "null",
        "*",
        "https://*",
        "https://a.example/",
        "https://a.example/x",
        "https://a.example?",
        "https://a.example#",
        "https://A.example",
        "HTTPS://a.example",
        "https://a.example:443",
        "http://a.example:80",
        "com.example://a",
        "file://",
        "a.example",
        "https://u@a.example",
    ] {
        assert!(uri(text).check_origin().is_err(), "{text}");
    }
    let problem = uri("HTTPS://A.example:443/x").check_origin().unwrap_err();
    assert_eq!(problem, "must be an origin as browsers send it: https://a.example");
}

/// Texts that are nearly addresses.
fn near_uri() -> impl Strategy<Value = String> {
    let scheme = "[hH]ttps?|ws|com\\.a|[a-z+.-]{0,4}";
    let host = "localhost|127\\.0\\.0\\.1|\\[::1\\]|a\\.example|[a-z0-9.%*@:\\[\\]_-]{0,9}";
    (scheme, ":/{0,3}", host, "(:[0-9]{0,6})?", "[/.%2eEa?#\\\\]{0,8}")
        .prop_map(|(a, b, c, d, e)| a + &b + &c + &d + &e)
}

proptest! {
    #[test]
    fn no_text_brings_a_check_down(text in any::<String>(), near in near_uri()) {
        for text in [text, near] {
            let uri = uri(&text);
            let _ = (uri.parts(), uri.check_web(), uri.check_https(), uri.check_origin());
        }
    }

    /// WHATWG URL §4.4
    #[test]
    fn a_browser_goes_to_the_host_that_was_read(text in near_uri()) {
        let uri = uri(&text);
        if let Ok(parts) = uri.parts() {
            let url = url::Url::parse(&text).unwrap();
            prop_assert_eq!(url.scheme(), &parts.scheme);
            prop_assert!(url.host_str().unwrap_or("").eq_ignore_ascii_case(parts.host.unwrap_or("")));
            prop_assert!(url.username().is_empty() && url.password().is_none());
        }
    }

    #[test]
    fn an_origin_is_its_own_origin(text in near_uri()) {
        if uri(&text).check_origin().is_ok() {
            prop_assert_eq!(url::Url::parse(&text).unwrap().origin().ascii_serialization(), text);
        }
    }
}
