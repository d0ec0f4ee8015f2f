//! OpenID Connect Dynamic Client Registration 1.0, by the names of the certification modules.

use enroll_testkit::TestApp;
use serde_json::{Value, json};

async fn refused(metadata: Value) -> Value {
    let answer = TestApp::open().anonymous().register(metadata).await;
    assert_eq!(answer.status, 400);
    answer.json()["error"].clone()
}

/// `oidcc-redirect-uri-regfrag`
#[tokio::test]
async fn a_redirect_uri_with_a_fragment_is_refused() {
    assert_eq!(
        refused(json!({ "redirect_uris": ["https://app.example/cb#x"] })).await,
        "invalid_redirect_uri"
    );
}

/// `oidcc-3rd_party-init-login`
#[tokio::test]
async fn initiate_login_uri_is_returned_at_once_and_when_read() {
    let app = TestApp::open();
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"], "initiate_login_uri": "https://app.example/login" });
    let registered = app.anonymous().register(metadata).await.json();
    assert_eq!(registered["initiate_login_uri"], "https://app.example/login");
    let owner = app.bearer(registered["registration_access_token"].as_str().unwrap());
    let read = owner.read(registered["registration_client_uri"].as_str().unwrap()).await.json();
    assert_eq!(read["initiate_login_uri"], "https://app.example/login");
}

/// `oidcc-3rd_party-init-login-nohttps`
#[tokio::test]
async fn initiate_login_uri_over_http_is_refused() {
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"], "initiate_login_uri": "http://app.example/login" });
    assert_eq!(refused(metadata).await, "invalid_client_metadata");
}

/// OpenID Connect Dynamic Client Registration 1.0 §2: `application_type`
#[tokio::test]
async fn a_web_client_may_not_use_a_private_use_scheme() {
    let metadata = json!({ "redirect_uris": ["com.example.app:/cb"], "application_type": "web" });
    assert_eq!(refused(metadata).await, "invalid_redirect_uri");
}
