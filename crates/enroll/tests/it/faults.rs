//! Databases that fail under load: killed, cut off, full. Whoever asks meanwhile is told to come again; what was answered stays;
//! and the service goes on by itself.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use enroll_throwaway::{Engine, Throwaway};
use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Answer, Home, Server};

/// Who registers at the same time.
const CALLERS: usize = 8;

/// How many registrations must land before something happens, and after it.
const SOME: usize = 40;

/// Registrations without end, by several callers, until they are told to stop.
struct Load {
    callers: JoinSet<Vec<String>>,
    landed: Arc<tokio::sync::Semaphore>,
    goes_on: Arc<AtomicBool>,
}

impl Load {
    fn on(server: &Arc<Server>) -> Self {
        let (landed, goes_on) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(AtomicBool::new(true)));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(calls(server.clone(), landed.clone(), goes_on.clone()));
        }
        Self { callers, landed, goes_on }
    }

    /// Returns when so many more have landed.
    async fn lands(&self, number: usize) {
        let number = u32::try_from(number).unwrap();
        self.landed.acquire_many(number).await.unwrap().forget();
    }

    /// The identifiers that were answered with 201.
    async fn ends(self) -> Vec<String> {
        self.goes_on.store(false, Ordering::Relaxed);
        self.callers.join_all().await.into_iter().flatten().collect()
    }
}

async fn calls(
    server: Arc<Server>,
    landed: Arc<tokio::sync::Semaphore>,
    goes_on: Arc<AtomicBool>,
) -> Vec<String> {
    let metadata = json!({ "grant_types": ["client_credentials"], "scope": "api1" });
    let mut ids = Vec::new();
    while goes_on.load(Ordering::Relaxed) {
        let answer = Answer::to(server.request(Method::POST, "/connect/dcr").json(&metadata)).await;
        match answer.status {
            201 => {
                ids.push(answer.member("client_id").to_owned());
                landed.add_permits(1);
            }
            _ => must_be_told_to_come_again(&answer),
        }
    }
    ids
}

#[track_caller]
fn must_be_told_to_come_again(answer: &Answer) {
    answer.assert_error(503, "temporarily_unavailable");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
}

/// What was answered is there, once.
fn all_are_there(home: &Home, ids: &[String]) {
    let listed = home.run("clients list --json");
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    for id in ids {
        assert_eq!(listed.stdout.matches(&format!("\"client_id\":\"{id}\"")).count(), 1, "{id}");
    }
}

/// An answer to that stands for a second.
async fn is_ready_again(server: &Server) {
    while server.get("/readyz").await.status != 200 {
        tokio::task::yield_now().await;
    }
}

async fn killed_and_restarted(engine: Engine) {
    let mut databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let home = Home::of_node(&databases, &key);
    let server = Arc::new(Server::open(&home));
    let load = Load::on(&server);
    for _ in 0..2 {
        load.lands(SOME).await;
        databases.kill().unwrap();
        server.get("/readyz").await.assert_error(503, "temporarily_unavailable");
        databases.restart().unwrap();
    }
    load.lands(SOME).await;
    all_are_there(&home, &load.ends().await);
    is_ready_again(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn nothing_is_lost_when_postgresql_is_killed_under_load() {
    killed_and_restarted(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn nothing_is_lost_when_mariadb_is_killed_under_load() {
    killed_and_restarted(Engine::MariaDb).await;
}

/// Ends every connection but its own, by the program of the engine, and says how many there were.
fn cut(engine: Engine, databases: &Throwaway) -> usize {
    match engine {
        Engine::Postgres => told(
            Command::new("psql").args(["-At", "-d", &databases.url(), "-c"]),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()",
        )
        .len(),
        Engine::MariaDb => {
            let port = url::Url::parse(&databases.url()).unwrap().port().unwrap().to_string();
            let mariadb = || {
                let mut command = Command::new("mariadb");
                command.args(["--no-defaults", "-N", "-f", "-u", "root", "-h", "127.0.0.1", "-P", &port, "-e"]);
                command
            };
            let others = told(&mut mariadb(), "SELECT id FROM information_schema.processlist \
                 WHERE user = 'root' AND id <> connection_id()");
            let kill: Vec<_> = others.iter().map(|id| format!("KILL {id}")).collect();
            // One that ended meanwhile is told of, and passed over.
            mariadb().arg(kill.join(";")).output().unwrap();
            others.len()
        }
    }
}

/// The lines that the program of an engine answers a statement with.
fn told(program: &mut Command, statement: &str) -> Vec<String> {
    let told = program.arg(statement).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn cut_off(engine: Engine) {
    let databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let home = Home::of_node(&databases, &key);
    let server = Arc::new(Server::open(&home));
    let load = Load::on(&server);
    for _ in 0..5 {
        load.lands(SOME).await;
        assert!(cut(engine, &databases) > 0, "there were connections to cut");
    }
    load.lands(SOME).await;
    all_are_there(&home, &load.ends().await);
    is_ready_again(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn nothing_is_lost_when_the_connections_to_postgresql_are_cut_under_load() {
    cut_off(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn nothing_is_lost_when_the_connections_to_mariadb_are_cut_under_load() {
    cut_off(Engine::MariaDb).await;
}

/// How large a file of the process may become; a disk that is full is like a limit that is reached.
fn let_files_grow(server: &Server, to: Option<u64>) {
    let limit = Rlimit { current: to, maximum: None };
    prlimit(Pid::from_raw(i32::try_from(server.pid()).unwrap()), Resource::Fsize, limit).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_disk_is_full_for_a_while() {
    let home = Home::new();
    // The signal that comes with the limit ends a program that does not pass over it; a full disk sends none.
    let arguments = "serve --listen 127.0.0.1:0 --dev";
    let program = home.enroll(arguments.split(' '));
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(home.path()).env_clear();
    let server = Arc::new(Server::spawn(shell));
    let load = Load::on(&server);
    for _ in 0..2 {
        load.lands(SOME).await;
        let_files_grow(&server, Some(4096));
        while server.get("/readyz").await.status != 503 {
            tokio::task::yield_now().await;
        }
        let refused = server.register(&json!({ "redirect_uris": ["https://app.example/cb"] }), None).await;
        must_be_told_to_come_again(&refused);
        let_files_grow(&server, None);
    }
    load.lands(SOME).await;
    all_are_there(&home, &load.ends().await);
    is_ready_again(&server).await;
}
