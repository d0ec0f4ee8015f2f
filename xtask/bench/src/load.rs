//! Many connections that each send the next request as soon as the last is answered, or at fixed times.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::authorized::{Ask, Authorized, Server, code, form_request};
use crate::connection::Connection;
use crate::sample::Sample;

/// Requests to send, and the status that each must have.
pub(crate) struct Load {
    address: String,
    requests: Vec<Vec<u8>>,
    /// For each request, where a code comes of it: the form that pays it out, but for the code.
    redeem: Vec<String>,
    expected: u16,
    /// Whether each request is sent once, and not again and again.
    once: bool,
    /// Where the bodies of answers are put, for whoever wants them.
    kept: Kept,
    /// How many requests a second all connections send together; as many as are answered where it is `None`.
    rate: Option<f64>,
}

/// What is done with the answers.
enum Kept {
    Nothing,
    All(Rc<RefCell<Vec<Vec<u8>>>>),
    Sample(Rc<RefCell<Sample>>),
}

/// What is done with a registered client.
#[derive(Clone, Copy)]
pub(crate) enum Manage {
    Read,
    Update,
    Delete,
}

/// When a run ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Elapsed(Duration),
    Requests(u64),
}

/// What a run saw.
pub(crate) struct Measured {
    elapsed: Duration,
    /// Of every answered request, in microseconds, sorted.
    latencies: Vec<u32>,
}

impl Load {
    /// These requests again and again.
    fn of(address: &str, requests: Vec<Vec<u8>>, expected: u16) -> Self {
        Self {
            address: address.to_owned(),
            requests,
            redeem: Vec::new(),
            expected,
            once: false,
            kept: Kept::Nothing,
            rate: None,
        }
    }

    /// `POST` to the registration endpoint, with this body.
    pub(crate) fn registering(address: &str, path: &str, body: &[u8]) -> Self {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             accept: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        Self::of(address, vec![request], 201)
    }

    /// `GET` of these clients, each a client information response.
    pub(crate) fn reading(address: &str, clients: &[Vec<u8>]) -> io::Result<Self> {
        let requests =
            clients.iter().map(|client| Manage::Read.request(address, client)).collect::<io::Result<_>>()?;
        Ok(Self::of(address, requests, 200))
    }

    /// The same requests, so many a second.
    pub(crate) fn at(self, rate: Option<f64>) -> Self {
        Self { rate, ..self }
    }

    /// The same `GET`, `PUT` or `DELETE` on the registration client URIs of clients that are registered now.
    pub(crate) async fn managing(self, manage: Manage, clients: u64, connections: usize) -> io::Result<Self> {
        let address = self.address.clone();
        let answers = self.answers(clients, connections).await?;
        let requests =
            answers.iter().map(|body| manage.request(&address, body)).collect::<io::Result<_>>()?;
        let (expected, once) = match manage {
            Manage::Read | Manage::Update => (200, false),
            Manage::Delete => (204, true),
        };
        Ok(Self { once, ..Self::of(&address, requests, expected) })
    }

    /// What the server answers to so many of these requests.
    pub(crate) async fn answers(self, count: u64, connections: usize) -> io::Result<Vec<Vec<u8>>> {
        let answers = Rc::new(RefCell::new(Vec::new()));
        let kept = Kept::All(Rc::clone(&answers));
        Self { kept, ..self }.run(connections, Until::Requests(count)).await?;
        Ok(answers.take())
    }

    /// Runs, and offers each answer to the sample.
    pub(crate) async fn run_for(
        self,
        sample: Sample,
        connections: usize,
        until: Until,
    ) -> io::Result<(Measured, Sample)> {
        let sample = Rc::new(RefCell::new(sample));
        let kept = Kept::Sample(Rc::clone(&sample));
        let measured = Self { kept, ..self }.run(connections, until).await?;
        Ok((measured, sample.take()))
    }

    /// What these clients ask of the authorization server.
    pub(crate) async fn authorized(
        what: Authorized,
        server: &Server<'_>,
        clients: &[Vec<u8>],
    ) -> io::Result<Self> {
        let asks = what.asks(server, clients).await?;
        let expected = if matches!(what, Authorized::Flow) { 303 } else { 200 };
        let redeem = asks.iter().filter_map(|ask| ask.redeem.clone()).collect();
        let requests = asks.into_iter().map(|Ask { first, .. }| first).collect();
        Ok(Self { redeem, ..Self::of(server.address, requests, expected) })
    }

    /// Runs all connections on this thread.
    pub(crate) async fn run(self, connections: usize, until: Until) -> io::Result<Measured> {
        let load = Rc::new(self);
        let left = Rc::new(Cell::new(match until {
            Until::Requests(count) => count,
            Until::Elapsed(_) => u64::MAX,
        }));
        let mut opened = Vec::with_capacity(connections);
        for _ in 0..connections {
            opened.push(Connection::open(&load.address).await?);
        }
        let begin = Instant::now();
        let end = match until {
            Until::Elapsed(duration) => Some(begin + duration),
            Until::Requests(_) => None,
        };
        let local = LocalSet::new();
        let tasks: Vec<_> = opened
            .into_iter()
            .enumerate()
            .map(|(first, connection)| {
                let turns = (first, connections);
                let pace = load.rate.map(|rate| Pace::of(begin, rate, turns));
                let load = Rc::clone(&load);
                local.spawn_local(load.one_connection(connection, turns, pace, Rc::clone(&left), end))
            })
            .collect();
        local.await;
        let elapsed = begin.elapsed();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await.map_err(io::Error::other)??);
        }
        latencies.sort_unstable();
        Ok(Measured { elapsed, latencies })
    }

    /// Sends the first request and then every so many: connections whose number divides that of the requests never send
    /// the same one, so that none changes what another is changing.
    async fn one_connection(
        self: Rc<Self>,
        mut connection: Connection,
        (first, every): (usize, usize),
        mut pace: Option<Pace>,
        left: Rc<Cell<u64>>,
        end: Option<Instant>,
    ) -> io::Result<Vec<u32>> {
        let mut latencies = Vec::new();
        let mut next = first;
        let mut now = Instant::now();
        while left.get() > 0 && end.is_none_or(|end| now < end) {
            if self.once && next >= self.requests.len() {
                break;
            }
            let begin = match &mut pace {
                Some(pace) if end.is_some_and(|end| pace.due >= end) => break,
                Some(pace) => pace.wait(now).await,
                None => now,
            };
            left.set(left.get().saturating_sub(1));
            let response = connection.send(&self.requests[next % self.requests.len()]).await?;
            check(self.expected, response.status, response.body)?;
            match &self.kept {
                Kept::Nothing => {}
                Kept::All(answers) => answers.borrow_mut().push(response.body.to_vec()),
                Kept::Sample(sample) => sample.borrow_mut().offer(response.body)?,
            }
            if let Some(redeem) = self.redeem.get(next % self.requests.len()) {
                let form = format!("{redeem}{}", code(&connection)?);
                let request = form_request(&self.address, "/connect/token", "", &form);
                let response = connection.send(&request).await?;
                check(200, response.status, response.body)?;
            }
            let answered = Instant::now();
            latencies.push(u32::try_from((answered - begin).as_micros()).unwrap_or(u32::MAX));
            now = answered;
            next += every;
        }
        Ok(latencies)
    }
}

/// The fixed times of one connection's requests.
struct Pace {
    due: Instant,
    every: Duration,
}

impl Pace {
    /// The connections take turns, so that their requests are spread evenly.
    fn of(begin: Instant, rate: f64, (first, connections): (usize, usize)) -> Self {
        let each = Duration::from_secs_f64(1.0 / rate);
        let times = |count: usize| each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        Self { due: begin + times(first), every: times(connections) }
    }

    /// Waits for the next time, and tells from when on the answer is waited for: who is late since the last answer was
    /// late counts from when the request was due, so that one slow answer does not hide those that it holds up.
    async fn wait(&mut self, now: Instant) -> Instant {
        let due = self.due;
        self.due += self.every;
        if due <= now {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        // Not `due`: timers are a millisecond coarse, and that is ours.
        Instant::now()
    }
}

/// A run that is answered anything else measures nothing, so it ends.
fn check(expected: u16, status: u16, body: &[u8]) -> io::Result<()> {
    if status == expected {
        return Ok(());
    }
    let body = String::from_utf8_lossy(body);
    Err(io::Error::other(format!("answered {status} instead of {expected}: {body}")))
}

impl Measured {
    /// Requests a second, and latencies in milliseconds.
    #[allow(clippy::cast_precision_loss)] // Counts below 2^52.
    pub(crate) fn to_json(&self) -> Value {
        let seconds = self.elapsed.as_secs_f64();
        json!({
            "requests": self.latencies.len(),
            "seconds": seconds,
            "rate": self.latencies.len() as f64 / seconds,
            "p50": self.percentile(50),
            "p99": self.percentile(99),
        })
    }

    fn percentile(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).map_or(0.0, |&microseconds| f64::from(microseconds) / 1000.0)
    }
}

impl Manage {
    /// The request about the client of a client information response; an update says the same again. RFC 7592 §2.
    fn request(self, address: &str, information: &[u8]) -> io::Result<Vec<u8>> {
        let information: Value = serde_json::from_slice(information)?;
        let member = |name: &str| {
            information[name].as_str().ok_or_else(|| io::Error::other(format!("the answer has no {name}")))
        };
        let uri = member("registration_client_uri")?;
        let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |slash| &after_scheme[slash..]);
        let token = member("registration_access_token")?;
        let (method, body) = match self {
            Self::Read => ("GET", String::new()),
            Self::Delete => ("DELETE", String::new()),
            Self::Update => ("PUT", without_what_only_the_server_says(&information).to_string()),
        };
        let length = body.len();
        Ok(format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes())
    }
}

fn without_what_only_the_server_says(information: &Value) -> Value {
    let mut body = information.clone();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| {
            !name.starts_with("registration_")
                && !["client_secret_expires_at", "client_id_issued_at"].contains(&name.as_str())
        });
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_latencies() {
        let measured = Measured { elapsed: Duration::from_secs(2), latencies: (1..=1000).collect() };
        let json = measured.to_json();
        assert_eq!((json["p50"].as_f64(), json["p99"].as_f64()), (Some(0.501), Some(0.991)));
        assert_eq!(json["rate"].as_f64(), Some(500.0));
    }

    #[test]
    fn a_run_without_an_answer_has_no_latency() {
        let measured = Measured { elapsed: Duration::from_secs(1), latencies: Vec::new() };
        assert_eq!(measured.to_json()["p99"].as_f64(), Some(0.0));
    }

    #[tokio::test]
    async fn who_is_late_counts_from_when_the_request_was_due() {
        let begin = Instant::now();
        let mut pace = Pace::of(begin, 1000.0, (1, 2));
        assert_eq!((pace.due - begin, pace.every), (Duration::from_millis(1), Duration::from_millis(2)));
        let late = begin + Duration::from_millis(5);
        let counted = [pace.wait(late).await, pace.wait(late).await, pace.wait(late).await];
        assert_eq!(counted.map(|from| (from - begin).as_millis()), [1, 3, 5]);
    }

    #[test]
    fn a_client_is_managed_where_its_registration_said() {
        let information = br#"{"registration_client_uri":"http://127.0.0.1:1/connect/dcr/a","registration_access_token":"t"}"#;
        for (manage, start, end) in [
            (Manage::Read, "GET /connect/dcr/a HTTP/1.1\r\n", "\r\ncontent-length: 0\r\n\r\n"),
            (Manage::Update, "PUT /connect/dcr/a HTTP/1.1\r\n", "\r\ncontent-length: 2\r\n\r\n{}"),
            (Manage::Delete, "DELETE /connect/dcr/a HTTP/1.1\r\n", "\r\ncontent-length: 0\r\n\r\n"),
        ] {
            let request = String::from_utf8(manage.request("127.0.0.1:1", information).unwrap()).unwrap();
            assert!(request.starts_with(start) && request.ends_with(end), "{request}");
            assert!(request.contains("authorization: Bearer t\r\n"), "{request}");
        }
    }

    #[test]
    fn another_status_than_the_expected_one_ends_the_run() {
        let error = check(201, 429, b"{\"error\":\"slow_down\"}").unwrap_err().to_string();
        assert!(error.contains("429") && error.contains("slow_down"), "{error}");
    }
}
