//! What holds for every request: errors in JSON, identifiers, cross-origin calls.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, Home, Server};

#[tokio::test]
async fn every_error_is_json_and_never_a_5xx() {
    let home = Home::new();
    let server = Server::open(&home);
    let post = || server.request(Method::POST, "/connect/dcr").header("content-type", "application/json");
    let large = format!("{{\"client_name\": \"{}\"}}", "a".repeat(64 * 1024));
    for (request, status, error) in [
        (server.request(Method::GET, "/nowhere"), 404, "invalid_request"),
        (server.request(Method::GET, "/.well-known/unknown"), 404, "invalid_request"),
        (server.request(Method::GET, "/connect/dcr/a/b"), 404, "invalid_request"),
        (server.request(Method::GET, "/connect/dcr"), 405, "invalid_request"),
        (server.request(Method::PATCH, "/connect/dcr/a"), 405, "invalid_request"),
        (server.request(Method::POST, "/healthz"), 405, "invalid_request"),
        (server.request(Method::POST, "/.well-known/openid-configuration"), 405, "invalid_request"),
        (server.request(Method::GET, "/connect/dcr/%FF").bearer_auth("enr_rat_x"), 401, "invalid_token"),
        (post().body(large), 413, "invalid_request"),
        (server.request(Method::POST, "/connect/dcr").body("{}"), 415, "invalid_request"),
        (post().body(""), 400, "invalid_client_metadata"),
        (post().body("{\"scope\":\"a\",\"sc\\u006fpe\":\"b\"}"), 400, "invalid_client_metadata"),
        (post().body(&b"{\"client_name\":\"\xff\"}"[..]), 400, "invalid_client_metadata"),
        (post().body("[]"), 400, "invalid_client_metadata"),
    ] {
        let answer = Answer::to(request).await;
        answer.assert_error(status, error);
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{answer:?}");
    }
}

#[tokio::test]
async fn a_refusal_names_the_member_the_index_and_the_remedy() {
    let home = Home::new();
    let server = Server::open(&home);
    let request = json!({ "redirect_uris": ["https://app.example/cb", "http://app.example/cb"] });
    let answer = server.register(&request, None).await;
    answer.assert_error(400, "invalid_redirect_uri");
    let description = answer.member("error_description");
    assert!(description.starts_with("redirect_uris[1]: ") && description.contains("https"), "{description}");
}

#[tokio::test]
async fn a_request_keeps_its_plain_identifier_and_gets_one_otherwise() {
    let home = Home::new();
    let server = Server::open(&home);
    let with = |id: &str| Answer::to(server.request(Method::GET, "/healthz").header("x-request-id", id));
    assert_eq!(with("ci-run.42_a").await.header("x-request-id"), "ci-run.42_a");
    assert_eq!(with("not a word").await.header("x-request-id").len(), 36);
    assert_eq!(server.get("/healthz").await.header("x-request-id").len(), 36);
}

/// Fetch standard 3.2; what the MCP SDKs send from a browser.
#[tokio::test]
async fn scripts_of_any_origin_may_register_read_and_discover() {
    let home = Home::new();
    let server = Server::open(&home);
    for (path, method) in [
        ("/connect/dcr", "POST"),
        ("/register", "POST"),
        ("/connect/dcr/some-client", "GET"),
        ("/.well-known/oauth-authorization-server", "GET"),
    ] {
        let preflight = server
            .request(Method::OPTIONS, path)
            .header("origin", "https://inspector.example")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "authorization,content-type,mcp-protocol-version");
        let answer = Answer::to(preflight).await;
        assert!(StatusCode::from_u16(answer.status).unwrap().is_success(), "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("access-control-allow-methods").contains(method), "{path}: {answer:?}");
        for header in ["authorization", "content-type", "dpop", "mcp-protocol-version"] {
            assert!(answer.header("access-control-allow-headers").contains(header), "{path}: {answer:?}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{path}");
    }
    let request = server.request(Method::POST, "/connect/dcr").header("origin", "https://inspector.example");
    let answer = Answer::to(request.json(&json!({ "redirect_uris": ["javascript:x"] }))).await;
    answer.assert_error(400, "invalid_redirect_uri");
    assert_eq!(answer.header("access-control-allow-origin"), "*", "an error is read by scripts as well");
    for header in ["www-authenticate", "retry-after", "location", "dpop-nonce"] {
        assert!(answer.header("access-control-expose-headers").contains(header), "{answer:?}");
    }
}
