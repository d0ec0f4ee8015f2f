//! Tokens and assertions that are wrong in one thing each. RFC 8725, RFC 7523 §3, RFC 9068 §4.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::prelude::BASE64_STANDARD;
use enroll_jose::{SigningAlgorithm, SigningKey};
use enroll_oauth_types::ClientSecret;
use enroll_provider::{Catalog, Resource};
use enroll_testkit::ClientKey;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use crate::harness::{Client, ISSUER, Server, claims, form, head, modified};

/// How many cases there are in this file.
pub(crate) const COUNT: usize = ACCESS_TOKENS * 2 + ASSERTIONS.len() + CREDENTIALS.len();

/// How many tokens [`forged`] makes.
const ACCESS_TOKENS: usize = 29;

fn encoded(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut changed = claims.clone();
    changed[name] = value;
    changed
}

/// Tokens that look like this one. Those that this server's own key signed are wrong in what they say.
fn forged(server: &Server, good: &str) -> Vec<(&'static str, String)> {
    let says = claims(good);
    let header = head(good);
    let now = server.now();
    let ring = server.keys.ring();
    let own = |typ: Option<&str>, claims: &Value| {
        let key = ring.signer(SigningAlgorithm::Es256, server_now(now)).unwrap();
        key.sign_jwt(typ, claims).unwrap()
    };
    let by_hand =
        |header: Value, signature: &str| format!("{}.{}.{signature}", encoded(&header), encoded(&says));
    let jwk = ring.signer(SigningAlgorithm::Es256, server_now(now)).unwrap().public_jwk().clone();
    let mac = |secret: &str| {
        let signed = format!("{}.{}", encoded(&with(&header, "alg", json!("HS256"))), encoded(&says));
        let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let stranger = SigningKey::generate(SigningAlgorithm::Es256);
    let signature = good.rsplit('.').next().unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    vec![
        ("nothing", String::from("x")),
        ("dots", "..".to_owned()),
        ("many dots", "a.b.c.d.e".to_owned()),
        ("none", by_hand(json!({ "alg": "none", "typ": "at+jwt" }), "")),
        ("None", by_hand(json!({ "alg": "None", "typ": "at+jwt", "kid": header["kid"] }), "")),
        ("none with its signature", by_hand(with(&header, "alg", json!("none")), signature)),
        ("the public key as a secret", mac(&jwk.to_string())),
        ("an empty secret", mac("")),
        ("another algorithm of the family", by_hand(with(&header, "alg", json!("ES384")), signature)),
        ("RS256 for ES256", by_hand(with(&header, "alg", json!("RS256")), signature)),
        ("no kid", by_hand(json!({ "alg": "ES256", "typ": "at+jwt" }), signature)),
        ("a kid of somebody", by_hand(with(&header, "kid", json!("../../dev/null")), signature)),
        ("a key that it brings along", {
            let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": header["kid"], "jwk": stranger.public_jwk() });
            let signed = stranger.sign_jwt(Some("at+jwt"), &says).unwrap();
            format!("{}.{}.{}", encoded(&header), encoded(&says), signed.rsplit('.').next().unwrap())
        }),
        ("crit", by_hand(with(&header, "crit", json!(["exp"])), signature)),
        ("a key that is not ours", stranger.sign_jwt(Some("at+jwt"), &says).unwrap()),
        ("another signature", modified(good)),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("padding", format!("{good}=")),
        ("other claims", format!("{}.{}.{}", parts[0], encoded(&with(&says, "sub", json!("bob"))), parts[2])),
        ("typ JWT", own(Some("JWT"), &says)),
        ("no typ", own(None, &says)),
        ("typ of introspection", own(Some("token-introspection+jwt"), &says)),
        ("ended a second ago", own(Some("at+jwt"), &with(&says, "exp", json!(now)))),
        ("no end", own(Some("at+jwt"), &with(&says, "exp", Value::Null))),
        ("another issuer", own(Some("at+jwt"), &with(&says, "iss", json!("https://evil.example")))),
        ("a client that is not there", own(Some("at+jwt"), &with(&says, "client_id", json!("nobody")))),
        ("an authorization that is not there", own(Some("at+jwt"), &with(&says, "jti", json!("nothing.x")))),
        ("no name", own(Some("at+jwt"), &with(&says, "jti", Value::Null))),
        ("no subject", own(Some("at+jwt"), &with(&says, "sub", Value::Null))),
    ]
}

fn server_now(seconds: u64) -> enroll_oauth_types::Timestamp {
    enroll_oauth_types::Timestamp(seconds)
}

/// RFC 8725 §3, RFC 9068 §4
#[tokio::test]
async fn a_forged_access_token_opens_nothing_and_is_not_active() {
    let server = Server::new().await;
    let (client, told) = server.tokens(json!({}), "openid").await;
    let good = told["access_token"].as_str().unwrap();
    assert_eq!(server.userinfo(good).await.status, 200);
    let forged = forged(&server, good);
    assert_eq!(forged.len(), ACCESS_TOKENS);
    for (what, token) in forged {
        let answer = server.userinfo(&token).await;
        assert!([400, 401].contains(&answer.status.as_u16()), "{what}: {answer:?}");
        let seen = server.post_as(&client, "/connect/introspect", &[("token", &token)]).await;
        assert_eq!(seen.json(), json!({ "active": false }), "{what}");
    }
    let id_token = told["id_token"].as_str().unwrap();
    server.userinfo(id_token).await.is_refused(401, "invalid_token");
    server.userinfo(told["refresh_token"].as_str().unwrap()).await.is_refused(401, "invalid_token");
    // And the other way round.
    let asked = client.asks(&[("id_token_hint", good)]);
    server.browser().goes(&asked).await.is_told("invalid_request");
}

/// An access token of a client without a user, and one without `openid`. OpenID Connect Core 1.0 §5.3.1.
#[tokio::test]
async fn a_token_that_is_not_for_it_does_not_open_userinfo() {
    let server = Server::new().await;
    let (_, told) = server.tokens(json!({}), "api1").await;
    let answer = server.userinfo(told["access_token"].as_str().unwrap()).await;
    answer.is_refused(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").contains("scope=\"openid\""), "{answer:?}");
    let machine = server
        .register(
            json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "response_types": [] }),
        )
        .await;
    let told =
        server.post_as(&machine, "/connect/token", &[("grant_type", "client_credentials")]).await.json();
    let answer = server.userinfo(told["access_token"].as_str().unwrap()).await;
    answer.is_refused(403, "insufficient_scope");
}

/// RFC 6750 §3.1
#[tokio::test]
async fn a_token_that_is_sent_wrongly_is_answered_with_a_challenge() {
    let server = Server::new().await;
    let malformed = server.userinfo("a b").await;
    let mut twice = form("/connect/userinfo", &[("access_token", "x")]);
    twice.headers_mut().insert("authorization", "Bearer x".parse().unwrap());
    let twice = server.send(twice).await;
    let doubled = form("/connect/userinfo", &[("access_token", "x"), ("access_token", "x")]);
    for answer in [malformed, twice, server.send(doubled).await] {
        answer.is_refused(400, "invalid_request");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="enroll", error="invalid_request""#);
    }
}

/// What a resource may know of a user is for that resource. RFC 7662 §4.
#[tokio::test]
async fn a_client_reads_nothing_of_a_user_in_its_own_token() {
    let server = Server::new().await;
    let members = json!({ "scope": "openid api1", "access_token_type": "Reference" });
    let (client, told) = server.tokens(members, "openid api1").await;
    let token = told["access_token"].as_str().unwrap();
    let seen = server.post_as(&client, "/connect/introspect", &[("token", token)]).await.json();
    let mut names: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let protocol =
        ["active", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "scope", "sub", "token_type"];
    assert_eq!(names, protocol, "{seen}");
    assert_eq!((&seen["active"], &seen["aud"]), (&json!(true), &json!("https://api.example/1")));
}

/// From the very second on. RFC 9068 §4.
#[tokio::test]
async fn an_access_token_ends_when_its_client_registered_so() {
    for kind in ["Jwt", "Reference"] {
        let server = Server::new().await;
        let members = json!({ "access_token_lifetime": 60, "access_token_type": kind });
        let (_, told) = server.tokens(members, "openid").await;
        let token = told["access_token"].as_str().unwrap();
        server.clock.advance(59);
        assert_eq!(server.userinfo(token).await.status, 200, "{kind}");
        server.clock.advance(1);
        server.userinfo(token).await.is_refused(401, "invalid_token");
    }
}

/// A value, for this time.
type Made = fn(u64) -> Value;

/// What is wrong with an assertion: a claim, and its value.
const ASSERTIONS: &[(&str, Made)] = &[
    ("aud", |_| json!("https://other.example")),
    ("aud", |_| json!("https://id.example/")),
    ("aud", |_| json!("https://id.example.evil.example")),
    ("aud", |_| json!("https://id.example/connect/introspect")),
    ("aud", |_| json!("https://id.example/authorize")),
    ("aud", |_| json!("https://other.example/token")),
    ("aud", |_| json!([])),
    ("aud", |_| json!(["https://other.example"])),
    ("aud", |_| json!(1)),
    ("aud", |_| Value::Null),
    ("iss", |_| json!("another")),
    ("iss", |_| Value::Null),
    ("sub", |_| json!("another")),
    ("sub", |_| Value::Null),
    ("exp", |now| json!(now - 61)),
    ("exp", |now| json!(now + 86_400)),
    ("exp", |_| json!("tomorrow")),
    ("exp", |_| Value::Null),
    ("nbf", |now| json!(now + 120)),
    ("iat", |now| json!(now + 120)),
    ("jti", |_| Value::Null),
    ("jti", |_| json!(7)),
    ("jti", |_| json!("")),
];

/// RFC 7523 §3, OpenID Connect Core 1.0 §9
#[tokio::test]
async fn an_assertion_that_is_wrong_in_one_claim_proves_nothing() {
    let server = Server::new().await;
    let key = ClientKey::new("k");
    let client = server.register(signing(&key)).await;
    let assertion = |name: &str, value: Value, number: usize| {
        let now = server.now();
        let good = json!({ "iss": client.id(), "sub": client.id(), "aud": ISSUER, "exp": now + 60, "iat": now, "jti": number.to_string() });
        let mut claims = with(&good, name, value.clone());
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        claims
    };
    for (number, (name, value)) in ASSERTIONS.iter().enumerate() {
        let claims = assertion(name, value(server.now()), number);
        let answer = present(&server, &client, &key.sign(&claims)).await;
        let is_known = answer.status == 401 || answer.json()["error"] == "invalid_request";
        assert!(is_known, "{claims}: {answer:?}");
    }
    let another = ClientKey::new("k").sign(&assertion("x", json!(1), 100));
    present(&server, &client, &another).await.is_refused(401, "invalid_client");
    let good = key.sign(&assertion("x", json!(1), 101));
    present(&server, &client, &good).await.is_refused(400, "invalid_grant");
    present(&server, &client, &good).await.is_refused(401, "invalid_client");
}

/// Clients that found no metadata name the address that they guessed. RFC 7523 §3, item 3.
#[tokio::test]
async fn an_assertion_may_name_each_address_of_the_token_endpoint() {
    let server = Server::new().await;
    let key = ClientKey::new("k");
    let client = server.register(signing(&key)).await;
    let now = server.now();
    for path in ["", "/connect/token", "/token"] {
        let claims = json!({ "iss": client.id(), "sub": client.id(), "aud": format!("{ISSUER}{path}"), "exp": now + 60, "jti": format!("of {path}") });
        present(&server, &client, &key.sign(&claims)).await.is_refused(400, "invalid_grant");
    }
}

fn signing(key: &ClientKey) -> Value {
    json!({ "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "jwks": key.jwks() })
}

async fn present(server: &Server, client: &Client, assertion: &str) -> crate::harness::Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", "none"),
        ("client_id", client.id()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    server.send(form("/connect/token", &fields)).await
}

/// What is wrong with an `Authorization` header, and the status.
const CREDENTIALS: &[(&str, u16)] = &[
    ("Basic", 401),
    ("Basic ", 401),
    ("Basic !!!", 401),
    ("Basic Og==", 401),
    ("Basic bm9ib2R5Og==", 401),
    ("Basic bm9ib2R5OnNlY3JldA==", 401),
    ("Basic /////w==", 401),
    ("Basic bm9jb2xvbg==", 401),
    ("Basic JTAwOiUwMA==", 401),
    ("Bearer x", 401),
    ("Digest username=\"a\"", 401),
    ("", 401),
];

/// RFC 6749 §2.3.1, §5.2
#[tokio::test]
async fn credentials_that_are_none_prove_nothing() {
    let server = Server::new().await;
    for (value, status) in CREDENTIALS {
        for path in ["/connect/token", "/connect/introspect", "/connect/revocation"] {
            let mut request = form(path, &[("grant_type", "client_credentials"), ("token", "x")]);
            request.headers_mut().insert("authorization", value.parse().unwrap());
            let answer = server.send(request).await;
            assert_eq!(answer.status, *status, "{value:?} at {path}: {answer:?}");
            assert_eq!(answer.json()["error"], "invalid_client", "{value:?} at {path}");
            let is_basic = value.starts_with("Basic");
            assert_eq!(
                answer.header("www-authenticate").starts_with("Basic "),
                is_basic,
                "{value:?}: {answer:?}"
            );
        }
    }
}

/// RFC 6749 §2.3.1 has both halves encoded, and many do not know it.
#[tokio::test]
async fn credentials_are_taken_encoded_and_as_they_are() {
    const NAME: &str = "https://api.example/1";
    const SECRETS: [&str; 3] = ["p+w/==rd", "100%40real", "a b"];
    let secrets = SECRETS.map(|secret| ClientSecret::presented(secret.to_owned()).hash());
    let resource = Resource { identifier: NAME.to_owned(), secrets: secrets.to_vec(), ..Resource::default() };
    let server = Server::with(|builder| builder.catalog(Catalog::new([resource]))).await;
    let status = async |name: &str, secret: &str| {
        let mut request = form("/connect/introspect", &[("token", "x")]);
        let value = format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{secret}")));
        request.headers_mut().insert("authorization", value.parse().unwrap());
        server.send(request).await.status.as_u16()
    };
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    for secret in SECRETS {
        assert_eq!(status(NAME, secret).await, 200, "{secret}");
        assert_eq!(status(&encoded(NAME), &encoded(secret)).await, 200, "{secret}");
        assert_eq!(status(&encoded(NAME), &format!("{secret}x")).await, 401, "{secret}");
        assert_eq!(status("https", secret).await, 401, "{secret}");
    }
    // Neither the one nor the other.
    assert_eq!(status(NAME, "100@real").await, 401);
    assert_eq!(status(NAME, "p w/==rd").await, 401);
}
