//! `enroll clients export` and `import`, and what must not be lost beside the database.

use serde_json::{Value, json};

use crate::harness::{Home, Server};

/// The scopes of `--dev`, for a home without it.
pub(crate) const SCOPES: &str = "scopes = [ { name = \"openid\" }, { name = \"profile\" }, { name = \"email\" }, \
    { name = \"offline_access\" }, { name = \"api1\" }, { name = \"api2\" }, { name = \"mcp:tools\" } ]\n";

pub(crate) fn app() -> Value {
    json!({ "client_name": "App", "redirect_uris": ["https://app.example/cb"] })
}

/// What was exported, but for the moment in the first line.
fn without_the_time(exported: &str) -> String {
    let lines = exported.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(header) = line.as_object_mut() {
            header.remove("exported_at");
            header.remove("sealing_key");
        }
        format!("{line}\n")
    });
    lines.collect()
}

/// The lines between the first and the last.
fn between(exported: &str) -> Vec<&str> {
    let lines: Vec<_> = exported.lines().collect();
    lines[1..lines.len() - 1].to_vec()
}

#[tokio::test]
async fn what_was_exported_is_imported_elsewhere_and_tokens_still_work() {
    let (here, there) = (Home::new(), Home::with_config(SCOPES));
    let server = Server::open(&here);
    let registered = server.register(&app(), None).await.json;
    server.register(&app(), None).await;
    let exported = here.run("clients export");
    assert_eq!((exported.code, between(&exported.stdout).len()), (Some(0), 2), "{exported:?}");

    let imported = there.run_with_input("clients import -", &exported.stdout);
    assert_eq!((imported.code, imported.stderr.as_str()), (Some(0), ""), "{imported:?}");
    let again = there.run("clients export").stdout;
    assert_eq!(without_the_time(&again), without_the_time(&exported.stdout));
    let elsewhere = Server::start(&there, "--dev");
    let mut moved = registered.clone();
    let id = registered["client_id"].as_str().unwrap();
    moved["registration_client_uri"] = format!("{}/connect/dcr/{id}", elsewhere.url).into();
    assert_eq!(elsewhere.read(&moved).await.status, 200);

    let lines = between(&exported.stdout).join("\n");
    for text in
        [format!("{lines}\nnonsense\n"), format!("\u{feff}{}\r\n\r\nnonsense", lines.replace('\n', "\r\n"))]
    {
        let again = there.run_with_input("clients import -", &text);
        assert_eq!(again.code, Some(1), "{again:?}");
        assert!(
            again.stdout.contains("2 were there already") && again.stderr.contains(": it cannot be read:"),
            "{again:?}"
        );
    }
}

/// Nor does it bring back what is gone.
#[tokio::test]
async fn an_export_of_another_server_is_not_gone_on_with() {
    let (here, there) = (Home::new(), Home::with_config(SCOPES));
    let server = Server::open(&here);
    server.register(&app(), None).await;
    let exported = here.run("clients export").stdout;
    assert_eq!(there.run_with_input("clients import -", &exported).code, Some(0));
    let begun = exported.lines().next().unwrap().to_owned() + "\n";
    there.write("copy.part", &begun);
    let ran = there.run("clients export --output copy --resume");
    assert!(ran.code == Some(1) && ran.stderr.contains("sealing key"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(there.path().join("copy.part")).unwrap(), begun);
}

/// Lines are taken many at once, and yet in their order where they are about the same client.
#[tokio::test]
async fn of_several_lines_about_one_client_the_last_one_holds() {
    let (here, there) = (Home::new(), Home::with_config(SCOPES));
    let server = Server::open(&here);
    server.register(&app(), None).await;
    let exported = here.run("clients export").stdout;
    let line = between(&exported)[0];
    let named = |number: usize| line.replace("\"App\"", &format!("\"App {number}\""));
    let lines: Vec<_> = (0..40).map(named).collect();
    let imported = there.run_with_input("clients import --replace -", &lines.join("\n"));
    assert_eq!(imported.code, Some(0), "{imported:?}");
    assert!(imported.stdout.starts_with("1 imported, 39 replaced"), "{imported:?}");
    assert!(there.run("clients list").stdout.contains("App 39"));
}

#[tokio::test]
async fn what_was_deleted_is_not_imported_again() {
    let home = Home::new();
    let server = Server::open(&home);
    let registered = server.register(&app(), None).await;
    let id = registered.member("client_id");
    let exported = home.run("clients export");
    assert_eq!(home.run(&format!("clients delete {id}")).code, Some(0));
    for mode in ["", "--exact --replace"] {
        let imported = home.run_with_input(&format!("clients import - {mode}"), &exported.stdout);
        assert_eq!(imported.code, Some(1), "{imported:?}");
        assert!(
            imported.stderr.contains("line 2:") && imported.stderr.contains("was deleted"),
            "{imported:?}"
        );
    }
    for command in ["show", "delete", "enable"] {
        let ran = home.run(&format!("clients {command} {id}"));
        assert!(ran.code == Some(1) && ran.stderr.contains("it was deleted at 20"), "{command}: {ran:?}");
    }
}

/// An import is no back door: what could not register is not imported.
#[tokio::test]
async fn an_import_is_judged_by_the_pipeline() {
    let (here, there) = (Home::new(), Home::with_config(SCOPES));
    Server::open(&here).register(&app(), None).await;
    let exported = here.run("clients export").stdout;
    let exported: Value = serde_json::from_str(between(&exported)[0]).unwrap();
    let exported = &exported["client"]["document"];
    let edited = |pointer: &str, value: Value| {
        let mut document = exported.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        format!("{document}\n")
    };
    for (line, member) in [
        (edited("/metadata/redirect_uris", json!(["javascript:alert(1)"])), "redirect_uris[0]"),
        (edited("/metadata", json!({})), "redirect_uris"),
        (edited("/metadata/grant_types", json!(["password"])), "grant_types[0]"),
        (edited("/metadata/client_name", json!("\u{202e} ")), "client_name"),
        (edited("/secrets", json!([])), "client_secret"),
        (edited("/client_id", json!("")), "client_id"),
        (edited("/client_id", json!("https://evil.example/c")), "client_id"),
    ] {
        let ran = there.run_with_input("clients import -", &line);
        assert_eq!(ran.code, Some(1), "{line}: {ran:?}");
        assert!(ran.stderr.contains(&format!("line 1: {member}:")), "{line}: {ran:?}");
        let exact = there.run_with_input("clients import - --exact", &line);
        assert!(exact.code == Some(1) && exact.stderr.contains("whose first line says so"), "{exact:?}");
    }
    assert_eq!(there.run("clients list --json").stdout, "");
    let odd = there.run_with_input("clients import -", &edited("/client_id", json!("a/b?c#d")));
    assert_eq!(odd.code, Some(0), "{odd:?}");
}

/// A new key would open nothing that the lost one sealed.
#[tokio::test]
async fn a_lost_sealing_key_is_told_and_not_replaced() {
    // A client's secret is sealed by either role, the signing keys by the one that has them.
    for (role, method) in [("registration", "client_secret_jwt"), ("all", "none")] {
        let home = Home::with_config("registration.open = true\n");
        let server = Server::start(&home, &format!("--role {role}"));
        let mut metadata = app();
        metadata["token_endpoint_auth_method"] = method.into();
        assert_eq!(server.register(&metadata, None).await.status, 201, "{role}");
        server.stop();
        std::fs::remove_file(home.path().join("enroll-data/sealing.key")).unwrap();
        let ran = home.run(&format!("serve --listen 127.0.0.1:0 --role {role}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
        assert!(ran.stderr.contains("sealing.key") && ran.stderr.contains("sealing_key_file"), "{ran:?}");
        assert!(!home.path().join("enroll-data/sealing.key").exists());
    }
}

/// What is sealed under a key that is not here would never open again.
#[tokio::test]
async fn an_export_is_taken_only_where_its_sealing_key_is() {
    let (here, there) = (Home::new(), Home::with_config(SCOPES));
    let server = Server::open(&here);
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "client_secret_jwt" });
    assert_eq!(server.register(&metadata, None).await.status, 201);
    let clients = here.run("clients export").stdout;
    let records = here.run("records export").stdout;
    let key = here.path().join("enroll-data/sealing.key");
    let text = std::fs::read_to_string(&key).unwrap();
    assert!(!clients.contains(text.trim()) && !records.contains(text.trim()));

    for problem in ["is not there", "is another one"] {
        for (command, input) in [("clients import - --exact", &clients), ("records import -", &records)] {
            let ran = there.run_with_input(command, input);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
            assert!(ran.stderr.contains(problem) && ran.stderr.contains("sealing.key"), "{ran:?}");
        }
        assert_eq!(there.run("clients list --json").stdout, "");
        // Judged, it is told of the client; and the key that is here now is another one.
        let judged = there.run_with_input("clients import -", &clients);
        assert!(
            judged.code == Some(1) && judged.stderr.contains("line 2: a secret of the client"),
            "{judged:?}"
        );
    }
    std::fs::copy(&key, there.path().join("enroll-data/sealing.key")).unwrap();
    for (command, input) in [("clients import - --exact", &clients), ("records import -", &records)] {
        assert_eq!(there.run_with_input(command, input).code, Some(0), "{command}");
    }
}
