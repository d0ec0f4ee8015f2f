//! The checks of the OpenID basic certification plan, each under the name of its module. OpenID Connect Core 1.0.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header;
use serde_json::{Value, json};

use crate::harness::{CALLBACK, ISSUER, Server, claims, form, head, modified};

/// §3.1.3.7
#[tokio::test]
async fn oidcc_server() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let asked = client.asks(&[("nonce", "n-0S6"), ("state", &"s".repeat(2000))]);
    let answer = server.browser().authorizes(&asked, "alice").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.told("state").unwrap(), "s".repeat(2000));
    assert_eq!(answer.told("iss").as_deref(), Some(ISSUER));
    let answer = server.redeem(&client, &asked, &answer.told("code").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let told = answer.json();
    assert_eq!((&told["token_type"], &told["expires_in"]), (&"Bearer".into(), &3600.into()));
    let id_token = told["id_token"].as_str().unwrap();
    assert_eq!(head(id_token)["alg"], "RS256");
    let says = claims(id_token);
    assert_eq!(says["iss"], ISSUER);
    assert_eq!(says["aud"], client.id());
    assert_eq!(says["nonce"], "n-0S6");
    assert_eq!(says["exp"].as_u64().unwrap() - says["iat"].as_u64().unwrap(), 300);
    let shown = server.userinfo(told["access_token"].as_str().unwrap()).await;
    assert_eq!((shown.status.as_u16(), &shown.json()["sub"]), (200, &says["sub"]));
    assert!(says.get("name").is_none(), "claims of scopes are at the UserInfo endpoint: {says}");
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let answer = server.browser().goes(&client.asks(&[("response_type", "")])).await;
    answer.is_told("invalid_request");
    let answer = server.browser().goes(&client.asks(&[("response_type", "id_token")])).await;
    answer.is_told("unsupported_response_type");
}

/// §5.3.1
#[tokio::test]
async fn oidcc_userinfo_get_post_header_post_body() {
    let server = Server::new().await;
    let (_, told) = server.tokens(json!({}), "openid").await;
    let token = told["access_token"].as_str().unwrap();
    let mut by_header = form("/connect/userinfo", &[]);
    by_header.headers_mut().insert(header::AUTHORIZATION, format!("bearer {token}").parse().unwrap());
    let by_body = form("/connect/userinfo", &[("access_token", token)]);
    for request in [by_header, by_body] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let mut both = form("/connect/userinfo", &[("access_token", token)]);
    both.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    server.send(both).await.is_refused(400, "invalid_request");
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let server = Server::new().await;
    let (_, told) = server.tokens(json!({}), "openid").await;
    assert!(claims(told["id_token"].as_str().unwrap()).get("nonce").is_none());
}

/// §5.4
#[tokio::test]
async fn oidcc_scope_profile_email_address_phone_all() {
    let server = Server::new().await;
    for (scope, shown) in [
        ("openid", &[][..]),
        ("openid profile", &["given_name", "name"]),
        ("email openid", &["email", "email_verified"]),
        ("openid address", &["address"]),
        ("openid phone", &["phone_number", "phone_number_verified"]),
        (
            "openid profile email address phone",
            &[
                "address",
                "email",
                "email_verified",
                "given_name",
                "name",
                "phone_number",
                "phone_number_verified",
            ],
        ),
    ] {
        let (_, told) = server.tokens(json!({}), scope).await;
        let answer = server.userinfo(told["access_token"].as_str().unwrap()).await.json();
        let mut names: Vec<_> = answer.as_object().unwrap().keys().filter(|name| *name != "sub").collect();
        names.sort();
        assert_eq!(names, shown, "{scope}");
        assert_eq!(told["scope"], scope);
    }
}

/// §3.1.2.1: what is not understood, or only a wish, is no error.
#[tokio::test]
async fn oidcc_parameters_that_never_are_errors() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    for over in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "hologram"),
        ("extra", "foobar"),
        ("login_hint", "alice"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("acr_values", "1 2"),
        ("audience", "https://other.example"),
    ] {
        let answer = server.browser().authorizes(&client.asks(&[over]), "alice").await;
        assert!(answer.told("code").is_some(), "{over:?}: {answer:?}");
    }
}

/// §3.1.2.1
#[tokio::test]
async fn oidcc_login_hint_and_ui_locales() {
    let server = Server::new().await;
    let client = server.register(json!({ "client_name": "App", "client_name#ja": "アプリ" })).await;
    let page = server.browser().goes(&client.asks(&[("login_hint", "bob\"><x"), ("ui_locales", "de")])).await;
    assert!(page.body.contains("value=\"bob&#34;&#62;&#60;x\""), "{page:?}");
    assert!(page.body.contains("<html lang=\"de\""), "{page:?}");
    let page = server.browser().goes(&client.asks(&[("ui_locales", "ja")])).await;
    assert!(page.body.contains("アプリ") && page.body.contains("<html lang=\"ja\""), "{page:?}");
}

/// §3.1.2.1
#[tokio::test]
async fn oidcc_prompt_login() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    browser.code(&client.asks(&[])).await;
    server.clock.advance(10);
    let asked = client.asks(&[("prompt", "login"), ("max_age", "1000")]);
    let page = browser.goes(&asked).await;
    assert!(page.asks_for_password(), "{page:?}");
    let page = browser.logs_in(page, "alice").await;
    let answer = browser.allows(page).await;
    let told = server.redeem(&client, &asked, &answer.told("code").unwrap()).await.json();
    let says = claims(told["id_token"].as_str().unwrap());
    assert_eq!(says["auth_time"], says["iat"], "the login is a new one");
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let answer = server.browser().goes(&client.asks(&[("prompt", "none")])).await;
    answer.is_told("login_required");
    assert_eq!(answer.told("state").as_deref(), Some("a state"));
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    browser.code(&client.asks(&[])).await;
    let answer = browser.get(&client.asks(&[("prompt", "none")]).path()).await;
    assert!(answer.told("code").is_some(), "{answer:?}");
    let other = server.register(json!({})).await;
    browser.get(&other.asks(&[("prompt", "none")]).path()).await.is_told("consent_required");
}

/// §3.1.2.1
#[tokio::test]
async fn oidcc_max_age_1_and_10000() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    browser.code(&client.asks(&[])).await;
    server.clock.advance(2);
    assert!(browser.goes(&client.asks(&[("max_age", "1")])).await.asks_for_password());
    assert!(browser.goes(&client.asks(&[("max_age", "0")])).await.asks_for_password());
    let asked = client.asks(&[("max_age", "10000")]);
    let answer = browser.goes(&asked).await;
    let told = server.redeem(&client, &asked, &answer.told("code").unwrap()).await.json();
    let says = claims(told["id_token"].as_str().unwrap());
    assert_eq!(says["iat"].as_u64().unwrap() - says["auth_time"].as_u64().unwrap(), 2);
}

/// With `max_age=0`, whoever logs in for this very request has logged in.
#[tokio::test]
async fn a_login_for_the_request_itself_is_new_enough() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let answer = server.browser().authorizes(&client.asks(&[("max_age", "0")]), "alice").await;
    assert!(answer.told("code").is_some(), "{answer:?}");
}

/// §3.1.2.1
#[tokio::test]
async fn oidcc_id_token_hint() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    let asked = client.asks(&[]);
    let code = browser.code(&asked).await;
    let told = server.redeem(&client, &asked, &code).await.json();
    let hint = told["id_token"].as_str().unwrap();
    // It has ended, which does not matter.
    server.clock.advance(3000);
    let answer = browser.goes(&client.asks(&[("prompt", "none"), ("id_token_hint", hint)])).await;
    assert!(answer.told("code").is_some(), "{answer:?}");
    // Another user is here.
    let mut other = server.browser();
    other.authorizes(&client.asks(&[]), "bob").await;
    let asked = client.asks(&[("prompt", "none"), ("id_token_hint", hint)]);
    other.goes(&asked).await.is_told("login_required");
    let asked = client.asks(&[("id_token_hint", hint)]);
    let page = other.goes(&asked).await;
    assert!(page.asks_for_password(), "{page:?}");
    other.logs_in(page, "bob").await.is_told("login_required");
    let changed = modified(hint);
    browser.goes(&client.asks(&[("id_token_hint", &changed)])).await.is_told("invalid_request");
    let third = server.register(json!({})).await;
    browser.goes(&third.asks(&[("id_token_hint", hint)])).await.is_told("invalid_request");
}

/// §5.5.1: nobody is two users, whatever names them.
#[tokio::test]
async fn each_user_that_a_request_names_is_the_same() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    let asked = client.asks(&[]);
    let code = browser.code(&asked).await;
    let told = server.redeem(&client, &asked, &code).await.json();
    let hint = told["id_token"].as_str().unwrap();
    let alice = claims(hint)["sub"].as_str().unwrap().to_owned();
    let sub = |value: &str| json!({ "sub": { "value": value } });
    for (hint, wish, agrees) in [
        (hint, json!({ "id_token": sub("zzz") }), false),
        (hint, json!({ "userinfo": sub("zzz") }), false),
        ("", json!({ "id_token": sub(&alice), "userinfo": sub("zzz") }), false),
        ("", json!({ "id_token": sub("zzz"), "userinfo": sub(&alice) }), false),
        (hint, json!({ "id_token": { "sub": { "value": 1 } } }), false),
        (hint, json!({ "id_token": sub(&alice), "userinfo": sub(&alice) }), true),
        (hint, json!({ "id_token": { "sub": null } }), true),
    ] {
        let answer =
            browser.goes(&client.asks(&[("id_token_hint", hint), ("claims", &wish.to_string())])).await;
        match agrees {
            true => assert!(answer.told("code").is_some(), "{wish}: {answer:?}"),
            false => answer.is_told("login_required"),
        }
    }
}

/// RFC 6749 §4.1.2
#[tokio::test]
async fn oidcc_codereuse_and_codereuse_30seconds() {
    for pause in [0, 30] {
        let server = Server::new().await;
        let client = server.register(json!({})).await;
        let asked = client.asks(&[]);
        let code = server.browser().code(&asked).await;
        let told = server.redeem(&client, &asked, &code).await.json();
        server.clock.advance(pause);
        server.redeem(&client, &asked, &code).await.is_refused(400, "invalid_grant");
        let token = told["access_token"].as_str().unwrap();
        server.userinfo(token).await.is_refused(401, "invalid_token");
        let refresh = told["refresh_token"].as_str().unwrap();
        server.refresh(&client, refresh).await.is_refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    for other in [
        "https://evil.example/cb",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/cb?a=b",
    ] {
        server
            .browser()
            .goes(&client.asks(&[("redirect_uri", other)]))
            .await
            .is_error_page("invalid_request");
    }
}

/// §3.1.2.1: POST, from elsewhere, without the cookies.
#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let server = Server::new().await;
    let client = server.register(json!({ "require_consent": false })).await;
    let asked = client.asks(&[]);
    let fields: Vec<_> =
        asked.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut browser = server.browser();
    let answer = browser.post("/connect/authorize", &fields).await;
    let page = browser.goes_on(answer).await;
    assert!(browser.logs_in(page, "alice").await.told("code").is_some());
    // With the cookies it is answered at once.
    assert!(browser.post("/connect/authorize", &fields).await.told("code").is_some());
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let server = Server::new().await;
    let client = server.register(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    let request = form(
        "/connect/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &asked.verifier),
            ("client_id", client.id()),
            ("client_secret", client.member("client_secret")),
        ],
    );
    let answer = server.send(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// §6: refused by its own name, never ignored.
#[tokio::test]
async fn oidcc_request_objects_are_rejected_as_unsupported() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let unsigned = format!("{}.e30.", BASE64_STANDARD.encode(r#"{"alg":"none"}"#).trim_end_matches('='));
    for (name, value, error) in [
        ("request", unsigned.as_str(), "request_not_supported"),
        ("request_uri", "https://app.example/request.jwt", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        server.browser().goes(&client.asks(&[(name, value)])).await.is_told(error);
    }
}

/// §5.5
#[tokio::test]
async fn oidcc_claims_essential() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let wish = r#"{ "userinfo": { "name": { "essential": true } }, "id_token": { "email": null, "iss": null, "unknown": null } }"#;
    let asked = client.asks(&[("claims", wish)]);
    let code = server.browser().code(&asked).await;
    let told = server.redeem(&client, &asked, &code).await.json();
    let says = claims(told["id_token"].as_str().unwrap());
    assert_eq!((&says["email"], &says["iss"]), (&"alice@example.com".into(), &ISSUER.into()));
    let shown = server.userinfo(told["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&shown["name"], shown.get("email")), (&"alice example".into(), None));
}

/// §5.5: no way around the scopes that a client registered, nor around the question.
#[tokio::test]
async fn single_claims_are_those_of_registered_scopes_and_people_are_asked_for_them() {
    let server = Server::new().await;
    let wish = r#"{ "userinfo": { "email": null, "phone_number": { "essential": true } } }"#;
    let client = server.register(json!({ "scope": "openid email" })).await;
    let asked = client.asks(&[("claims", wish)]);
    let mut browser = server.browser();
    let page = browser.goes(&asked).await;
    let page = browser.logs_in(page, "alice").await;
    assert!(
        page.body.contains("Your e-mail address") && !page.body.contains("Your phone number"),
        "{page:?}"
    );
    let code = browser.allows(page).await.told("code").unwrap();
    let told = server.redeem(&client, &asked, &code).await.json();
    let shown = server.userinfo(told["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&shown["email"], shown.get("phone_number")), (&"alice@example.com".into(), None));
}

/// Whoever leaves a scope out leaves out what it opens, by whatever way that is asked for.
#[tokio::test]
async fn a_scope_that_is_left_out_is_not_told_by_single_claims() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let wish = r#"{ "userinfo": { "email": null, "name": null }, "id_token": { "email": null } }"#;
    let asked = client.asks(&[("scope", "openid profile email"), ("claims", wish)]);
    let mut browser = server.browser();
    let page = browser.goes(&asked).await;
    let page = browser.logs_in(page, "alice").await;
    let answer = browser.fills_in(&page, &[("decision", "allow"), ("scope", "profile")]).await;
    let told = server.redeem(&client, &asked, &answer.told("code").unwrap()).await.json();
    assert!(claims(told["id_token"].as_str().unwrap()).get("email").is_none());
    let shown = server.userinfo(told["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&shown["name"], shown.get("email")), (&"alice example".into(), None));
}

/// §5.5.1.1
#[tokio::test]
async fn an_essential_context_that_cannot_be_met_ends_it() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let wish = r#"{ "id_token": { "acr": { "essential": true, "value": "urn:gold" } } }"#;
    let answer = server.browser().goes(&client.asks(&[("claims", wish)])).await;
    answer.is_told("unmet_authentication_requirements");
    let wish = r#"{ "id_token": { "acr": { "value": "urn:gold" } } }"#;
    let answer = server.browser().authorizes(&client.asks(&[("claims", wish)]), "alice").await;
    assert!(answer.told("code").is_some(), "{answer:?}");
}

/// §11, §12
#[tokio::test]
async fn oidcc_refresh_token() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid offline_access").await;
    let first = claims(told["id_token"].as_str().unwrap());
    server.clock.advance(100);
    let answer = server.refresh(&client, told["refresh_token"].as_str().unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let again = answer.json();
    let second = claims(again["id_token"].as_str().unwrap());
    for same in ["iss", "sub", "aud", "sid"] {
        assert_eq!(first[same], second[same], "{same}");
    }
    assert!(second.get("nonce").is_none() && second["iat"].as_u64() > first["iat"].as_u64());
    assert_ne!(told["access_token"], again["access_token"]);
    let other = server.register(json!({})).await;
    let stolen = server.refresh(&other, again["refresh_token"].as_str().unwrap()).await;
    stolen.is_refused(400, "invalid_grant");
}

/// RFC 7636 §4.6
#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let asked = client.asks(&[]);
    let code = server.browser().code(&asked).await;
    let with = |verifier: &'static str| {
        let fields = vec![
            ("grant_type", "authorization_code"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        (fields, verifier)
    };
    for wrong in ["", "short", "0123456789012345678901234567890123456789012"] {
        let (mut fields, _) = with(wrong);
        fields.push(("code", &code));
        let answer = server.post_as(&client, "/connect/token", &fields).await;
        answer.is_refused(400, "invalid_grant");
    }
    assert_eq!(server.redeem(&client, &asked, &code).await.status, 200, "a wrong verifier uses nothing up");
}

/// OpenID Connect Core 1.0 §8, §8.1
#[tokio::test]
async fn sectors_know_the_same_user_by_different_subjects() {
    let server = Server::new().await;
    let subject = async |over: Value| {
        let (_, told) = server.tokens(over, "openid").await;
        let id_token = claims(told["id_token"].as_str().unwrap());
        let token = told["access_token"].as_str().unwrap();
        assert_eq!(server.userinfo(token).await.json()["sub"], id_token["sub"]);
        assert_eq!(claims(token)["sub"], id_token["sub"]);
        id_token["sub"].as_str().unwrap().to_owned()
    };
    let public = subject(json!({})).await;
    let pairwise = subject(json!({ "subject_type": "pairwise" })).await;
    assert_ne!(public, pairwise);
    assert_eq!(pairwise, subject(json!({ "subject_type": "pairwise" })).await, "the same sector");
    assert_eq!(public, subject(json!({})).await);
}

/// OpenID Connect Core 1.0 §8.1, §17.3: nothing else in a token tells what the subject does not, either.
#[tokio::test]
async fn sectors_know_the_same_session_by_different_names() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let mut sid = async |over: Value| {
        let client = server.register(over).await;
        let asked = client.asks(&[]);
        let code = browser.code(&asked).await;
        let told = server.redeem(&client, &asked, &code).await.json();
        claims(told["id_token"].as_str().unwrap())["sid"].clone()
    };
    let public = sid(json!({})).await;
    let pairwise = sid(json!({ "subject_type": "pairwise" })).await;
    assert_eq!(public, sid(json!({})).await);
    assert_eq!(pairwise, sid(json!({ "subject_type": "pairwise" })).await, "the same sector");
    assert_ne!(public, pairwise);
}

/// OpenID Connect Core 1.0 §8.1: programs on people's devices have no host in common, though they are all called there.
#[tokio::test]
async fn each_client_on_a_loopback_address_is_a_sector_of_its_own() {
    let server = Server::new().await;
    let uri = "http://127.0.0.1/cb";
    let members = json!({ "redirect_uris": [uri], "application_type": "native", "subject_type": "pairwise" });
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let client = server.register(members.clone()).await;
        let asked = client.asks(&[("redirect_uri", uri)]);
        let code = server.browser().code(&asked).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", uri),
            ("code_verifier", &asked.verifier),
        ];
        let told = server.post_as(&client, "/connect/token", &fields).await.json();
        subjects.push(claims(told["id_token"].as_str().unwrap())["sub"].clone());
    }
    assert_ne!(subjects[0], subjects[1]);
}
