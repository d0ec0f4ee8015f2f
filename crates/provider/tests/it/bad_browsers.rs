//! Pages, sessions and forms against whoever would misuse them: forged requests, fixed sessions, frames, redirects.

use http::{Request, header};
use serde_json::json;

use crate::harness::{Answer, CALLBACK, ISSUER, Server, form};

/// How many cases there are in this file.
pub(crate) const COUNT: usize = TRANSACTIONS.len() * 3 + LOG_INS.len() + DECISIONS.len() + METHODS.len();

/// What is sent instead of a transaction.
const TRANSACTIONS: &[&str] = &["", "x", "AAAA", "null", "{}", "../..", "\u{0}", "a.b.c"];

/// The paths of the forms, and a field that would do something.
const FORMS: [(&str, &str, &str); 3] = [
    ("/connect/authorize/login", "username", "alice"),
    ("/connect/authorize/consent", "decision", "allow"),
    ("/connect/endsession/confirm", "decision", "sign_out"),
];

/// A form that nobody was given does nothing.
#[tokio::test]
async fn a_form_without_its_transaction_is_over() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    browser.code(&client.asks(&[])).await;
    for transaction in TRANSACTIONS {
        for (path, name, value) in FORMS {
            let answer = browser
                .post(path, &[("transaction", transaction), (name, value), ("password", "alice")])
                .await;
            is_over(&answer);
        }
    }
    let answer = browser.get(&client.asks(&[("prompt", "none")]).path()).await;
    assert!(answer.told("code").is_some(), "still logged in: {answer:?}");
    is_over(&browser.get("/connect/authorize/resume").await);
    is_over(&browser.get("/connect/authorize/resume?transaction=x").await);
}

#[track_caller]
fn is_over(answer: &Answer) {
    answer.is_error_page("invalid_request");
    assert!(answer.headers.get(header::SET_COOKIE).is_none(), "{answer:?}");
    assert!(answer.body.contains("This page is no longer valid."), "{answer:?}");
}

/// CSRF: what one browser was given, another cannot send; nor the same one as somebody else, nor as another page.
#[tokio::test]
async fn a_form_of_another_browser_session_or_page_is_over() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut attacker = server.browser();
    let page = attacker.goes(&client.asks(&[])).await;
    let transaction = page.form().hidden[0].1.clone();
    let logs_in = [("transaction", transaction.as_str()), ("username", "alice"), ("password", "alice")];
    // Login CSRF: the victim's browser, with and without cookies of its own.
    let mut victim = server.browser();
    is_over(&victim.post("/connect/authorize/login", &logs_in).await);
    victim.goes(&client.asks(&[])).await;
    is_over(&victim.post("/connect/authorize/login", &logs_in).await);
    // A page of the login is no page of the consent.
    let asked_as_alice = victim.goes(&client.asks(&[])).await;
    let consent = victim.logs_in(asked_as_alice, "alice").await;
    assert!(consent.asks_for_consent());
    let of_consent = consent.form().hidden[0].1.clone();
    let allows = [("transaction", transaction.as_str()), ("decision", "allow")];
    is_over(&victim.post("/connect/authorize/consent", &allows).await);
    let swapped = [("transaction", of_consent.as_str()), ("username", "bob"), ("password", "bob")];
    is_over(&victim.post("/connect/authorize/login", &swapped).await);
    is_over(
        &victim
            .post("/connect/endsession/confirm", &[("transaction", &of_consent), ("decision", "sign_out")])
            .await,
    );
    // The page asked alice; bob is there when it is answered.
    let again = victim.goes(&client.asks(&[("prompt", "login")])).await;
    victim.logs_in(again, "bob").await;
    is_over(&victim.fills_in(&consent, &[("decision", "allow")]).await);
}

#[tokio::test]
async fn a_page_waits_for_an_hour() {
    for (pause, in_time) in [(3599, true), (3600, false)] {
        let server = Server::new().await;
        let client = server.register(json!({})).await;
        let mut browser = server.browser();
        let page = browser.goes(&client.asks(&[])).await;
        server.clock.advance(pause);
        let answer = browser.fills_in(&page, &[("username", "alice"), ("password", "alice")]).await;
        assert_eq!(answer.asks_for_consent(), in_time, "{pause}: {answer:?}");
    }
}

/// Somebody who goes back to the address behind the log-in has not logged in again.
#[tokio::test]
async fn a_login_is_for_its_request_alone_and_not_for_long() {
    for (pause, in_time) in [(59, true), (60, false)] {
        let server = Server::new().await;
        let client = server.register(json!({ "require_consent": false })).await;
        let mut browser = server.browser();
        let page = browser.goes(&client.asks(&[("prompt", "login")])).await;
        let fields = page.form().filled_in(&[("username", "alice"), ("password", "alice")]);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let on = browser.post(&page.form().action, &fields).await.location().to_owned();
        server.clock.advance(pause);
        let answer = browser.get(on.strip_prefix(ISSUER).unwrap()).await;
        assert_eq!(answer.told("code").is_some(), in_time, "{pause}: {answer:?}");
        assert_eq!(answer.asks_for_password(), !in_time, "{pause}: {answer:?}");
    }
}

/// Whatever a page was made for, its form is taken.
#[tokio::test]
async fn a_request_may_be_as_long_as_a_page_can_carry() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    for (length, fits) in [(32_000, true), (33_000, false)] {
        let asked = client.asks(&[("state", &"s".repeat(length)), ("prompt", "login")]);
        let page = browser.goes(&asked).await;
        if fits {
            assert!(browser.logs_in(page, "alice").await.told("code").is_some());
        } else {
            page.is_error_page("invalid_request");
        }
    }
}

/// What is typed, and is nobody.
const LOG_INS: &[(&str, &str)] = &[
    ("alice", "bob"),
    ("alice", "Alice"),
    ("alice", "alice "),
    ("bob", ""),
    ("", ""),
    ("nobody", "nobody"),
    ("alice\u{0}", "alice"),
    ("' OR 1=1 --", "x"),
    ("<script>alert(1)</script>", "x"),
];

/// Wrong is wrong: nothing tells which.
#[tokio::test]
async fn whoever_is_nobody_is_told_the_same_and_gets_no_session() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    for (username, password) in LOG_INS {
        let mut browser = server.browser();
        let page = browser.goes(&client.asks(&[])).await;
        let answer = browser.fills_in(&page, &[("username", username), ("password", password)]).await;
        assert_ne!(answer.status, 500);
        assert!(answer.asks_for_password() && !answer.body.contains("<script>"), "{username}: {answer:?}");
        assert!(answer.headers.get(header::SET_COOKIE).is_none(), "{username}: {answer:?}");
        // From one place that tries so often, somebody has to wait at last; until then all are told the same.
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty());
        } else {
            assert_eq!(answer.status, 403, "{username}: {answer:?}");
            assert!(
                answer.body.contains("The user name or the password is wrong."),
                "{username}: {answer:?}"
            );
        }
    }
}

/// Session fixation: a key that somebody put there is worth nothing, before and after.
#[tokio::test]
async fn a_session_has_a_new_key_after_each_login() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    let fixed = format!("enr_ses_{}", "A".repeat(43));
    browser.set_cookie("__Host-enroll-session", &fixed);
    let page = browser.goes(&client.asks(&[])).await;
    assert!(page.asks_for_password(), "{page:?}");
    browser.logs_in(page, "alice").await;
    let first = browser.cookie("__Host-enroll-session").to_owned();
    assert_ne!(first, fixed);
    let page = browser.goes(&client.asks(&[("prompt", "login")])).await;
    browser.logs_in(page, "alice").await;
    let second = browser.cookie("__Host-enroll-session").to_owned();
    assert_ne!(first, second);
    browser.set_cookie("__Host-enroll-session", &first);
    let answer = browser.goes(&client.asks(&[("prompt", "none")])).await;
    answer.is_told("login_required");
}

/// What is decided, and is not `allow`.
const DECISIONS: &[&str] = &["deny", "", "ALLOW", "allow ", "yes", "true", "1"];

#[tokio::test]
async fn what_is_not_allowed_is_denied() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    let page = browser.goes(&client.asks(&[])).await;
    let consent = browser.logs_in(page, "alice").await;
    for decision in DECISIONS {
        let answer = browser.fills_in(&consent, &[("decision", decision)]).await;
        answer.is_told("access_denied");
    }
    let answer = browser.fills_in(&consent, &[("decision", "allow"), ("decision", "deny")]).await;
    answer.is_told("access_denied");
}

/// The answer can only leave out what was asked.
#[tokio::test]
async fn an_answer_adds_no_scope() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let asked = client.asks(&[("scope", "openid profile email")]);
    let mut browser = server.browser();
    let page = browser.goes(&asked).await;
    let consent = browser.logs_in(page, "alice").await;
    assert_eq!(consent.form().scopes, ["profile", "email"], "openid comes with the rest");
    let fields = [("decision", "allow"), ("scope", "email"), ("scope", "api1"), ("scope", "offline_access")];
    let answer = browser.fills_in(&consent, &fields).await;
    let told = server.redeem(&client, &asked, &answer.told("code").unwrap()).await.json();
    assert_eq!(told["scope"], "openid email");
}

/// Clickjacking, and all that a page could do to somebody.
#[tokio::test]
async fn no_page_can_be_framed_kept_or_scripted() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    let login = browser.goes(&client.asks(&[])).await;
    let consent = browser.logs_in(login, "alice").await;
    let login = server.browser().goes(&client.asks(&[])).await;
    let error = browser.get("/connect/authorize").await;
    let log_out = browser.get("/connect/endsession").await;
    let signed_out = server.browser().get("/connect/endsession").await;
    let form_post = browser.goes(&client.asks(&[("prompt", "none"), ("response_mode", "form_post")])).await;
    for page in [&login, &consent, &error, &log_out, &signed_out, &form_post] {
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{page:?}"
        );
        assert!(!policy.contains("unsafe"), "{page:?}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.header(name), value, "{page:?}");
        }
        assert_eq!(page.header("access-control-allow-origin"), "", "{page:?}");
    }
    // Chromium would hold against it where the client's callback redirects to.
    assert!(!form_post.header("content-security-policy").contains("form-action"), "{form_post:?}");
    for cookie in login.headers.get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        for attribute in ["__Host-", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
    }
}

/// RFC 9110 §15.5.6
const METHODS: &[(&str, &str, &str)] = &[
    ("PUT", "/connect/authorize", "GET, POST"),
    ("DELETE", "/connect/authorize", "GET, POST"),
    ("HEAD", "/connect/authorize", "GET, POST"),
    ("GET", "/connect/authorize/login", "POST"),
    ("GET", "/connect/authorize/consent", "POST"),
    ("POST", "/connect/authorize/resume", "GET"),
    ("GET", "/connect/token", "POST"),
    ("HEAD", "/connect/token", "POST"),
    ("PUT", "/connect/token", "POST"),
    ("GET", "/connect/introspect", "POST"),
    ("GET", "/connect/revocation", "POST"),
    ("PUT", "/connect/userinfo", "GET, POST"),
    ("DELETE", "/connect/endsession", "GET, POST"),
    ("GET", "/connect/endsession/confirm", "POST"),
];

#[tokio::test]
async fn another_method_is_refused_with_those_that_are_taken() {
    let server = Server::new().await;
    for (method, path, allowed) in METHODS {
        let request = Request::builder().method(*method).uri(*path).body("".into()).unwrap();
        let answer = server.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, *allowed), "{method} {path}");
    }
}

/// RFC 6749 §3.2: forms, and nothing else.
#[tokio::test]
async fn what_is_no_form_is_refused() {
    let server = Server::new().await;
    for path in [
        "/connect/token",
        "/connect/revocation",
        "/connect/introspect",
        "/connect/authorize",
        "/connect/endsession",
        "/connect/authorize/login",
    ] {
        for media_type in ["application/json", "multipart/form-data", "text/plain"] {
            let mut request = form(path, &[("redirect_uri", CALLBACK)]);
            request.headers_mut().insert(header::CONTENT_TYPE, media_type.parse().unwrap());
            assert_eq!(server.send(request).await.status, 400, "{media_type} at {path}");
        }
        let large = "a".repeat(70_000);
        assert_eq!(server.send(form(path, &[("state", &large)])).await.status, 413, "{path}");
    }
}
