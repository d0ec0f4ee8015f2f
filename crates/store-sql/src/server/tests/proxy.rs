//! What lies between us and a server far away, and counts how often we wait for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server.
pub(super) struct Proxy {
    pub(super) port: u16,
    turns: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = turns.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, TcpStream::connect(server).await.unwrap(), counted.clone()));
            }
        });
        Self { port, turns }
    }

    /// How often somebody asked something after an answer, since this was asked last: ways there and back.
    pub(super) fn turns(&self) -> usize {
        self.turns.swap(0, Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, turns: Arc<AtomicUsize>) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_asking = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read? {
                0 => return Ok(()),
                count => {
                    if !std::mem::replace(&mut is_asking, true) {
                        turns.fetch_add(1, Ordering::SeqCst);
                    }
                    server.write_all(&asked[..count]).await?;
                }
            },
            read = server.read(&mut answered) => match read? {
                0 => return Ok(()),
                count => {
                    is_asking = false;
                    client.write_all(&answered[..count]).await?;
                }
            },
        }
    }
}
