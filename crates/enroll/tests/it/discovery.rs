//! Discovery: where the metadata is, what it says, how long it keeps. RFC 8414, OpenID Connect Discovery 1.0.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Answer, Home, Server};

/// RFC 8414 3.1, OpenID Connect Discovery 1.0 4
#[tokio::test]
async fn metadata_is_at_both_well_known_paths_and_names_the_registration_endpoint() {
    let home = Home::new();
    let server = Server::open(&home);
    let oauth = server.get("/.well-known/oauth-authorization-server").await;
    let openid = server.get("/.well-known/openid-configuration").await;
    assert_eq!((oauth.status, openid.status), (200, 200), "{oauth:?}");
    assert_eq!(oauth.json, openid.json);
    assert_eq!(oauth.header("content-type"), "application/json");
    assert_eq!(oauth.member("issuer"), server.url);
    assert_eq!(oauth.member("registration_endpoint"), format!("{}/connect/dcr", server.url));
    let scopes = oauth.json["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&Value::from("mcp:tools")), "{oauth:?}");
    assert!(!oauth.text.contains("null"), "an absent member is absent: {oauth:?}");
}

/// RFC 9110 13.1.2, RFC 9111 5.2.2
#[tokio::test]
async fn metadata_keeps_for_five_minutes_and_is_not_sent_twice() {
    let home = Home::new();
    let server = Server::open(&home);
    let path = "/.well-known/oauth-authorization-server";
    let first = server.get(path).await;
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    let tag = first.header("etag");
    assert!(!tag.is_empty());
    let again = Answer::to(server.request(Method::GET, path).header("if-none-match", tag)).await;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag));
    let other = Answer::to(server.request(Method::GET, path).header("if-none-match", "\"other\"")).await;
    assert_eq!(other.status, 200);
    let head = Answer::to(server.request(Method::HEAD, path)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), first.text.len().to_string());
}

/// A client of MCP looks in several places, from a browser as well.
#[tokio::test]
async fn scripts_may_read_that_nothing_is_there() {
    let home = Home::new();
    let server = Server::open(&home);
    for path in ["/.well-known/oauth-authorization-server/mcp", "/.well-known/oauth-protected-resource"] {
        let request = server.request(Method::GET, path).header("origin", "https://inspector.example");
        let answer = Answer::to(request).await;
        answer.assert_error(404, "invalid_request");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_at_all_three_forms_and_registers_below_it() {
    let home = Home::new();
    let server = Server::start(&home, "--dev --issuer https://id.example/t");
    for path in [
        "/.well-known/oauth-authorization-server/t",
        "/.well-known/openid-configuration/t",
        "/t/.well-known/openid-configuration",
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.member("issuer")), (200, "https://id.example/t"), "{path}");
        assert_eq!(answer.member("registration_endpoint"), "https://id.example/t/connect/dcr");
    }
    server.get("/.well-known/openid-configuration/other").await.assert_error(404, "invalid_request");
    let metadata = serde_json::json!({ "redirect_uris": ["https://app.example/cb"] });
    for path in ["/t/connect/dcr", "/t/register", "/register"] {
        let answer = Answer::to(server.request(Method::POST, path).json(&metadata)).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        let uri = answer.member("registration_client_uri");
        assert!(uri.starts_with("https://id.example/t/connect/dcr/"), "{uri}");
    }
}
