//! The implicit flow, for operators who want it: the checks of the OpenID plans, each under the name of its module, and what
//! else must hold where tokens come by way of the browser. OpenID Connect Core 1.0 §3.2.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::bad_input::Wrong::{self, Doubled, Empty, Is, Missing, Oversized};
use crate::harness::{Answer, Asked, CALLBACK, Client, ISSUER, Server, claims, head};

const ALONE: &str = "id_token";
const BOTH: &str = "id_token token";
const NONCE: &str = "n-0S6_WzA2Mj";

/// A client that wants tokens by way of the browser, and nothing else.
async fn registered(server: &Server, over: Value) -> Client {
    let mut metadata = json!({ "grant_types": ["implicit"], "response_types": [ALONE, BOTH] });
    metadata.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    server.register(metadata).await
}

/// What such a client sends: a nonce, and no challenge.
fn asks(client: &Client, response_type: &str, over: &[(&str, &str)]) -> Asked {
    let own = [
        ("response_type", response_type),
        ("nonce", NONCE),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    let own = own.into_iter().filter(|(name, _)| !over.iter().any(|(other, _)| other == name));
    client.asks(&own.chain(over.iter().copied()).collect::<Vec<_>>())
}

fn names(answer: &Answer) -> Vec<String> {
    answer.fragment().into_iter().map(|(name, _)| name).collect()
}

fn left_half_of_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, token.as_bytes()).as_ref()[..16])
}

/// §3.2.2.5, §3.2.2.10
#[tokio::test]
async fn oidcc_server() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({ "access_token_lifetime": 60 })).await;
    for (response_type, told) in [
        (ALONE, &["id_token", "state", "iss"][..]),
        (BOTH, &["access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"]),
        (
            "token id_token",
            &["access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"],
        ),
    ] {
        let asked = asks(&client, response_type, &[("scope", "openid email"), ("state", "a&b=c#d é")]);
        let answer = server.browser().authorizes(&asked, "alice").await;
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(answer.location().starts_with("https://app.example/cb#"), "{answer:?}");
        assert_eq!(names(&answer), told);
        assert_eq!(answer.in_fragment("state").as_deref(), Some("a&b=c#d é"));
        assert_eq!(answer.in_fragment("iss").as_deref(), Some(ISSUER));
        let id_token = answer.in_fragment("id_token").unwrap();
        let says = claims(&id_token);
        assert_eq!(head(&id_token)["alg"], "RS256");
        assert_eq!((&says["iss"], &says["aud"]), (&ISSUER.into(), &client.id().into()));
        assert_eq!(says["nonce"], NONCE);
        assert_eq!(says.get("c_hash"), None, "there is no code");
        let Some(token) = answer.in_fragment("access_token") else {
            assert_eq!(says.get("at_hash"), None, "there is no access token");
            continue;
        };
        assert_eq!(says["at_hash"], left_half_of_hash(&token));
        for (name, value) in [("token_type", "Bearer"), ("expires_in", "60"), ("scope", "openid email")] {
            assert_eq!(answer.in_fragment(name).as_deref(), Some(value), "{name}");
        }
        let shown = server.userinfo(&token).await;
        assert_eq!((shown.status.as_u16(), &shown.json()["sub"]), (200, &says["sub"]));
    }
}

/// §3.2.2.1
#[tokio::test]
async fn oidcc_ensure_request_without_nonce_fails() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    for response_type in [ALONE, BOTH] {
        let asked = asks(&client, response_type, &[("nonce", "")]);
        server.browser().goes(&asked).await.is_told_in_fragment("invalid_request");
    }
}

/// §5.4: who cannot ask at the `UserInfo` endpoint is told in the ID token.
#[tokio::test]
async fn oidcc_scope_profile_email_address_phone_all() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    for (response_type, told) in [(ALONE, true), (BOTH, false)] {
        let asked = asks(&client, response_type, &[("scope", "openid profile email address phone")]);
        let answer = server.browser().authorizes(&asked, "alice").await;
        let says = claims(&answer.in_fragment("id_token").unwrap());
        for name in ["given_name", "email", "email_verified", "address", "phone_number"] {
            assert_eq!(says.get(name).is_some(), told, "{response_type}: {name} in {says}");
        }
    }
    // And of that only what the user allows.
    let mut browser = server.browser();
    let page = browser.goes(&asks(&client, ALONE, &[("scope", "openid profile email")])).await;
    let page = browser.logs_in(page, "alice").await;
    let answer = browser.fills_in(&page, &[("decision", "allow"), ("scope", "profile")]).await;
    let says = claims(&answer.in_fragment("id_token").unwrap());
    assert_eq!((&says["given_name"], says.get("email")), (&"alice".into(), None));
}

/// §5.5
#[tokio::test]
async fn oidcc_claims_essential() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    let wanted = r#"{"id_token":{"name":{"essential":true}}}"#;
    for response_type in [ALONE, BOTH] {
        let answer =
            server.browser().authorizes(&asks(&client, response_type, &[("claims", wanted)]), "alice").await;
        assert_eq!(claims(&answer.in_fragment("id_token").unwrap())["name"], "alice example");
    }
    let elsewhere = ("claims", r#"{"userinfo":{"name":null}}"#);
    server.browser().goes(&asks(&client, ALONE, &[elsewhere])).await.is_told_in_fragment("invalid_request");
    let answer = server.browser().authorizes(&asks(&client, BOTH, &[elsewhere]), "alice").await;
    let shown = server.userinfo(&answer.in_fragment("access_token").unwrap()).await.json();
    assert_eq!(shown["name"], "alice example");
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    let answer = server.browser().goes(&asks(&client, BOTH, &[("prompt", "none")])).await;
    answer.is_told_in_fragment("login_required");
    assert_eq!(answer.in_fragment("state").as_deref(), Some("a state"));
}

/// How a page gets tokens anew: nothing else renews them.
#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    browser.authorizes(&asks(&client, BOTH, &[]), "alice").await;
    for response_type in [ALONE, BOTH] {
        let answer = browser.get(&asks(&client, response_type, &[("prompt", "none")]).path()).await;
        assert!(answer.in_fragment("id_token").is_some(), "{answer:?}");
    }
    let other = registered(&server, json!({})).await;
    let answer = browser.get(&asks(&other, BOTH, &[("prompt", "none")]).path()).await;
    answer.is_told_in_fragment("consent_required");
    let page = browser.goes(&asks(&other, BOTH, &[])).await;
    browser.fills_in(&page, &[("decision", "deny")]).await.is_told_in_fragment("access_denied");
}

/// OAuth 2.0 Form Post Response Mode 1.0 §2
#[tokio::test]
async fn oidcc_server_with_response_mode_form_post() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    let asked = asks(&client, BOTH, &[("response_mode", "form_post")]);
    let page = server.browser().authorizes(&asked, "alice").await;
    let form = page.form();
    assert_eq!((form.action.as_str(), page.location()), (CALLBACK, ""));
    let names: Vec<_> = form.hidden.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"]);
    let asked = asks(&client, ALONE, &[("response_mode", "form_post"), ("prompt", "none")]);
    let refused = server.browser().goes(&asked).await;
    assert!(refused.form().hidden.contains(&("error".to_owned(), "login_required".to_owned())));
}

/// JARM §2.3: `jwt` is what is usual, signed.
#[tokio::test]
async fn a_signed_answer_stands_in_the_fragment() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({ "require_consent": false })).await;
    for mode in ["jwt", "fragment.jwt", "form_post.jwt"] {
        let asked = asks(&client, BOTH, &[("response_mode", mode)]);
        let answer = server.browser().authorizes(&asked, "alice").await;
        let response = match answer.location() {
            "" => answer.form().hidden[0].1.clone(),
            _ => answer.in_fragment("response").unwrap(),
        };
        let says = claims(&response);
        assert_eq!((&says["iss"], &says["aud"]), (&ISSUER.into(), &client.id().into()), "{mode}");
        assert_eq!((&says["state"], &says["expires_in"]), (&"a state".into(), &"3600".into()), "{mode}");
        let id_token = claims(says["id_token"].as_str().unwrap());
        assert_eq!(id_token["at_hash"], left_half_of_hash(says["access_token"].as_str().unwrap()));
    }
    // A code goes where it always went, and into the fragment for who wants that.
    let both = registered(&server, json!({ "grant_types": ["authorization_code", "implicit"], "response_types": ["code", ALONE], "require_consent": false })).await;
    for (mode, in_fragment) in [("jwt", false), ("fragment.jwt", true)] {
        let answer = server.browser().authorizes(&both.asks(&[("response_mode", mode)]), "alice").await;
        assert_eq!(answer.told("response").is_none(), in_fragment, "{answer:?}");
    }
    let asked = both.asks(&[("response_mode", "fragment")]);
    let answer = server.browser().authorizes(&asked, "alice").await;
    assert_eq!(server.redeem(&both, &asked, &answer.in_fragment("code").unwrap()).await.status, 200);
}

/// §11, RFC 9700 §2.1.2: nothing that lives long comes by way of the browser, and nobody is asked to allow it.
#[tokio::test]
async fn there_is_no_refresh_token() {
    let server = Server::with_legacy_implicit().await;
    let over = json!({
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "response_types": ["code", ALONE, BOTH],
    });
    let client = registered(&server, over).await;
    let mut browser = server.browser();
    let page = browser.goes(&asks(&client, BOTH, &[("scope", "openid offline_access email")])).await;
    let page = browser.logs_in(page, "alice").await;
    assert!(page.asks_for_consent() && !page.body.contains("value=\"offline_access\""), "{page:?}");
    let answer = browser.allows(page).await;
    assert_eq!(answer.in_fragment("scope").as_deref(), Some("openid email"));
    assert_eq!((answer.in_fragment("refresh_token"), answer.in_fragment("code")), (None, None));
}

/// RFC 8707 §2, RFC 9068 §2.2, RFC 6749 §1.4
#[tokio::test]
async fn an_access_token_is_like_every_other() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    let asked = asks(
        &client,
        BOTH,
        &[("scope", "openid email api1 api2"), ("resource", "https://api.example/1"), ("prompt", "consent")],
    );
    let answer = server.browser().authorizes(&asked, "alice").await;
    let says = claims(&answer.in_fragment("access_token").unwrap());
    assert_eq!(
        (&says["aud"], &says["scope"]),
        (&"https://api.example/1".into(), &"openid email api1".into())
    );
    assert_eq!((&says["client_id"], &says["email"]), (&client.id().into(), &"alice@example.com".into()));
    let over = json!({ "access_token_type": "Reference", "access_token_lifetime": 60 });
    let client = registered(&server, over).await;
    let answer = server.browser().authorizes(&asks(&client, BOTH, &[]), "alice").await;
    let token = answer.in_fragment("access_token").unwrap();
    assert!(!token.contains('.'), "{token}");
    assert_eq!(server.userinfo(&token).await.status, 200);
    assert_eq!(server.post_as(&client, "/connect/revocation", &[("token", &token)]).await.status, 200);
    server.userinfo(&token).await.is_refused(401, "invalid_token");
}

/// RFC 8707 §2.2
#[tokio::test]
async fn an_access_token_is_for_what_the_user_left_in() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    for (chosen, audience) in [("api1", "https://api.example/1"), ("email", ISSUER)] {
        let over = [("scope", "openid email api1"), ("resource", "https://api.example/1")];
        let mut browser = server.browser();
        let page = browser.goes(&asks(&client, BOTH, &over)).await;
        let consent = browser.logs_in(page, "alice").await;
        let answer = browser.fills_in(&consent, &[("decision", "allow"), ("scope", chosen)]).await;
        assert_eq!(claims(&answer.in_fragment("access_token").unwrap())["aud"], audience, "{chosen}");
    }
}

/// What came of it ends with its time, with its user, and with its client.
#[tokio::test]
async fn an_access_token_ends_with_what_it_came_of() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({ "access_token_lifetime": 60 })).await;
    let mut tokens = Vec::new();
    for user in ["alice", "bob", "bob"] {
        let answer = server.browser().authorizes(&asks(&client, BOTH, &[]), user).await;
        tokens.push(answer.in_fragment("access_token").unwrap());
    }
    server.users.set_enabled("alice", false).await.unwrap();
    server.userinfo(&tokens[0]).await.is_refused(401, "invalid_token");
    assert_eq!(server.userinfo(&tokens[1]).await.status, 200);
    server.clock.advance(60);
    server.userinfo(&tokens[1]).await.is_refused(401, "invalid_token");
    let answer = server.browser().authorizes(&asks(&client, BOTH, &[]), "bob").await;
    let token = answer.in_fragment("access_token").unwrap();
    server.delete(&client).await;
    server.userinfo(&token).await.is_refused(401, "invalid_token");
}

/// `coordinate_lifetime_with_user_session`; without it a token lives on, as others do.
#[tokio::test]
async fn an_access_token_ends_with_the_session_where_that_is_registered() {
    let server = Server::with_legacy_implicit().await;
    for (coordinated, after) in [(true, 401), (false, 200)] {
        let over = json!({ "coordinate_lifetime_with_user_session": coordinated });
        let client = registered(&server, over).await;
        let mut browser = server.browser();
        let answer = browser.authorizes(&asks(&client, BOTH, &[]), "alice").await;
        let [token, hint] = ["access_token", "id_token"].map(|name| answer.in_fragment(name).unwrap());
        assert_eq!(server.userinfo(&token).await.status, 200);
        let left = browser.get(&format!("/connect/endsession?id_token_hint={hint}")).await;
        assert_eq!(left.status, 200, "{left:?}");
        assert_eq!(server.userinfo(&token).await.status, after, "{coordinated}");
    }
}

/// `response_types`, `grant_types`: RFC 7591 §2.1. By way of the browser tokens come to those who registered for it.
#[tokio::test]
async fn the_response_types_decide_what_comes_by_way_of_the_browser() {
    let server = Server::with_legacy_implicit().await;
    let code = server.register(json!({})).await;
    let alone = registered(&server, json!({ "response_types": [ALONE] })).await;
    let both = registered(&server, json!({ "response_types": ["token id_token"] })).await;
    for (client, response_type, may) in [
        (&code, ALONE, false),
        (&code, BOTH, false),
        (&alone, ALONE, true),
        (&alone, BOTH, false),
        (&both, ALONE, false),
        (&both, BOTH, true),
    ] {
        let answer = server.browser().authorizes(&asks(client, response_type, &[]), "alice").await;
        match may {
            true => assert!(answer.in_fragment("id_token").is_some(), "{answer:?}"),
            false => answer.is_told_in_fragment("unauthorized_client"),
        }
    }
    server.browser().goes(&alone.asks(&[])).await.is_told("unauthorized_client");
}

/// What a client registered while the operator wanted it is worth nothing afterwards.
#[tokio::test]
async fn without_the_key_nothing_comes_by_way_of_the_browser() {
    let server = Server::with_clients_of_legacy_implicit().await;
    let client = registered(&server, json!({})).await;
    for response_type in [ALONE, BOTH, "token id_token", "token"] {
        let answer = server.browser().goes(&asks(&client, response_type, &[])).await;
        answer.is_told("unsupported_response_type");
    }
    for mode in ["fragment", "fragment.jwt"] {
        let asked = asks(&client, ALONE, &[("response_mode", mode)]);
        server.browser().goes(&asked).await.is_told("unsupported_response_mode");
    }
}

/// The parameter, how it is wrong, and what the client is told; `None` is a page for the person, who is sent nowhere.
const WRONG: &[(&str, Wrong, Option<&str>)] = &[
    ("client_id", Is("nobody"), None),
    ("client_id", Doubled, None),
    ("redirect_uri", Missing, None),
    ("redirect_uri", Doubled, None),
    ("redirect_uri", Is("https://evil.example/cb"), None),
    ("redirect_uri", Is("https://app.example/cb#"), None),
    ("redirect_uri", Is("https://app.example/cb#access_token=x"), None),
    ("redirect_uri", Is("https://app.example/cb?"), None),
    ("redirect_uri", Is("https://app.example@evil.example/cb"), None),
    ("redirect_uri", Is("javascript:alert(1)"), None),
    ("response_type", Doubled, Some("invalid_request")),
    ("response_type", Is("token"), Some("unsupported_response_type")),
    ("response_type", Is("code token"), Some("unsupported_response_type")),
    ("response_type", Is("code id_token"), Some("unsupported_response_type")),
    ("response_type", Is("code id_token token"), Some("unsupported_response_type")),
    ("response_type", Is("id_token id_token"), Some("unsupported_response_type")),
    ("response_type", Is("id_token  token"), Some("unsupported_response_type")),
    ("response_type", Is("id_token token token"), Some("unsupported_response_type")),
    ("response_type", Is(" id_token"), Some("unsupported_response_type")),
    ("response_type", Is("id_token token none"), Some("unsupported_response_type")),
    ("response_mode", Is("query"), Some("unsupported_response_mode")),
    ("response_mode", Is("query.jwt"), Some("unsupported_response_mode")),
    ("response_mode", Is("web_message"), Some("unsupported_response_mode")),
    ("response_mode", Is("FRAGMENT"), Some("unsupported_response_mode")),
    ("response_mode", Oversized, Some("unsupported_response_mode")),
    ("scope", Is("api1"), Some("invalid_scope")),
    ("scope", Is("email"), Some("invalid_scope")),
    ("scope", Is("offline_access"), Some("invalid_scope")),
    ("scope", Missing, Some("invalid_scope")),
    ("scope", Doubled, Some("invalid_request")),
    ("state", Doubled, Some("invalid_request")),
    ("nonce", Missing, Some("invalid_request")),
    ("nonce", Empty, Some("invalid_request")),
    ("nonce", Doubled, Some("invalid_request")),
    ("nonce", Oversized, Some("invalid_request")),
    ("prompt", Is("none login"), Some("invalid_request")),
    ("max_age", Is("-1"), Some("invalid_request")),
    ("claims", Is("{"), Some("invalid_request")),
    ("resource", Is("https://api.example/3"), Some("invalid_target")),
    ("id_token_hint", Is("a.b.c"), Some("invalid_request")),
    ("request", Is("a.b.c"), Some("request_not_supported")),
];

/// §3.2.2.6. Whoever is logged in and would not even be asked gets nothing for a request that is wrong.
#[tokio::test]
async fn a_request_for_tokens_that_is_wrong_in_one_thing() {
    let server = Server::with_legacy_implicit().await;
    let client = registered(&server, json!({ "require_consent": false })).await;
    let mut browser = server.browser();
    let right = asks(&client, BOTH, &[]);
    assert!(browser.authorizes(&right, "alice").await.in_fragment("id_token").is_some());
    for (name, wrong, told) in WRONG {
        let mut asked = right.clone();
        wrong.apply(name, &mut asked.parameters);
        let answer = browser.get(&asked.path()).await;
        for given in ["id_token=", "access_token=ey", "code="] {
            assert!(!answer.location().contains(given), "{name} {wrong:?}: {answer:?}");
        }
        match told {
            Some(error) => {
                assert_eq!(answer.in_fragment("error").as_deref(), Some(*error), "{name} {wrong:?}");
                answer.is_told_in_fragment(error);
            }
            None => assert_eq!((answer.status.as_u16(), answer.location()), (400, ""), "{name} {wrong:?}"),
        }
    }
}
