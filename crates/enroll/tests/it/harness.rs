//! A folder for one operator, the program run in it, and a running server to call.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use enroll_throwaway::Throwaway;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
const ENROLL: &str = env!("CARGO_BIN_EXE_enroll");

/// A folder of its own, in which the program finds its configuration and keeps its data.
pub(crate) struct Home(TempDir);

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with_config(toml: &str) -> Self {
        let home = Self::new();
        home.write("enroll.toml", toml);
        home
    }

    /// The folder of a node of these databases. Nodes share the sealing key as well, which is in the folder `key`.
    pub(crate) fn of_node(databases: &Throwaway, key: &Self) -> Self {
        Self::with_config(&format!(
            "[database]\nconfiguration = \"{}\"\noperational = \"{}\"\n[registration]\nsealing_key_file = \"{}\"\n",
            databases.database("configuration"),
            databases.database("operational"),
            key.path().join("sealing.key").display()
        ))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    /// The program in this folder, with nothing of the environment of whoever runs the tests.
    pub(crate) fn enroll<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(ENROLL);
        command.args(arguments).current_dir(self.path()).env_clear();
        if self.path().join("enroll.toml").exists() {
            command.env("ENROLL_CONFIG", "enroll.toml");
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_with_input(line, "")
    }

    /// Runs a command to its end, with this on its standard input.
    pub(crate) fn run_with_input(&self, line: &str, input: &str) -> Ran {
        let mut command = self.enroll(line.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        // A command that reads no input may be gone by now.
        let _not_read = process.stdin.take().unwrap().write_all(input.as_bytes());
        let output = process.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Issues an initial access token.
    pub(crate) fn token(&self, options: &str) -> String {
        let ran = self.run(&format!("tokens issue {options}"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout.trim_end().to_owned()
    }
}

/// A server on a free port. It is killed with this value.
pub(crate) struct Server {
    process: Child,
    stdout: Option<BufReader<ChildStdout>>,
    log: Option<JoinHandle<String>>,
    pub(crate) url: String,
    client: reqwest::Client,
}

/// What a server left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What it printed after its `ready` line.
    pub(crate) stdout: String,
    pub(crate) log: String,
}

impl Server {
    /// `enroll serve --dev`.
    pub(crate) fn open(home: &Home) -> Self {
        Self::start(home, "--dev")
    }

    /// `enroll serve` with these options.
    pub(crate) fn start(home: &Home, options: &str) -> Self {
        Self::spawn(home.enroll("serve --listen 127.0.0.1:0".split(' ').chain(options.split_whitespace())))
    }

    /// Starts a command that serves, and waits until it is ready.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stderr = process.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("ready ") else {
            panic!("instead of being ready it printed {line:?}; its log:\n{}", log.join().unwrap());
        };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url: url.to_owned(), process, stdout: Some(stdout), log: Some(log), client }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// Registers at the canonical path, with or without an initial access token.
    pub(crate) async fn register(&self, metadata: &Value, token: Option<&str>) -> Answer {
        let request = self.request(Method::POST, "/connect/dcr").json(metadata);
        Answer::to(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    }

    /// The request of a client for a token of its own, with `more` behind the grant. RFC 6749 §4.4.2.
    pub(crate) fn client_credentials(&self, id: &str, secret: &str, more: &str) -> RequestBuilder {
        let request = self.request(Method::POST, "/connect/token").basic_auth(id, Some(secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("grant_type=client_credentials{more}"))
    }

    /// Reads a registration, with what its 201 said.
    pub(crate) async fn read(&self, registered: &Value) -> Answer {
        let uri = registered["registration_client_uri"].as_str().unwrap();
        let token = registered["registration_access_token"].as_str().unwrap();
        Answer::to(self.client.get(uri).bearer_auth(token)).await
    }

    /// Asks it to end.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Its number among the processes.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Kills it, as the kernel does when memory runs out.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn ended(mut self) -> Ended {
        let code = self.process.wait().unwrap().code();
        let mut stdout = String::new();
        self.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        Ended { code, stdout, log: self.log.take().unwrap().join().unwrap() }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// An answer, its body read; `Value::Null` when it is not JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, json }
    }

    /// A header, or the empty string.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A member of the body, or the empty string.
    pub(crate) fn member(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    /// An error as every error must be: JSON, not cached, with both members.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, error: &str) {
        assert_eq!((self.status, self.member("error")), (status, error), "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        assert!(!self.member("error_description").is_empty(), "{self:?}");
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
    }
}
