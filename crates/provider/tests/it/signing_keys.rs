//! Tokens that outlive the key that signed them. OpenID Connect Core 1.0 §10.1.1.

use enroll_jose::SigningAlgorithm;
use serde_json::json;

use crate::harness::{Client, Server, head};

const DAY: u64 = 24 * 60 * 60;

/// Whether the token is good, as its client is told. RFC 7662 §2.2.
async fn is_active(server: &Server, client: &Client, token: &str) -> bool {
    let answer = server.post_as(client, "/connect/introspect", &[("token", token)]).await;
    answer.json()["active"] == true
}

/// A key signs for 90 days and is kept for 30 more; a token of the last days may be meant to live longer.
#[tokio::test]
async fn a_token_of_400_days_is_good_until_it_ends() {
    let server = Server::new().await;
    let lifetime = 400 * DAY;
    let metadata = json!({
        "grant_types": ["client_credentials"], "redirect_uris": null, "access_token_lifetime": lifetime,
    });
    let client = server.register(metadata).await;
    let answer =
        server.post_as(&client, "/connect/token", &[("grant_type", "client_credentials")]).await.json();
    assert_eq!(answer["expires_in"], lifetime, "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let kid = head(token)["kid"].as_str().unwrap().to_owned();
    for days in [91, 60, 248] {
        server.clock.advance(days * DAY);
        server.keys.refresh().await.unwrap();
        assert!(is_active(&server, &client, token).await, "{days}");
    }
    server.clock.advance(DAY - 1);
    server.keys.refresh().await.unwrap();
    assert!(server.kids().await.contains(&kid) && is_active(&server, &client, token).await);
    server.clock.advance(1);
    assert!(!is_active(&server, &client, token).await);
    server.clock.advance(DAY);
    server.keys.refresh().await.unwrap();
    assert!(!server.kids().await.contains(&kid), "a day later at the most it is gone");
}

/// RSA keys are made after the server is there; who is quicker than that gets a promise as good.
#[tokio::test]
async fn an_id_token_of_100_days_is_known_again_until_then() {
    let server = Server::new().await;
    let (_, told) = server.tokens(json!({ "identity_token_lifetime": 100 * DAY }), "openid").await;
    let kid = head(told["id_token"].as_str().unwrap())["kid"].as_str().unwrap().to_owned();
    server.keys.rotate().await.unwrap();
    for (days, is_there) in [(99, true), (2, false)] {
        server.clock.advance(days * DAY);
        server.keys.refresh().await.unwrap();
        assert_eq!(server.kids().await.contains(&kid), is_there, "{days}");
    }
}

/// Relying parties keep what they are shown, so a new server shows no part of its keys.
#[tokio::test]
async fn whoever_asks_a_new_server_for_its_keys_is_shown_all_of_them() {
    let server = Server::new().await;
    let (one, other) = tokio::join!(server.kids(), server.kids());
    assert_eq!(one.len(), SigningAlgorithm::ALL.len());
    assert_eq!(one, other);
}
