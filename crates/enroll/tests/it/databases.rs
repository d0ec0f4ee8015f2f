//! The program with its databases on a server: two nodes that share them, a server that is killed, commands beside it.

use enroll_throwaway::{Engine, Throwaway};
use serde_json::json;

use crate::harness::{Answer, Home, Server};

/// A node of these databases, with a password where that is passed over: this administrator needs none.
fn node(engine: Engine, databases: &Throwaway, key: &Home) -> Home {
    let home = Home::of_node(databases, key);
    if engine == Engine::Postgres {
        let config = std::fs::read_to_string(home.path().join("enroll.toml")).unwrap();
        home.write("enroll.toml", &config.replace("://enroll@", "://enroll:hush@"));
    }
    home
}

async fn client_credentials(server: &Server, registered: &Answer) -> Answer {
    let [id, secret] = ["client_id", "client_secret"].map(|name| registered.member(name));
    Answer::to(server.client_credentials(id, secret, "&scope=api1")).await
}

async fn serves_from(engine: Engine) {
    let mut databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let (home, other_home) = (node(engine, &databases, &key), node(engine, &databases, &key));
    let ran = home.run("migrate --status");
    assert!(ran.code == Some(0) && ran.stdout.contains("has schema 0"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hush"), "{ran:?}");
    assert_eq!(home.run("migrate").code, Some(0));
    let server = Server::open(&home);
    let other = Server::open(&other_home);
    let metadata = json!({ "grant_types": ["client_credentials"], "scope": "api1" });
    let registered = server.register(&metadata, None).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    assert_eq!(other.read(&registered.json).await.status, 200, "the other node knows the client at once");
    assert_eq!(client_credentials(&other, &registered).await.status, 200);

    let id = registered.member("client_id").to_owned();
    assert!(home.run("clients list").stdout.contains(&id));
    assert_eq!(other_home.run(&format!("clients disable {id}")).code, Some(0));
    // Where the engine carries no word from node to node, a moment later.
    while client_credentials(&server, &registered).await.status != 401 {
        tokio::task::yield_now().await;
    }
    assert_eq!(home.run(&format!("clients enable {id}")).code, Some(0));

    databases.kill().unwrap();
    server.get("/readyz").await.assert_error(503, "temporarily_unavailable");
    let failed = server.register(&metadata, None).await;
    assert!(failed.status >= 500 && !failed.text.contains("127.0.0.1"), "{failed:?}");
    let ran = home.run("clients list");
    assert!(ran.code != Some(0) && ran.stderr.contains("127.0.0.1"), "{ran:?}");
    databases.restart().unwrap();
    assert_eq!(server.register(&metadata, None).await.status, 201);
    assert_eq!(client_credentials(&server, &registered).await.status, 200);
    assert_eq!(other.get("/healthz").await.status, 200);
    for ended in [server.stop(), other.stop()] {
        assert!(ended.code == Some(0) && !ended.log.contains("hush"), "{ended:?}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn the_program_serves_from_postgresql() {
    serves_from(Engine::Postgres).await;
}

#[tokio::test]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn the_program_serves_from_mariadb() {
    // Its administrator has no password at all, and one is refused.
    serves_from(Engine::MariaDb).await;
}
