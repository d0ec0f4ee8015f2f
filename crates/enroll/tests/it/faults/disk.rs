//! A disk that is full for a while. It is a limit on the size of files, which needs no right to mount a small disk, and so works
//! wherever tests run: what is written beyond fails, and the error is `EFBIG` in the place of `ENOSPC`.

use std::process::Command;
use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_store_sql::testing::{ForeignFile, TABLES};
use enroll_throwaway::{Engine, Throwaway};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::load::{Call, Client, Load, SOME, must_be_told_to_come_again, plain};
use super::{Tables, first_node};
use crate::harness::{Home, Server};

/// No file may be written beyond its first page.
const NOTHING: u64 = 4096;

/// How large the files are that an engine writes to all the time, its log above all. Tables that become as large are full.
fn as_large_as_the_log(engine: Engine) -> u64 {
    match engine {
        Engine::Postgres => 1024 * 1024,
        Engine::MariaDb => 16 * 1024 * 1024,
    }
}

/// How large a file of the process may become.
fn let_files_grow(server: &Server, to: Option<u64>) {
    let limit = Rlimit { current: to, maximum: None };
    prlimit(Pid::from_raw(i32::try_from(server.pid()).unwrap()), Resource::Fsize, limit).unwrap();
}

/// The program writes to the files itself.
async fn full_for_a_while(home: &Home) {
    // The signal that comes with the limit ends a program that does not pass over it; a full disk sends none.
    let program = home.enroll("serve --listen 127.0.0.1:0 --dev".split(' '));
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(home.path()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let server = Arc::new(Server::spawn(shell));
    let mut load = Load::of_all_kinds(&server).await;
    for _ in 0..2 {
        load.lands(SOME).await;
        let_files_grow(&server, Some(NOTHING));
        load.is_refused().await;
        while server.get("/readyz").await.status == 200 {
            tokio::task::yield_now().await;
        }
        must_be_told_to_come_again(&server.get("/readyz").await);
        let_files_grow(&server, None);
    }
    load.lands(SOME).await;
    load.ends_with_all_kept(home, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_disk_is_full_for_a_while() {
    full_for_a_while(&Home::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_of_an_identityserver_when_the_disk_is_full_for_a_while() {
    let home = Home::new();
    let file = home.path().join("identityserver.db");
    ForeignFile::open(&file).run(TABLES);
    let config = "[database]\nschema = \"identityserver\"\nconfiguration";
    home.write("enroll.toml", &format!("{config} = \"sqlite://{}\"\n", file.display()));
    full_for_a_while(&home).await;
}

/// A client that takes much room, since nothing in it can be made shorter.
fn large() -> Value {
    let mut metadata = plain();
    let random = || {
        let mut bytes = [0; 240];
        rand::fill(&mut bytes).unwrap();
        URL_SAFE_NO_PAD.encode(bytes)
    };
    metadata["contacts"] = std::iter::repeat_with(random).take(180).collect();
    metadata
}

/// First no table can grow any more, and the engine goes on; then it can write nothing at all, and may end for that.
async fn full_for_the_server(engine: Engine) {
    let mut databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let home = first_node(engine, &databases, &key, Tables::Own);
    let server = Arc::new(Server::open(&home));
    let client = Client::with_references(&server).await;
    let mut load = Load::on(&server, vec![Call::Register(large()), Call::Token(client)]);

    databases.let_files_grow(Some(as_large_as_the_log(engine))).unwrap();
    load.refuses(0).await;
    assert!(!databases.has_ended().unwrap(), "it says that there is no room, and goes on");
    databases.let_files_grow(None).unwrap();
    load.lands(SOME).await;

    databases.let_files_grow(Some(NOTHING)).unwrap();
    load.is_refused().await;
    databases.let_files_grow(None).unwrap();
    has_room_again(&mut databases, &server).await;
    load.lands(SOME).await;
    load.ends_with_all_kept(&home, &server).await;
}

/// Whoever runs the engine starts it again, if it ended: neither can go on when it cannot write its log.
async fn has_room_again(databases: &mut Throwaway, server: &Server) {
    loop {
        if databases.has_ended().unwrap() {
            databases.restart().unwrap();
        }
        if server.get("/readyz").await.status == 200 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn nothing_is_lost_when_the_disk_of_postgresql_is_full_for_a_while() {
    full_for_the_server(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn nothing_is_lost_when_the_disk_of_mariadb_is_full_for_a_while() {
    full_for_the_server(Engine::MariaDb).await;
}
