//! Health, readiness and metrics.

use serde_json::json;

use crate::harness::{Home, Server};

#[tokio::test]
async fn a_running_server_is_healthy_and_ready() {
    let home = Home::new();
    let server = Server::open(&home);
    for path in ["/healthz", "/readyz"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.member("status")), (200, "ok"), "{path}: {answer:?}");
    }
}

/// The engine goes on with a file that was removed; nobody would find again what it writes there.
#[tokio::test]
async fn a_server_whose_database_was_removed_is_not_ready() {
    let home = Home::new();
    let server = Server::open(&home);
    std::fs::remove_file(home.path().join("enroll-data/configuration.db")).unwrap();
    let answer = server.get("/readyz").await;
    assert_eq!((answer.status, answer.member("error")), (503, "temporarily_unavailable"), "{answer:?}");
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_never_by_what_was_sent() {
    let home = Home::new();
    let server = Server::open(&home);
    server.register(&json!({ "redirect_uris": ["https://app.example/cb"] }), None).await;
    server.register(&json!({ "redirect_uris": ["nonsense"] }), None).await;
    server.get("/connect/dcr/somebody-in-particular").await;
    server.get("/nowhere-in-particular").await;
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").starts_with("text/plain"), "{metrics:?}");
    for line in [
        "enroll_registrations_total{status=\"201\"} 1",
        "enroll_registrations_total{status=\"400\"} 1",
        "enroll_http_request_duration_seconds_bucket{",
        "route=\"/connect/dcr/{client_id}\"",
        "route=\"none\"",
    ] {
        assert!(metrics.text.contains(line), "{line} is not in\n{}", metrics.text);
    }
    assert!(!metrics.text.contains("in-particular"), "{}", metrics.text);
}
