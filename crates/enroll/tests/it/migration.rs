//! Moving to another database by export and import: nothing that was given to anybody stops to work.

use std::io::Write as _;
use std::process::Stdio;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::harness::{Answer, Home, Server};
use crate::transfer::app;

const FORM: &str = "application/x-www-form-urlencoded";

/// Both exports, to files with these names.
fn export(home: &Home) {
    for what in ["clients", "records"] {
        let ran = home.run(&format!("{what} export --output {what}.jsonl"));
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""), "{ran:?}");
    }
}

/// Takes both exports, and the sealing key, from another home.
fn import(from: &Home, to: &Home) -> [String; 2] {
    std::fs::create_dir_all(to.path().join("enroll-data")).unwrap();
    let key = "enroll-data/sealing.key";
    std::fs::copy(from.path().join(key), to.path().join(key)).unwrap();
    ["clients import --exact", "records import"].map(|command| {
        let what = command.split(' ').next().unwrap();
        let ran = to.run(&format!("{command} {}", from.path().join(format!("{what}.jsonl")).display()));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        ran.stdout
    })
}

async fn token(server: &Server, client: &Value) -> Answer {
    let [id, secret] = ["client_id", "client_secret"].map(|name| client[name].as_str().unwrap());
    Answer::to(server.client_credentials(id, secret, "")).await
}

#[tokio::test]
async fn whatever_was_given_works_on_after_a_move() {
    let (here, there) = (Home::new(), Home::new());
    let invited = here.token("--label ci --uses 2");
    let server = Server::open(&here);
    let machine =
        json!({ "grant_types": ["client_credentials"], "scope": "api1", "access_token_type": "Reference" });
    let registered = server.register(&machine, Some(&invited)).await.json;
    let gone = server.register(&app(), None).await;
    let gone = gone.member("client_id");
    here.run(&format!("clients delete {gone}"));
    let disabled = server.register(&app(), None).await;
    here.run(&format!("clients disable {}", disabled.member("client_id")));
    let given = token(&server, &registered).await;
    assert_eq!(given.status, 200, "{given:?}");
    let keys = server.get("/.well-known/openid-configuration/jwks").await.json;
    server.stop();

    export(&here);
    assert!(import(&here, &there)[0].contains("4 imported, 0 were there already"));
    let [clients, records] = import(&here, &there);
    assert!(clients.starts_with("0 imported, 4 were there already, 0 failed"), "{clients}");
    assert!(records.starts_with("0 imported,"), "{records}");

    let server = Server::open(&there);
    assert_eq!(server.get("/.well-known/openid-configuration/jwks").await.json, keys);
    assert_eq!(token(&server, &registered).await.status, 200);
    let asked = server.request(Method::POST, "/connect/introspect");
    let (id, secret) = (registered["client_id"].as_str().unwrap(), registered["client_secret"].as_str());
    let asked = asked.basic_auth(id, secret).header(CONTENT_TYPE, FORM);
    let asked = asked.body(format!("token={}", given.member("access_token")));
    assert_eq!(Answer::to(asked).await.json["active"], true);
    assert_eq!(server.register(&app(), Some(&invited)).await.status, 201, "one use was left");
    assert_eq!(server.register(&app(), Some(&invited)).await.status, 401);
    let mut moved = registered.clone();
    moved["registration_client_uri"] = format!("{}/connect/dcr/{id}", server.url).into();
    assert_eq!(server.read(&moved).await.status, 200);
    assert!(there.run(&format!("clients show {gone}")).stderr.contains("it was deleted at 20"));
    assert!(there.run("clients list").stdout.contains("disabled"));
    assert!(there.run("users list").stdout.contains("alice"));
}

/// Whatever is cut off is told before anything of it is taken, where that can be seen, and in the end otherwise.
#[tokio::test]
async fn an_export_that_is_not_whole_is_told() {
    let (here, there) = (Home::new(), Home::new());
    let server = Server::open(&here);
    for _ in 0..3 {
        server.register(&app(), None).await;
    }
    drop(server);
    std::fs::create_dir_all(there.path().join("enroll-data")).unwrap();
    let key = "enroll-data/sealing.key";
    std::fs::copy(here.path().join(key), there.path().join(key)).unwrap();
    let whole = here.run("clients export").stdout;
    let lines: Vec<_> = whole.lines().collect();
    let missing = "the last line is missing";
    for (text, told_of_a_file, told_of_a_pipe) in [
        (lines[..4].join("\n"), missing, missing),
        (whole[..whole.len() - 300].to_owned(), missing, missing),
        (lines[0].to_owned(), missing, missing),
        (format!("{whole}{}\n", lines[1]), missing, "line 6 comes after the last one"),
        (
            [lines[0], lines[1], lines[4]].join("\n"),
            "has 3 lines",
            "between the first and the last, and has 1",
        ),
        (whole.replace("\"version\":1", "\"version\":2"), "the form 2", "the form 2"),
    ] {
        there.write("cut.jsonl", &text);
        let file = there.run("clients import cut.jsonl --exact");
        assert!(file.code == Some(1) && file.stderr.contains(told_of_a_file), "{file:?}");
        if told_of_a_file == missing {
            assert_eq!(file.stdout, "", "nothing was taken: {file:?}");
        }
        let piped = there.run_with_input("clients import - --exact", &text);
        assert!(piped.code == Some(1) && piped.stderr.contains(told_of_a_pipe), "{piped:?}");
    }
    let last = there.run_with_input("clients import - --exact", &whole);
    assert_eq!(
        (last.code, last.stdout.starts_with("0 imported, 3 were there already")),
        (Some(0), true),
        "{last:?}"
    );
}

#[tokio::test]
async fn what_differs_is_told_and_gives_way_only_when_asked() {
    let home = Home::new();
    let server = Server::open(&home);
    let id = server.register(&app(), None).await.member("client_id").to_owned();
    home.run("clients export --output before.jsonl");
    home.run(&format!("clients disable {id}"));
    let told = home.run("clients import before.jsonl --exact");
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stderr.contains(&format!("line 2: the client {id} is here, and differs")), "{told:?}");
    assert!(home.run("clients list").stdout.contains("disabled"));
    let replaced = home.run("clients import before.jsonl --exact --replace");
    assert_eq!(
        (replaced.code, replaced.stdout.as_str()),
        (Some(0), "0 imported, 1 replaced, 0 were there already, 0 failed\n")
    );
    assert!(!home.run("clients list").stdout.contains("disabled"));
}

#[test]
fn a_file_is_its_owners_alone_and_never_written_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.token("");
    assert_eq!(home.run("clients export --output a.jsonl").code, Some(0));
    let file = home.path().join("a.jsonl");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&file).unwrap();
    for command in ["clients export --output a.jsonl", "clients export --output a.jsonl --resume"] {
        let again = home.run(command);
        assert!(again.code == Some(1) && again.stderr.contains("is there already"), "{again:?}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert!(!home.path().join("a.jsonl.part").exists());
}

/// Cut at any byte, it goes on to the same file.
#[tokio::test]
async fn an_export_that_was_cut_off_goes_on() {
    let home = Home::new();
    let server = Server::open(&home);
    home.token("--label a");
    for _ in 0..4 {
        let registered = server.register(&app(), None).await;
        home.run(&format!("clients delete {}", registered.member("client_id")));
        server.register(&app(), None).await;
    }
    assert_eq!(home.run("clients export --output whole.jsonl").code, Some(0));
    let whole = std::fs::read(home.path().join("whole.jsonl")).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for end in (header + 1..=whole.len()).step_by(97).chain([0, 7, whole.len()]) {
        std::fs::write(home.path().join("cut.jsonl.part"), &whole[..end]).unwrap();
        let refused = home.run("clients export --output cut.jsonl");
        assert!(
            refused.code == Some(1) && refused.stderr.contains("--resume goes on with it"),
            "{refused:?}"
        );
        assert_eq!(home.run("clients export --output cut.jsonl --resume").code, Some(0));
        let resumed = std::fs::read(home.path().join("cut.jsonl")).unwrap();
        let body = |all: &[u8]| all[all.iter().position(|byte| *byte == b'\n').unwrap()..].to_vec();
        assert!(body(&resumed) == body(&whole), "cut at {end}");
        std::fs::remove_file(home.path().join("cut.jsonl")).unwrap();
    }
}

/// Each is named by its number, and the good ones between them are stored.
#[tokio::test]
async fn lines_that_are_wrong_are_told_by_their_numbers() {
    let (here, there) = (Home::new(), Home::new());
    let server = Server::open(&here);
    server.register(&app(), None).await;
    here.token("");
    let exported = here.run("clients export").stdout;
    let [header, client, token, _] = exported.lines().collect::<Vec<_>>()[..] else { panic!("{exported}") };
    std::fs::create_dir_all(there.path().join("enroll-data")).unwrap();
    let key = "enroll-data/sealing.key";
    std::fs::copy(here.path().join(key), there.path().join(key)).unwrap();
    let other = |id: &str| {
        let mut client: Value = serde_json::from_str(client).unwrap();
        client["client"]["document"]["client_id"] = id.into();
        client.to_string()
    };
    let wrong = [
        "nonsense".to_owned(),
        client[..200].to_owned(),
        format!("{{\"client\":\"{}\"}}", "x".repeat(1024 * 1024)),
        format!("[{client}"),
        client.replace("\"revision\":1", "\"revision\":0"),
        client.replace("\"revision\":1", "\"revision\":18446744073709551615"),
        other(""),
        other("a\nb"),
        token.replace("\"data\":{", "\"data\":{\"label\":1,"),
        token.replace("\"hash\":\"", "\"hash\":\"x"),
        "{\"deleted_client\":{\"client_id\":\"\",\"deleted_at\":1}}".to_owned(),
        "[".repeat(100_000),
    ];
    let mut lines = vec![header.to_owned(), client.to_owned()];
    lines.extend(wrong.iter().cloned());
    lines.extend([client.to_owned(), other("good"), token.to_owned()]);
    lines.push(json!({ "enroll_export_end": "clients", "lines": wrong.len() + 4 }).to_string());
    there.write("all.jsonl", &lines.join("\r\n"));
    let ran = there.run("clients import all.jsonl --exact");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.stdout, "3 imported, 1 were there already, 12 failed\n", "{ran:?}");
    for number in 3..3 + wrong.len() {
        let told = ran.stderr.lines().filter(|line| line.starts_with(&format!("line {number}: "))).count();
        assert_eq!(told, 1, "line {number}: {}", ran.stderr);
    }
}

/// A kill in the middle leaves whole clients, and the same import again stores the rest.
#[tokio::test]
async fn an_import_that_was_killed_goes_on() {
    let (here, there) = (Home::new(), Home::new());
    let server = Server::open(&here);
    server.register(&app(), None).await;
    drop(server);
    let exported = here.run("clients export").stdout;
    let lines: Vec<_> = exported.lines().collect();
    let mut client: Value = serde_json::from_str(lines[1]).unwrap();
    let mut many = vec![lines[0].to_owned()];
    for number in 0..3000 {
        client["client"]["document"]["client_id"] = format!("client-{number:05}").into();
        many.push(client.to_string());
    }
    many.push(json!({ "enroll_export_end": "clients", "lines": 3000 }).to_string());
    std::fs::create_dir_all(there.path().join("enroll-data")).unwrap();
    let key = "enroll-data/sealing.key";
    std::fs::copy(here.path().join(key), there.path().join(key)).unwrap();

    let mut killed = there.enroll(["clients", "import", "-", "--exact"]);
    let mut killed =
        killed.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = killed.stdin.take().unwrap();
    writeln!(stdin, "{}", many[..2000].join("\n")).unwrap();
    // It has taken all but those that it may have under way, or is about to.
    while there.run("clients list --json").stdout.lines().count() < 500 {}
    killed.kill().unwrap();
    killed.wait().unwrap();
    drop(stdin);

    there.write("many.jsonl", &many.join("\n"));
    let again = there.run("clients import many.jsonl --exact");
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""), "{again:?}");
    let (imported, rest) = again.stdout.split_once(" imported, ").unwrap();
    let (was_there, _) = rest.split_once(" were there already, 0 failed").unwrap();
    let (imported, was_there): (u32, u32) = (imported.parse().unwrap(), was_there.parse().unwrap());
    assert!(imported + was_there == 3000 && imported >= 1001 && was_there >= 500, "{again:?}");
    assert_eq!(there.run("clients list --json").stdout.lines().count(), 3000);
}
