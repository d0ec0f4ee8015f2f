//! What may be asked for at all, and whom we trust to answer.

use enroll_outbound::{FetchError, Limits, Outbound};
use enroll_testkit::{FakeWeb, StandingClock, WebAnswer};
use proptest::prelude::*;

use crate::{HOST, web};

#[tokio::test]
async fn only_https_is_fetched() {
    let web = web().await;
    for url in [
        "http://client.example/",
        "HTTP://client.example/",
        "ftp://client.example/",
        "file:///etc/passwd",
        "data:application/json,{}",
        "gopher://client.example/",
        "javascript:alert(1)",
        "client.example/document",
        "/document",
        "",
        "https://",
        "https://?",
    ] {
        assert!(matches!(web.outbound().json(url).await, Err(FetchError::Url(_))), "{url}");
    }
    assert_eq!(web.names().asked(HOST), 0);
}

#[tokio::test]
async fn user_name_and_password_are_refused() {
    let web = web().await;
    for user in ["user@", "user:password@", ":password@", "client.example%40"] {
        let url = web.url(&format!("{user}{HOST}"), "/");
        let error = web.outbound().json(&url).await.unwrap_err();
        assert!(matches!(error, FetchError::Url(_)), "{url}");
    }
    let error = web.outbound().json("https://a@client.example/").await.unwrap_err();
    assert_eq!(error.to_string(), "the URL must not contain a user name or a password");
}

#[tokio::test]
async fn a_url_of_any_length_is_not_read() {
    let url = format!("https://client.example/{}", "a".repeat(2048));
    let error = web().await.outbound().json(&url).await.unwrap_err();
    assert_eq!(error.to_string(), "the URL must be at most 2048 bytes long");
}

#[tokio::test]
async fn plain_http_on_loopback_is_for_development() {
    let web = web().await;
    let url = format!("http://{}/document", web.address());
    let strict = web.builder(Limits::default()).build().unwrap();
    assert!(matches!(strict.json(&url).await, Err(FetchError::Url(_))));
    // The host speaks TLS and breaks off; what counts is that it was asked.
    assert_eq!(web.outbound().json(&url).await, Err(FetchError::Broken));
    assert_eq!(web.connections(), 1);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (web, other) = (web().await, web().await);
    web.answer("/document", WebAnswer::json("[]"));
    let outbound = other.builder(Limits::default()).resolver(web.names().clone()).insecure_allow_loopback();
    let error = outbound.build().unwrap().json(&web.url(HOST, "/document")).await.unwrap_err();
    assert_eq!(error, FetchError::Tls);
    assert_eq!(web.requests("/document").len(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let web = web().await;
    web.names().always("other.example", &[web.address().ip()]);
    let error = web.outbound().json(&web.url("other.example", "/document")).await.unwrap_err();
    assert_eq!(error, FetchError::Tls);
}

#[tokio::test]
async fn a_port_where_nobody_listens_gives_no_connection() {
    let web = web().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let error = web.outbound().json(&format!("https://{HOST}:{closed}/")).await.unwrap_err();
    assert_eq!(error, FetchError::Connect);
}

#[test]
fn a_certificate_that_is_none_is_refused() {
    let clock = std::sync::Arc::new(StandingClock::default());
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(Outbound::builder(clock, Limits::default()).trust(pem).build().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_url_stops_a_fetch(rest in "[a-z0-9@:/?#\\[\\].%\\\\|^{} é-]{0,60}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // The names of this web lead nowhere, so each of these ends at the resolver at the latest.
            let web = FakeWeb::of(&[HOST]).await;
            let outbound = web.builder(Limits { per_address_per_minute: 0, ..Limits::default() }).build().unwrap();
            assert!(outbound.json(&format!("https://{rest}")).await.is_err());
        });
    }
}
