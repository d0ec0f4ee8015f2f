//! A registration endpoint apart from the authorization server, which only reads what the other writes.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use enroll_throwaway::{Engine, Throwaway};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

const APART: &str = r#"
issuer = "https://id.example"
[registration]
open = true
url = "https://register.example/clients"
[[scopes]]
name = "api1"
[[resources]]
identifier = "https://api.example"
scopes = ["api1"]
"#;

/// Both processes, over the same folder.
fn both(home: &Home) -> (Server, Server) {
    let registration = Server::start(home, "--role registration");
    (registration, Server::start(home, "--role authorization"))
}

async fn registered(registration: &Server) -> Answer {
    let metadata = json!({ "grant_types": ["client_credentials"], "scope": "api1" });
    let answer = Answer::to(registration.request(Method::POST, "/clients").json(&metadata)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

async fn token(authorization: &Server, client: &Answer) -> Answer {
    let [id, secret] = ["client_id", "client_secret"].map(|name| client.member(name));
    Answer::to(authorization.client_credentials(id, secret, "")).await
}

#[tokio::test]
async fn a_client_that_registers_apart_works_a_moment_later_and_as_long_as_it_is_there() {
    let home = Home::with_config(APART);
    let (registration, authorization) = both(&home);
    let (client, other) = (registered(&registration).await, registered(&registration).await);
    assert_eq!(token(&authorization, &client).await.status, 200);

    let id = client.member("client_id");
    assert_eq!(home.run(&format!("clients disable {id}")).code, Some(0));
    token(&authorization, &client).await.assert_error(401, "invalid_client");
    assert_eq!(home.run(&format!("clients enable {id}")).code, Some(0));
    assert_eq!(token(&authorization, &client).await.status, 200);

    let own = format!("/clients/{id}");
    let delete = registration.request(Method::DELETE, &own);
    let deleted = Answer::to(delete.bearer_auth(client.member("registration_access_token"))).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    token(&authorization, &client).await.assert_error(401, "invalid_client");
    assert_eq!(token(&authorization, &other).await.status, 200);
}

/// RFC 8414 §2, RFC 7592 §3
#[tokio::test]
async fn each_serves_its_own_and_names_what_the_other_serves() {
    let home = Home::with_config(APART);
    let (registration, authorization) = both(&home);
    let client = registered(&registration).await;
    let id = client.member("client_id");
    assert_eq!(client.member("registration_client_uri"), format!("https://register.example/clients/{id}"));

    for path in ["/connect/token", "/connect/authorize", "/connect/userinfo", "/.well-known/jwks.json"] {
        Answer::to(registration.request(Method::GET, path)).await.assert_error(404, "invalid_request");
    }
    for path in ["/clients", "/connect/dcr", "/register"] {
        let request = authorization.request(Method::POST, path).json(&json!({}));
        Answer::to(request).await.assert_error(404, "invalid_request");
    }
    let metadata = authorization.get("/.well-known/openid-configuration").await;
    assert_eq!(metadata.member("registration_endpoint"), "https://register.example/clients");
    assert_eq!(metadata.member("token_endpoint"), "https://id.example/connect/token");
    let described = authorization.get("/openapi.json").await;
    let paths: Vec<_> =
        described.json["paths"].as_object().into_iter().flatten().map(|(path, _)| path).collect();
    assert!(paths.iter().all(|path| !path.contains("clients")), "{paths:?}");
    for server in [&registration, &authorization] {
        assert_eq!(server.get("/readyz").await.status, 200);
    }
}

/// The flags of whatever the process has open of this file. `man 5 proc`.
#[cfg(target_os = "linux")]
fn open_for_writing(server: &Server, name: &str) -> Vec<bool> {
    let process = format!("/proc/{}", server.pid());
    let handles = fs::read_dir(format!("{process}/fd")).unwrap().filter_map(Result::ok);
    let own = handles.filter(|handle| {
        fs::read_link(handle.path()).is_ok_and(|target| target.file_name() == Path::new(name).file_name())
    });
    let is_writing = |handle: fs::DirEntry| {
        let number = handle.file_name().into_string().unwrap();
        let information = fs::read_to_string(format!("{process}/fdinfo/{number}")).unwrap();
        let flags = information.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        u32::from_str_radix(flags.trim(), 8).unwrap() & 0o3 != 0
    };
    own.map(is_writing).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_authorization_server_has_clients_open_for_reading_alone() {
    let home = Home::with_config(APART);
    let (registration, authorization) = both(&home);
    let client = registered(&registration).await;
    assert_eq!(token(&authorization, &client).await.status, 200);
    let handles = open_for_writing(&authorization, "configuration.db");
    assert!(!handles.is_empty() && handles.iter().all(|writing| !writing), "{handles:?}");
    assert!(open_for_writing(&registration, "configuration.db").contains(&true), "what this looks at tells");
    assert!(open_for_writing(&registration, "operational.db").is_empty(), "it has no business there");
}

/// Who deletes clients has to see their uses, which stand in the other plane.
#[test]
fn whoever_is_apart_says_that_nothing_ends_by_itself() {
    for ends in ["[retention]\ntombstones = 1\n", "[policies.default]\nunused_after = 1\n"] {
        let home = Home::with_config(&format!("{APART}{ends}"));
        let (registration, authorization) = both(&home);
        for apart in [registration, authorization] {
            let log = apart.stop().log;
            assert!(log.contains("only where the role is `all`"), "{log}");
        }
    }
}

#[test]
fn an_authorization_server_apart_makes_neither_database_nor_key() {
    let home = Home::with_config(APART);
    let alone = "serve --role authorization --listen 127.0.0.1:0";
    let ran = home.run(alone);
    assert!(ran.code == Some(3) && ran.stderr.contains("there is no database"), "{ran:?}");
    assert!(!home.path().join("enroll-data/configuration.db").exists());

    assert_eq!(home.run("migrate").code, Some(0));
    let ran = home.run(alone);
    assert!(ran.code == Some(3) && ran.stderr.contains("sealing key"), "{ran:?}");
    assert!(!home.path().join("enroll-data/sealing.key").exists());
}

/// A port that nobody listens on, most likely until somebody is told to.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// RFC 9068 §4: the endpoint apart knows its issuer's tokens as it knows those of any other.
#[tokio::test]
async fn tokens_of_the_own_issuer_register_at_an_endpoint_apart() {
    let (address, url) = (free_address(), "http://127.0.0.1/clients");
    let home = Home::with_config(&format!(
        "issuer = \"http://{address}\"\n[registration]\nurl = \"{url}\"\n[[registration.issuers]]\nissuer = \"http://{address}\"\n\
         audience = \"{url}\"\nscope = \"enroll.registration\"\ninsecure_allow_private = true\n\
         [[scopes]]\nname = \"openid\"\n[[scopes]]\nname = \"enroll.registration\"\ndynamic = \"allowed\"\n"
    ));
    let registration = Server::start(&home, "--role registration");
    let authorization =
        Server::spawn(home.enroll(["serve", "--role", "authorization", "--listen", &address.to_string()]));
    let register = |metadata: &Value, token: &str| {
        Answer::to(registration.request(Method::POST, "/clients").json(metadata).bearer_auth(token))
    };
    let pipeline = json!({ "grant_types": ["client_credentials"], "scope": "enroll.registration" });
    let pipeline = register(&pipeline, &home.token("")).await;
    let told = token(&authorization, &pipeline).await;
    assert_eq!(told.status, 200, "{told:?}");
    let app = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = register(&app, told.member("access_token")).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    register(&app, "enr_iat_none").await.assert_error(401, "invalid_token");
}

/// The role that the documentation makes, in a real server: it reads, and that is all.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn a_role_of_postgresql_that_can_only_read_is_enough() {
    let databases = Throwaway::start(Engine::Postgres).unwrap();
    let [clients, records] = ["configuration", "operational"].map(|name| databases.database(name));
    let reading = clients.replace("://enroll@", "://enroll_reader@");
    let with = |url: &str| {
        Home::with_config(&format!(
            "{APART}[database]\nconfiguration = \"{url}\"\noperational = \"{records}\"\n"
        ))
    };
    let (writer, reader) = (with(&clients), with(&reading));
    let registration = Server::start(&writer, "--role registration");
    let stranger = with(&clients.replace("://enroll@", "://stranger@"));
    assert!(psql(&clients, &["-c", "CREATE ROLE stranger LOGIN"]).status.success());
    let ran = stranger.run("clients list");
    assert!(ran.code == Some(3) && ran.stderr.contains("its user may read none of it"), "{ran:?}");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/postgresql-reader.sql");
    assert!(psql(&clients, &["-c", "CREATE ROLE administrator SUPERUSER LOGIN"]).status.success());
    let administrator = clients.replace("://enroll@", "://administrator@");
    assert!(psql(&administrator, &["-v", "password=secret", "-f", script]).status.success());
    assert!(psql(&clients, &["-c", "CREATE TABLE of_a_later_version (a INT)"]).status.success());
    assert!(psql(&reading, &["-c", "SELECT * FROM of_a_later_version"]).status.success());

    fs::create_dir_all(reader.path().join("enroll-data")).unwrap();
    let key = "enroll-data/sealing.key";
    fs::copy(writer.path().join(key), reader.path().join(key)).unwrap();
    let authorization = Server::start(&reader, "--role authorization");
    let client = registered(&registration).await;
    assert_eq!(token(&authorization, &client).await.status, 200);
    assert_eq!(authorization.get("/readyz").await.status, 200);
    for statement in ["DELETE FROM clients", "UPDATE clients SET enabled = 0", "CREATE TABLE mine (a INT)"] {
        let told = psql(&reading, &["-c", &format!("SET default_transaction_read_only = off; {statement}")]);
        let problem = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(!told.status.success() && problem.contains("permission denied"), "{statement}: {problem}");
    }
}

/// Runs it against a database, to its first error.
fn psql(url: &str, arguments: &[&str]) -> Output {
    Command::new("psql").args(["-v", "ON_ERROR_STOP=1", "-d", url]).args(arguments).output().unwrap()
}
