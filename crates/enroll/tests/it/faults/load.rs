//! Callers who do the same over and over while something fails, and what they were promised.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::harness::{Answer, Home, Server};

/// Who does the same at the same time.
const CALLERS: usize = 4;

/// How many of each kind must land before something happens, and after it.
pub(super) const SOME: usize = 40;

/// A client that gets tokens for itself.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    secret: String,
}

impl Client {
    /// One with these members beside.
    pub(super) async fn register(server: &Server, more: &Value) -> Self {
        let mut metadata = plain();
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = server.register(&metadata, None).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let member = |name: &str| answer.member(name).to_owned();
        Self { id: member("client_id"), secret: member("client_secret") }
    }

    /// One whose tokens are rows.
    pub(super) async fn with_references(server: &Server) -> Self {
        Self::register(server, &json!({ "access_token_type": "Reference" })).await
    }

    fn token_request(&self, server: &Server) -> RequestBuilder {
        server.client_credentials(&self.id, &self.secret, "&scope=api1")
    }

    /// A token of its own.
    pub(super) async fn token(&self, server: &Server) -> String {
        let answer = Answer::to(self.token_request(server)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.member("access_token").to_owned()
    }

    /// What it is told of a token at one of these endpoints.
    async fn asks(&self, server: &Server, path: &str, token: &str) -> Answer {
        let request = server.request(Method::POST, path).basic_auth(&self.id, Some(&self.secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = Answer::to(request.body(format!("token={token}"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// Whether a token of its own is active. RFC 7662 §2.2.
    pub(super) async fn is_active(&self, server: &Server, token: &str) -> bool {
        self.asks(server, "/connect/introspect", token).await.json["active"].as_bool().unwrap()
    }

    /// Gives a token back. RFC 7009 §2.
    pub(super) async fn revokes(&self, server: &Server, token: &str) {
        self.asks(server, "/connect/revocation", token).await;
    }
}

/// What most clients say of themselves here.
pub(super) fn plain() -> Value {
    json!({ "grant_types": ["client_credentials"], "scope": "api1" })
}

/// What a caller does.
#[derive(Clone)]
pub(super) enum Call {
    /// Registers a client with this metadata. When it is answered, the client is there, once.
    Register(Value),
    /// Has a token made for this client. When it is answered, the token is active.
    Token(Client),
}

impl Call {
    fn request(&self, server: &Server) -> RequestBuilder {
        match self {
            Self::Register(metadata) => server.request(Method::POST, "/connect/dcr").json(metadata),
            Self::Token(client) => client.token_request(server),
        }
    }

    /// What is promised by an answer; nothing by one that tells the caller to come again, and there are no others.
    fn promised(&self, answer: &Answer) -> Option<String> {
        let (status, member) = match self {
            Self::Register(_) => (201, "client_id"),
            Self::Token(_) => (200, "access_token"),
        };
        if answer.status != status {
            must_be_told_to_come_again(answer);
            return None;
        }
        Some(answer.member(member).to_owned())
    }
}

#[track_caller]
pub(super) fn must_be_told_to_come_again(answer: &Answer) {
    answer.assert_error(503, "temporarily_unavailable");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
}

/// Calls without end, by several callers of each kind, until they are told to stop.
pub(super) struct Load {
    callers: JoinSet<(usize, Vec<String>)>,
    counts: Vec<Counts>,
    calls: Vec<Call>,
    goes_on: Arc<AtomicBool>,
}

/// How the calls of one kind went.
#[derive(Clone)]
struct Counts {
    landed: Arc<Semaphore>,
    refused: Arc<Semaphore>,
}

impl Load {
    /// Each of these calls at this server.
    pub(super) fn on(server: &Arc<Server>, calls: Vec<Call>) -> Self {
        let none = || Arc::new(Semaphore::new(0));
        let counts: Vec<_> = calls.iter().map(|_| Counts { landed: none(), refused: none() }).collect();
        let goes_on = Arc::new(AtomicBool::new(true));
        let mut callers = JoinSet::new();
        for (kind, call) in calls.iter().enumerate() {
            for _ in 0..CALLERS {
                let (server, call, counts) = (server.clone(), call.clone(), counts[kind].clone());
                let goes_on = goes_on.clone();
                callers.spawn(async move { (kind, calling(&server, &call, &counts, &goes_on).await) });
            }
        }
        Self { callers, counts, calls, goes_on }
    }

    /// Registrations, and tokens that are rows.
    pub(super) async fn of_all_kinds(server: &Arc<Server>) -> Self {
        let client = Client::with_references(server).await;
        Self::on(server, vec![Call::Register(plain()), Call::Token(client)])
    }

    /// Returns when so many more of each kind have landed.
    pub(super) async fn lands(&mut self, number: usize) {
        for counts in &self.counts {
            // What has landed so far may have done so before what is waited for.
            counts.landed.forget_permits(usize::MAX);
        }
        for kind in 0..self.counts.len() {
            let landed = self.counts[kind].landed.clone();
            self.waits_for(&landed, number).await;
        }
    }

    /// Returns when a call of each kind has been refused.
    pub(super) async fn is_refused(&mut self) {
        for kind in 0..self.counts.len() {
            self.refuses(kind).await;
        }
    }

    /// Returns when a call of this kind has been refused.
    pub(super) async fn refuses(&mut self, kind: usize) {
        let refused = self.counts[kind].refused.clone();
        refused.forget_permits(usize::MAX);
        self.waits_for(&refused, 1).await;
    }

    /// No caller goes away meanwhile, but one that was answered otherwise than it may be.
    async fn waits_for(&mut self, count: &Semaphore, number: usize) {
        tokio::select! {
            permits = count.acquire_many(u32::try_from(number).unwrap()) => permits.unwrap().forget(),
            Some(ended) = self.callers.join_next() => drop(ended.unwrap()),
        }
    }

    /// How many were refused since that was asked for last.
    pub(super) fn refused(&self) -> usize {
        self.counts.iter().map(|counts| counts.refused.available_permits()).sum()
    }

    /// Ends it; what was promised must hold.
    pub(super) async fn ends_with_all_kept(self, home: &Home, server: &Arc<Server>) {
        self.goes_on.store(false, Ordering::Relaxed);
        let mut promised = vec![Vec::new(); self.calls.len()];
        for (kind, kept) in self.callers.join_all().await {
            promised[kind].extend(kept);
        }
        is_ready_again(server).await;
        for (call, promised) in self.calls.iter().zip(promised) {
            match call {
                Call::Register(_) => all_are_there(home, &promised),
                Call::Token(client) => all_are_active(server, client, promised).await,
            }
        }
    }
}

async fn calling(server: &Server, call: &Call, counts: &Counts, goes_on: &AtomicBool) -> Vec<String> {
    let mut promised = Vec::new();
    while goes_on.load(Ordering::Relaxed) {
        match call.promised(&Answer::to(call.request(server)).await) {
            Some(promise) => {
                promised.push(promise);
                counts.landed.add_permits(1);
            }
            None => counts.refused.add_permits(1),
        }
    }
    promised
}

/// An answer to that stands for a second.
async fn is_ready_again(server: &Server) {
    while server.get("/readyz").await.status != 200 {
        tokio::task::yield_now().await;
    }
}

/// Each is there, once.
fn all_are_there(home: &Home, ids: &[String]) {
    let listed = home.run("clients list --json");
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let mut times = std::collections::HashMap::new();
    for line in listed.stdout.lines() {
        let client: Value = serde_json::from_str(line).unwrap();
        *times.entry(client["client_id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let mut given = std::collections::HashSet::new();
    for id in ids {
        assert!(given.insert(id), "{id} was given twice");
        assert_eq!(times.get(id), Some(&1), "{id} was answered");
    }
    // Others were written, and nobody knows whether they were when the answer had to be given.
    assert!(times.values().all(|times| *times == 1));
}

async fn all_are_active(server: &Arc<Server>, client: &Client, mut tokens: Vec<String>) {
    let number = tokens.len();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), number, "a token was given twice");
    let mut asking = JoinSet::new();
    for some in tokens.chunks(number.div_ceil(CALLERS).max(1)) {
        let (server, client, some) = (server.clone(), client.clone(), some.to_vec());
        asking.spawn(async move {
            for token in some {
                assert!(client.is_active(&server, &token).await, "{token} was answered");
            }
        });
    }
    asking.join_all().await;
}
