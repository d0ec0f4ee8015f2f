//! A server starts, survives being killed, and leaves nothing.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::PathBuf;

use super::Throwaway;
use crate::{Engine, missing};

fn address(server: &Throwaway) -> String {
    let url = server.url();
    url.split(['@', '/']).nth(3).expect("the URL has an address").to_owned()
}

fn folders() -> Vec<PathBuf> {
    let own = format!("enroll-server-{}-", std::process::id());
    let all = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|entry| entry.path());
    all.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&own))).collect()
}

#[test]
#[ignore = "needs PostgreSQL and MariaDB: cargo xtask test starts one"]
fn a_durable_server_keeps_its_files_on_a_disk_and_leaves_nothing() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        let server = Throwaway::durable(engine).unwrap();
        assert!(TcpStream::connect(address(&server)).is_ok());
        assert!(server.folder().starts_with(Throwaway::DISK));
        let folder = server.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}

fn lives_and_goes(engine: Engine) {
    assert_eq!(missing(engine), None);
    let mut server = Throwaway::start(engine).unwrap();
    let address = address(&server);
    let mut open = TcpStream::connect(&address).unwrap();
    server.kill().unwrap();
    assert!(TcpStream::connect(&address).is_err());
    // The connection ends, in whichever way: otherwise this would not return.
    let _ended = open.read_to_end(&mut Vec::new());
    server.restart().unwrap();
    assert!(TcpStream::connect(&address).is_ok(), "it is at the same address");
    server.pause().unwrap();
    server.resume().unwrap();
    drop(server);
    assert!(TcpStream::connect(&address).is_err());
    assert!(folders().is_empty());
}

#[test]
#[ignore = "needs PostgreSQL and MariaDB: cargo xtask test starts one"]
fn a_server_is_started_killed_started_again_and_leaves_nothing() {
    for engine in [Engine::Postgres, Engine::MariaDb] {
        lives_and_goes(engine);
    }
}
