//! The operator's commands: checks, clients, tokens, configuration.

use serde_json::{Value, json};

use crate::harness::{Home, Ran, Server};

const GOOD: &str = r#"{ "client_name": "App", "redirect_uris": ["https://app.example/cb"] }"#;
const BAD: &str = r#"{ "redirect_uris": ["https://app.example/cb#fragment"] }"#;

#[track_caller]
fn printed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_check_tells_every_step_and_stores_nothing() {
    let home = Home::new();
    let ran = home.run_with_input("check -", GOOD);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("✓ redirect_uris") && !ran.stdout.contains('✗'), "{ran:?}");
    assert!(ran.stdout.contains("\"grant_types\""), "{ran:?}");
    assert!(!home.path().join("enroll-data").exists());
}

#[test]
fn a_check_of_what_would_be_refused_says_where_and_why() {
    let home = Home::new();
    home.write("client.json", BAD);
    let ran = home.run("check client.json");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let line = ran.stdout.lines().find(|line| line.starts_with('✗')).unwrap();
    assert!(line.contains("redirect_uris[0]"), "{line}");
    assert!(ran.stdout.contains("· scope"), "steps after it were not reached: {ran:?}");

    let ran = home.run("check client.json --json");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let report = printed(&ran);
    assert_eq!(report["accepted"], false);
    assert_eq!(report["refusal"]["error"], "invalid_redirect_uri");
}

#[test]
fn a_check_shows_what_cannot_be_read_the_same_way() {
    let home = Home::new();
    for input in ["", "{", "{\"redirect_uris\": 1}", "{\"a\":1,\"a\":2}"] {
        let ran = home.run_with_input("check -", input);
        assert_eq!(ran.code, Some(1), "{input}: {ran:?}");
        assert!(ran.stdout.starts_with('✗'), "{input}: {ran:?}");
        let report = printed(&home.run_with_input("check - --json", input));
        let error = report["refusal"]["error"].as_str().unwrap();
        assert!(["invalid_client_metadata", "invalid_redirect_uri"].contains(&error), "{input}: {error}");
    }
}

#[test]
fn a_strict_check_refuses_what_is_mended_otherwise() {
    let home = Home::new();
    let rough = r#"{ "redirect_uris": ["https://app.example/cb"], "no_standard_names_this": 1 }"#;
    assert_eq!(home.run_with_input("check -", rough).code, Some(0));
    assert_eq!(home.run_with_input("check - --strict", rough).code, Some(1));
}

#[test]
fn a_file_that_is_not_there_is_a_failure_of_the_world() {
    let home = Home::new();
    for line in ["check nowhere.json", "clients register nowhere.json", "clients import nowhere.json"] {
        let ran = home.run(line);
        assert_eq!(ran.code, Some(3), "{line}: {ran:?}");
        assert!(ran.stderr.contains("nowhere.json"), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn what_the_operator_registers_the_running_server_knows() {
    let home = Home::new();
    let server = Server::open(&home);
    let registered = home.run_with_input(&format!("clients register - --issuer {}", server.url), GOOD);
    assert_eq!(registered.code, Some(0), "{registered:?}");
    assert_eq!(server.read(&printed(&registered)).await.status, 200);
    let refused = home.run_with_input("clients register -", BAD);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.contains("redirect_uris[0]"), "{refused:?}");
}

#[tokio::test]
async fn clients_are_listed_shown_disabled_enabled_and_deleted_while_the_server_runs() {
    let home = Home::new();
    let server = Server::open(&home);
    let registered = server.register(&serde_json::from_str(GOOD).unwrap(), None).await;
    let id = registered.member("client_id");

    let table = home.run("clients list");
    assert!(table.stdout.starts_with("CLIENT_ID") && table.stdout.contains(id), "{table:?}");
    assert!(table.stdout.contains("App") && table.stdout.contains("enabled"), "{table:?}");
    let shown = printed(&home.run(&format!("clients show {id}")));
    assert_eq!((&shown["client_id"], &shown["enabled"]), (&id.into(), &true.into()));

    for (command, enabled) in [("disable", false), ("enable", true)] {
        assert_eq!(home.run(&format!("clients {command} {id}")).code, Some(0));
        let read = server.read(&registered.json).await;
        assert_eq!(read.status, if enabled { 200 } else { 403 }, "{read:?}");
        let once = lines(&home.run("clients list --json"));
        // What is so already stays as it is: people are told since when.
        assert_eq!(home.run(&format!("clients {command} {id}")).code, Some(0));
        let listed = lines(&home.run("clients list --json"));
        assert_eq!(listed, once);
        assert_eq!((listed.len(), &listed[0]["enabled"]), (1, &enabled.into()));
    }
    assert_eq!(home.run(&format!("clients delete {id}")).code, Some(0));
    server.read(&registered.json).await.assert_error(401, "invalid_token");
    for command in ["show", "delete", "disable", "enable"] {
        let ran = home.run(&format!("clients {command} {id}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{command}: {ran:?}");
        assert!(ran.stderr.contains(id), "{command}: {ran:?}");
    }
}

#[test]
fn tokens_are_issued_listed_and_revoked() {
    let home = Home::new();
    let ran = home.run("tokens issue --label laptop --expires 30d --uses 10");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.starts_with("enr_iat_") && ran.stdout.lines().count() == 1, "{ran:?}");
    let listed = lines(&home.run("tokens list --json"));
    assert_eq!((&listed[0]["label"], &listed[0]["uses_left"]), (&"laptop".into(), &10.into()));
    let lifetime = listed[0]["expires_at"].as_u64().unwrap() - listed[0]["issued_at"].as_u64().unwrap();
    assert_eq!(lifetime, 30 * 24 * 60 * 60);
    assert!(home.run("tokens list").stdout.contains("laptop"));
    let id = listed[0]["token_id"].as_str().unwrap();
    assert_eq!(home.run(&format!("tokens revoke {id}")).code, Some(0));
    assert_eq!(home.run("tokens revoke nobody").code, Some(1));
    let slip = home.run("tokens revoke enr_iat_mistaken");
    assert!(slip.code == Some(2) && !slip.stderr.contains("mistaken"), "{slip:?}");
}

#[test]
fn a_mistyped_folder_is_no_empty_database() {
    let home = Home::new();
    for line in ["clients list", "clients export", "clients show x", "clients delete x", "tokens list"] {
        let ran = home.run(&format!("{line} --data nowhere"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{line}: {ran:?}");
        assert!(ran.stderr.contains("nowhere") && ran.stderr.contains("--data"), "{line}: {ran:?}");
    }
    assert!(!home.path().join("nowhere").exists());
}

/// What a stranger registered, wherever it is shown.
#[tokio::test]
async fn no_terminal_obeys_what_a_client_says_of_itself() {
    let home = Home::new();
    let server = Server::open(&home);
    let hostile = json!({
        "redirect_uris": ["https://app.example/cb"],
        "vp_formats_supported": { "\u{1b}[31m\u{202e}": "\u{9b}31m\n" },
    });
    let registered = server.register(&hostile, None).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let id = registered.member("client_id");
    home.run("tokens issue --label a\u{1b}[31m\u{202e}b");
    home.write("hostile.json", "{\"\u{9b}1m\u{202e}\": 1, \"redirect_uris\": [\"https://app.example/cb\"]}");
    for line in [
        &format!("clients show {id}"),
        "clients list --json",
        "tokens list",
        "clients show \u{1b}[31m",
        "check hostile.json",
        "check hostile.json --json",
    ] {
        let ran = home.run(line);
        let all = ran.stdout + &ran.stderr;
        let obeyed = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
        assert!(!all.is_empty() && !all.contains(obeyed), "{line}: {all:?}");
    }
}

/// RFC 7591 §3.1: the server would not read more.
#[test]
fn a_check_refuses_what_is_larger_than_the_server_takes() {
    let home = Home::new();
    let large = format!("{}{GOOD}", " ".repeat(64 * 1024));
    for line in ["check -", "clients register -"] {
        let ran = home.run_with_input(line, &large);
        assert_eq!(ran.code, Some(1), "{line}: {ran:?}");
        assert!(ran.stderr.contains("64 KiB"), "{line}: {ran:?}");
    }
}

#[test]
fn an_end_beyond_the_calendar_is_listed_without_harm() {
    let home = Home::new();
    home.token("--expires 20000y");
    let ran = home.run("tokens list");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for wrong in ["--uses 0", "--expires 0s", "--expires soon", "--uses many"] {
        let ran = home.run(&format!("tokens issue {wrong}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{wrong}: {ran:?}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_reason_to_panic() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = home.enroll(["pipeline"]).stdout(writer).output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.code().is_some() && stderr.is_empty(), "{:?} {stderr}", ran.status);
}

#[test]
fn migrate_tells_the_schema_and_brings_it_up_to_date() {
    let home = Home::new();
    let status = home.run("migrate --status");
    assert!(status.code == Some(0) && !home.path().join("enroll-data").exists(), "{status:?}");
    assert_eq!(home.run("migrate").code, Some(0));
    let status = home.run("migrate --status");
    assert!(status.stdout.contains("newest"), "{status:?}");
}

#[test]
fn the_pipeline_is_printed_in_its_order() {
    let ran = Home::new().run("pipeline");
    let find = |name: &str| ran.stdout.find(name).unwrap_or_else(|| panic!("{name} is not in {ran:?}"));
    assert!(find(" grant_types ") < find(" redirect_uris ") && find(" redirect_uris ") < find(" client_id "));
}

#[test]
fn the_example_is_a_configuration_that_changes_nothing() {
    let home = Home::new();
    let example = home.run("config example");
    assert_eq!(example.code, Some(0), "{example:?}");
    home.write("example.toml", &example.stdout);
    let ran = home.run("config check --config example.toml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn what_is_wrong_in_a_configuration_is_told_with_file_key_and_remedy() {
    for (config, expected) in [
        ("[registration]\nstrict = \"yes\"", &["enroll.toml", "registration.strict", "bool"][..]),
        ("[registraion]\nstrict = true", &["enroll.toml", "registraion", "registration"]),
        ("[limits]\nheader_timeout = -1", &["enroll.toml", "limits.header_timeout"]),
        ("issuer = \"http://id.example\"", &["issuer", "https"]),
        ("issuer = \"https://id.example/a b\"", &["issuer", "spaces"]),
        ("issuer = \"https://id.example/é\"", &["issuer", "ASCII"]),
        ("issuer = \"https://id.example/{client_id}\"", &["issuer", "braces"]),
        ("issuer = \"https://id.example/a/..\"", &["issuer", "segment"]),
        ("issuer = \"https://id.example/.well-known\"", &["issuer", ".well-known"]),
        ("issuer = \"https://id.example:0\"", &["issuer", "port"]),
        ("issuer = \"HTTPS://id.example\"", &["issuer", "https"]),
        ("[database]\nconfiguration = \"foo\"", &["database.configuration", "sqlite://"]),
        ("[log]\nlevel = \"loud\"", &["log.level", "info"]),
        ("[log]\nlevel = \"\"", &["log.level", "info"]),
        ("[log]\nlevel = \"x=y=z\"", &["log.level"]),
        (
            "[policies.default]\nceilings = { access_token_lifetime = 0 }",
            &["policies.default.ceilings.access_token_lifetime", "1 to"],
        ),
        ("listen = ", &["enroll.toml"]),
        (
            "[[registration.issuers]]\nissuer = \"https://a\"\naudience = \"b\"\nscope = \"c\"\njwks = \"{}\"",
            &["https://a", "keys"],
        ),
        (
            "[[registration.issuers]]\nissuer = \"https://a\"\naudience = \"b\"\nscope = \"c\"\njwks_file = \"no.jwks\"",
            &["jwks_file", "no.jwks"],
        ),
    ] {
        let ran = Home::with_config(config).run("config check");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{config}: {ran:?}");
        for word in expected {
            assert!(
                ran.stderr.contains(word),
                "{word} is not in the complaint about {config}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn a_variable_with_a_wrong_name_or_value_is_told_by_its_name() {
    let home = Home::new();
    for (variable, value, told) in [
        ("ENROLL_REGISTRAION__STRICT", "true", "ENROLL_REGISTRAION: there is no such key"),
        ("ENROLL_REGISTRATION__STRIKT", "true", "ENROLL_REGISTRATION__STRIKT: there is no such key"),
        ("ENROLL_REGISTRATION__STRICT", "perhaps", "ENROLL_REGISTRATION__STRICT: "),
        ("ENROLL_LISTEN", "nowhere", "ENROLL_LISTEN: "),
    ] {
        let output = home.enroll(["config", "check"]).env(variable, value).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}: {stderr}");
        assert!(stderr.contains(told), "{variable}: {stderr}");
    }
}

#[test]
fn help_and_version_are_there_and_nonsense_is_not() {
    let home = Home::new();
    for line in ["--help", "serve --help", "clients --help", "tokens issue --help", "--version"] {
        let ran = home.run(line);
        assert!(ran.code == Some(0) && !ran.stdout.is_empty(), "{line}: {ran:?}");
    }
    for line in ["", "nonsense", "serve --nonsense", "clients", "check"] {
        assert_eq!(home.run(line).code, Some(2), "{line}");
    }
}
