//! Slow and greedy callers: they lose their connection, and nobody else's.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{Home, Server};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";

/// A connection from this address of the loopback network.
async fn connect_from(source: &str, server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    socket.connect(server.address()).await.unwrap()
}

/// What the server sends until it closes; a reset is a close as well.
async fn rest(mut stream: TcpStream) -> String {
    let mut received = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        received.extend_from_slice(&piece[..length]);
    }
    String::from_utf8(received).unwrap()
}

/// One piece of an answer.
async fn some(stream: &mut TcpStream) -> String {
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece).await.unwrap();
    String::from_utf8(piece[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn half_a_header_a_silent_and_an_idle_connection_are_closed() {
    let home = Home::with_config("[limits]\nheader_timeout = 1\n");
    let server = Server::open(&home);
    let silent = TcpStream::connect(server.address()).await.unwrap();
    let mut half = TcpStream::connect(server.address()).await.unwrap();
    half.write_all(b"POST /connect/dcr HTTP/1.1\r\nhost: a\r\ncontent-").await.unwrap();
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    idle.write_all(HEALTH).await.unwrap();
    assert!(some(&mut idle).await.starts_with("HTTP/1.1 200"));
    let (silent, half, idle) = tokio::join!(rest(silent), rest(half), rest(idle));
    assert_eq!((silent.as_str(), idle.as_str()), ("", ""));
    assert!(half.is_empty() || half.starts_with("HTTP/1.1 408"), "{half}");
}

/// RFC 9110 15.5.9
#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let home = Home::with_config("[limits]\nbody_timeout = 1\n");
    let server = Server::open(&home);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = b"POST /connect/dcr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    stream.write_all(head).await.unwrap();
    let answer = rest(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("\"error\":\"invalid_request\""),
        "{answer}"
    );
}

/// However slowly it trickles: each piece alone is in time.
#[tokio::test]
async fn a_body_that_trickles_for_too_long_is_answered_408() {
    let home = Home::with_config("[limits]\nbody_timeout = 1\n");
    let server = Server::open(&home);
    let (mut reading, mut writing) = TcpStream::connect(server.address()).await.unwrap().into_split();
    let head = b"POST /connect/dcr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{";
    writing.write_all(head).await.unwrap();
    let trickle = tokio::spawn(async move {
        let mut pieces = tokio::time::interval(Duration::from_millis(50));
        while writing.write_all(b" ").await.is_ok() {
            pieces.tick().await;
        }
    });
    let mut answer = [0; 12];
    reading.read_exact(&mut answer).await.unwrap();
    trickle.abort();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

/// RFC 9110 10.1.1, 15.5.14
#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_asked_for() {
    let home = Home::new();
    let server = Server::open(&home);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = b"POST /connect/dcr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 70000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let answer = some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

/// RFC 9112 7.1
#[tokio::test]
async fn a_body_that_is_framed_wrong_is_answered_400() {
    let home = Home::new();
    let server = Server::open(&home);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = b"POST /connect/dcr HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    stream.write_all(head).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_source_with_too_many_connections_is_told_so_and_others_are_served() {
    let home = Home::with_config("[limits]\nconnections_per_source = 2\n");
    let server = Server::open(&home);
    let mut greedy = Vec::new();
    for _ in 0..2 {
        let mut stream = connect_from("127.0.0.2", &server).await;
        stream.write_all(HEALTH).await.unwrap();
        assert!(some(&mut stream).await.starts_with("HTTP/1.1 200"));
        greedy.push(stream);
    }
    let turned_away = rest(connect_from("127.0.0.2", &server).await).await;
    assert!(turned_away.starts_with("HTTP/1.1 429"), "{turned_away}");
    assert!(turned_away.contains("retry-after") && turned_away.contains("\"error\":"), "{turned_away}");
    assert_eq!(server.get("/healthz").await.status, 200);
}

/// The descriptors of the process are what all share.
#[tokio::test]
async fn a_source_cannot_use_up_the_descriptors_of_all() {
    let home = Home::new();
    let enroll = home.enroll(["serve", "--dev", "--listen", "127.0.0.1:0"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100 && exec \"$0\" \"$@\""]).arg(enroll.get_program());
    command.args(enroll.get_args()).current_dir(home.path());
    let server = Server::spawn(command);
    let mut greedy = Vec::new();
    loop {
        let mut stream = connect_from("127.0.0.2", &server).await;
        let asked = stream.write_all(HEALTH).await;
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(length @ 1..) if asked.is_ok() && piece[..length].starts_with(b"HTTP/1.1 200") => {
                greedy.push(stream);
            }
            _ => break,
        }
    }
    assert!((2..50).contains(&greedy.len()), "{} connections", greedy.len());
    assert_eq!(server.get("/readyz").await.status, 200);
    let log = server.stop().log;
    assert!(log.contains("the operating system lets this process have"), "{log}");
}

#[tokio::test]
async fn a_header_that_is_too_large_is_refused() {
    let home = Home::new();
    let server = Server::open(&home);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx-large: {}\r\n\r\n", "a".repeat(256 * 1024));
    // The server need not wait for the end of it.
    let _closed = stream.write_all(head.as_bytes()).await;
    let answer = rest(stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(server.get("/healthz").await.status, 200);
}
