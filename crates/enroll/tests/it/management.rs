//! Clients that change and delete their own registrations, against the running program. RFC 7592 §2.

use enroll_oauth_types::{Clock as _, SystemClock};
use enroll_testkit::{ClientKey, as_update};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, Home, Server};

fn app() -> Value {
    json!({ "client_name": "App", "redirect_uris": ["https://app.example/cb"] })
}

/// What the owner of a registration sends.
struct Owner {
    http: Client,
    uri: String,
    token: String,
    update: Value,
}

impl Owner {
    fn of(registered: &Answer) -> Self {
        let text = |member: &str| registered.member(member).to_owned();
        Self {
            // A connection each: servers come and go at the same address.
            http: Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap(),
            uri: text("registration_client_uri"),
            token: text("registration_access_token"),
            update: as_update(&registered.json),
        }
    }

    fn request(&self, method: Method) -> reqwest::RequestBuilder {
        self.http.request(method, &self.uri).bearer_auth(&self.token)
    }

    fn rotate_secret(&self) -> reqwest::RequestBuilder {
        self.http.post(format!("{}/secret", self.uri)).bearer_auth(&self.token)
    }

    /// Keeps the token that an answer shows, as RFC 7592 §3 has it.
    fn adopt(&mut self, answer: &Answer) {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.member("registration_access_token").clone_into(&mut self.token);
    }

    fn rename(&self, name: &str) -> reqwest::RequestBuilder {
        let mut body = self.update.clone();
        body["client_name"] = name.into();
        self.request(Method::PUT).json(&body)
    }

    /// Twenty new names at the same moment, each with its status.
    fn rename_at_once(&self) -> JoinSet<(u32, u16)> {
        let updates = (0..20).map(|number| (number, self.rename(&format!("App {number}"))));
        updates
            .map(|(number, update)| async move { (number, update.send().await.unwrap().status().as_u16()) })
            .collect()
    }

    async fn name(&self) -> Value {
        Answer::to(self.request(Method::GET)).await.json["client_name"].clone()
    }
}

/// Of updates at the same moment each is there as a whole, or is told that it is not.
#[tokio::test]
async fn updates_at_the_same_moment_do_not_mix() {
    let home = Home::new();
    let server = Server::open(&home);
    let owner = Owner::of(&server.register(&app(), None).await);
    let outcomes = owner.rename_at_once().join_all().await;
    let stored: Vec<_> = outcomes.iter().filter(|(_, status)| *status == 200).collect();
    assert!(outcomes.iter().all(|(_, status)| [200, 409].contains(status)), "{outcomes:?}");
    let name = owner.name().await;
    assert!(stored.iter().any(|(number, _)| name == format!("App {number}")), "{name} {outcomes:?}");
    let shown: Value = serde_json::from_str(&home.run("clients list --json").stdout).unwrap();
    assert_eq!(shown["revision"], 1 + stored.len(), "{shown}");
}

/// RFC 7523 §3, item 7: of the same signed request ten times at once, one is taken.
#[tokio::test]
async fn a_signed_request_is_taken_once_however_often_it_comes_at_once() {
    let home = Home::new();
    let server = Server::open(&home);
    let key = ClientKey::new("k");
    let mut metadata = app();
    metadata["token_endpoint_auth_method"] = "private_key_jwt".into();
    metadata["jwks"] = key.jwks();
    let registered = server.register(&metadata, None).await;
    let mut owner = Owner::of(&registered);
    let (id, now) = (registered.member("client_id"), SystemClock.now().seconds());
    owner.token = key.sign(&json!({ "iss": id, "sub": id, "aud": owner.uri, "jti": "1", "exp": now + 60 }));
    let reads = (0..10).map(|_| Answer::to(owner.request(Method::GET))).collect::<JoinSet<_>>();
    let mut statuses: Vec<_> = reads.join_all().await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [&[200][..], &[401; 9]].concat());
}

/// Whatever is under way, a client that was deleted is gone.
#[tokio::test]
async fn a_client_that_is_deleted_during_updates_stays_deleted() {
    let home = Home::new();
    let server = Server::open(&home);
    let owner = Owner::of(&server.register(&app(), None).await);
    let updates = owner.rename_at_once();
    let deleted = owner.request(Method::DELETE).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let outcomes = updates.join_all().await;
    assert!(outcomes.iter().all(|(_, status)| [200, 401, 409].contains(status)), "{outcomes:?}");
    Answer::to(owner.request(Method::GET)).await.assert_error(401, "invalid_token");
    assert_eq!(home.run("clients list --json").stdout, "");
}

/// An app that was not told goes on to send people: its registration was there, and is not any more.
#[tokio::test]
async fn whoever_a_deleted_client_sends_is_told_since_when_it_is_gone() {
    let home = Home::new();
    let server = Server::open(&home);
    let owner = Owner::of(&server.register(&app(), None).await);
    let id = owner.uri.rsplit('/').next().unwrap().to_owned();
    let deleted = owner.request(Method::DELETE).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    for (id, told) in [(id.as_str(), "was deleted on"), ("unknown", "there is no such client")] {
        let page = server.get(&format!("/connect/authorize?client_id={id}&response_type=code")).await;
        assert_eq!(page.status, 400, "{page:?}");
        assert_eq!(page.text.contains("was deleted on"), told == "was deleted on", "{page:?}");
        assert!(page.text.contains(told), "{page:?}");
    }
}

/// A policy that was tightened is tightened for changes as well; one that is gone lets nothing through.
#[tokio::test]
async fn a_client_changes_itself_on_the_present_terms_of_its_policy() {
    let policy = |lifetime: u32| {
        format!("[policies.ci]\nscopes = [\"openid\"]\nceilings = {{ access_token_lifetime = {lifetime} }}\n")
    };
    let home = Home::with_config(&policy(3600));
    let token = home.token("--policy ci");
    let server = Server::start(&home, "");
    let mut metadata = app();
    metadata["access_token_lifetime"] = 3600.into();
    let registered = server.register(&metadata, Some(&token)).await;
    assert_eq!(registered.json["access_token_lifetime"], 3600, "{registered:?}");
    let port = server.address().port();
    server.stop();

    let again = |config: &str| {
        home.write("enroll.toml", config);
        Server::spawn(home.enroll(["serve", "--listen", &format!("127.0.0.1:{port}")]))
    };
    let owner = Owner::of(&registered);
    let server = again(&policy(60));
    let tightened = Answer::to(owner.rename("App")).await;
    assert_eq!(tightened.json["access_token_lifetime"], 60, "{tightened:?}");
    server.stop();
    let _server = again("");
    Answer::to(owner.rename("New")).await.assert_error(403, "access_denied");
    assert_eq!(owner.name().await, "App");
}

/// What an administrator set is not the client's to change: it is not the operator, though the operator registered it.
#[tokio::test]
async fn a_client_of_the_operator_undoes_nothing_that_was_set() {
    let home = Home::new();
    let server = Server::open(&home);
    let set = r#"{ "redirect_uris": ["https://app.example/cb"], "require_consent": true, "enable_local_login": false,
        "access_token_lifetime": 60, "identity_provider_restrictions": ["corp"], "scope": "openid" }"#;
    let ran = home.run_with_input(&format!("clients register - --issuer {}", server.url), set);
    let registered: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut body = as_update(&registered);
    for (member, value) in [
        ("require_consent", json!(false)),
        ("enable_local_login", json!(true)),
        ("access_token_lifetime", json!(2_000_000_000)),
        ("identity_provider_restrictions", json!([])),
        ("scope", json!("openid profile email")),
    ] {
        body[member] = value;
    }
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let path = uri.strip_prefix(&server.url).unwrap();
    let token = registered["registration_access_token"].as_str().unwrap();
    let changed = Answer::to(server.request(Method::PUT, path).bearer_auth(token).json(&body)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for member in as_update(&registered).as_object().unwrap().keys().filter(|name| *name != "client_secret") {
        assert_eq!(changed.json[member], registered[member], "{member}");
    }
}

/// Killed in the middle of a change, the server has the last one that it answered, or the one that was under way; and
/// the newest token that its owner was shown works, whether or not the server has a newer one.
#[tokio::test]
async fn a_server_that_is_killed_leaves_the_client_whole_and_manageable() {
    let home = Home::new();
    let mut server = Server::open(&home);
    let mut owner = Owner::of(&server.register(&app(), None).await);
    let port = server.address().port();
    let mut last = 0;
    for round in 1..=10_u64 {
        for _ in 0..round {
            owner.adopt(&Answer::to(owner.rename(&format!("App {}", last + 1))).await);
            last += 1;
        }
        let under_way = tokio::spawn(owner.rename(&format!("App {}", last + 1)).send());
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        server.kill();
        let answered = under_way.await.unwrap().is_ok();
        server = Server::spawn(home.enroll(["serve", "--dev", "--listen", &format!("127.0.0.1:{port}")]));
        let name = owner.name().await;
        let newer = name == format!("App {}", last + 1);
        assert!(newer || !answered && name == format!("App {last}"), "round {round}: {name}, {answered}");
        last += u64::from(newer);
    }
    assert_eq!(owner.request(Method::DELETE).send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

/// The same for a change of secrets: whatever the owner was shown last works, and there is no end of it.
#[tokio::test]
async fn a_server_that_is_killed_leaves_the_owner_a_secret_that_works() {
    let home = Home::new();
    let mut server = Server::open(&home);
    let registered = server.register(&app(), None).await;
    let mut owner = Owner::of(&registered);
    let mut secret = registered.member("client_secret").to_owned();
    let port = server.address().port();
    for _ in 0..2 {
        let answer = Answer::to(owner.rotate_secret()).await;
        secret = answer.member("client_secret").to_owned();
        owner.adopt(&answer);
        let under_way = tokio::spawn(owner.rotate_secret().send());
        tokio::task::yield_now().await;
        server.kill();
        drop(under_way.await.unwrap());
        server = Server::spawn(home.enroll(["serve", "--dev", "--listen", &format!("127.0.0.1:{port}")]));
        // The server takes it for the client's own, which a wrong one is not.
        owner.update["client_secret"] = secret.clone().into();
        owner.adopt(&Answer::to(owner.rename("App")).await);
    }
    owner.update["client_secret"] = format!("{secret}x").into();
    Answer::to(owner.rename("App")).await.assert_error(400, "invalid_client_metadata");
}
