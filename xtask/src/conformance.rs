//! `cargo xtask conformance`: clients that other people wrote, against a running server.
//!
//! Which clients there are, and how each is installed and run, is data: `conformance/clients/clients.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::command::{cargo, output, root, run as run_command, target};
use crate::server::{Server, built};
use crate::{Failure, tools};

/// What installs the browser's driver.
const BROWSER: [&str; 4] = ["npm", "ci", "--no-audit", "--no-fund"];

#[derive(Args)]
pub(crate) struct Options {
    /// Only the client of this name.
    #[arg(long)]
    only: Option<String>,
    /// Test the release build.
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let folder = root().join("conformance/clients");
    let mut clients = Client::read_all(&fs::read_to_string(folder.join("clients.json"))?, &folder)?;
    if let Some(only) = &options.only {
        let names: Vec<_> = clients.iter().map(|client| client.name.clone()).collect();
        clients.retain(|client| client.name == *only);
        if clients.is_empty() {
            return Err(format!("no client `{only}`; there are: {}", names.join(", ")).into());
        }
    }
    let programs: Vec<_> = clients.iter().flat_map(Client::programs).collect();
    tools::need(&programs)?;
    let mut build = cargo();
    build.args(["build", "--bins", "--package", "enroll"]);
    for package in clients.iter().flat_map(Client::packages) {
        build.args(["--package", package]);
    }
    if options.release {
        build.arg("--release");
    }
    run_command(&mut build)?;
    if clients.iter().any(|client| client.browser) {
        tools::install(&root().join("conformance/browser"), &[BROWSER.map(str::to_owned).to_vec()])?;
    }
    for client in &clients {
        tools::install(&client.folder, &client.install)?;
    }

    let data = target().join("conformance").join(std::process::id().to_string());
    let server = Server::start(&built("enroll", options.release), &data)?;
    println!("the server is at {}", server.url);
    let outcomes: Vec<_> =
        clients.iter().map(|client| client.run(&server.url, options.release, &data)).collect();
    let status = server.stop()?;

    println!("\n{:<28} {:<12} {:<8} seconds", "client", "version", "result");
    for (client, outcome) in clients.iter().zip(&outcomes) {
        println!("{}", line(client, outcome));
    }
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    if failed > 0 {
        return Err(format!(
            "{failed} clients failed; the server's log is {}",
            data.join("enroll.log").display()
        )
        .into());
    }
    if !status.success() {
        return Err(format!("the server ended with {status}").into());
    }
    fs::remove_dir_all(data)?;
    Ok(())
}

/// A client as `clients.json` describes it.
#[derive(Debug)]
struct Client {
    name: String,
    /// The package that the program tries, as its registry calls it.
    package: String,
    folder: PathBuf,
    install: Vec<Vec<String>>,
    run: Vec<String>,
    /// Programs that it starts itself.
    starts: Vec<String>,
    /// Whether it lets somebody log in, with what is in `conformance/browser`.
    browser: bool,
    /// The servers that it needs beside Enroll.
    beside: Vec<Beside>,
}

/// A program of this workspace that prints `ready URL` once it listens. It runs as long as the client.
#[derive(Debug)]
struct Beside {
    /// What its URL stands for in the client's command.
    name: String,
    /// The package, whose program has the same name, and the arguments.
    command: Vec<String>,
}

struct Outcome {
    result: Result<(), Failure>,
    took: Duration,
}

impl Client {
    fn read_all(json: &str, folder: &Path) -> Result<Vec<Self>, Failure> {
        let clients: Vec<Value> = serde_json::from_str(json)?;
        clients.iter().map(|client| Self::read(client, folder)).collect()
    }

    fn read(client: &Value, folder: &Path) -> Result<Self, Failure> {
        let name = client["name"].as_str().ok_or("a client in clients.json has no `name`")?;
        let missing = |member: &str| format!("client `{name}` in clients.json: `{member}` must be given");
        let commands = client["install"].as_array().ok_or_else(|| missing("install"))?;
        let install = commands.iter().map(words).collect::<Option<_>>().ok_or_else(|| missing("install"))?;
        Ok(Self {
            name: name.to_owned(),
            package: client["package"].as_str().unwrap_or(name).to_owned(),
            folder: folder.join(client["dir"].as_str().ok_or_else(|| missing("dir"))?),
            install,
            run: words(&client["run"]).filter(|words| !words.is_empty()).ok_or_else(|| missing("run"))?,
            starts: words(&client["starts"]).unwrap_or_default(),
            browser: client["browser"] == true,
            beside: beside(&client["beside"]).ok_or_else(|| missing("beside"))?,
        })
    }

    /// The programs that must be on the path.
    fn programs(&self) -> Vec<&str> {
        let commands = self.install.iter().chain([&self.run]);
        let first = commands.filter_map(|command| command.first()).map(String::as_str);
        let browser = ["node", "npm", "chromium"].into_iter().filter(|_| self.browser);
        let starts = self.starts.iter().map(String::as_str);
        first.filter(|program| !program.contains('/')).chain(starts).chain(browser).collect()
    }

    /// The packages of this workspace that it needs.
    fn packages(&self) -> impl Iterator<Item = &str> {
        self.beside.iter().map(|beside| beside.command[0].as_str())
    }

    /// The version of its package, from what is installed or pinned.
    fn version(&self) -> Option<String> {
        let installed = self.folder.join("node_modules").join(&self.package).join("package.json");
        if let Ok(manifest) = fs::read_to_string(installed) {
            let manifest: Value = serde_json::from_str(&manifest).ok()?;
            return manifest["version"].as_str().map(str::to_owned);
        }
        if let Ok(pinned) = fs::read_to_string(self.folder.join("requirements.txt")) {
            let version =
                pinned.lines().find_map(|line| line.strip_prefix(&self.package)?.strip_prefix("=="))?;
            return version.split_whitespace().next().map(str::to_owned);
        }
        self.locked().or_else(|| {
            let format = "--showformat=${source:Upstream-Version}";
            output("dpkg-query", &["--show", format, &self.package]).filter(|found| !found.is_empty())
        })
    }

    /// The version in the nearest `Cargo.lock`.
    fn locked(&self) -> Option<String> {
        let mut locks = self.folder.ancestors().map(|folder| folder.join("Cargo.lock"));
        let lock = fs::read_to_string(locks.find(|lock| lock.is_file())?).ok()?;
        let (_, entry) = lock.split_once(&format!("name = \"{}\"\nversion = \"", self.package))?;
        entry.split('"').next().map(str::to_owned)
    }

    fn run(&self, issuer: &str, release: bool, logs: &Path) -> Outcome {
        let begin = Instant::now();
        let result = self.run_beside(issuer, release, logs);
        Outcome { result, took: begin.elapsed() }
    }

    fn run_beside(&self, issuer: &str, release: bool, logs: &Path) -> Result<(), Failure> {
        let screenshots = target().join("conformance/screenshots").display().to_string();
        let mut known =
            vec![("issuer".to_owned(), issuer.to_owned()), ("screenshots".to_owned(), screenshots)];
        let mut servers = Vec::new();
        for Beside { name, command } in &self.beside {
            let mut start = Command::new(built(&command[0], release));
            start.args(filled(&command[1..], &known));
            let server = Server::spawn(&mut start, &logs.join(format!("{name}.log")))?;
            known.push((name.clone(), server.url.clone()));
            servers.push(server);
        }
        run_command(&mut self.command(&known))
    }

    fn command(&self, known: &[(String, String)]) -> Command {
        tools::command_in(&self.folder, &filled(&self.run, known))
    }
}

/// The words with what is known in the place of its name in braces.
fn filled(words: &[String], known: &[(String, String)]) -> Vec<String> {
    let fill = |word: &String| {
        known.iter().fold(word.clone(), |word, (name, value)| word.replace(&format!("{{{name}}}"), value))
    };
    words.iter().map(fill).collect()
}

/// None when it is left out.
fn beside(value: &Value) -> Option<Vec<Beside>> {
    let Some(servers) = value.as_object() else { return value.is_null().then(Vec::new) };
    let read = |(name, command): (&String, &Value)| {
        let command = words(command).filter(|words| !words.is_empty())?;
        Some(Beside { name: name.clone(), command })
    };
    servers.iter().map(read).collect()
}

fn line(client: &Client, outcome: &Outcome) -> String {
    let version = client.version().unwrap_or_else(|| "-".to_owned());
    let result = if outcome.result.is_ok() { "ok" } else { "FAILED" };
    format!("{:<28} {version:<12} {result:<8} {:.1}", client.name, outcome.took.as_secs_f64())
}

fn words(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENTS: &str = r#"[{"name": "a", "dir": "node", "install": [["npm", "ci"]],
                               "run": [".venv/bin/python", "a.py", "--issuer={issuer}"]}]"#;

    #[test]
    fn a_client_is_read_and_its_programs_are_those_without_a_path() {
        let clients = Client::read_all(CLIENTS, Path::new("clients")).unwrap();
        assert_eq!(clients[0].programs(), ["npm"]);
        assert_eq!(clients[0].folder, Path::new("clients/node"));
    }

    #[test]
    fn a_client_that_somebody_logs_in_to_needs_a_browser() {
        let json = r#"[{"name": "a", "dir": "rust", "browser": true, "install": [], "run": ["./a"]}]"#;
        let clients = Client::read_all(json, Path::new("clients")).unwrap();
        assert_eq!(clients[0].programs(), ["node", "npm", "chromium"]);
    }

    #[test]
    fn a_client_needs_the_programs_that_it_starts() {
        let json = r#"[{"name": "a", "dir": "b", "starts": ["c"], "install": [], "run": ["./a"]}]"#;
        let clients = Client::read_all(json, Path::new("clients")).unwrap();
        assert_eq!(clients[0].programs(), ["c"]);
    }

    #[test]
    fn what_a_client_needs_beside_is_a_package_and_an_address_in_its_command() {
        let json = r#"[{"name": "a", "dir": "node", "install": [], "run": ["./a", "{b}"],
                        "beside": {"b": ["example-b", "--issuer", "{issuer}"]}}]"#;
        let client = Client::read_all(json, Path::new("clients")).unwrap().remove(0);
        assert_eq!(client.packages().collect::<Vec<_>>(), ["example-b"]);
        let known =
            [("issuer", "http://i"), ("b", "http://b/mcp")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(filled(&client.beside[0].command, &known), ["example-b", "--issuer", "http://i"]);
        assert_eq!(client.command(&known).get_args().collect::<Vec<_>>(), ["http://b/mcp"]);
        let failure = Client::read_all(
            &json.replace(r#"["example-b", "--issuer", "{issuer}"]"#, "[]"),
            Path::new("clients"),
        );
        assert!(failure.unwrap_err().to_string().contains("`beside`"));
    }

    #[test]
    fn the_version_is_the_installed_or_the_pinned_one() {
        let folder = std::env::temp_dir().join(format!("xtask-version-{}", std::process::id()));
        fs::create_dir_all(folder.join("node/node_modules/a")).unwrap();
        let client = Client::read_all(CLIENTS, &folder).unwrap().remove(0);
        assert_eq!(client.version(), None);
        let lock =
            "[[package]]\nname = \"ab\"\nversion = \"3.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.1\"\n";
        fs::write(folder.join("node/Cargo.lock"), lock).unwrap();
        assert_eq!(client.version().as_deref(), Some("1.1"));
        fs::write(folder.join("node/requirements.txt"), "ab==3.0\na==1.2 --hash=x\n").unwrap();
        assert_eq!(client.version().as_deref(), Some("1.2"));
        fs::write(folder.join("node/node_modules/a/package.json"), r#"{"version": "2.0"}"#).unwrap();
        assert_eq!(client.version().as_deref(), Some("2.0"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_issuer_is_put_into_the_command() {
        let clients = Client::read_all(CLIENTS, Path::new("clients")).unwrap();
        let command = clients[0].command(&[("issuer".to_owned(), "http://127.0.0.1:5".to_owned())]);
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["a.py", "--issuer=http://127.0.0.1:5"]);
        assert_eq!(command.get_program(), "clients/node/.venv/bin/python");
    }

    #[test]
    fn a_client_without_a_command_is_refused_by_name() {
        let json = r#"[{"name": "a", "dir": "node", "install": [], "run": []}]"#;
        let failure = Client::read_all(json, Path::new("clients")).unwrap_err().to_string();
        assert!(failure.contains("`a`") && failure.contains("`run`"), "{failure}");
    }
}
