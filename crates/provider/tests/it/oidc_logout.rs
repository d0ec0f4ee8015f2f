//! The checks of the OpenID plan for logout by the client, each under the name of its module. OpenID Connect RP-Initiated
//! Logout 1.0.

use serde_json::json;

use crate::harness::{Answer, Browser, Client, Server, modified};

const BACK: &str = "https://app.example/bye";

/// Somebody who is logged in, at a client, with the ID token.
async fn logged_in(server: &Server) -> (Client, Browser<'_>, String) {
    let client = server
        .register(json!({ "require_consent": false, "post_logout_redirect_uris": [BACK, "https://app.example/bye?a=b"] }))
        .await;
    let mut browser = server.browser();
    let asked = client.asks(&[]);
    let code = browser.code(&asked).await;
    let told = server.redeem(&client, &asked, &code).await.json();
    (client, browser, told["id_token"].as_str().unwrap().to_owned())
}

async fn log_out(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields);
    browser.get(&format!("/connect/endsession?{}", query.finish())).await
}

async fn is_logged_in(browser: &mut Browser<'_>, client: &Client) -> bool {
    browser.goes(&client.asks(&[("prompt", "none")])).await.told("error").is_none()
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let server = Server::new().await;
    let (client, mut browser, hint) = logged_in(&server).await;
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK), ("state", "a state")];
    let answer = log_out(&mut browser, &fields).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "https://app.example/bye?state=a+state"));
    assert!(!is_logged_in(&mut browser, &client).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let server = Server::new().await;
    let (_, mut browser, hint) = logged_in(&server).await;
    let answer = log_out(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BACK)]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, BACK));
}

/// Whoever has the ID token may say so by POST, from elsewhere, too.
#[tokio::test]
async fn logout_by_post_goes_by_way_of_a_get_for_the_cookies() {
    let server = Server::new().await;
    let (client, mut browser, hint) = logged_in(&server).await;
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BACK)];
    let elsewhere = server.browser().post("/connect/endsession", &fields).await;
    assert!(elsewhere.location().contains("/connect/endsession?id_token_hint="), "{elsewhere:?}");
    let answer = browser.goes_on(elsewhere).await;
    assert_eq!(answer.location(), BACK);
    assert!(!is_logged_in(&mut browser, &client).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri_and_only_state() {
    for state in [&[][..], &[("state", "a")]] {
        let server = Server::new().await;
        let (client, mut browser, hint) = logged_in(&server).await;
        let fields = [&[("id_token_hint", hint.as_str())], state].concat();
        let answer = log_out(&mut browser, &fields).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (200, ""));
        assert!(answer.body.contains("<h1>You are signed out</h1>"), "{answer:?}");
        assert!(!is_logged_in(&mut browser, &client).await);
    }
}

/// Without a hint somebody is asked; what they answer is done, and nobody is sent anywhere by itself.
#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params_and_no_id_token_hint() {
    for (with_uri, link) in [(false, false), (true, true)] {
        let server = Server::new().await;
        let (client, mut browser, _) = logged_in(&server).await;
        let fields = [("client_id", client.id()), ("post_logout_redirect_uri", BACK)];
        let page = log_out(&mut browser, if with_uri { &fields } else { &[] }).await;
        assert!(page.body.contains("name=\"decision\" value=\"sign_out\""), "{page:?}");
        assert!(is_logged_in(&mut browser, &client).await, "not before the answer");
        let stays = browser.fills_in(&page, &[("decision", "stay")]).await;
        assert!(is_logged_in(&mut browser, &client).await, "{stays:?}");
        assert!(stays.body.contains("<h1>You are still signed in</h1>"), "{stays:?}");
        assert!(!stays.body.contains("<form"), "nothing is asked again: {stays:?}");
        assert_eq!(stays.body.contains(&format!("href=\"{BACK}\"")), link, "{stays:?}");
        let answer = browser.fills_in(&page, &[("decision", "sign_out")]).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (200, ""));
        assert_eq!(answer.body.contains(&format!("href=\"{BACK}\"")), link, "{answer:?}");
        assert!(!is_logged_in(&mut browser, &client).await);
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_and_modified_id_token_hint() {
    let server = Server::new().await;
    let (client, mut browser, hint) = logged_in(&server).await;
    let modified = modified(&hint);
    for bad in ["", "bad", "a.b.c", &modified] {
        let answer =
            log_out(&mut browser, &[("id_token_hint", bad), ("post_logout_redirect_uri", BACK)]).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (200, ""), "{bad}: {answer:?}");
        assert!(is_logged_in(&mut browser, &client).await, "{bad}");
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri_and_query_added() {
    let server = Server::new().await;
    let (client, mut browser, hint) = logged_in(&server).await;
    for bad in [
        "https://evil.example/",
        "https://app.example/bye?added=1",
        "https://app.example/bye/",
        "//evil.example",
    ] {
        let answer =
            log_out(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", bad)]).await;
        answer.is_error_page("invalid_request");
        assert!(is_logged_in(&mut browser, &client).await, "{bad}");
    }
    let fields = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", "https://app.example/bye?a=b"),
        ("state", "c"),
    ];
    let answer = log_out(&mut browser, &fields).await;
    assert_eq!(answer.location(), "https://app.example/bye?a=b&state=c", "a query that is registered stays");
}

/// §2: the hint of somebody else, and of another client.
#[tokio::test]
async fn a_hint_of_another_session_asks_and_of_another_client_is_refused() {
    let server = Server::new().await;
    let (client, mut browser, _) = logged_in(&server).await;
    let asked = client.asks(&[]);
    let answer = server.browser().authorizes(&asked, "bob").await;
    let told = server.redeem(&client, &asked, &answer.told("code").unwrap()).await.json();
    let hint = told["id_token"].as_str().unwrap();
    let page = log_out(&mut browser, &[("id_token_hint", hint)]).await;
    assert!(page.body.contains("name=\"decision\" value=\"sign_out\""), "{page:?}");
    assert!(is_logged_in(&mut browser, &client).await);
    let other = server.register(json!({})).await;
    let answer = log_out(&mut browser, &[("id_token_hint", hint), ("client_id", other.id())]).await;
    answer.is_error_page("invalid_request");
}

/// Sectors know a session by another name, and that is whose it is. OpenID Connect RP-Initiated Logout 1.0 §2.
#[tokio::test]
async fn the_hint_of_a_pairwise_client_is_of_this_session() {
    let server = Server::new().await;
    let client = server.register(json!({ "subject_type": "pairwise", "require_consent": false })).await;
    let mut browser = server.browser();
    let asked = client.asks(&[]);
    let code = browser.code(&asked).await;
    let told = server.redeem(&client, &asked, &code).await.json();
    let answer = log_out(&mut browser, &[("id_token_hint", told["id_token"].as_str().unwrap())]).await;
    assert!(answer.body.contains("<h1>You are signed out</h1>"), "{answer:?}");
    assert!(!is_logged_in(&mut browser, &client).await);
}

/// What nobody fetched before the log-out is not fetched after it, unless it is for when the user is away.
#[tokio::test]
async fn a_code_that_is_not_paid_out_ends_with_the_session() {
    for (scope, status) in [("openid", 400), ("openid offline_access", 200)] {
        let server = Server::new().await;
        let (client, mut browser, hint) = logged_in(&server).await;
        let asked = client.asks(&[("scope", scope)]);
        let code = browser.code(&asked).await;
        log_out(&mut browser, &[("id_token_hint", &hint)]).await;
        assert_eq!(server.redeem(&client, &asked, &code).await.status, status, "{scope}");
    }
}

/// RFC 8725 §3.11: a signed answer of the `UserInfo` endpoint looks like one.
#[tokio::test]
async fn what_is_no_id_token_is_no_hint() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({ "userinfo_signed_response_alg": "RS256" }), "openid").await;
    let signed = server.userinfo(told["access_token"].as_str().unwrap()).await.body;
    server.browser().goes(&client.asks(&[("id_token_hint", &signed)])).await.is_told("invalid_request");
}
