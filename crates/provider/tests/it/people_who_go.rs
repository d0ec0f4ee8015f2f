//! Somebody is disabled, or gets another password: what was given in their name works no more. RFC 6749 §1.5, RFC 7662 §2.2.

use enroll_provider::Password;
use serde_json::{Value, json};

use crate::harness::{Client, Server};

async fn is_active(server: &Server, client: &Client, token: &str) -> bool {
    server.post_as(client, "/connect/introspect", &[("token", token)]).await.json()["active"] == true
}

async fn are_over(server: &Server, client: &Client, told: &Value) {
    for token in ["access_token", "refresh_token"] {
        assert!(!is_active(server, client, told[token].as_str().unwrap()).await, "{token}");
    }
    let refresh = told["refresh_token"].as_str().unwrap();
    server.refresh(client, refresh).await.is_refused(400, "invalid_grant");
    server.userinfo(told["access_token"].as_str().unwrap()).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn the_tokens_of_somebody_who_is_disabled_are_over_and_stay_so() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid offline_access").await;
    let waiting = client.asks(&[]);
    let not_fetched = server.browser().code(&waiting).await;
    assert!(is_active(&server, &client, told["access_token"].as_str().unwrap()).await);
    server.users.set_enabled("alice", false).await.unwrap();
    are_over(&server, &client, &told).await;
    server.users.set_enabled("alice", true).await.unwrap();
    are_over(&server, &client, &told).await;
    server.redeem(&client, &waiting, &not_fetched).await.is_refused(400, "invalid_grant");
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    assert_eq!(server.redeem(&client, &asked, &code).await.status, 200, "she may begin anew");
}

/// Who knew the old password has got tokens by it, maybe.
#[tokio::test]
async fn the_tokens_that_an_old_password_began_are_over() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid offline_access").await;
    server.users.set_password("alice", Password::presented("another".to_owned())).await.unwrap();
    are_over(&server, &client, &told).await;
}
