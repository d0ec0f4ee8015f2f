//! `enable_local_login`: whether a password typed here lets anybody in, and what it is told where many try.

use std::net::IpAddr;

use enroll_provider::{LogIn, LogInError, Password, User};
use serde_json::json;
use tokio::task::{JoinSet, yield_now};

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

/// People from everywhere log in, until one finds the line full.
async fn crowd(server: &Server) -> JoinSet<Result<User, LogInError>> {
    let mut crowd = JoinSet::new();
    for number in 0_u32.. {
        let users = server.users.clone();
        crowd.spawn(async move {
            let password = Password::presented("wrong".to_owned());
            let source = IpAddr::from((0xc612_0000 + number).to_be_bytes());
            users.log_in(LogIn { username: &number.to_string(), password, source, device: None }).await
        });
        yield_now().await;
        if let Some(Ok(Err(LogInError::Busy(_)))) = crowd.try_join_next() {
            break;
        }
    }
    crowd
}

/// RFC 9110 §15.6.4: it is not what alice did.
#[tokio::test]
async fn a_right_password_in_a_crowd_is_told_of_the_crowd_and_of_no_tries() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    let page = browser.goes(&client.asks(&[])).await;
    let crowd = crowd(&server).await;
    let page = browser.logs_in(page, "alice").await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "2"), "{page:?}");
    assert!(page.body.contains("Many people are signing in just now."), "{page:?}");
    assert!(!page.body.contains("too many tries"), "{page:?}");
    crowd.join_all().await;
    let page = browser.logs_in(page, "alice").await;
    assert!(page.asks_for_consent(), "{page:?}");
}
