//! What lies between us and a server far away: it counts how often we wait for it, and breaks where it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server.
pub(super) struct Proxy {
    pub(super) port: u16,
    way: Arc<Way>,
}

#[derive(Default)]
struct Way {
    turns: AtomicUsize,
    /// At which turn a connection breaks, before the question is passed on; 0 for none.
    broken_before: AtomicUsize,
    /// At which turn a connection breaks, before the answer is passed on; 0 for none.
    broken_after: AtomicUsize,
}

/// Where a connection breaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Break {
    BeforeTheQuestion,
    BeforeTheAnswer,
}

impl Proxy {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(Way::default());
        let own = way.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, TcpStream::connect(server).await.unwrap(), own.clone()));
            }
        });
        Self { port, way }
    }

    /// How often somebody asked something after an answer, since this was asked last: ways there and back.
    pub(super) fn turns(&self) -> usize {
        self.way.turns.swap(0, Ordering::SeqCst)
    }

    /// The turn of this number, from now on, ends its connection.
    pub(super) fn break_at(&self, turn: usize, place: Break) {
        self.turns();
        let broken = match place {
            Break::BeforeTheQuestion => &self.way.broken_before,
            Break::BeforeTheAnswer => &self.way.broken_after,
        };
        broken.store(turn, Ordering::SeqCst);
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, way: Arc<Way>) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let (mut is_asking, mut turn) = (false, 0);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read? {
                0 => return Ok(()),
                count => {
                    if !std::mem::replace(&mut is_asking, true) {
                        turn = 1 + way.turns.fetch_add(1, Ordering::SeqCst);
                    }
                    if breaks(&way.broken_before, turn) {
                        return Ok(());
                    }
                    server.write_all(&asked[..count]).await?;
                }
            },
            read = server.read(&mut answered) => match read? {
                0 => return Ok(()),
                count => {
                    is_asking = false;
                    if breaks(&way.broken_after, turn) {
                        return Ok(());
                    }
                    client.write_all(&answered[..count]).await?;
                }
            },
        }
    }
}

/// Once.
fn breaks(at: &AtomicUsize, turn: usize) -> bool {
    turn > 0 && at.compare_exchange(turn, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}
