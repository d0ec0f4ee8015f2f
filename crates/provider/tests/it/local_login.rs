//! `enable_local_login`: whether a password typed here lets anybody in.

use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn whoever_is_logged_in_for_another_client_is_not_for_one_that_takes_no_password() {
    let server = Server::new().await;
    let (usual, other) =
        (server.register(json!({})).await, server.register(json!({ "enable_local_login": false })).await);
    let mut browser = server.browser();
    browser.code(&usual.asks(&[])).await;
    let page = browser.goes(&other.asks(&[])).await;
    assert_eq!(page.location(), "");
    assert!(!page.asks_for_password() && !page.asks_for_consent(), "{page:?}");
    browser.goes(&other.asks(&[("prompt", "none")])).await.is_told("login_required");
}
