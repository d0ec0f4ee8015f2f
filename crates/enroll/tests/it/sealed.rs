//! Registrations that are kept in their `client_id`: floods that fill nothing, and clients that work all the same. RFC 7591
//! Appendix A.5.2.

use std::path::Path;

use enroll_oauth_types::{Clock as _, SystemClock};
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::browser::{Browser, CALLBACK};
use crate::harness::{Answer, Home, Server};

/// Anybody registers, and this becomes of it.
fn kept(storage: &str) -> String {
    format!(
        r#"
[registration]
open = true
storage = "{storage}"
[[scopes]]
name = "openid"
[[scopes]]
name = "api1"
[[resources]]
identifier = "https://api.example"
scopes = ["api1"]
"#
    )
}

fn machine() -> Value {
    json!({ "grant_types": ["client_credentials"], "scope": "api1", "client_name": "Machine" })
}

fn app() -> Value {
    json!({ "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"], "scope": "openid api1" })
}

/// What is registered, at whatever port the server is now.
struct Registered {
    id: String,
    secret: String,
    token: String,
}

impl Registered {
    async fn at(server: &Server, metadata: &Value) -> Self {
        let answer = server.register(metadata, None).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let [id, secret, token] = ["client_id", "client_secret", "registration_access_token"]
            .map(|name| answer.member(name).to_owned());
        Self { id, secret, token }
    }

    fn path(&self) -> String {
        format!("/connect/dcr/{}", self.id)
    }

    async fn manages(&self, server: &Server, method: Method, more: &str) -> Answer {
        let request = server.request(method, &format!("{}{more}", self.path()));
        Answer::to(request.bearer_auth(&self.token)).await
    }

    async fn updates(&self, server: &Server, metadata: &Value) -> Answer {
        let mut body = metadata.clone();
        body["client_id"] = self.id.as_str().into();
        let request = server.request(Method::PUT, &self.path()).bearer_auth(&self.token);
        Answer::to(request.json(&body)).await
    }

    async fn asks(&self, server: &Server, fields: &[(&str, &str)]) -> Answer {
        Answer::to(form(server, fields).basic_auth(&self.id, Some(&self.secret))).await
    }

    async fn gets_a_token(&self, server: &Server) -> Answer {
        self.asks(server, &[("grant_type", "client_credentials")]).await
    }

    /// Somebody logs in for it and allows all; it gets its tokens.
    async fn is_authorized(&self, server: &Server) -> Answer {
        let mut browser = Browser::at(&server.url, &server.url);
        let granted = browser.authorizes(&self.id, "openid api1", "carol").await.unwrap();
        self.asks(server, &granted.fields()).await
    }
}

fn form(server: &Server, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = server.request(Method::POST, "/connect/token");
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

fn rows(home: &Home) -> Vec<Value> {
    let ran = home.run("clients list --json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn add_carol(home: &Home) {
    assert_eq!(home.run_with_input("users add carol", "carol\n").code, Some(0));
}

/// What every file of the server takes, by its name.
fn sizes(folder: &Path) -> Vec<(String, u64)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut sizes: Vec<_> = files
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    sizes.sort();
    sizes
}

const FLOOD: usize = 10_000;
const CONNECTIONS: usize = 8;

/// Nothing grows, and whoever was flooded in works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_registrations_by_strangers_make_nothing_grow() {
    for (storage, flood) in [("provisional", FLOOD), ("stateless", FLOOD / 10)] {
        let home = Home::with_config(&kept(storage));
        let server = Server::start(&home, "");
        // The signing keys are made when it starts.
        while home.run("keys list --json").stdout.lines().count() < 4 {}
        let first = Registered::at(&server, &machine()).await;
        assert_eq!(first.gets_a_token(&server).await.status, 200);
        let before = sizes(&home.path().join("enroll-data"));

        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let url = format!("{}/connect/dcr", server.url);
            connections.spawn(async move {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut sample = Vec::new();
                for number in 0..flood / CONNECTIONS {
                    let answer = Answer::to(client.post(&url).json(&machine())).await;
                    assert_eq!(answer.status, 201, "{answer:?}");
                    if number % 250 == 0 {
                        sample.push(answer);
                    }
                }
                sample
            });
        }
        let sample: Vec<_> = connections.join_all().await.into_iter().flatten().collect();
        assert!(sample.len() >= CONNECTIONS);
        for answer in &sample {
            let [id, secret, token] = ["client_id", "client_secret", "registration_access_token"]
                .map(|name| answer.member(name).to_owned());
            let client = Registered { id, secret, token };
            assert_eq!(client.gets_a_token(&server).await.status, 200);
            let read = client.manages(&server, Method::GET, "").await;
            assert_eq!((read.status, read.member("client_name")), (200, "Machine"));
            assert_eq!(client.updates(&server, &machine()).await.status, 403);
        }
        assert_eq!(sizes(&home.path().join("enroll-data")), before, "{storage}");
        assert!(rows(&home).is_empty());
    }
}

#[tokio::test]
async fn a_provisional_client_becomes_a_row_when_somebody_authorizes_it_and_not_before() {
    let home = Home::with_config(&kept("provisional"));
    let server = Server::start(&home, "");
    add_carol(&home);
    let client = Registered::at(&server, &app()).await;
    assert!(client.id.starts_with("enr_dcr_") && client.secret.starts_with("enr_cs_"));
    assert!(client.token.starts_with("enr_rat_"));
    let mut changed = app();
    changed["client_name"] = "Changed".into();
    client.updates(&server, &changed).await.assert_error(403, "access_denied");
    client.manages(&server, Method::POST, "/secret").await.assert_error(403, "access_denied");
    // Whoever comes by and leaves has authorized nothing.
    let mut browser = Browser::at(&server.url, &server.url);
    let path = format!("/connect/authorize?client_id={}&response_type=code", client.id);
    browser.get(&path).await.unwrap();
    assert!(rows(&home).is_empty());

    let told = client.is_authorized(&server).await;
    assert_eq!(told.status, 200, "{told:?}");
    let rows = rows(&home);
    assert_eq!((rows.len(), rows[0]["client_id"].as_str()), (1, Some(client.id.as_str())));
    let updated = client.updates(&server, &changed).await;
    assert_eq!((updated.status, updated.member("client_name")), (200, "Changed"), "{updated:?}");
    // The secret that was derived is the secret of the row.
    let fields = [("grant_type", "refresh_token"), ("refresh_token", told.member("refresh_token"))];
    assert_eq!(client.asks(&server, &fields).await.status, 200);
}

#[tokio::test]
async fn a_stateless_client_lives_in_its_identifier_alone_and_survives_a_kill() {
    let home = Home::with_config(&kept("stateless"));
    let mut server = Server::start(&home, "");
    add_carol(&home);
    let client = Registered::at(&server, &app()).await;
    server.kill();
    let mut server = Server::start(&home, "");
    let told = client.is_authorized(&server).await;
    assert_eq!(told.status, 200, "{told:?}");
    let bearer = server.request(Method::GET, "/connect/userinfo").bearer_auth(told.member("access_token"));
    assert_eq!(Answer::to(bearer).await.status, 200);
    assert!(rows(&home).is_empty());
    client.updates(&server, &app()).await.assert_error(403, "access_denied");

    let gone = client.manages(&server, Method::DELETE, "").await;
    assert_eq!(gone.status, 204, "{gone:?}");
    server.kill();
    let server = Server::start(&home, "");
    client.manages(&server, Method::GET, "").await.assert_error(401, "invalid_token");
    client.manages(&server, Method::DELETE, "").await.assert_error(401, "invalid_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", told.member("refresh_token"))];
    client.asks(&server, &fields).await.assert_error(401, "invalid_client");
    let mut browser = Browser::at(&server.url, &server.url);
    let page = browser.get(&format!("/connect/authorize?client_id={}", client.id)).await.unwrap();
    assert!(page.status == 400 && page.html.contains("deleted"), "{page:?}");
    let shown = home.run(&format!("clients show {}", client.id));
    assert!(shown.code == Some(1) && shown.stderr.contains("it was deleted at"), "{shown:?}");
}

#[tokio::test]
async fn a_client_that_has_no_row_ends_when_its_policy_says_so() {
    let home = Home::with_config(&format!("{}\n[policies.default]\nlifetime = 1\n", kept("stateless")));
    let server = Server::start(&home, "");
    let client = Registered::at(&server, &machine()).await;
    let told = loop {
        let told = client.gets_a_token(&server).await;
        if told.status != 200 {
            break told;
        }
    };
    told.assert_error(401, "invalid_client");
    client.manages(&server, Method::GET, "").await.assert_error(401, "invalid_token");
    let shown = home.run(&format!("clients show {}", client.id));
    assert!(shown.code == Some(1) && shown.stderr.contains("it was deleted at"), "{shown:?}");
    assert!(rows(&home).is_empty());
}

/// The key is on disk before anything is sealed under it: the first of all, and each that takes its turn.
#[tokio::test]
async fn every_client_that_was_answered_survives_a_kill_whichever_key_sealed_it() {
    let home = Home::with_config(&kept("provisional"));
    let mut answered = Vec::new();
    for round in 0..4 {
        let mut server = Server::start(&home, "");
        answered.push(Registered::at(&server, &machine()).await);
        server.kill();
        if round % 2 == 0 {
            assert_eq!(home.run("keys rotate --registrations").code, Some(0));
        }
    }
    let server = Server::start(&home, "");
    for client in &answered {
        assert_eq!(client.gets_a_token(&server).await.status, 200);
    }
    let keys: std::collections::HashSet<_> = answered.iter().map(|client| &client.id[8..16]).collect();
    assert_eq!(keys.len(), 3);
}

/// OpenID Connect Core 1.0 §3.2: somebody has allowed it, too.
#[tokio::test]
async fn a_client_of_the_implicit_flow_becomes_a_row_as_well() {
    let home = Home::with_config(&format!("{}\n[legacy]\nimplicit = true", kept("provisional")));
    let server = Server::start(&home, "");
    add_carol(&home);
    let metadata = json!({ "redirect_uris": [CALLBACK], "response_types": ["id_token"], "scope": "openid" });
    let client = Registered::at(&server, &metadata).await;
    assert!(rows(&home).is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", client.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "id_token"),
            ("scope", "openid"),
            ("nonce", "n"),
        ])
        .finish();
    let page = Browser::at(&server.url, &server.url).answers(&query, "carol").await.unwrap();
    assert!(page.location.contains("#id_token="), "{page:?}");
    assert_eq!(rows(&home).len(), 1);
}

#[tokio::test]
async fn keys_take_turns_identifiers_go_on_and_a_key_in_use_is_not_ended() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "");
    let old = Registered::at(&server, &machine()).await;
    let ran = home.run("keys rotate --registrations");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let listed = home.run("keys list --registrations --json");
    let keys: Vec<Value> = listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states: Vec<_> = keys.iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["opens", "seals"], "{listed:?}");
    assert_eq!(&old.id[8..16], keys[0]["name"].as_str().unwrap());
    assert_eq!(old.gets_a_token(&server).await.status, 200);
    // A server that starts now seals under the new one, and one that runs opens that at once.
    let other = Server::start(&home, "");
    let new = Registered::at(&other, &machine()).await;
    assert_eq!(&new.id[8..16], keys[1]["name"].as_str().unwrap());
    for client in [&old, &new] {
        assert_eq!(client.gets_a_token(&server).await.status, 200);
        assert_eq!(client.gets_a_token(&other).await.status, 200);
    }
    let table = home.run("keys list --registrations").stdout;
    assert!(table.starts_with("NAME") && table.lines().count() == 3, "{table}");
    for key in &keys {
        let ran = home.run(&format!("keys retire {}", key["name"].as_str().unwrap()));
        assert!(ran.code == Some(1) && ran.stderr.contains("is in use"), "{ran:?}");
    }
    let ran = home.run("keys retire nobodys-");
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[tokio::test]
async fn an_operator_sees_disables_and_deletes_a_client_that_has_no_row() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "");
    let client = Registered::at(&server, &machine()).await;
    let shown = home.run(&format!("clients show {}", client.id));
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["revision"], &shown["metadata"]["client_name"]), (&json!(0), &json!("Machine")));
    assert_eq!(home.run(&format!("clients disable {}", client.id)).code, Some(0));
    client.gets_a_token(&server).await.assert_error(401, "invalid_client");
    client.manages(&server, Method::GET, "").await.assert_error(403, "access_denied");
    assert_eq!(home.run(&format!("clients enable {}", client.id)).code, Some(0));
    assert_eq!(client.gets_a_token(&server).await.status, 200);
    assert_eq!(rows(&home).len(), 1);
    // A row can be exported, and imported where nobody has the key.
    let exported = home.run("clients export").stdout;
    let elsewhere = Home::with_config(&kept("stored"));
    let imported = elsewhere.run_with_input("clients import -", &exported);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let there = Server::start(&elsewhere, "");
    assert_eq!(client.gets_a_token(&there).await.status, 200);

    assert_eq!(home.run(&format!("clients delete {}", client.id)).code, Some(0));
    assert_eq!(home.run(&format!("clients delete {}", client.id)).code, Some(1));
    client.gets_a_token(&server).await.assert_error(401, "invalid_client");
    let sealed = Registered::at(&server, &machine()).await;
    assert_eq!(home.run(&format!("clients delete {}", sealed.id)).code, Some(0));
    sealed.gets_a_token(&server).await.assert_error(401, "invalid_client");
    assert!(rows(&home).is_empty());
}

#[tokio::test]
async fn a_forged_identifier_is_answered_as_one_that_nobody_has() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "");
    let elsewhere = Home::with_config(&kept("stateless"));
    let stranger = Registered::at(&Server::start(&elsewhere, ""), &machine()).await;
    let own = Registered::at(&server, &machine()).await;
    let text = |answer: &Answer| (answer.status, answer.text.clone());
    let nobody = Registered { id: "nobody".into(), secret: own.secret.clone(), token: own.token.clone() };
    let (token, read) = (nobody.gets_a_token(&server).await, nobody.manages(&server, Method::GET, "").await);
    let mut forged = vec![stranger.id.clone(), "enr_dcr_".into(), format!("enr_dcr_{}", "A".repeat(2040))];
    forged.push(format!("{}{}", &own.id[..16], &stranger.id[16..]));
    forged.push(format!("{}A", own.id));
    forged.push(own.id[..own.id.len() - 1].to_owned());
    forged.push(own.id.to_uppercase());
    forged.push(format!("{}{}", own.id, "A".repeat(20_000)));
    for id in forged {
        let client = Registered { id, secret: own.secret.clone(), token: own.token.clone() };
        assert_eq!(text(&client.gets_a_token(&server).await), text(&token));
        assert_eq!(text(&client.manages(&server, Method::GET, "").await), text(&read));
        assert_eq!(text(&client.manages(&server, Method::DELETE, "").await), text(&read));
    }
    // Another client's secrets open nothing.
    let other = Registered::at(&server, &machine()).await;
    let mixed = Registered { id: own.id.clone(), secret: other.secret, token: other.token };
    assert_eq!(text(&mixed.gets_a_token(&server).await), text(&token));
    assert_eq!(text(&mixed.manages(&server, Method::GET, "").await), text(&read));
}

/// At the token endpoint in a header, in the path of its registration, in the URL of an authorization request, in every token.
#[tokio::test]
async fn the_longest_identifier_works_everywhere() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "");
    add_carol(&home);
    let of_length = |length: usize| {
        let mut metadata = app();
        metadata["grant_types"] = json!(["authorization_code", "refresh_token", "client_credentials"]);
        metadata["client_uri"] = format!("https://app.example/{}", "a".repeat(length)).into();
        metadata
    };
    let (mut fits, mut is_too_long) = (0, 4096);
    while is_too_long - fits > 1 {
        let length = usize::midpoint(fits, is_too_long);
        match server.register(&of_length(length), None).await.status {
            201 => fits = length,
            _ => is_too_long = length,
        }
    }
    let client = Registered::at(&server, &of_length(fits)).await;
    assert!((2045..=2048).contains(&client.id.len()), "{}", client.id.len());
    let told = client.gets_a_token(&server).await;
    assert_eq!(told.status, 200, "{told:?}");
    // In `sub` as well, and below what common proxies take of a header.
    assert!((5_000..7_000).contains(&told.member("access_token").len()), "{}", told.text.len());
    assert_eq!(client.manages(&server, Method::GET, "").await.status, 200);
    let told = client.is_authorized(&server).await;
    assert_eq!(told.status, 200, "{told:?}");
    let bearer = server.request(Method::GET, "/connect/userinfo").bearer_auth(told.member("access_token"));
    assert_eq!(Answer::to(bearer).await.status, 200);
    let log = server.stop().log;
    assert!(log.contains(&client.id[..48]) && !log.contains(&client.id[..300]), "{log}");
}

/// OpenID Connect Core 1.0 §9
#[tokio::test]
async fn a_client_signs_with_the_secret_that_belongs_to_its_identifier() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "");
    let mut metadata = machine();
    metadata["token_endpoint_auth_method"] = "client_secret_jwt".into();
    let client = Registered::at(&server, &metadata).await;
    let other = Registered::at(&server, &metadata).await;
    for (secret, status) in [(&client.secret, 200), (&other.secret, 401)] {
        let end = SystemClock.now().seconds() + 60;
        let claims =
            json!({ "iss": client.id, "sub": client.id, "aud": server.url, "jti": secret, "exp": end });
        let key = EncodingKey::from_secret(secret.as_bytes());
        let assertion = encode(&Header::default(), &claims, &key).unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        assert_eq!(Answer::to(form(&server, &fields)).await.status, status);
    }
    assert!(rows(&home).is_empty());
}

#[tokio::test]
async fn what_takes_a_use_of_a_token_is_stored() {
    let home = Home::with_config(&kept("stateless"));
    let token = home.token("--uses 1");
    let server = Server::start(&home, "");
    let answer = server.register(&machine(), Some(&token)).await;
    assert_eq!((answer.status, answer.member("client_id").len()), (201, 36), "{answer:?}");
    server.register(&machine(), Some(&token)).await.assert_error(401, "invalid_token");
    assert_eq!(rows(&home).len(), 1);
}

#[tokio::test]
async fn what_is_too_long_for_an_identifier_is_told() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "");
    let mut large = machine();
    large["contacts"] =
        (0..60).map(|n| format!("somebody.with.a.long.name.{n:03}@example.com")).collect::<Vec<_>>().into();
    let answer = server.register(&large, None).await;
    answer.assert_error(400, "invalid_client_metadata");
    let description = answer.member("error_description");
    assert!(description.starts_with("contacts: ") && description.contains("2048 is the most"), "{answer:?}");
    home.write("large.json", &large.to_string());
    let ran = home.run("check large.json");
    assert!(ran.code == Some(1) && ran.stdout.contains("seal"), "{ran:?}");
}

/// A new key would open nothing that the lost one sealed, and what it sealed is nowhere else.
#[tokio::test]
async fn without_the_sealing_key_the_server_does_not_start() {
    let home = Home::with_config(&kept("stateless"));
    let server = Server::start(&home, "--role registration");
    Registered::at(&server, &machine()).await;
    drop(server);
    let key = home.path().join("enroll-data/sealing.key");
    let kept = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let ran = home.run("serve --listen 127.0.0.1:0 --role registration");
    assert!(ran.code == Some(3) && ran.stderr.contains("is not there"), "{ran:?}");
    // Another key is not the key.
    let stranger = Home::new();
    drop(Server::start(&stranger, "--role registration"));
    std::fs::copy(stranger.path().join("enroll-data/sealing.key"), &key).unwrap();
    let ran = home.run("serve --listen 127.0.0.1:0 --role registration");
    assert!(ran.code == Some(3) && ran.stderr.contains("does not open"), "{ran:?}");
    std::fs::write(&key, kept).unwrap();
    drop(Server::start(&home, "--role registration"));
}

/// What is sealed goes on when an operator wants rows from now on.
#[tokio::test]
async fn clients_go_on_when_registrations_are_stored_again() {
    let home = Home::with_config(&kept("stateless"));
    let client = Registered::at(&Server::start(&home, ""), &machine()).await;
    home.write("enroll.toml", &kept("stored"));
    let server = Server::start(&home, "");
    assert_eq!(client.gets_a_token(&server).await.status, 200);
    assert_eq!(Registered::at(&server, &machine()).await.id.len(), 36);
}
