//! A kept-alive HTTP/1.1 connection that does the least a client can do. RFC 9112.
//!
//! Whatever the client costs, the server on the same machine lacks: requests are bytes made once, and of a response
//! only the status and the length are read.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Larger than any answer that the benchmark asks for.
const LARGEST: usize = 256 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A response, borrowed from the connection until its next request.
#[derive(Debug, PartialEq)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request, as it is, and reads the whole response.
    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<Response<'_>> {
        self.received.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.read_more().await?;
            if let Some(head) = Head::of(&self.received)? {
                break head;
            }
        };
        while self.received.len() < head.end + head.length {
            self.read_more().await?;
        }
        Ok(Response { status: head.status, body: &self.received[head.end..head.end + head.length] })
    }

    /// The values of a header of the last response.
    pub(crate) fn headers(&self, wanted: &str) -> Vec<&str> {
        let head = self.received.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_default();
        let head = str::from_utf8(&self.received[..head]).unwrap_or_default();
        let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
        headers.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim()).collect()
    }

    async fn read_more(&mut self) -> io::Result<()> {
        if self.received.len() > LARGEST {
            return Err(invalid("the response is larger than the benchmark expects"));
        }
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
            _ => Ok(()),
        }
    }
}

/// What is needed of a response's head.
#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    /// Where the body begins.
    end: usize,
    length: usize,
}

impl Head {
    /// `None` until the head is complete.
    fn of(received: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = str::from_utf8(&received[..end]).map_err(|_| invalid("the response's head is no text"))?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.get(9..12)).and_then(|code| code.parse().ok());
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        match (status, length) {
            // RFC 9112 §6.3: there is no body, and no length of one.
            (Some(204), _) => Ok(Some(Self { status: 204, end: end + 4, length: 0 })),
            (Some(status), Some(length)) => Ok(Some(Self { status, end: end + 4, length })),
            (None, _) => Err(invalid("the response has no status")),
            (_, None) => Err(invalid("the response has no content-length")),
        }
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let response = b"HTTP/1.1 201 Created\r\nContent-Type: a\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(Head::of(&response[..40]).unwrap(), None);
        assert_eq!(
            Head::of(response).unwrap(),
            Some(Head { status: 201, end: response.len() - 2, length: 2 })
        );
    }

    #[test]
    fn no_content_ends_with_its_head() {
        let head = Head::of(b"HTTP/1.1 204 No Content\r\ncache-control: no-store\r\n\r\n").unwrap();
        assert_eq!(head.map(|head| (head.status, head.length)), Some((204, 0)));
    }

    #[test]
    fn a_response_without_a_length_is_refused_rather_than_waited_for() {
        assert!(Head::of(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[tokio::test]
    async fn a_body_may_come_in_pieces_and_the_connection_is_used_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            for _ in 0..2 {
                stream.read_exact(&mut [0; 4]).await.unwrap();
                for piece in ["HTTP/1.1 200 OK\r\nConte", "nt-Length: 5\r\n\r\nhe", "llo"] {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        };
        let client = async {
            let mut connection = Connection::open(&address).await.unwrap();
            for _ in 0..2 {
                let response = connection.send(b"ping").await.unwrap();
                assert_eq!(response, Response { status: 200, body: b"hello" });
            }
        };
        tokio::join!(server, client);
    }
}
