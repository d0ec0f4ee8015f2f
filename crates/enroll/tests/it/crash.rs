//! Killed at any moment, the server has every client that it answered 201 for, and none that it refused.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::harness::{Home, Server};

const ROUNDS: u64 = 20;
const CONNECTIONS: u64 = 6;

/// Every so many requests, one that must be refused.
const REFUSED_EVERY: u64 = 4;

/// A small generator whose seed is told when the test fails; `ENROLL_CRASH_SEED` repeats a run.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let now = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
        let seed = std::env::var("ENROLL_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
        Self(seed.unwrap_or_else(now) | 1)
    }

    /// Xorshift.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What one connection knows when its server is gone.
#[derive(Default)]
struct Known {
    answered: Vec<Value>,
    unanswered: Option<String>,
}

/// Registers on one connection until the server is gone.
async fn register_until_killed(server: Calls, round: u64, connection: u64) -> Known {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1).build().unwrap();
    let mut known = Known::default();
    for number in 1_u64.. {
        let refused = number % REFUSED_EVERY == 0;
        let name = format!("{}-{round}-{connection}-{number}", if refused { "refused" } else { "good" });
        let redirect_uri = if refused { "javascript:alert(1)" } else { "https://app.example/cb" };
        let metadata = json!({ "client_name": name, "redirect_uris": [redirect_uri] });
        let request = client.request(Method::POST, format!("{}/connect/dcr", server.url)).json(&metadata);
        let Ok(response) = request.send().await else {
            known.unanswered = (!refused).then_some(name);
            return known;
        };
        match (response.status().as_u16(), refused) {
            (201, false) => {
                // The head of a 201 may be all that arrived; then its identifier is unknown to anybody.
                let Ok(answer) = response.json::<Value>().await else {
                    known.unanswered = Some(name);
                    return known;
                };
                known.answered.push(answer);
                server.count.fetch_add(1, Ordering::SeqCst);
                server.progress.notify_one();
            }
            (400, true) => {}
            (status, _) => panic!("{name} was answered {status}"),
        }
    }
    known
}

/// Where to call, and how far all have come.
#[derive(Clone)]
struct Calls {
    url: String,
    count: Arc<AtomicU64>,
    progress: Arc<Notify>,
}

/// One round: several connections register, and the server is killed after `moment` answers, give or take what is in
/// flight.
async fn killed_at(server: &mut Server, round: u64, moment: u64, dice: &mut Dice) -> Vec<Known> {
    let calls = Calls { url: server.url.clone(), count: Arc::default(), progress: Arc::new(Notify::new()) };
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        connections.spawn(register_until_killed(calls.clone(), round, connection));
    }
    while calls.count.load(Ordering::SeqCst) < moment {
        calls.progress.notified().await;
    }
    // Not right after an answer, but somewhere in the work for the next ones.
    for _ in 0..dice.below(400) {
        tokio::task::yield_now().await;
    }
    server.kill();
    connections.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_that_was_answered_survives_a_kill_and_no_refused_one_is_there() {
    let mut dice = Dice::new();
    eprintln!("ENROLL_CRASH_SEED={}", dice.0);
    let home = Home::new();
    let mut answered: HashMap<String, Value> = HashMap::new();
    let mut unanswered = HashSet::new();
    for round in 0..ROUNDS {
        let mut server = Server::open(&home);
        let moment = dice.below(120);
        let mut of_this_round = Vec::new();
        for known in killed_at(&mut server, round, moment, &mut dice).await {
            unanswered.extend(known.unanswered);
            of_this_round.extend(known.answered);
        }

        let server = Server::open(&home);
        for answer in of_this_round {
            let mut there = answer.clone();
            // The server is at another port now.
            let id = answer["client_id"].as_str().unwrap().to_owned();
            there["registration_client_uri"] = format!("{}/connect/dcr/{id}", server.url).into();
            let read = server.read(&there).await;
            assert_eq!(read.status, 200, "round {round}: {id} was answered 201 and is not there: {read:?}");
            assert_eq!(read.json["client_name"], answer["client_name"]);
            answered.insert(id, answer);
        }
        drop(server);
    }

    let listed = home.run("clients list --json");
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let mut found = HashSet::new();
    for line in listed.stdout.lines() {
        let client: Value = serde_json::from_str(line).unwrap();
        let id = client["client_id"].as_str().unwrap().to_owned();
        let name = client["metadata"]["client_name"].as_str().unwrap();
        assert!(name.starts_with("good-"), "{name} was refused and is there");
        assert!(
            answered.contains_key(&id) || unanswered.contains(name),
            "{name} is there, and nobody sent it"
        );
        found.insert(id);
    }
    assert!(answered.keys().all(|id| found.contains(id)), "a client of an earlier round is gone");
    assert!(!answered.is_empty());
}
