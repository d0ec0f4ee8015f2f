//! A registration over the wire: the golden response, who may register, reading it again. RFC 7591, RFC 7592.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

fn app() -> Value {
    json!({ "redirect_uris": ["https://app.example/callback"] })
}

fn members(value: &Value) -> Vec<&str> {
    let mut members: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    members
}

/// RFC 7591 3.2.1
#[tokio::test]
async fn a_confidential_client_gets_the_golden_response() {
    let home = Home::new();
    let server = Server::open(&home);
    let uris = json!(["https://App.example:443/callback?x=1", "https://app.example"]);
    let request = json!({
        "redirect_uris": uris, "client_name": "App", "client_name#fr": "Appli", "logo_uri": "", "contacts": null,
        "client_id": "mine", "no_standard_names_this": 1,
    });
    let answer = server.register(&request, None).await;

    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("location"), answer.member("registration_client_uri"));

    assert_eq!(
        members(&answer.json),
        [
            "application_type",
            "client_id",
            "client_id_issued_at",
            "client_name",
            "client_name#fr",
            "client_secret",
            "client_secret_expires_at",
            "grant_types",
            "redirect_uris",
            "registration_access_token",
            "registration_client_uri",
            "response_types",
            "scope",
            "token_endpoint_auth_method",
        ],
        "{answer:?}"
    );
    assert_eq!(answer.json["redirect_uris"], uris);
    assert_eq!(answer.json["grant_types"], json!(["authorization_code"]));
    assert_eq!(answer.json["response_types"], json!(["code"]));
    assert_eq!(answer.json["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(answer.json["application_type"], "web");
    // Every default scope but `offline_access`, which has no effect without the refresh token grant.
    assert_eq!(answer.json["scope"], "openid profile email api1 api2 mcp:tools");
    assert_eq!(answer.json["client_name#fr"], "Appli");
    assert_eq!(answer.json["client_secret_expires_at"], 0);
    assert!(answer.json["client_id_issued_at"].is_u64());
    assert!(answer.member("client_secret").starts_with("enr_cs_"));
    assert!(answer.member("registration_access_token").starts_with("enr_rat_"));
    let id = answer.member("client_id");
    assert_ne!(id, "mine");
    assert_eq!(answer.member("registration_client_uri"), format!("{}/connect/dcr/{id}", server.url));
}

#[tokio::test]
async fn a_public_client_gets_no_secret_nor_anything_about_one() {
    let home = Home::new();
    let server = Server::open(&home);
    let request = json!({ "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none" });
    let answer = server.register(&request, None).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json["application_type"], "native");
    assert!(!members(&answer.json).iter().any(|member| member.starts_with("client_secret")), "{answer:?}");
}

#[tokio::test]
async fn the_path_that_clients_guess_registers_too() {
    let home = Home::new();
    let server = Server::open(&home);
    let answer = Answer::to(server.request(Method::POST, "/register").json(&app())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(answer.member("registration_client_uri").contains("/connect/dcr/"), "{answer:?}");
}

/// RFC 7592 2.1
#[tokio::test]
async fn a_registration_is_read_with_its_own_token_and_no_other() {
    let home = Home::new();
    let server = Server::open(&home);
    let (one, two) = (server.register(&app(), None).await, server.register(&app(), None).await);
    let read = server.read(&one.json).await;
    assert_eq!((read.status, read.member("client_id")), (200, one.member("client_id")), "{read:?}");
    assert_eq!(read.json["redirect_uris"], one.json["redirect_uris"]);
    assert_eq!(read.header("cache-control"), "no-store");

    let mut mixed = one.json.clone();
    mixed["registration_access_token"] = two.json["registration_access_token"].clone();
    let refused = server.read(&mixed).await;
    refused.assert_error(401, "invalid_token");
    mixed["registration_client_uri"] = json!(format!("{}/connect/dcr/nobody", server.url));
    let nobody = server.read(&mixed).await;
    nobody.assert_error(401, "invalid_token");
    assert_eq!(refused.json, nobody.json, "a client that is not there looks like one of somebody else");
}

/// RFC 6750 3.1
#[tokio::test]
async fn a_protected_server_asks_for_a_token() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let answer = server.register(&app(), None).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
    let answer = server.register(&app(), Some("enr_iat_of_nobody")).await;
    answer.assert_error(401, "invalid_token");
    assert_eq!(home.run("clients list --json").stdout, "");
}

/// RFC 7591 1.2
#[tokio::test]
async fn a_token_of_one_use_registers_one_client_and_a_refused_request_uses_up_nothing() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let token = home.token("--uses 1 --label ci --expires 1h");
    let refused = server.register(&json!({ "redirect_uris": ["javascript:alert(1)"] }), Some(&token)).await;
    refused.assert_error(400, "invalid_redirect_uri");
    assert_eq!(server.register(&app(), Some(&token)).await.status, 201);
    server.register(&app(), Some(&token)).await.assert_error(401, "invalid_token");
    assert_eq!(home.run("clients list --json").stdout.lines().count(), 1);
}

#[tokio::test]
async fn many_at_once_share_the_uses_of_a_token_exactly() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let token = home.token("--uses 3");
    let mut registrations = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let request = server.request(Method::POST, "/connect/dcr").json(&app()).bearer_auth(&token);
        registrations.spawn(Answer::to(request));
    }
    let statuses: Vec<_> = registrations.join_all().await.iter().map(|answer| answer.status).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(401)), (3, 9), "{statuses:?}");
}

#[tokio::test]
async fn a_revoked_token_ends_at_once_while_the_server_runs() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let token = home.token("--label laptop");
    assert_eq!(server.register(&app(), Some(&token)).await.status, 201);
    let listed = home.run("tokens list --json").stdout;
    let line = listed.lines().find(|line| line.contains("laptop")).unwrap();
    let listed: Value = serde_json::from_str(line).unwrap();
    let revoked = home.run(&format!("tokens revoke {}", listed["token_id"].as_str().unwrap()));
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    server.register(&app(), Some(&token)).await.assert_error(401, "invalid_token");
}

#[tokio::test]
async fn a_token_registers_under_the_policy_that_it_names() {
    let home = Home::with_config(
        "[policies.ci]\nscopes = [\"openid\"]\ntemplate = { contacts = [\"ci@example.com\"] }\nsecret_lifetime = 60\n",
    );
    let server = Server::start(&home, "");
    let token = home.token("--policy ci");
    let answer = server.register(&app(), Some(&token)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json["scope"], "openid");
    assert_eq!(answer.json["contacts"], json!(["ci@example.com"]));
    let lifetime = answer.json["client_secret_expires_at"].as_u64().unwrap()
        - answer.json["client_id_issued_at"].as_u64().unwrap();
    assert_eq!(lifetime, 60);
    let unknown = home.run("tokens issue --policy nobody");
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
}

/// The profile of another product: its clients find what they expect, and discovery does not name the endpoint.
#[tokio::test]
async fn a_server_of_the_profile_duende_judges_as_that_product_does() {
    let home = Home::with_config("[registration]\nprofile = \"duende\"\nopen = true\n");
    let server = Server::start(&home, "");
    let machine = json!({ "client_name": "CI", "grant_types": ["client_credentials"], "scope": "SimpleApi" });
    let answer = server.register(&machine, None).await;
    assert_eq!((answer.status, answer.member("scope")), (201, "SimpleApi"), "{answer:?}");
    assert!(
        answer.json["client_secret"].is_string() && answer.json.get("registration_access_token").is_none()
    );
    assert!(answer.headers.get("location").is_none(), "{answer:?}");
    let without_grants = server.register(&json!({ "redirect_uris": ["https://app.example/cb"] }), None).await;
    without_grants.assert_error(400, "invalid_client_metadata");
    let found = server.get("/.well-known/oauth-authorization-server").await;
    assert!(found.json.get("registration_endpoint").is_none(), "{found:?}");
    let path = format!("/connect/dcr/{}", answer.member("client_id"));
    let read = Answer::to(server.request(Method::GET, &path).bearer_auth("enr_rat_x")).await;
    read.assert_error(401, "invalid_token");

    // Each key goes over the profile.
    server.stop();
    home.write(
        "enroll.toml",
        "[registration]\nprofile = \"duende\"\nopen = true\nmanagement = true\nrequire_grant_types = false\n",
    );
    let server = Server::start(&home, "");
    let answer = server.register(&json!({ "redirect_uris": ["https://app.example/cb"] }), None).await;
    assert!(answer.status == 201 && answer.json["registration_access_token"].is_string(), "{answer:?}");
}

#[tokio::test]
async fn a_closed_server_registers_nobody_and_keeps_those_that_it_has() {
    let home = Home::with_config("[registration]\nopen = true\n");
    let server = Server::start(&home, "");
    let body = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = server.register(&body, None).await;
    let token = home.token("");
    server.stop();
    home.write("enroll.toml", "[registration]\nclosed = true\n");
    let server = Server::start(&home, "");
    server.register(&body, Some(&token)).await.assert_error(403, "access_denied");
    server.register(&body, None).await.assert_error(403, "access_denied");
    let path = format!("/connect/dcr/{}", registered.member("client_id"));
    let owner = registered.member("registration_access_token");
    let read = Answer::to(server.request(Method::GET, &path).bearer_auth(owner)).await;
    assert_eq!(read.status, 200, "{read:?}");
}
