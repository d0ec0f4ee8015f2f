//! `enroll keys`: what the operator sees of the signing keys, and changes.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Home, Server};

const DAY: u64 = 24 * 60 * 60;

fn listed(home: &Home) -> Vec<Value> {
    let ran = home.run("keys list --json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The keys as they are when all are made: those for RSA take longer than the start.
fn all_made(home: &Home) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let keys = listed(home);
        if keys.len() == 4 || Instant::now() > end {
            return keys;
        }
    }
}

fn of_state<'a>(keys: &'a [Value], state: &str) -> Vec<&'a Value> {
    keys.iter().filter(|key| key["state"] == state).collect()
}

#[tokio::test]
async fn keys_are_listed_and_rotated_while_the_server_runs() {
    let home = Home::new();
    let server = Server::open(&home);
    let first = all_made(&home);
    assert_eq!(of_state(&first, "signing").len(), 4, "the first of all sign at once: {first:?}");
    let mut algorithms: Vec<_> = first.iter().map(|key| key["algorithm"].as_str().unwrap()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "PS256", "RS256"]);
    let published = server.get("/.well-known/openid-configuration/jwks").await.json;
    let es256 = first.iter().find(|key| key["algorithm"] == "ES256").unwrap();
    assert!(
        published["keys"].as_array().unwrap().iter().any(|key| key["kid"] == es256["kid"]),
        "{published}"
    );

    let ran = home.run("keys rotate");
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 4), "{ran:?}");
    let second = listed(&home);
    let (signing, announced) = (of_state(&second, "signing"), of_state(&second, "announced"));
    assert_eq!((signing.len(), announced.len()), (4, 4), "{second:?}");
    for key in &announced {
        let [since, until] = ["since", "until"].map(|name| key[name].as_u64().unwrap());
        assert_eq!(until - since, DAY, "{key}");
        let follows = signing.iter().find(|own| own["algorithm"] == key["algorithm"]).unwrap();
        assert_eq!(follows["until"], until, "one stops when the next one begins: {follows}");
        assert!(ran.stdout.contains(key["kid"].as_str().unwrap()), "{ran:?}");
    }
    let table = home.run("keys list").stdout;
    assert!(
        table.starts_with("KID ") && table.lines().count() == 9 && table.contains("announced"),
        "{table}"
    );
}

/// What was rotated is what a server signs with that starts afterwards.
#[tokio::test]
async fn what_was_rotated_is_published_by_the_next_start() {
    let home = Home::new();
    let server = Server::open(&home);
    all_made(&home);
    server.stop();
    assert_eq!(home.run("keys rotate").code, Some(0));
    let server = Server::open(&home);
    let published = server.get("/.well-known/openid-configuration/jwks").await.json;
    let kids: Vec<_> = published["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids.len(), 8, "{published}");
    assert!(listed(&home).iter().all(|key| kids.contains(&&key["kid"])), "{published}");
}

#[test]
fn without_a_server_there_is_nothing_to_list_or_rotate() {
    let home = Home::new();
    for command in ["list", "rotate"] {
        let ran = home.run(&format!("keys {command}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
        assert!(ran.stderr.contains("no database"), "{ran:?}");
    }
    assert!(!home.path().join("enroll-data").exists());
}
