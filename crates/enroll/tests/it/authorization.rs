//! Clients that act for themselves: tokens, and what they open. RFC 6749 §4.4, RFC 9068, RFC 7662, RFC 7009.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use enroll_oauth_types::{Clock as _, SystemClock};
use enroll_testkit::ClientKey;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

const SCOPES: &str = r#"
[[scopes]]
name = "openid"
[[scopes]]
name = "api1"
[[scopes]]
name = "enroll.registration"
dynamic = "allowed"
[[resources]]
identifier = "https://api.example"
scopes = ["api1"]
"#;

fn machine(over: &Value) -> Value {
    let mut metadata = json!({ "grant_types": ["client_credentials"], "scope": "api1" });
    metadata.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    metadata
}

fn form(server: &Server, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let request = server.request(Method::POST, path);
    request.header("content-type", "application/x-www-form-urlencoded").body(body.finish())
}

/// A client and its secret, which it sends in the `Authorization` header.
struct Machine<'a> {
    server: &'a Server,
    id: String,
    secret: String,
}

impl<'a> Machine<'a> {
    async fn registered(server: &'a Server, metadata: &Value, token: Option<&str>) -> Self {
        let registered = server.register(metadata, token).await;
        let [id, secret] = ["client_id", "client_secret"].map(|name| registered.member(name).to_owned());
        Self { server, id, secret }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::to(form(self.server, path, fields).basic_auth(&self.id, Some(&self.secret))).await
    }

    async fn token(&self, more: &[(&str, &str)]) -> Answer {
        self.post("/connect/token", &[&[("grant_type", "client_credentials")], more].concat()).await
    }
}

pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// RFC 6749 §4.4, RFC 9068 §2.2
#[tokio::test]
async fn a_client_gets_a_token_for_itself_a_moment_after_it_registered() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "");
    let machine = Machine::registered(&server, &machine(&json!({ "access_token_lifetime": 60 })), None).await;
    let answer = machine.token(&[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let shown = json!([answer.json["token_type"], answer.json["expires_in"], answer.json["scope"]]);
    assert_eq!(shown, json!(["Bearer", 60, "api1"]));
    let claims = claims(answer.member("access_token"));
    for (name, expected) in [
        ("iss", server.url.as_str()),
        ("aud", "https://api.example"),
        ("sub", &machine.id),
        ("client_id", &machine.id),
        ("scope", "api1"),
    ] {
        assert_eq!(claims[name], expected, "{claims}");
    }
    let seen = machine.post("/connect/introspect", &[("token", answer.member("access_token"))]).await;
    assert_eq!((&seen.json["active"], &seen.json["scope"]), (&true.into(), &"api1".into()), "{seen:?}");
}

/// RFC 6749 §5.2
#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_by_its_code() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "");
    let machine = Machine::registered(&server, &machine(&json!({})), None).await;
    for (more, status, error) in [
        (&[("scope", "openid")][..], 400, "invalid_scope"),
        (&[("scope", "api2")], 400, "invalid_scope"),
        (&[("resource", "https://other.example")], 400, "invalid_target"),
        (&[("scope", "api1"), ("scope", "api1")], 400, "invalid_request"),
        (&[("client_id", "other")], 400, "invalid_request"),
        (&[("client_secret", &machine.secret)], 400, "invalid_request"),
    ] {
        machine.token(more).await.assert_error(status, error);
    }
    machine.post("/connect/token", &[]).await.assert_error(400, "invalid_request");
    let other = machine.post("/connect/token", &[("grant_type", "password")]).await;
    other.assert_error(400, "unsupported_grant_type");
    let web = json!({ "redirect_uris": ["https://app.example/cb"] });
    let web = Machine::registered(&server, &web, None).await;
    web.token(&[]).await.assert_error(400, "unauthorized_client");
}

/// RFC 6749 §5.2: nothing tells an unknown client from a wrong secret.
#[tokio::test]
async fn whoever_does_not_authenticate_is_told_nothing() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "");
    let known = Machine::registered(&server, &machine(&json!({})), None).await;
    let with =
        |id: &str, secret: &str| Machine { server: &server, id: id.to_owned(), secret: secret.to_owned() };
    let wrong = with(&known.id, "enr_cs_x").token(&[]).await;
    let unknown = with("unknown", &known.secret).token(&[]).await;
    assert_eq!((wrong.status, &wrong.json), (unknown.status, &unknown.json));
    wrong.assert_error(401, "invalid_client");
    assert_eq!(home.run(&format!("clients disable {}", known.id)).code, Some(0));
    known.token(&[]).await.assert_error(401, "invalid_client");
}

/// OpenID Connect Core 1.0 §9, RFC 7523 §3
#[tokio::test]
async fn a_client_authenticates_by_a_signature_once() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "");
    let key = ClientKey::new("k");
    let metadata = machine(&json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": key.jwks() }));
    let registered = server.register(&metadata, None).await;
    let id = registered.member("client_id");
    let assertion = |jti: &str, aud: &str| {
        let end = SystemClock.now().seconds() + 60;
        key.sign(&json!({ "iss": id, "sub": id, "aud": aud, "jti": jti, "exp": end }))
    };
    let send = async |assertion: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        Answer::to(form(&server, "/connect/token", &fields)).await
    };
    let first = assertion("1", &server.url);
    assert_eq!(send(&first).await.status, 200);
    send(&first).await.assert_error(401, "invalid_client");
    assert_eq!(send(&assertion("2", &format!("{}/connect/token", server.url))).await.status, 200);
    send(&assertion("3", "https://other.example")).await.assert_error(401, "invalid_client");
}

/// Below an issuer with a path clients guess both addresses, and sign for the one that they use. RFC 7523 §3, item 3.
#[tokio::test]
async fn an_assertion_names_any_address_of_a_token_endpoint_below_a_path() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "--issuer https://id.example/t");
    let key = ClientKey::new("k");
    let metadata = machine(&json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": key.jwks() }));
    let registered = Answer::to(server.request(Method::POST, "/t/connect/dcr").json(&metadata)).await;
    let id = registered.member("client_id");
    for (path, aud, status) in [
        ("/t/connect/token", "https://id.example/t", 200),
        ("/t/connect/token", "https://id.example/t/connect/token", 200),
        ("/t/token", "https://id.example/t/token", 200),
        ("/token", "https://id.example/token", 200),
        ("/token", "https://id.example", 401),
        ("/token", "https://id.example/other/token", 401),
    ] {
        let end = SystemClock.now().seconds() + 60;
        let claims = json!({ "iss": id, "sub": id, "aud": aud, "jti": aud, "exp": end });
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &key.sign(&claims)),
        ];
        assert_eq!(Answer::to(form(&server, path, &fields)).await.status, status, "{aud} at {path}");
    }
}

/// OpenID Connect Core 1.0 §9: the secret that both sides have, which the server keeps sealed.
#[tokio::test]
async fn a_client_authenticates_by_its_secret_without_sending_it() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "");
    let metadata = machine(&json!({ "token_endpoint_auth_method": "client_secret_jwt" }));
    let registered = server.register(&metadata, None).await;
    let (id, secret) = (registered.member("client_id"), registered.member("client_secret"));
    let send = async |secret: &str, jti: &str| {
        let end = SystemClock.now().seconds() + 60;
        let claims = json!({ "iss": id, "sub": id, "aud": server.url, "jti": jti, "exp": end });
        let key = EncodingKey::from_secret(secret.as_bytes());
        let assertion = encode(&Header::default(), &claims, &key).unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        Answer::to(form(&server, "/connect/token", &fields)).await.status
    };
    assert_eq!(send(secret, "1").await, 200);
    assert_eq!(send(secret, "1").await, 401, "it is taken once");
    assert_eq!(send("enr_cs_other", "2").await, 401);
    // What it registered for is what it does.
    let by_post = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    Answer::to(form(&server, "/connect/token", &by_post)).await.assert_error(401, "invalid_client");
}

/// RFC 7009 §2.2
#[tokio::test]
async fn a_reference_token_is_given_back() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "");
    let metadata = machine(&json!({ "access_token_type": "Reference" }));
    let [one, other] = [
        Machine::registered(&server, &metadata, None).await,
        Machine::registered(&server, &metadata, None).await,
    ];
    let answer = one.token(&[]).await;
    let token = [("token", answer.member("access_token"))];
    let is_active = async |who: &Machine<'_>| {
        let seen = who.post("/connect/introspect", &token).await;
        seen.json["active"].as_bool().unwrap()
    };
    assert!(is_active(&one).await && !is_active(&other).await);
    assert_eq!(other.post("/connect/revocation", &token).await.status, 400);
    assert!(is_active(&one).await, "it is not the other's");
    for _ in 0..2 {
        assert_eq!(one.post("/connect/revocation", &token).await.status, 200);
        assert!(!is_active(&one).await);
    }
}

/// RFC 7591 §3: a token of this server registers clients, if it has the scope and is meant for the endpoint.
#[tokio::test]
async fn a_pipeline_registers_clients_by_its_own_token() {
    let home = Home::with_config(SCOPES);
    let server = Server::start(&home, "");
    let initial = home.token("");
    let pipeline = machine(&json!({ "scope": "enroll.registration api1" }));
    let pipeline = Machine::registered(&server, &pipeline, Some(&initial)).await;
    let app = json!({ "redirect_uris": ["https://app.example/cb"] });
    let answer = pipeline.token(&[("scope", "enroll.registration")]).await;
    let token = answer.member("access_token");
    assert_eq!(claims(token)["aud"], format!("{}/connect/dcr", server.url));
    assert_eq!(server.register(&app, Some(token)).await.status, 201);
    let answer = pipeline.token(&[("scope", "api1")]).await;
    server.register(&app, Some(answer.member("access_token"))).await.assert_error(401, "invalid_token");
    // Its client is gone, and so is what it may do.
    assert_eq!(home.run(&format!("clients delete {}", pipeline.id)).code, Some(0));
    server.register(&app, Some(token)).await.assert_error(401, "invalid_token");
}

/// Keys and tokens outlive the process.
#[tokio::test]
async fn what_was_signed_verifies_after_a_restart() {
    let home = Home::with_config(&format!("registration.open = true\n{SCOPES}"));
    let server = Server::start(&home, "--issuer http://127.0.0.1:9");
    let machine = Machine::registered(&server, &machine(&json!({})), None).await;
    let token = machine.token(&[]).await.member("access_token").to_owned();
    let (id, secret) = (machine.id.clone(), machine.secret.clone());
    server.stop();
    let server = Server::start(&home, "--issuer http://127.0.0.1:9");
    let again = Machine { server: &server, id, secret };
    assert_eq!(again.post("/connect/introspect", &[("token", &token)]).await.json["active"], true);
    let jwks = Answer::to(server.request(Method::GET, "/.well-known/openid-configuration/jwks")).await;
    let keys = jwks.json["keys"].as_array().unwrap();
    assert!(keys.iter().any(|key| key["alg"] == "ES256") && keys.iter().all(|key| key.get("d").is_none()));
}
