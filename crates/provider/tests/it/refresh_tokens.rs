//! Refresh tokens: rotation, replay, lost answers, ends. RFC 6749 §6, RFC 9700 §4.14.

use serde_json::{Value, json};

use crate::harness::{Server, claims};

const PUBLIC: &str = "none";

/// A public client with a refresh token that is for when the user is away.
async fn public(server: &Server, over: Value) -> (crate::harness::Client, String) {
    let mut members = json!({ "token_endpoint_auth_method": PUBLIC });
    members.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    let (client, told) = server.tokens(members, "openid offline_access").await;
    (client, told["refresh_token"].as_str().unwrap().to_owned())
}

fn next(told: &Value) -> String {
    told["refresh_token"].as_str().unwrap().to_owned()
}

/// RFC 9700 §4.14.2
#[tokio::test]
async fn a_used_token_that_comes_again_later_ends_all() {
    let server = Server::new().await;
    let (client, first) = public(&server, json!({})).await;
    let told = server.refresh(&client, &first).await.json();
    assert_ne!(next(&told), first);
    server.clock.advance(61);
    server.refresh(&client, &first).await.is_refused(400, "invalid_grant");
    server.refresh(&client, &next(&told)).await.is_refused(400, "invalid_grant");
    server.userinfo(told["access_token"].as_str().unwrap()).await.is_refused(401, "invalid_token");
}

/// An answer that nobody heard is given again, for a minute.
#[tokio::test]
async fn whoever_lost_the_answer_asks_again() {
    let server = Server::new().await;
    let (client, first) = public(&server, json!({})).await;
    let told = server.refresh(&client, &first).await.json();
    server.clock.advance(60);
    let again = server.refresh(&client, &first).await.json();
    assert_eq!(next(&told), next(&again));
    let on = server.refresh(&client, &next(&again)).await;
    assert_eq!(on.status, 200, "{on:?}");
    // The answer was heard: whoever comes with the first one now is somebody else.
    server.refresh(&client, &first).await.is_refused(400, "invalid_grant");
    server.refresh(&client, &next(&on.json())).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn two_at_once_get_the_same() {
    let server = Server::new().await;
    let (client, first) = public(&server, json!({})).await;
    let (one, other) = tokio::join!(server.refresh(&client, &first), server.refresh(&client, &first));
    assert_eq!(next(&one.json()), next(&other.json()));
}

/// RFC 7662 §2.2
#[tokio::test]
async fn a_token_that_has_a_successor_is_told_as_over() {
    let server = Server::new().await;
    let members = json!({ "refresh_token_usage": "OneTimeOnly" });
    let (client, told) = server.tokens(members, "openid offline_access").await;
    let again = server.refresh(&client, &next(&told)).await.json();
    for (token, active) in [(next(&told), false), (next(&again), true)] {
        let seen = server.post_as(&client, "/connect/introspect", &[("token", &token)]).await.json();
        assert_eq!(seen["active"], active, "{seen}");
    }
}

/// RFC 9700 §2.2.2
#[tokio::test]
async fn a_client_that_authenticates_keeps_its_token_unless_it_registered_otherwise() {
    let server = Server::new().await;
    for (members, same) in [
        (json!({}), true),
        (json!({ "refresh_token_usage": "ReUse" }), true),
        (json!({ "refresh_token_usage": "OneTimeOnly" }), false),
    ] {
        let (client, told) = server.tokens(members.clone(), "openid offline_access").await;
        let again = server.refresh(&client, &next(&told)).await.json();
        assert_eq!(next(&told) == next(&again), same, "{members}");
    }
}

/// From the very second on.
#[tokio::test]
async fn an_absolute_end_stays_where_it_is_and_a_sliding_one_moves() {
    for (expiration, seconds) in [("Absolute", [60, 39, 1]), ("Sliding", [29, 29, 30])] {
        let server = Server::new().await;
        let members = json!({
            "refresh_token_expiration": expiration,
            "absolute_refresh_token_lifetime": 100,
            "sliding_refresh_token_lifetime": 30,
        });
        let (client, mut token) = public(&server, members).await;
        let mut answers = Vec::new();
        for pause in seconds {
            server.clock.advance(pause);
            let answer = server.refresh(&client, &token).await;
            answers.push(answer.status.as_u16());
            token = answer.json()["refresh_token"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!(answers, [200, 200, 400], "{expiration}");
    }
}

#[tokio::test]
async fn a_sliding_end_does_not_pass_the_absolute_one_unless_that_is_none() {
    for (absolute, last) in [(50, 400), (0, 200)] {
        let server = Server::new().await;
        let members = json!({
            "refresh_token_expiration": "Sliding",
            "absolute_refresh_token_lifetime": absolute,
            "sliding_refresh_token_lifetime": 30,
            "refresh_token_usage": "ReUse",
            "token_endpoint_auth_method": "client_secret_basic",
        });
        let (client, token) = public(&server, members).await;
        for status in [200, 200, last] {
            server.clock.advance(20);
            assert_eq!(server.refresh(&client, &token).await.status, status, "{absolute}");
        }
    }
}

/// OpenID Connect Core 1.0 §11: what is for when the user is away survives the session.
#[tokio::test]
async fn without_offline_access_a_token_ends_with_the_session() {
    let server = Server::new().await;
    let client = server.register(json!({ "post_logout_redirect_uris": ["https://app.example/bye"] })).await;
    for (scope, survives) in [("openid", false), ("openid offline_access", true)] {
        let mut browser = server.browser();
        let asked = client.asks(&[("scope", scope)]);
        let code = browser.code(&asked).await;
        let told = server.redeem(&client, &asked, &code).await.json();
        assert_eq!(server.refresh(&client, &next(&told)).await.status, 200);
        let hint = told["id_token"].as_str().unwrap();
        browser.get(&format!("/connect/endsession?id_token_hint={hint}")).await;
        let status = server.refresh(&client, &next(&told)).await.status;
        assert_eq!(status == 200, survives, "{scope}");
        let token = told["access_token"].as_str().unwrap();
        assert_eq!(server.userinfo(token).await.status, 200, "it ends by itself");
    }
    let (client, told) =
        server.tokens(json!({ "absolute_refresh_token_lifetime": 1_000_000 }), "openid").await;
    server.clock.advance(36_000);
    server.refresh(&client, &next(&told)).await.is_refused(400, "invalid_grant");
}

/// Bob logs in where Alice was: she is gone from that browser, as if she had logged out.
#[tokio::test]
async fn without_offline_access_a_token_ends_when_somebody_else_logs_in_over_the_session() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    for (scope, user, survives) in
        [("openid", "bob", false), ("openid", "alice", true), ("openid offline_access", "bob", true)]
    {
        let mut browser = server.browser();
        let asked = client.asks(&[("scope", scope)]);
        let code = browser.code(&asked).await;
        let told = server.redeem(&client, &asked, &code).await.json();
        let waiting = client.asks(&[("scope", scope)]);
        let not_fetched = browser.code(&waiting).await;
        let page = browser.goes(&client.asks(&[("prompt", "login")])).await;
        assert!(page.asks_for_password(), "{page:?}");
        browser.logs_in(page, user).await;
        let status = server.refresh(&client, &next(&told)).await.status;
        assert_eq!(status == 200, survives, "{user} over {scope}");
        let status = server.redeem(&client, &waiting, &not_fetched).await.status;
        assert_eq!(status == 200, survives, "{user} over {scope}, a code");
    }
}

/// RFC 6749 §6
#[tokio::test]
async fn a_part_of_the_scope_can_be_had_and_no_more() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid api1 api2 offline_access").await;
    let token = next(&told);
    let refresh = async |over: &[(&str, &str)]| {
        let fields = [&[("grant_type", "refresh_token"), ("refresh_token", token.as_str())], over].concat();
        server.post_as(&client, "/connect/token", &fields).await
    };
    let part = refresh(&[("scope", "api1")]).await.json();
    let says = claims(part["access_token"].as_str().unwrap());
    assert_eq!((&part["scope"], &says["aud"]), (&"api1".into(), &"https://api.example/1".into()));
    let part = refresh(&[("resource", "https://api.example/2")]).await.json();
    let says = claims(part["access_token"].as_str().unwrap());
    assert_eq!(
        (&says["scope"], &says["aud"]),
        (&"openid api2 offline_access".into(), &"https://api.example/2".into())
    );
    refresh(&[("scope", "api1 email")]).await.is_refused(400, "invalid_scope");
    refresh(&[("resource", "https://api.example/3")]).await.is_refused(400, "invalid_target");
    assert_eq!(
        refresh(&[]).await.json()["scope"],
        "openid api1 api2 offline_access",
        "the rest is still there"
    );
}

/// RFC 7592 §2.2: what is no longer registered no longer works.
#[tokio::test]
async fn a_grant_or_a_scope_that_is_registered_no_more_is_given_no_more() {
    let server = Server::new().await;
    let (mut client, told) = server.tokens(json!({}), "openid api1 offline_access").await;
    server.update(&mut client, json!({ "scope": "openid offline_access" })).await;
    let again = server.refresh(&client, &next(&told)).await.json();
    assert_eq!(again["scope"], "openid offline_access");
    server.update(&mut client, json!({ "grant_types": ["authorization_code"] })).await;
    server.refresh(&client, &next(&told)).await.is_refused(400, "unauthorized_client");
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    let told = server.redeem(&client, &asked, &code).await.json();
    assert!(told.get("refresh_token").is_none(), "{told}");
}

#[tokio::test]
async fn nothing_is_given_for_somebody_who_is_not_here_any_more_nor_to_a_client_that_is_not() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid offline_access").await;
    let token = told["access_token"].as_str().unwrap();
    server.users.set_enabled("alice", false).await.unwrap();
    server.refresh(&client, &next(&told)).await.is_refused(400, "invalid_grant");
    server.userinfo(token).await.is_refused(401, "invalid_token");
    server.users.set_enabled("alice", true).await.unwrap();
    let (client, told) = server.tokens(json!({}), "openid offline_access").await;
    let token = told["access_token"].as_str().unwrap();
    assert_eq!(server.userinfo(token).await.status, 200);
    server.delete(&client).await;
    server.refresh(&client, &next(&told)).await.is_refused(401, "invalid_client");
    server.userinfo(token).await.is_refused(401, "invalid_token");
}

/// RFC 7009 §2.1
#[tokio::test]
async fn a_refresh_token_that_is_given_back_takes_its_access_tokens_along() {
    let server = Server::new().await;
    for kind in ["Jwt", "Reference"] {
        let (client, told) =
            server.tokens(json!({ "access_token_type": kind }), "openid offline_access").await;
        let token = told["access_token"].as_str().unwrap();
        assert_eq!(server.userinfo(token).await.status, 200);
        let stranger = server.register(json!({})).await;
        let fields = [("token", told["refresh_token"].as_str().unwrap())];
        let refused = server.post_as(&stranger, "/connect/revocation", &fields).await;
        refused.is_refused(400, "invalid_request");
        assert_eq!(server.userinfo(token).await.status, 200, "it is not the stranger's");
        assert_eq!(server.post_as(&client, "/connect/revocation", &fields).await.status, 200);
        server.userinfo(token).await.is_refused(401, "invalid_token");
        server.refresh(&client, &next(&told)).await.is_refused(400, "invalid_grant");
    }
}

/// RFC 7009 §2.2: an access token alone, the signed one included.
#[tokio::test]
async fn an_access_token_that_is_given_back_is_over_and_the_rest_is_not() {
    let server = Server::new().await;
    for kind in ["Jwt", "Reference"] {
        let (client, told) =
            server.tokens(json!({ "access_token_type": kind }), "openid offline_access").await;
        let token = told["access_token"].as_str().unwrap();
        let seen = server.post_as(&client, "/connect/introspect", &[("token", token)]).await.json();
        assert_eq!(seen["active"], true, "{kind}: {seen}");
        let stranger = server.register(json!({})).await;
        let refused = server.post_as(&stranger, "/connect/revocation", &[("token", token)]).await;
        refused.is_refused(400, "invalid_request");
        for _ in 0..2 {
            let answer = server.post_as(&client, "/connect/revocation", &[("token", token)]).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        }
        let seen = server.post_as(&client, "/connect/introspect", &[("token", token)]).await;
        assert_eq!(seen.json(), json!({ "active": false }), "{kind}");
        server.userinfo(token).await.is_refused(401, "invalid_token");
        assert_eq!(server.refresh(&client, &next(&told)).await.status, 200, "{kind}");
    }
}
