//! The examples that are no programs in Rust, run as they stand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Home, Ran, Server};

const CONFIG: &str =
    "scopes = [{ name = \"openid\" }, { name = \"enroll.registration\", dynamic = \"no\" }]\n";

/// A pipeline that the operator has registered, and its checkout.
struct Pipeline {
    home: Home,
    server: Server,
    id: String,
    secret: String,
}

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ci-pipeline").join(file)
}

impl Pipeline {
    fn new() -> Self {
        let home = Home::with_config(CONFIG);
        let server = Server::start(&home, "");
        let own = json!({ "client_name": "CI", "grant_types": ["client_credentials"], "scope": "enroll.registration" });
        let line = format!("clients register - --issuer {}", server.url);
        let registered = home.run_with_input(&line, &own.to_string());
        let told: Value =
            serde_json::from_str(&registered.stdout).unwrap_or_else(|_| panic!("{registered:?}"));
        let [id, secret] = ["client_id", "client_secret"].map(|name| told[name].as_str().unwrap().to_owned());
        fs::copy(example("client.json"), home.path().join("client.json")).unwrap();
        Self { home, server, id, secret }
    }

    fn run(&self) -> Ran {
        self.run_with(&self.server.url, &self.secret)
    }

    /// Runs the script with its commands traced, as pipelines do.
    fn run_with(&self, issuer: &str, secret: &str) -> Ran {
        let mut command = Command::new("sh");
        command.arg("-x").arg(example("register.sh")).current_dir(self.home.path());
        command.env_remove("http_proxy").env("NO_PROXY", "*");
        command.env("ISSUER", issuer).env("CLIENT_ID", &self.id).env("CLIENT_SECRET", secret);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran =
            Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stderr.contains(&self.secret) && !ran.stderr.contains("enr_"), "{ran:?}");
        assert!(!ran.stdout.contains("enr_"), "{ran:?}");
        ran
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("registration.env")
    }

    fn name_of_client(&self, id: &str) -> String {
        let shown = self.home.run(&format!("clients show {id}")).stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["metadata"]["client_name"].as_str().unwrap_or_default().to_owned()
    }

    fn clients(&self) -> usize {
        self.home.run("clients list --json").stdout.lines().count()
    }

    #[track_caller]
    fn fails(&self, ran: &Ran, code: i32, about: &str) {
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
        assert!(ran.stderr.contains(about), "{about}: {ran:?}");
        assert!(!self.home.path().join("registration.env.new").exists(), "nothing is left half done");
    }
}

#[test]
fn a_pipeline_registers_its_client_once_and_updates_it_then() {
    let pipeline = Pipeline::new();
    let first = pipeline.run();
    assert_eq!(first.code, Some(0), "{first:?}");
    let id = first.stdout.trim_end();
    assert_eq!((pipeline.name_of_client(id).as_str(), pipeline.clients()), ("The shop", 2));
    assert_eq!(fs::metadata(pipeline.state()).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read_to_string(pipeline.state()).unwrap();

    // In one line or in many, with what sed and awk could stumble over.
    for (name, file) in [
        (
            "Shop & \\1 / $HOME",
            r#"{"redirect_uris":["https://shop.example/cb"],"client_name":"Shop & \\1 / $HOME"}"#,
        ),
        (
            "The shop",
            "\r\n  {\r\n \"client_name\" : \"The shop\",\n\"redirect_uris\": [\"https://shop.example/cb\"] }\n\n",
        ),
    ] {
        pipeline.home.write("client.json", file);
        for _ in 0..2 {
            let again = pipeline.run();
            assert_eq!((again.code, &again.stdout), (Some(0), &first.stdout), "{again:?}");
        }
        assert_eq!(pipeline.name_of_client(id), name, "{file}");
    }
    assert_eq!(pipeline.clients(), 2);
    let after = fs::read_to_string(pipeline.state()).unwrap();
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert_eq!(line(&after, "client_secret=enr_cs_"), line(&before, "client_secret=enr_cs_"));
    assert!(line(&before, "client_secret=enr_cs_").is_some(), "it is shown once");
    assert_ne!(line(&after, "registration_access_token="), line(&before, "registration_access_token="));
}

#[test]
fn a_pipeline_is_told_what_is_wrong() {
    let pipeline = Pipeline::new();
    let wrong = pipeline.run_with(&pipeline.server.url, "wrong");
    pipeline.fails(&wrong, 4, "the pipeline's own client");
    pipeline.fails(&pipeline.run_with("http://id.example", "wrong"), 2, "must be an https URL");
    pipeline.fails(&pipeline.run_with("http://127.0.0.1.example", "wrong"), 2, "must be an https URL");
    pipeline.fails(&pipeline.run_with(&pipeline.server.url, ""), 2, "CLIENT_SECRET");
    pipeline.home.write("client.json", r#"{ "redirect_uris": ["https://shop.example/cb#x"] }"#);
    pipeline.fails(&pipeline.run(), 1, "redirect_uris[0]");
    assert_eq!(pipeline.clients(), 1);

    pipeline.home.write("client.json", r#"{ "redirect_uris": ["https://shop.example/cb"] }"#);
    let id = pipeline.run().stdout.trim_end().to_owned();
    let state = fs::read_to_string(pipeline.state()).unwrap();
    pipeline.home.write("client.json", r#"{ "redirect_uris": [] }"#);
    pipeline.fails(&pipeline.run(), 1, "redirect_uris");
    pipeline.home.write("client.json", "{}");
    pipeline.fails(&pipeline.run(), 1, "redirect_uris");
    assert_eq!(pipeline.home.run(&format!("clients delete {id}")).code, Some(0));
    pipeline.fails(&pipeline.run(), 4, "is gone");
    assert_eq!(fs::read_to_string(pipeline.state()).unwrap(), state, "nothing was lost by it");
}

#[test]
fn a_pipeline_whose_server_is_gone_says_so() {
    let mut pipeline = Pipeline::new();
    assert_eq!(pipeline.run().code, Some(0));
    pipeline.server.kill();
    pipeline.fails(&pipeline.run(), 3, "the server gave no answer");
    fs::remove_file(pipeline.state()).unwrap();
    pipeline.fails(&pipeline.run(), 3, "the server gave no answer");
}
