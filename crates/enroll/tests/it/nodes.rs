//! Three nodes that share nothing but their databases: one is killed, one hangs, and what was answered stays true.

use std::sync::Arc;
use std::time::{Duration, Instant};

use enroll_throwaway::{Engine, Throwaway};
use reqwest::{Method, RequestBuilder};
use rustix::process::Signal;
use serde_json::json;
use tokio::sync::{Barrier, Mutex};
use tokio::task::JoinSet;

use crate::harness::{Answer, Home, Server};

/// How long a caller waits for a node before it gives up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who calls at the same time, and how often each.
const CALLERS: usize = 6;
const ROUNDS: usize = 24;

const NODES: usize = 3;

/// How long a node may go by what it knew of a client, where the configuration does not say.
const MOMENT: Duration = Duration::from_secs(2);

/// A client as it was told that it is.
#[derive(Clone, Debug)]
struct Client {
    id: String,
    secret: String,
    token: String,
}

/// What became of the clients, as far as anybody was answered.
#[derive(Default)]
struct Fates {
    alive: Vec<Client>,
    deleted: Vec<Client>,
}

/// The answer, if the node gave one.
async fn answer(request: RequestBuilder) -> Option<Answer> {
    let response = request.timeout(PATIENCE).send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.ok()?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Some(Answer { status, headers, text, json })
}

async fn register(node: &Server) -> Option<Client> {
    let metadata = json!({ "grant_types": ["client_credentials"], "scope": "api1" });
    let told = answer(node.request(Method::POST, "/connect/dcr").json(&metadata)).await?;
    assert!([201, 503].contains(&told.status), "{told:?}");
    let member = |name: &str| told.member(name).to_owned();
    (told.status == 201).then(|| Client {
        id: member("client_id"),
        secret: member("client_secret"),
        token: member("registration_access_token"),
    })
}

/// The status of a token request.
async fn token(node: &Server, client: &Client) -> Option<u16> {
    let request = node.client_credentials(&client.id, &client.secret, "");
    Some(answer(request).await?.status)
}

/// The status of a deletion.
async fn delete(node: &Server, client: &Client) -> Option<u16> {
    let request = node.request(Method::DELETE, &format!("/connect/dcr/{}", client.id));
    Some(answer(request.bearer_auth(&client.token)).await?.status)
}

/// Registers at one node, works at the next, and is deleted, now and then, at the one after.
async fn calls(nodes: Arc<[Server; NODES]>, own: usize, halfway: Arc<Barrier>, fates: Arc<Mutex<Fates>>) {
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            // In the middle of things: others have requests under way.
            halfway.wait().await;
        }
        let node = |step: usize| &nodes[(own + round + step) % NODES];
        let Some(client) = register(node(0)).await else { continue };
        let status = token(node(1), &client).await;
        assert!(matches!(status, None | Some(200 | 503)), "it works where it did not register: {status:?}");
        if round % 3 != 0 {
            fates.lock().await.alive.push(client);
        } else if delete(node(2), &client).await == Some(204) {
            fates.lock().await.deleted.push(client);
        }
    }
}

/// Asks until the answer comes that must come within a moment, and the time that an answer takes.
async fn is_refused_at_last(node: &Server, client: &Client) {
    let begin = Instant::now();
    while token(node, client).await != Some(401) {
        assert!(begin.elapsed() < MOMENT + 2 * PATIENCE, "it goes by what was so longer ago than a moment");
        tokio::task::yield_now().await;
    }
}

async fn three_nodes(engine: Engine) {
    let databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let homes: [Home; NODES] = std::array::from_fn(|_| Home::of_node(&databases, &key));
    let [first, hangs, dies] = &homes;
    let first = Server::open(first);
    let nodes = Arc::new([first, Server::open(hangs), Server::open(dies)]);
    let (halfway, fates) = (Arc::new(Barrier::new(CALLERS + 1)), Arc::new(Mutex::new(Fates::default())));
    let mut callers = JoinSet::new();
    for own in 0..CALLERS {
        callers.spawn(calls(nodes.clone(), own, halfway.clone(), fates.clone()));
    }
    halfway.wait().await;
    nodes[1].signal(Signal::STOP);
    nodes[2].signal(Signal::KILL);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }

    let Fates { alive, deleted } = std::mem::take(&mut *fates.lock().await);
    assert!(alive.len() > CALLERS * ROUNDS / 4 && deleted.len() >= CALLERS, "there was traffic");
    nodes[1].signal(Signal::CONT);
    for client in &deleted {
        is_refused_at_last(&nodes[1], client).await;
        is_refused_at_last(&nodes[0], client).await;
    }
    let again = Server::open(&homes[2]);
    for client in &alive {
        for node in [&nodes[0], &nodes[1], &again] {
            assert_eq!(token(node, client).await, Some(200), "{client:?} was answered with 201");
        }
    }
    let listed = homes[0].run("clients list --json");
    let is_listed = |client: &Client| listed.stdout.contains(&client.id);
    assert!(!deleted.iter().any(is_listed), "nothing deleted came back");
    assert!(alive.iter().all(is_listed), "nothing that was answered is lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn nodes_that_share_postgresql_keep_their_word_when_one_dies_and_one_hangs() {
    three_nodes(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn nodes_that_share_mariadb_keep_their_word_when_one_dies_and_one_hangs() {
    three_nodes(Engine::MariaDb).await;
}

/// A node that gave a client tokens a moment ago hears of its end, or asks.
async fn told_of_an_end(engine: Engine) {
    let databases = Throwaway::start(engine).unwrap();
    let key = Home::new();
    let homes: [Home; 2] = std::array::from_fn(|_| Home::of_node(&databases, &key));
    let [one, other] = &homes;
    let (one, other) = (Server::open(one), Server::open(other));
    for by_operator in [false, true] {
        let client = register(&one).await.unwrap();
        assert_eq!(token(&other, &client).await, Some(200));
        assert_eq!(token(&other, &client).await, Some(200));
        if by_operator {
            assert_eq!(homes[0].run(&format!("clients disable {}", client.id)).code, Some(0));
        } else {
            assert_eq!(delete(&one, &client).await, Some(204));
            assert_eq!(token(&one, &client).await, Some(401), "whoever changed it knows at once");
        }
        is_refused_at_last(&one, &client).await;
        is_refused_at_last(&other, &client).await;
        if by_operator {
            assert_eq!(homes[0].run(&format!("clients enable {}", client.id)).code, Some(0));
            assert_eq!(token(&other, &client).await, Some(200), "nobody is refused by what is older");
        }
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn the_end_of_a_client_reaches_the_other_nodes_of_postgresql() {
    told_of_an_end(Engine::Postgres).await;
}

#[tokio::test]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn the_end_of_a_client_reaches_the_other_nodes_of_mariadb() {
    told_of_an_end(Engine::MariaDb).await;
}
