//! How a server starts, stops, and starts again.

use std::io::ErrorKind;
use std::process::Command;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Answer, Home, Server};

#[tokio::test]
async fn one_line_says_ready_and_nothing_else_is_on_standard_output() {
    let home = Home::new();
    let server = Server::open(&home);
    assert!(server.url.starts_with("http://127.0.0.1:") && server.address().port() != 0, "{}", server.url);
    assert_eq!(server.get("/healthz").await.status, 200);
    let ended = server.stop();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
}

#[tokio::test]
async fn the_first_start_prints_a_token_with_a_line_that_registers() {
    let home = Home::new();
    let server = Server::start(&home, "");
    let url = server.url.clone();
    let ended = server.stop();
    let curl = ended.log.lines().map(str::trim).find(|line| line.starts_with("curl ")).unwrap();
    assert!(curl.contains(&format!("{url}/connect/dcr")), "{curl}");
    let between = |text: &str, begin: &str, end: char| {
        let (_, after) = text.split_once(begin).unwrap();
        after.split(end).next().unwrap().to_owned()
    };
    let token = between(curl, "Bearer ", '\'');
    let body = between(curl, "-d '", '\'');

    let again = Server::start(&home, "");
    let request = again.request(Method::POST, "/connect/dcr").bearer_auth(&token);
    let request = request.header("content-type", "application/json").body(body);
    assert_eq!(Answer::to(request).await.status, 201);
    let log = again.stop().log;
    assert!(!log.contains("curl ") && !log.contains(&token), "only the first start issues a token: {log}");
}

#[test]
fn a_server_whose_tokens_were_issued_before_its_first_start_prints_none() {
    let home = Home::new();
    home.token("--label before");
    let log = Server::start(&home, "").stop().log;
    assert!(!log.contains("enr_iat_"), "{log}");
}

#[test]
fn a_database_that_was_migrated_before_the_first_start_changes_nothing_about_it() {
    let home = Home::new();
    assert_eq!(home.run("migrate").code, Some(0));
    let log = Server::start(&home, "").stop().log;
    assert!(log.contains("enr_iat_"), "{log}");
}

#[tokio::test]
async fn a_restart_keeps_every_client() {
    let home = Home::new();
    let server = Server::open(&home);
    let port = server.address().port();
    let registered = server.register(&json!({ "redirect_uris": ["https://a.example/cb"] }), None).await.json;
    server.stop();
    let arguments = ["serve", "--dev", "--listen", &format!("127.0.0.1:{port}")];
    let server = Server::spawn(home.enroll(arguments));
    assert_eq!(server.read(&registered).await.status, 200);
}

/// A request of which the server has seen all but the body: it has asked for it.
async fn half_a_request(server: &Server, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /connect/dcr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut piece = [0; 64];
    let length = stream.read(&mut piece).await.unwrap();
    assert!(piece[..length].starts_with(b"HTTP/1.1 100"));
    stream
}

/// Comes back when the server takes no connections any more.
async fn closed(server: &Server) {
    loop {
        match TcpStream::connect(server.address()).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn requests_in_flight_are_answered_before_the_server_ends() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::new();
        let server = Server::open(&home);
        let body = "{\"redirect_uris\":[\"https://app.example/cb\"]}";
        let mut stream = half_a_request(&server, body).await;
        server.signal(signal);
        closed(&server).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        let ended = server.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(home.run("clients list --json").stdout.lines().count(), 1);
    }
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_server() {
    let home =
        Home::with_config("[limits]\nshutdown_timeout = 1\nbody_timeout = 600\nrequest_timeout = 600\n");
    let server = Server::open(&home);
    let _stream = half_a_request(&server, "{}").await;
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn variables_are_over_the_file_and_flags_over_variables() {
    let home = Home::with_config("listen = \"127.0.0.1:1\"\nissuer = \"https://file.example\"\n");
    let start = |arguments: &[&str]| {
        let mut command: Command = home.enroll(arguments);
        command.env("ENROLL_LISTEN", "127.0.0.1:0").env("ENROLL_ISSUER", "https://variable.example");
        command.env("ENROLL_REGISTRATION__OPEN", "true").env("ENROLL_TOKEN", "of some script");
        Server::spawn(command).stop().log
    };
    assert!(start(&["serve"]).contains("issuer https://variable.example"));
    let log = start(&["serve", "--issuer", "https://flag.example"]);
    assert!(log.contains("issuer https://flag.example") && !log.contains("enr_iat_"), "{log}");
}

#[test]
fn logs_in_json_are_one_object_a_line() {
    let home = Home::with_config("[log]\nformat = \"json\"\n");
    let ended = Server::open(&home).stop();
    assert!(!ended.log.is_empty());
    for line in ended.log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_nobody() {
    let home = Home::new();
    let mut command = home.enroll(["serve", "--dev", "--listen", "127.0.0.1:0"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stderr(writer).stdout(std::process::Stdio::piped()).stdin(std::process::Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(process.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let started = line.starts_with("ready ");
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(started, "{line:?}");
}

/// A reader of the log that stalls, such as a terminal on Ctrl-S, must hold up nobody.
#[tokio::test]
async fn a_log_whose_reader_stalls_stops_nobody() {
    let home = Home::new();
    let mut command = home.enroll(["serve", "--dev", "--listen", "127.0.0.1:0"]);
    let (_stalled, writer) = std::io::pipe().unwrap();
    command.stderr(writer).stdout(std::process::Stdio::piped()).stdin(std::process::Stdio::null());
    let mut process = command.spawn().unwrap();
    drop(command);
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(process.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let url = line.trim_end().strip_prefix("ready ").unwrap();
    let client =
        reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(30)).build().unwrap();
    for _ in 0..1000 {
        let request = client.post(format!("{url}/connect/dcr")).header("content-type", "application/json");
        assert_eq!(request.body("{}").send().await.unwrap().status(), 400);
    }
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

/// What somebody asks for stands in the log; a terminal that shows it must not obey it.
#[tokio::test]
async fn a_log_holds_no_character_that_a_terminal_obeys() {
    let home = Home::with_config("[log]\nformat = \"json\"\n");
    let server = Server::open(&home);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = "GET /connect/dcr/\u{202e}\u{9b}31m HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    let log = server.stop().log;
    assert!(log.contains("turned a caller away"), "{log}");
    assert!(log.is_ascii(), "{log:?}");
}

#[test]
fn what_would_be_dangerous_or_is_wrong_does_not_start_and_says_why() {
    for (config, options, remedy) in [
        ("", "--dev --listen 0.0.0.0:0", "loopback"),
        ("", "--listen 0.0.0.0:0", "issuer"),
        ("", "--issuer http://id.example", "--issuer"),
        ("", "--role none", "registration"),
        ("", "--config nowhere.toml", "nowhere.toml"),
        ("[registration]\nprofile = \"duende\"\nstrict = true", "", "registration.strict"),
        ("[database]\nconfiguration = \"oracle://u:secret@h/d\"", "", "sqlite://"),
        ("unknown = true", "", "unknown"),
    ] {
        let home = Home::with_config(config);
        let ran = home.run(&format!("serve {options}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{options} {config}: {ran:?}");
        assert!(ran.stderr.contains(remedy) && !ran.stderr.contains("secret"), "{ran:?}");
        assert!(!home.path().join("enroll-data").exists(), "{options} {config} left something behind");
    }
}

#[test]
fn an_address_that_is_taken_is_a_failure_of_the_world() {
    let home = Home::new();
    let server = Server::open(&home);
    let ran = home.run(&format!("serve --dev --listen {}", server.address()));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.stderr.contains(&server.address().to_string()), "{ran:?}");
}

/// RFC 9112 §3.2
#[tokio::test]
async fn a_request_without_one_host_is_answered_400() {
    let home = Home::new();
    let server = Server::open(&home);
    let get = async |line: &str, hosts: &str| {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let request = format!("GET {line}\r\n{hosts}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    for hosts in ["", "host: a\r\nhost: a\r\n", "host: a b/@\r\n", "host: a@b\r\n"] {
        let answer = get("/healthz HTTP/1.1", hosts).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?}: {answer}");
        assert!(answer.contains("\"error\":\"invalid_request\""), "{hosts:?}: {answer}");
    }
    for (line, hosts) in [
        ("/healthz HTTP/1.1", "host: a:80\r\n"),
        ("/healthz HTTP/1.0", ""),
        ("http://a/healthz HTTP/1.1", "host: a\r\n"),
    ] {
        let answer = get(line, hosts).await;
        assert_eq!(answer.split(' ').nth(1), Some("200"), "{line}: {answer}");
    }
}
