//! The hosts' side of the wire. Written by hand, since no server library sends what hostile hosts do.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::Pages;
use super::answer::End;

/// A free port.
pub(super) async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port")
}

/// TLS with the certificate.
pub(super) fn acceptor(certificate: CertificateDer<'static>, key: Vec<u8>) -> TlsAcceptor {
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key).into())
        .expect("the key is the certificate's");
    TlsAcceptor::from(Arc::new(config))
}

/// Answers whoever connects, each in a task of its own.
pub(super) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, pages: Arc<Pages>) {
    while let Ok((stream, _)) = listener.accept().await {
        pages.connected();
        let (acceptor, pages) = (acceptor.clone(), Arc::clone(&pages));
        // A client that goes away is what many tests are about.
        tokio::spawn(async move { answer(stream, acceptor, pages).await.unwrap_or_default() });
    }
}

async fn answer(stream: TcpStream, acceptor: TlsAcceptor, pages: Arc<Pages>) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
    let Some(answer) = pages.ask(&path, request) else {
        return stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await;
    };
    if matches!(answer.end, End::Held) {
        pages.released().await;
    }
    stream.write_all(&answer.bytes()).await?;
    match answer.end {
        End::Close | End::Held => stream.shutdown().await,
        End::Silence => std::future::pending().await,
        End::Drip => {
            let mut beat = tokio::time::interval(Duration::from_millis(5));
            loop {
                beat.tick().await;
                stream.write_all(b" ").await?;
                stream.flush().await?;
            }
        }
    }
}
