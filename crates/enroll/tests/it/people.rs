//! People: added by the operator, logged in by their browser, and what a kill does not do to them.

use std::collections::{HashMap, HashSet};

use enroll_testkit::Form;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::authorization::claims;
use crate::browser::{Browser, CALLBACK, Granted};
use crate::harness::{Answer, Home, Server};

fn web(over: &Value) -> Value {
    let mut metadata =
        json!({ "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"] });
    metadata.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    metadata
}

/// Posts a form as a public client.
fn form(server: &str, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(Method::POST, format!("{server}{path}"));
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

async fn post(server: &str, path: &str, client_id: &str, fields: &[(&str, &str)]) -> Answer {
    Answer::to(form(server, path, &[fields, &[("client_id", client_id)]].concat())).await
}

/// The whole life: RFC 7591, RFC 6749 §4.1 and §6, OpenID Connect Core 1.0 §5.3, RFC 7592 §2.3.
#[tokio::test]
async fn a_client_registers_sends_somebody_refreshes_and_is_deleted() {
    let home = Home::new();
    let server = Server::open(&home);
    let client = server.register(&web(&json!({ "token_endpoint_auth_method": "none" })), None).await;
    let id = client.member("client_id");
    let mut browser = Browser::at(&server.url, &server.url);
    let granted = browser.authorizes(id, "openid profile email offline_access api1", "alice").await.unwrap();
    let told = post(&server.url, "/connect/token", id, &granted.fields()).await;
    assert_eq!(told.status, 200, "{told:?}");
    let shown =
        Answer::to(server.request(Method::GET, "/connect/userinfo").bearer_auth(told.member("access_token")))
            .await;
    assert_eq!((shown.member("name"), shown.member("email")), ("Alice Ammann", "alice@example.com"));
    let fields = [("grant_type", "refresh_token"), ("refresh_token", told.member("refresh_token"))];
    let again = post(&server.url, "/connect/token", id, &fields).await;
    assert_eq!(again.status, 200, "{again:?}");
    let gone = server.request(Method::DELETE, &format!("/connect/dcr/{id}"));
    assert_eq!(Answer::to(gone.bearer_auth(client.member("registration_access_token"))).await.status, 204);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", again.member("refresh_token"))];
    post(&server.url, "/connect/token", id, &fields).await.assert_error(401, "invalid_client");
    let page = browser.get(&format!("/connect/authorize?client_id={id}")).await.unwrap();
    assert_eq!((page.status, page.location.as_str()), (400, ""), "{page:?}");
}

/// Whoever comes by way of a client that was disabled hears since when, and what to do.
#[tokio::test]
async fn a_page_says_since_when_a_client_is_disabled() {
    let home = Home::new();
    let server = Server::open(&home);
    let client = server.register(&web(&json!({ "token_endpoint_auth_method": "none" })), None).await;
    let id = client.member("client_id");
    assert_eq!(home.run(&format!("clients disable {id}")).code, Some(0));
    let mut browser = Browser::at(&server.url, &server.url);
    let page = browser.get(&format!("/connect/authorize?client_id={id}")).await.unwrap();
    assert_eq!((page.status, page.location.as_str()), (400, ""), "{page:?}");
    let (_, since) = page.html.split_once("was switched off by the operators of <bdi>").expect("it says so");
    let (_, date) = since.split_once("</bdi> on <bdi>").expect("it says since when");
    let (date, _) = date.split_once("</bdi>.").expect("the sentence ends");
    assert_eq!(date.split(' ').count(), 3, "{date}");
    assert!(page.html.contains("If you need it, ask them."), "{page:?}");
}

/// OpenID Connect Core 1.0 §3.2, for operators who want it: what is offered is what works, and nothing of it otherwise.
#[tokio::test]
async fn with_the_key_for_it_a_client_gets_tokens_by_way_of_the_browser() {
    for is_there in [true, false] {
        let home = Home::with_config(&format!("[legacy]\nimplicit = {is_there}"));
        let server = Server::open(&home);
        let told = server.get("/.well-known/openid-configuration").await;
        let types = if is_there { json!(["code", "id_token", "id_token token"]) } else { json!(["code"]) };
        assert_eq!(told.json["response_types_supported"], types);
        for (list, value) in [("grant_types_supported", "implicit"), ("response_modes_supported", "fragment")]
        {
            assert_eq!(told.json[list].as_array().unwrap().contains(&value.into()), is_there, "{list}");
        }
        let metadata =
            json!({ "redirect_uris": [CALLBACK], "response_types": ["id_token", "token id_token"] });
        let client = server.register(&metadata, None).await;
        if !is_there {
            client.assert_error(400, "invalid_client_metadata");
            continue;
        }
        assert_eq!(client.json["grant_types"], json!(["implicit"]));
        let mut browser = Browser::at(&server.url, &server.url);
        for response_type in ["id_token", "id_token token", "token id_token"] {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([
                    ("client_id", client.member("client_id")),
                    ("redirect_uri", CALLBACK),
                    ("response_type", response_type),
                    ("scope", "openid profile"),
                    ("nonce", "n"),
                ])
                .finish();
            let page = browser.answers(&query, "alice").await.unwrap();
            let fragment = page.location.strip_prefix(&format!("{CALLBACK}#")).unwrap().as_bytes();
            let told: HashMap<String, String> = url::form_urlencoded::parse(fragment).into_owned().collect();
            let says = claims(&told["id_token"]);
            assert_eq!(
                (&says["nonce"], says.get("at_hash").is_some()),
                (&"n".into(), response_type.contains(' '))
            );
            let Some(token) = told.get("access_token") else {
                assert_eq!(says["name"], "Alice Ammann");
                continue;
            };
            let shown = server.request(Method::GET, "/connect/userinfo").bearer_auth(token);
            assert_eq!(Answer::to(shown).await.member("name"), "Alice Ammann");
        }
    }
}

#[tokio::test]
async fn the_operator_adds_somebody_who_logs_in_while_the_server_runs() {
    let home = Home::with_config("registration.open = true");
    let server = Server::start(&home, "");
    let client = server.register(&web(&json!({})), None).await;
    let id = client.member("client_id");
    let added =
        home.run_with_input("users add carol --email c@example.com --claim email_verified=true", "carol\n");
    assert_eq!(added.code, Some(0), "{added:?}");
    let mut browser = Browser::at(&server.url, &server.url);
    browser.authorizes(id, "openid", "carol").await.unwrap();
    for (line, input, code) in [
        ("users add Carol", "other", 1),
        ("users add dan", "\n", 2),
        ("users add dan --claim sub=root", "dan", 2),
        ("users add dan --claim email_verified=yes", "dan", 2),
        ("users change carol --claim name=Carol --claim email=null", "", 0),
        ("users change carol --claim iss=me", "", 2),
        ("users change nobody --claim name=x", "", 1),
        ("users disable nobody", "", 1),
        ("users disable carol", "", 0),
    ] {
        let ran = home.run_with_input(line, input);
        assert_eq!(ran.code, Some(code), "{line}: {ran:?}");
    }
    let page = browser.get(&format!("/connect/authorize?client_id={id}&redirect_uri={CALLBACK}&response_type=code&scope=openid&code_challenge={}&code_challenge_method=S256", "a".repeat(43))).await.unwrap();
    assert!(Form::of(&page.html).is_some_and(|form| form.asks_for_password), "logged out: {page:?}");
    let page = browser.fills_in(&page, &[("username", "carol"), ("password", "carol")]).await.unwrap();
    assert_eq!(page.status, 403, "{page:?}");
    let listed = home.run("users list --json");
    let user: Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!((&user["username"], &user["enabled"]), (&"carol".into(), &false.into()));
    assert_eq!(user["claims"], json!({ "email_verified": true, "name": "Carol" }));
    assert!(!listed.stdout.contains("argon2"), "{listed:?}");
    assert_eq!(home.run("users delete carol").code, Some(0));
    assert_eq!(home.run("users list --json").stdout, "");
}

/// Everybody knows the passwords of `--dev`.
#[tokio::test]
async fn users_of_a_server_in_development_do_not_log_in_at_another() {
    let home = Home::new();
    for (options, count) in [("--dev", 2), ("", 0), ("--dev", 2)] {
        let server = Server::start(&home, options);
        let listed = home.run("users list --json");
        assert_eq!(listed.stdout.lines().count(), count, "{options}: {listed:?}");
        drop(server);
    }
    // Somebody of that name with a password of their own stays.
    assert_eq!(home.run_with_input("users password alice", "another\n").code, Some(0));
    drop(Server::start(&home, ""));
    assert_eq!(home.run("users list --json").stdout.lines().count(), 1);
}

#[tokio::test]
async fn users_of_a_folder_that_is_none_are_not_looked_for() {
    let home = Home::new();
    for line in ["users list", "users delete a", "users disable a"] {
        let ran = home.run(line);
        assert_eq!(ran.code, Some(3), "{line}: {ran:?}");
        assert!(ran.stderr.contains("there is no database"), "{line}: {ran:?}");
    }
}

const ISSUER: &str = "https://id.example";
const ROUNDS: usize = 6;
const PEOPLE: usize = 4;

/// What one client knows when the server is gone.
struct Known {
    id: String,
    /// Codes that were paid out, and those of which nobody knows.
    paid: Vec<Granted>,
    unknown: Option<Granted>,
    /// The refresh token that was heard of last.
    refresh: Option<String>,
}

/// Gets codes, pays them out, and refreshes, until the server is gone.
async fn lives_until_killed(server: String, id: String) -> Known {
    let mut known = Known { id, paid: Vec::new(), unknown: None, refresh: None };
    let mut browser = Browser::at(&server, ISSUER);
    loop {
        let Ok(granted) = browser.authorizes(&known.id, "openid offline_access", "alice").await else {
            return known;
        };
        known.unknown = Some(granted.clone());
        let fields = [granted.fields(), vec![("client_id", &known.id)]].concat();
        let Ok(response) = form(&server, "/connect/token", &fields).send().await else { return known };
        assert_eq!(response.status(), 200);
        let Ok(told) = response.json::<Value>().await else { return known };
        known.unknown = None;
        known.paid.push(granted);
        let mut token = told["refresh_token"].as_str().unwrap().to_owned();
        for _ in 0..5 {
            known.refresh = Some(token.clone());
            let fields =
                [("grant_type", "refresh_token"), ("refresh_token", &token), ("client_id", &known.id)];
            let Ok(response) = form(&server, "/connect/token", &fields).send().await else { return known };
            assert_eq!(response.status(), 200);
            let Ok(told) = response.json::<Value>().await else { return known };
            told["refresh_token"].as_str().unwrap().clone_into(&mut token);
            known.refresh = Some(token.clone());
        }
    }
}

/// RFC 6749 §4.1.2, RFC 9700 §4.14.2: killed between a code and its tokens, or between a refresh token and the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_pays_no_code_twice_and_locks_nobody_out() {
    let home = Home::new();
    let mut seen = HashSet::new();
    for round in 0..ROUNDS {
        let mut server = Server::start(&home, &format!("--dev --issuer {ISSUER}"));
        let mut clients = JoinSet::new();
        for _ in 0..PEOPLE {
            let metadata = web(&json!({ "token_endpoint_auth_method": "none", "require_consent": false }));
            let id = server.register(&metadata, None).await.member("client_id").to_owned();
            clients.spawn(lives_until_killed(server.url.clone(), id));
        }
        // Somewhere in the work: after as many codes as the round says.
        let mut browser = Browser::at(&server.url, ISSUER);
        let metadata = web(&json!({ "token_endpoint_auth_method": "none", "require_consent": false }));
        let id = server.register(&metadata, None).await.member("client_id").to_owned();
        for _ in 0..=round {
            browser.authorizes(&id, "openid", "bob").await.unwrap();
        }
        server.kill();
        let server = Server::start(&home, &format!("--dev --issuer {ISSUER}"));
        for known in clients.join_all().await {
            if let Some(token) = &known.refresh {
                let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
                let answer = post(&server.url, "/connect/token", &known.id, &fields).await;
                assert_eq!(answer.status, 200, "round {round}: locked out: {answer:?}");
            }
            for granted in &known.paid {
                assert!(seen.insert(granted.code.clone()));
                let answer = post(&server.url, "/connect/token", &known.id, &granted.fields()).await;
                answer.assert_error(400, "invalid_grant");
            }
            if let Some(granted) = &known.unknown {
                let first = post(&server.url, "/connect/token", &known.id, &granted.fields()).await;
                assert!([200, 400].contains(&first.status), "{first:?}");
                let second = post(&server.url, "/connect/token", &known.id, &granted.fields()).await;
                second.assert_error(400, "invalid_grant");
            }
        }
    }
    assert!(!seen.is_empty());
}
