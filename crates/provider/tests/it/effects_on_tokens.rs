//! What each member of client metadata changes in tokens, and who may fetch them. See `effects.rs`.

use enroll_testkit::FakeWeb;
use enroll_testkit::WebAnswer;
use http::header;
use serde_json::{Value, json};

use crate::harness::{CALLBACK, Server, claims, form, head};

async fn id_token(server: &Server, members: Value) -> Value {
    let (_, told) = server.tokens(members, "openid").await;
    claims(told["id_token"].as_str().unwrap())
}

/// `access_token_lifetime`, `identity_token_lifetime`
#[tokio::test]
async fn tokens_live_as_long_as_registered() {
    let server = Server::new().await;
    for (members, access, identity) in [
        (json!({}), 3600, 300),
        (json!({ "access_token_lifetime": 60, "identity_token_lifetime": 30 }), 60, 30),
    ] {
        let (_, told) = server.tokens(members, "openid").await;
        assert_eq!(told["expires_in"], access);
        let says = claims(told["id_token"].as_str().unwrap());
        assert_eq!(says["exp"].as_u64().unwrap() - says["iat"].as_u64().unwrap(), identity);
    }
}

/// `access_token_type`: RFC 9068, RFC 7662.
#[tokio::test]
async fn an_access_token_says_something_or_nothing() {
    let server = Server::new().await;
    for (members, signed) in [(json!({}), true), (json!({ "access_token_type": "Reference" }), false)] {
        let (_, told) = server.tokens(members, "openid").await;
        let token = told["access_token"].as_str().unwrap();
        assert_eq!(token.starts_with("eyJ"), signed);
        assert_eq!(token.starts_with("enr_rt_"), !signed);
    }
}

/// `allowed_identity_token_signing_algorithms`
#[tokio::test]
async fn an_id_token_is_signed_with_what_its_client_reads() {
    let server = Server::new().await;
    for (members, algorithm) in
        [(json!({}), "RS256"), (json!({ "allowed_identity_token_signing_algorithms": ["ES256"] }), "ES256")]
    {
        let (_, told) = server.tokens(members, "openid").await;
        assert_eq!(head(told["id_token"].as_str().unwrap())["alg"], algorithm);
    }
}

/// `require_auth_time`, `default_max_age`: OpenID Connect Registration §2.
#[tokio::test]
async fn an_id_token_tells_when_somebody_logged_in_where_that_is_registered() {
    let server = Server::new().await;
    for (members, tells) in [
        (json!({}), false),
        (json!({ "require_auth_time": true }), true),
        (json!({ "default_max_age": 1000 }), true),
    ] {
        let says = id_token(&server, members.clone()).await;
        assert_eq!(says.get("auth_time").is_some(), tells, "{members}");
    }
}

/// `default_max_age`
#[tokio::test]
async fn a_login_is_as_new_as_the_client_registered() {
    for (members, asks) in [(json!({}), false), (json!({ "default_max_age": 60 }), true)] {
        let server = Server::new().await;
        let client = server.register(members).await;
        let mut browser = server.browser();
        browser.code(&client.asks(&[])).await;
        server.clock.advance(60);
        assert!(!browser.goes(&client.asks(&[])).await.asks_for_password());
        server.clock.advance(1);
        assert_eq!(browser.goes(&client.asks(&[])).await.asks_for_password(), asks);
    }
}

/// `default_acr_values`
#[tokio::test]
async fn an_id_token_tells_how_somebody_logged_in_where_that_is_registered() {
    let server = Server::new().await;
    let context = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
    assert!(id_token(&server, json!({})).await.get("acr").is_none());
    assert_eq!(id_token(&server, json!({ "default_acr_values": [context] })).await["acr"], context);
}

/// `subject_type`, `sector_identifier_uri`: OpenID Connect Core 1.0 §8.1.
#[tokio::test]
async fn a_sector_of_several_hosts_is_one() {
    let web = FakeWeb::of(&["sector.example"]).await;
    let server = Server::connected(&web).await;
    web.answer("/uris", WebAnswer::json(format!(r#"["{CALLBACK}"]"#)));
    let public = id_token(&server, json!({})).await["sub"].clone();
    let of_host = id_token(&server, json!({ "subject_type": "pairwise" })).await["sub"].clone();
    let sector = web.url("sector.example", "/uris");
    let members = json!({ "subject_type": "pairwise", "sector_identifier_uri": sector });
    let of_sector = id_token(&server, members.clone()).await["sub"].clone();
    assert!(public != of_host && of_host != of_sector && public != of_sector);
    assert_eq!(of_sector, id_token(&server, members).await["sub"]);
}

/// `update_access_token_claims_on_refresh`
#[tokio::test]
async fn a_refreshed_token_tells_of_the_user_as_then_or_as_now() {
    for (members, email) in [
        (json!({}), "alice@example.com"),
        (json!({ "update_access_token_claims_on_refresh": true }), "new@example.com"),
    ] {
        let server = Server::new().await;
        let (client, told) = server.tokens(members, "openid api1 offline_access").await;
        let token = |told: &Value| claims(told["access_token"].as_str().unwrap());
        assert_eq!(token(&told)["email"], "alice@example.com");
        server.change_claim("alice", "email", json!("new@example.com")).await;
        let again = server.refresh(&client, told["refresh_token"].as_str().unwrap()).await.json();
        assert_eq!(token(&again)["email"], email);
    }
}

/// `coordinate_lifetime_with_user_session`
#[tokio::test]
async fn all_tokens_of_a_client_end_with_the_session_where_that_is_registered() {
    for (members, survive) in
        [(json!({}), true), (json!({ "coordinate_lifetime_with_user_session": true }), false)]
    {
        let server = Server::new().await;
        let client = server.register(members.clone()).await;
        let mut browser = server.browser();
        let asked = client.asks(&[("scope", "openid offline_access")]);
        let code = browser.code(&asked).await;
        let told = server.redeem(&client, &asked, &code).await.json();
        let hint = told["id_token"].as_str().unwrap();
        browser.get(&format!("/connect/endsession?id_token_hint={hint}")).await;
        assert_eq!(server.userinfo(told["access_token"].as_str().unwrap()).await.status == 200, survive);
        let refreshed = server.refresh(&client, told["refresh_token"].as_str().unwrap()).await;
        assert_eq!(refreshed.status == 200, survive, "{members}");
    }
}

/// `introspection_signed_response_alg`: RFC 9701 §6.
#[tokio::test]
async fn a_signed_introspection_is_signed_as_registered() {
    let server = Server::new().await;
    for (members, algorithm) in
        [(json!({}), "RS256"), (json!({ "introspection_signed_response_alg": "ES256" }), "ES256")]
    {
        let (client, told) = server.tokens(members, "openid").await;
        let token = told["access_token"].as_str().unwrap();
        let answer = server.introspect(&client, token, "application/token-introspection+jwt").await;
        assert_eq!(answer.header("content-type"), "application/token-introspection+jwt");
        let header = head(&answer.body);
        assert_eq!((&header["alg"], &header["typ"]), (&algorithm.into(), &"token-introspection+jwt".into()));
        let says = claims(&answer.body);
        assert_eq!(
            (&says["aud"], &says["token_introspection"]["active"]),
            (&client.id().into(), &true.into())
        );
    }
}

/// `allowed_cors_origins`: Fetch Standard.
#[tokio::test]
async fn scripts_of_other_origins_do_not_speak_for_a_client_that_named_its_own() {
    let server = Server::new().await;
    let any = server.register(json!({ "token_endpoint_auth_method": "none" })).await;
    let own =
        json!({ "token_endpoint_auth_method": "none", "allowed_cors_origins": ["https://app.example"] });
    let own = server.register(own).await;
    for (client, origin, error) in [
        (&any, Some("https://evil.example"), "invalid_grant"),
        (&own, Some("https://app.example"), "invalid_grant"),
        (&own, None, "invalid_grant"),
        (&own, Some("https://evil.example"), "unauthorized_client"),
        (&own, Some("null"), "unauthorized_client"),
    ] {
        let mut request = form(
            "/connect/token",
            &[("grant_type", "authorization_code"), ("code", "x"), ("client_id", client.id())],
        );
        if let Some(origin) = origin {
            request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        }
        server.send(request).await.is_refused(400, error);
    }
}

/// What a client made a condition of, and this server cannot do yet, is refused rather than passed over. RFC 9126 §6, RFC 9101
/// §10.5, RFC 9449 §5.2, RFC 8705 §3.4 and §2.
#[tokio::test]
async fn a_condition_that_cannot_be_met_is_not_passed_over() {
    let server = Server::new().await;
    let jwks = enroll_testkit::ClientKey::new("k").jwks();
    for members in [
        json!({ "require_pushed_authorization_requests": true }),
        json!({ "require_signed_request_object": true, "jwks": jwks.clone() }),
    ] {
        let client = server.register(members).await;
        server.browser().goes(&client.asks(&[])).await.is_told("invalid_request");
    }
    for members in [
        json!({ "dpop_bound_access_tokens": true }),
        json!({ "tls_client_certificate_bound_access_tokens": true }),
    ] {
        let client = server.register(members).await;
        let asked = client.asks(&[]);
        let code = server.browser().code(&asked).await;
        server.redeem(&client, &asked, &code).await.is_refused(400, "invalid_request");
    }
    let certificate =
        json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example" });
    let client = server.register(certificate).await;
    let fields = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", client.id())];
    server.send(form("/connect/token", &fields)).await.is_refused(401, "invalid_client");
}
