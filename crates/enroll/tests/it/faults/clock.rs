//! Clocks: one that jumps while the server is under load, and nodes whose clocks differ.

use std::sync::Arc;
use std::time::SystemTime;

use enroll_store_sql::testing::ForeignFile;
use enroll_throwaway::{Engine, MovableClock, Throwaway};
use serde_json::json;

use super::load::{Call, Client, Load, SOME, plain};
use crate::harness::{Home, Server};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// The server in this folder, by this clock.
fn by_clock(home: &Home, clock: &MovableClock) -> Arc<Server> {
    let mut command = home.enroll("serve --listen 127.0.0.1:0 --dev".split(' '));
    clock.governs(&mut command);
    Arc::new(Server::spawn(command))
}

/// What time it is.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// What the authorization server keeps, as other programs get at it.
enum Operational<'a> {
    File(&'a Home),
    Server(&'a Throwaway),
}

impl Operational<'_> {
    /// Who sweeps there.
    fn nodes(&self) -> usize {
        match self {
            Self::File(_) => 1,
            Self::Server(_) => 2,
        }
    }

    /// Puts a record there that was over at this time, and returns when somebody has swept it.
    async fn sweeps_what_was_over(&self, at: i64) {
        let insert = format!(
            "INSERT INTO records (kind, hash, revision, client_id, issued_at, expires_at, document) \
             SELECT 'used_assertion', hash, 1, 'over', 1, {at}, '{{}}' FROM records WHERE kind = 'signing_key' LIMIT 1"
        );
        match self {
            Self::File(home) => {
                let file = ForeignFile::open(&home.path().join("enroll-data/operational.db"));
                file.run(&insert);
                while !file.texts("SELECT kind FROM records WHERE client_id = ?", "over").is_empty() {
                    tokio::task::yield_now().await;
                }
            }
            Self::Server(databases) => {
                let run = |statement: &str| databases.run("operational", statement).unwrap();
                run(&insert);
                while !run("SELECT kind FROM records WHERE client_id = 'over'").is_empty() {
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// Registrations, and tokens that are not over however the clock jumps.
async fn load(server: &Arc<Server>) -> Load {
    let week = json!({ "access_token_type": "Reference", "access_token_lifetime": 7 * DAY });
    let client = Client::register(server, &week).await;
    Load::on(server, vec![Call::Register(plain()), Call::Token(client)])
}

/// The server goes by the clock that was moved.
async fn is_ahead_by(server: &Server, seconds: i64) {
    let registered = server.register(&plain(), None).await;
    let issued_at = registered.json["client_id_issued_at"].as_i64().unwrap();
    assert!((issued_at - now() - seconds).abs() < MINUTE, "{issued_at}");
}

/// A day ahead, two back, and one ahead, while others register and get tokens.
async fn jumps(home: &Home, server: &Arc<Server>, clock: &MovableClock, operational: &Operational<'_>) {
    let (signed, stored) =
        (Client::register(server, &json!({})).await, Client::with_references(server).await);
    let (good, revoked) = (stored.token(server).await, signed.token(server).await);
    signed.revokes(server, &revoked).await;
    let mut load = load(server).await;
    load.lands(SOME).await;
    for (seconds, is_over) in [(DAY, true), (-DAY, false), (0, false)] {
        clock.is_ahead_by(seconds).unwrap();
        is_ahead_by(server, seconds).await;
        load.lands(SOME).await;
        // What is swept does not come back, and what is over for this clock is not over yet.
        for _ in 0..operational.nodes() {
            // Each sweeps again after the same time: meanwhile every other has done so.
            operational.sweeps_what_was_over(1).await;
        }
        assert_eq!(stored.is_active(server, &good).await, !is_over, "an hour is less than a day");
        assert!(!signed.is_active(server, &revoked).await, "a revoked token stays so");
        for client in [&signed, &stored] {
            let new = client.token(server).await;
            assert!(client.is_active(server, &new).await, "what is given is good, {seconds} s ahead");
        }
        load.lands(SOME).await;
    }
    assert_eq!(load.refused(), 0);
    load.ends_with_all_kept(home, server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs libfaketime: cargo xtask test installs it"]
async fn nothing_is_lost_when_the_clock_jumps_under_load() {
    let home = Home::new();
    let clock = MovableClock::new(home.path()).unwrap();
    let server = by_clock(&home, &clock);
    jumps(&home, &server, &clock, &Operational::File(&home)).await;
}

/// Two nodes of one database. The clock of the first is minutes ahead, or jumps.
struct Nodes {
    databases: Throwaway,
    homes: [Home; 2],
    _key: Home,
    clock: MovableClock,
    first: Arc<Server>,
    second: Arc<Server>,
}

impl Nodes {
    fn with_first_ahead_by(seconds: i64, engine: Engine) -> Self {
        let (databases, key) = (Throwaway::start(engine).unwrap(), Home::new());
        let homes = [(); 2].map(|()| Home::of_node(&databases, &key));
        for home in &homes {
            let config = std::fs::read_to_string(home.path().join("enroll.toml")).unwrap();
            home.write("enroll.toml", &format!("issuer = \"https://id.example\"\n{config}"));
        }
        let clock = MovableClock::new(homes[0].path()).unwrap();
        clock.is_ahead_by(seconds).unwrap();
        let (first, second) = (by_clock(&homes[0], &clock), Arc::new(Server::open(&homes[1])));
        Self { databases, homes, _key: key, clock, first, second }
    }
}

async fn jumps_beside_another(engine: Engine) {
    let Nodes { databases, homes, clock, first, second, .. } = &Nodes::with_first_ahead_by(0, engine);
    let mut undisturbed = load(second).await;
    jumps(&homes[0], first, clock, &Operational::Server(databases)).await;
    undisturbed.lands(SOME).await;
    assert_eq!(undisturbed.refused(), 0);
    undisturbed.ends_with_all_kept(&homes[1], second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn a_node_of_postgresql_whose_clock_jumps_does_no_harm_to_another() {
    jumps_beside_another(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MariaDB: cargo xtask test starts one"]
async fn a_node_of_mariadb_whose_clock_jumps_does_no_harm_to_another() {
    jumps_beside_another(Engine::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn what_one_node_gives_is_good_at_another_whose_clock_is_minutes_behind() {
    let Nodes { first: ahead, second: behind, .. } =
        &Nodes::with_first_ahead_by(5 * MINUTE, Engine::Postgres);
    is_ahead_by(ahead, 5 * MINUTE).await;
    for (one, other) in [(ahead, behind), (behind, ahead)] {
        let (signed, stored) = (Client::register(one, &json!({})).await, Client::with_references(one).await);
        for client in [signed, stored] {
            for giver in [other, one] {
                let token = client.token(giver).await;
                for node in [one, other] {
                    assert!(client.is_active(node, &token).await);
                }
                client.revokes(one, &token).await;
                for node in [one, other] {
                    assert!(!client.is_active(node, &token).await);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test starts one"]
async fn a_node_whose_clock_is_ahead_sweeps_nothing_that_is_good_at_another() {
    let Nodes { databases, first: ahead, second: behind, .. } =
        &Nodes::with_first_ahead_by(5 * MINUTE, Engine::Postgres);
    let for_minutes = |kind: &str| json!({ "access_token_type": kind, "access_token_lifetime": 2 * MINUTE });
    let (signed, stored) = (
        Client::register(behind, &for_minutes("Jwt")).await,
        Client::register(behind, &for_minutes("Reference")).await,
    );
    let (good, revoked) = (stored.token(behind).await, signed.token(behind).await);
    signed.revokes(behind, &revoked).await;
    assert!(!stored.is_active(ahead, &good).await, "there it is over");
    // Long enough ago for the one, and not for the other.
    Operational::Server(databases).sweeps_what_was_over(now() - 7 * MINUTE).await;
    assert!(stored.is_active(behind, &good).await);
    assert!(!signed.is_active(behind, &revoked).await, "a revoked token stays so");
}
