//! A server whose clients stand in the tables of an IdentityServer.

use enroll_store_sql::testing::{ForeignFile, TABLES};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};

/// A client that was made with other tools: its secret is `secret`, hashed as IdentityServer does.
const BY_HAND: &str = "INSERT INTO Clients (Enabled, ClientId, ProtocolType, RequireClientSecret, ClientName, RequireConsent, \
     AllowRememberConsent, AlwaysIncludeUserClaimsInIdToken, RequirePkce, AllowPlainTextPkce, RequireRequestObject, \
     AllowAccessTokensViaBrowser, RequireDPoP, DPoPValidationMode, DPoPClockSkew, FrontChannelLogoutSessionRequired, \
     BackChannelLogoutSessionRequired, AllowOfflineAccess, IdentityTokenLifetime, AccessTokenLifetime, \
     AuthorizationCodeLifetime, AbsoluteRefreshTokenLifetime, SlidingRefreshTokenLifetime, RefreshTokenUsage, \
     UpdateAccessTokenClaimsOnRefresh, RefreshTokenExpiration, AccessTokenType, EnableLocalLogin, IncludeJwtId, \
     AlwaysSendClientClaims, DeviceCodeLifetime, Created, NonEditable, RequirePushedAuthorization) \
     VALUES (1, 'by-hand', 'oidc', 1, 'By hand', 0, 1, 0, 1, 0, 0, 0, 0, 1, '00:05:00', 1, 1, 0, 300, 1800, 300, 2592000, \
     1296000, 1, 0, 1, 0, 1, 1, 0, 300, '2024-01-02 03:04:05.6789', 0, 0); \
     INSERT INTO ClientGrantTypes (GrantType, ClientId) VALUES ('client_credentials', 1); \
     INSERT INTO ClientScopes (Scope, ClientId) VALUES ('api1', 1); \
     INSERT INTO ClientSecrets (Value, Type, Created, ClientId) VALUES \
     ('K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=', 'SharedSecret', '2024-01-02 03:04:05', 1);";

/// A folder with such a database, and a configuration that names it.
fn home(statements: &str) -> Home {
    let home = Home::new();
    database(&home).run(statements);
    let url = format!("sqlite://{}", home.path().join("identityserver.db").display());
    home.write(
        "enroll.toml",
        &format!(
            "[database]\nconfiguration = \"{url}\"\nschema = \"identityserver\"\n[[scopes]]\nname = \"api1\"\n\
             [[resources]]\nidentifier = \"https://api.example\"\nscopes = [\"api1\"]\n"
        ),
    );
    home
}

/// As the IdentityServer and its administrators get at it.
fn database(home: &Home) -> ForeignFile {
    ForeignFile::open(&home.path().join("identityserver.db"))
}

fn column(home: &Home, query: &str, value: &str) -> Vec<String> {
    database(home).texts(query, value)
}

async fn token(server: &Server, id: &str, secret: &str) -> Answer {
    Answer::to(server.client_credentials(id, secret, "&scope=api1")).await
}

#[tokio::test]
async fn a_client_is_registered_into_the_tables_and_what_is_edited_there_counts() {
    let home = home(TABLES);
    let initial = home.token("");
    let server = Server::start(&home, "");
    let metadata = json!({
        "client_name": "App", "grant_types": ["client_credentials"], "scope": "api1", "software_id": "4NRB1",
    });
    let registered = server.register(&metadata, Some(&initial)).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let (id, secret) = (registered.member("client_id"), registered.member("client_secret"));
    let name = "SELECT ClientName || ' ' || Enabled || RequireClientSecret || RequirePkce || ' ' || ProtocolType \
         FROM Clients WHERE ClientId = ?";
    assert_eq!(column(&home, name, id), ["App 111 oidc"]);
    let rows = |table: &str, column: &str| {
        format!("SELECT {column} FROM {table} WHERE ClientId = (SELECT Id FROM Clients WHERE ClientId = ?)")
    };
    assert_eq!(column(&home, &rows("ClientGrantTypes", "GrantType"), id), ["client_credentials"]);
    assert_eq!(column(&home, &rows("ClientScopes", "Scope"), id), ["api1"]);
    assert_eq!(column(&home, &rows("ClientSecrets", "Type"), id), ["SharedSecret"]);
    let properties = column(&home, &rows("ClientProperties", "Key || '=' || Value"), id);
    assert!(properties.contains(&"enroll:software_id=\"4NRB1\"".to_owned()), "{properties:?}");

    let answer = token(&server, id, secret).await;
    assert_eq!((answer.status, &answer.json["expires_in"]), (200, &json!(3600)), "{}", answer.text);
    database(&home).run("UPDATE Clients SET AccessTokenLifetime = 42");
    assert_eq!(token(&server, id, secret).await.json["expires_in"], 42);
    assert_eq!(server.read(&registered.json).await.json["access_token_lifetime"], 42);
    database(&home).run("UPDATE Clients SET Enabled = 0");
    let answer = token(&server, id, secret).await;
    assert_eq!((answer.status, answer.member("error")), (401, "invalid_client"), "{}", answer.text);
}

#[tokio::test]
async fn a_client_of_other_tools_gets_tokens_and_is_nobodys_to_change() {
    let home = home(&format!("{TABLES};{BY_HAND}"));
    assert_eq!(home.run("migrate").code, Some(0));
    let server = Server::start(&home, "");
    let answer = token(&server, "by-hand", "secret").await;
    assert_eq!((answer.status, &answer.json["expires_in"]), (200, &json!(1800)), "{}", answer.text);
    assert_eq!(token(&server, "by-hand", "wrong").await.status, 401);
    let path = "/connect/dcr/by-hand";
    for presented in ["secret", "enr_rat_made_up"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let body = json!({ "client_id": "by-hand", "redirect_uris": ["https://attacker.example/"] });
            let request = server.request(method.clone(), path).bearer_auth(presented).json(&body);
            assert_eq!(Answer::to(request).await.status, 401, "{method} {presented}");
        }
    }
    let listed = home.run("clients list --json");
    let listed: Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!(
        (&listed["client_id"], &listed["registered_by"]["kind"]),
        (&json!("by-hand"), &json!("operator"))
    );
    assert_eq!(home.run("clients disable by-hand").code, Some(0));
    assert_eq!(token(&server, "by-hand", "secret").await.status, 401);
    assert_eq!(
        column(
            &home,
            "SELECT Enabled || ' ' || DeviceCodeLifetime FROM Clients WHERE ClientId = ?",
            "by-hand"
        ),
        ["0 300"]
    );
}

#[tokio::test]
async fn what_no_column_holds_is_refused_and_uses_up_nothing() {
    let home = home(TABLES);
    let initial = home.token("--uses 1");
    let server = Server::start(&home, "");
    let long = format!("https://app.example/{}", "x".repeat(381));
    let metadata = |uri: &str| json!({ "redirect_uris": ["https://app.example/cb", uri] });
    let refused = server.register(&metadata(&long), Some(&initial)).await;
    assert_eq!((refused.status, refused.member("error")), (400, "invalid_client_metadata"));
    assert!(refused.member("error_description").starts_with("redirect_uris[1]: must have at most 400"));
    let registered = server.register(&metadata(&long[..400]), Some(&initial)).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let mut update = metadata(&long);
    update["client_id"] = registered.json["client_id"].clone();
    let (uri, token) =
        (registered.member("registration_client_uri"), registered.member("registration_access_token"));
    let path = uri.strip_prefix(&server.url).unwrap();
    let refused = Answer::to(server.request(Method::PUT, path).bearer_auth(token).json(&update)).await;
    assert_eq!(
        (refused.status, refused.member("error")),
        (400, "invalid_client_metadata"),
        "{}",
        refused.text
    );
    update["redirect_uris"] = json!(["https://app.example/other"]);
    let updated = Answer::to(server.request(Method::PUT, path).bearer_auth(token).json(&update)).await;
    assert_eq!(updated.status, 200, "{}", updated.text);
    let id = registered.member("client_id");
    let uris = "SELECT RedirectUri FROM ClientRedirectUris WHERE ClientId = (SELECT Id FROM Clients WHERE ClientId = ?)";
    assert_eq!(column(&home, uris, id), ["https://app.example/other"]);
}

#[test]
fn a_database_that_lacks_something_is_not_used_and_it_is_named() {
    let lacking =
        home(&format!("{TABLES}; DROP TABLE ClientCorsOrigins; ALTER TABLE Clients DROP COLUMN Enabled"));
    for command in ["serve --listen 127.0.0.1:0", "migrate"] {
        let ran = lacking.run(command);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(
            ran.stderr.contains("Clients.Enabled") && ran.stderr.contains("ClientCorsOrigins.Origin"),
            "{ran:?}"
        );
    }
    let tables = column(&lacking, "SELECT name FROM sqlite_master WHERE name LIKE ?", "enroll%");
    assert!(tables.is_empty(), "{tables:?}");
    let unnamed = Home::with_config("[database]\nschema = \"identityserver\"\n");
    let ran = unnamed.run("migrate");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("database.configuration"), "{ran:?}");
}

/// The file is a database like any other, with tables of others in it.
#[tokio::test]
async fn a_backup_has_the_tables_whole_and_a_server_starts_from_it() {
    let home = home(&format!("{TABLES}; {BY_HAND}"));
    let server = Server::start(&home, "");
    let ran = home.run("backup copy");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "copy\n"), "{ran:?}");
    drop(server);
    std::fs::copy(home.path().join("copy/configuration.db"), home.path().join("identityserver.db")).unwrap();
    for beside in ["-wal", "-shm"] {
        let _not_there = std::fs::remove_file(home.path().join(format!("identityserver.db{beside}")));
    }
    let server = Server::start(&home, "");
    assert_eq!(token(&server, "by-hand", "secret").await.status, 200);
}

/// JSON has no largest number, and no rule for half a character.
#[test]
fn a_key_with_a_number_that_is_none_here_is_listed_as_it_stands() {
    let odd = r#"{"kty":"EC","n":1e999,"kid":"\ud800"}"#;
    let home = home(&format!(
        "{TABLES}; {BY_HAND} INSERT INTO ClientSecrets (Value, Type, Created, ClientId) VALUES ('{odd}', 'JWK', '2024-01-02', 1)"
    ));
    assert_eq!(home.run("migrate").code, Some(0));
    for command in ["clients show by-hand", "clients list --json"] {
        let ran = home.run(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains(odd), "{ran:?}");
    }
}

#[tokio::test]
async fn a_line_of_an_import_that_no_column_holds_is_told_and_the_others_go_on() {
    let (here, there) = (Home::new(), home(TABLES));
    let server = Server::open(&here);
    let long = format!("https://app.example/{}", "x".repeat(381));
    for uri in [long.as_str(), "https://app.example/cb"] {
        let registered = server.register(&json!({ "redirect_uris": [uri] }), None).await;
        assert_eq!(registered.status, 201, "{}", registered.text);
    }
    std::fs::create_dir(there.path().join("enroll-data")).unwrap();
    let key = "enroll-data/sealing.key";
    std::fs::copy(here.path().join(key), there.path().join(key)).unwrap();
    let exported = here.run("clients export").stdout;
    for summary in
        ["1 imported, 0 were there already, 1 failed", "0 imported, 1 were there already, 1 failed"]
    {
        let ran = there.run_with_input("clients import - --exact", &exported);
        assert_eq!((ran.code, ran.stdout.trim_end()), (Some(1), summary), "{ran:?}");
        assert!(
            ran.stderr.contains("line 2: ") && ran.stderr.contains("redirect_uris[0]: must have"),
            "{ran:?}"
        );
    }
}

/// Whatever the pipeline lets in, by the cases of the wire: a read tells what the registration told.
#[tokio::test]
async fn what_is_registered_reads_as_it_was_answered() {
    let home = home(TABLES);
    let server = Server::open(&home);
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/../registration/tests/it/cases");
    let (mut accepted, mut too_long) = (0, Vec::new());
    for folder in std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()) {
        for file in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            let registered = server.register(&case["request"], None).await;
            assert!([201, 400].contains(&registered.status), "{}: {}", file.display(), registered.text);
            if registered.text.contains("which is what the database holds") {
                too_long.push(registered.text);
            }
            if registered.status != 201 {
                continue;
            }
            accepted += 1;
            let read = server.read(&registered.json).await;
            assert_eq!(members(&read.json), members(&registered.json), "{}", file.display());
        }
    }
    assert!(accepted > 150, "{accepted} cases were accepted");
    assert_eq!(too_long.len(), 1, "{too_long:#?}");
}

/// All but what is shown once.
fn members(answer: &Value) -> serde_json::Map<String, Value> {
    let mut members = answer.as_object().unwrap().clone();
    for name in ["client_secret", "client_secret_expires_at", "registration_access_token"] {
        members.remove(name);
    }
    members
}
