//! A database server that is killed and started again, and one whose connections are cut.

use std::sync::Arc;

use enroll_throwaway::{Engine, Throwaway};

use super::load::{Load, SOME, must_be_told_to_come_again};
use super::{Tables, first_node};
use crate::harness::{Home, Server};

async fn killed_and_restarted(engine: Engine, tables: Tables) {
    let mut databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let home = first_node(engine, &databases, &key, tables);
    let server = Arc::new(Server::open(&home));
    let mut load = Load::of_all_kinds(&server).await;
    for _ in 0..2 {
        load.lands(SOME).await;
        databases.kill().unwrap();
        must_be_told_to_come_again(&server.get("/readyz").await);
        databases.restart().unwrap();
    }
    load.lands(SOME).await;
    load.ends_with_all_kept(&home, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn nothing_is_lost_when_postgresql_is_killed_under_load() {
    killed_and_restarted(Engine::Postgres, Tables::Own).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn nothing_is_lost_when_mariadb_is_killed_under_load() {
    killed_and_restarted(Engine::MariaDb, Tables::Own).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn nothing_is_lost_of_an_identityserver_when_postgresql_is_killed_under_load() {
    killed_and_restarted(Engine::Postgres, Tables::IdentityServer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn nothing_is_lost_of_an_identityserver_when_mariadb_is_killed_under_load() {
    killed_and_restarted(Engine::MariaDb, Tables::IdentityServer).await;
}

/// The connections of others than whoever asks.
const OF_POSTGRES: &str =
    "SELECT pid FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()";
const OF_MARIADB: &str =
    "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> connection_id()";

/// Ends every connection, and returns when they are gone: how many there were.
async fn cut(engine: Engine, databases: &Throwaway) -> usize {
    let ask = |statement: &str| match engine {
        Engine::Postgres => databases.run("postgres", statement),
        Engine::MariaDb => databases.run("mysql", statement),
    };
    let (connections, cut) = match engine {
        Engine::Postgres => {
            let others = format!("WITH others AS MATERIALIZED ({OF_POSTGRES})");
            let end = format!("{others} SELECT pid FROM others WHERE pg_terminate_backend(pid)");
            (OF_POSTGRES, ask(&end).unwrap())
        }
        Engine::MariaDb => {
            let mut others = ask(OF_MARIADB).unwrap();
            // One that ended meanwhile is not known, which is an error.
            others.retain(|id| ask(&format!("KILL {id}")).is_ok());
            (OF_MARIADB, others)
        }
    };
    while ask(connections).unwrap().iter().any(|id| cut.contains(id)) {
        tokio::task::yield_now().await;
    }
    cut.len()
}

async fn cut_off(engine: Engine) {
    let databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let home = first_node(engine, &databases, &key, Tables::Own);
    let server = Arc::new(Server::open(&home));
    let mut load = Load::of_all_kinds(&server).await;
    for _ in 0..5 {
        load.lands(SOME).await;
        assert!(cut(engine, &databases).await > 0, "there were connections, and they are cut");
    }
    load.lands(SOME).await;
    load.ends_with_all_kept(&home, &server).await;
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
