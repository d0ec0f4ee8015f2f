//! Clients that nobody uses go, as their policies say, and those that are used stay.

use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

const SHORT: &str = "scopes = [ { name = \"openid\" }, { name = \"api1\" } ]\n\
    registration.open = true\n[policies.default]\nunused_after = 1\n";

fn machine() -> Value {
    json!({ "client_name": "Machine", "grant_types": ["client_credentials"], "scope": "api1" })
}

async fn token(server: &Server, client: &Value) -> Answer {
    let [id, secret] = ["client_id", "client_secret"].map(|name| client[name].as_str().unwrap());
    Answer::to(server.client_credentials(id, secret, "")).await
}

/// Asks again until the clock has come that far.
fn once_found(home: &Home, id: &str) -> String {
    loop {
        let ran = home.run("clients reap --dry-run");
        assert_eq!(ran.code, Some(0), "{ran:?}");
        if ran.stdout.contains(id) {
            return ran.stdout;
        }
    }
}

/// Returns when the use of this client is on disk.
fn until_written(home: &Home, client: &Value) {
    let id = client["client_id"].as_str().unwrap();
    let is_written = |line: &str| line.contains("client_activity") && line.contains(id);
    while !home.run("records export").stdout.lines().any(is_written) {}
}

#[tokio::test]
async fn what_is_used_stays_and_what_is_not_is_told_then_deleted() {
    let home = Home::with_config(SHORT);
    let server = Server::start(&home, "");
    let used = server.register(&machine(), None).await.json;
    let given = token(&server, &used).await;
    assert_eq!(given.status, 200, "{given:?}");
    let unused = server.register(&machine(), None).await.json;
    home.write("client.json", &machine().to_string());
    let operators = home.run("clients register client.json").stdout;
    let operators: Value = serde_json::from_str(&operators).unwrap();
    let disabled = server.register(&machine(), None).await.json;
    let id = |client: &Value| client["client_id"].as_str().unwrap().to_owned();
    home.run(&format!("clients disable {}", id(&disabled)));

    until_written(&home, &used);
    let told = once_found(&home, &id(&unused));
    assert!(told.contains("never") && told.contains("unused") && told.contains("Machine"), "{told}");
    assert!(told.ends_with("1 of 4 clients would be deleted\n"), "{told}");
    assert_eq!(home.run("clients list --json").stdout.lines().count(), 4, "nothing was deleted");
    let as_json = home.run("clients reap --dry-run --json");
    let as_json: Value = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!((&as_json["reason"], &as_json["last_use"]), (&json!("unused"), &Value::Null));

    let reaped = home.run("clients reap");
    assert!(reaped.stdout.ends_with("1 of 4 clients deleted\n"), "{reaped:?}");
    token(&server, &unused).await.assert_error(401, "invalid_client");
    assert!(home.run(&format!("clients show {}", id(&unused))).stderr.contains("it was deleted at 20"));
    for client in [&used, &operators] {
        assert_eq!(token(&server, client).await.status, 200);
    }
    assert_eq!(home.run("clients reap").stdout.lines().last(), Some("0 of 3 clients deleted"));
}

#[tokio::test]
async fn the_server_deletes_by_itself_what_is_over() {
    let home = Home::with_config(SHORT);
    let server = Server::start(&home, "");
    let (used, unused) =
        (server.register(&machine(), None).await.json, server.register(&machine(), None).await.json);
    assert_eq!(token(&server, &used).await.status, 200);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    once_found(&home, unused["client_id"].as_str().unwrap());
    let server = Server::start(&home, "");
    while token(&server, &unused).await.status != 401 {}
    assert_eq!(token(&server, &used).await.status, 200, "its use was written down when the server ended");
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("enroll_clients_reaped_total{reason=\"unused\"} 1"), "{metrics}");
}

/// Once the note of a use is on disk, a kill does not lose it.
#[tokio::test]
async fn a_use_is_known_to_other_processes_a_moment_later() {
    let home = Home::with_config(SHORT);
    let mut server = Server::start(&home, "");
    let used = server.register(&machine(), None).await.json;
    assert_eq!(token(&server, &used).await.status, 200);
    let id = used["client_id"].as_str().unwrap();
    until_written(&home, &used);
    server.kill();
    let marker = Server::start(&home, "").register(&machine(), None).await.json;
    let told = once_found(&home, marker["client_id"].as_str().unwrap());
    assert!(!told.contains(id), "{told}");
}

#[test]
fn without_a_rule_everything_is_kept_and_a_wrong_one_is_told() {
    let home = Home::new();
    home.token("");
    Server::start(&home, "").stop();
    let ran = home.run("clients reap --dry-run");
    assert!(ran.code == Some(1) && ran.stderr.contains("every client is kept"), "{ran:?}");
    for (config, problem) in [
        ("[policies.a]\nunused_after = 0\n", "policies.a.unused_after: must be 1 to 2147483647"),
        ("[policies.a]\nidle_after = 2147483648\n", "policies.a.idle_after"),
        ("[policies.a]\nlifetime = \"1d\"\n", "lifetime"),
        ("[retention]\ntombstones = 0\n", "retention.tombstones: must be at least 1 second"),
    ] {
        let home = Home::with_config(config);
        let ran = home.run("config check");
        assert!(ran.code == Some(2) && ran.stderr.contains(problem), "{ran:?}");
    }
}
