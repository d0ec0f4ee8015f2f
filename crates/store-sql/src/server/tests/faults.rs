//! A server that is killed, and one that hangs. Each of these tests has a server to itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use enroll_oauth_types::ClientId;
use enroll_store::{Client, ClientReader as _, ClientStore as _, StoreError};
use enroll_throwaway::{Engine, Throwaway};
use tokio::task::JoinSet;

use super::client;
use super::place::Place;
use crate::{Access, ConfigurationStore, SqlStore};

pub(super) async fn a_server_that_was_killed_is_found_again_and_keeps_what_was_answered(engine: Engine) {
    let server = Throwaway::start(engine).unwrap();
    let place = Place::on(&server.url()).await;
    let store = SqlStore::open(place.url(), Access::ReadWrite).await.unwrap();
    survives(server, Arc::new(store), client).await;
}

/// Kills the server while many register such clients in this store of it, and starts it again.
pub(crate) async fn survives(
    mut server: Throwaway,
    store: Arc<dyn ConfigurationStore>,
    client: fn(&str) -> Client,
) {
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let (store, answered) = (store.clone(), answered.clone());
        tasks.spawn(async move {
            // Until it is killed.
            for number in 0.. {
                let id = format!("{task}-{number}");
                match store.insert(&client(&id), None).await {
                    Ok(()) => answered.send(id).unwrap(),
                    Err(StoreError::Backend(_)) => return id,
                    Err(other) => panic!("{other}"),
                }
            }
            unreachable!("it is killed")
        });
    }
    let mut stored: Vec<String> = Vec::new();
    while stored.len() < 200 {
        stored.push(answers.recv().await.unwrap());
    }
    server.kill().unwrap();
    let unanswered = tasks.join_all().await;
    while let Ok(id) = answers.try_recv() {
        stored.push(id);
    }
    let begin = Instant::now();
    let id = ClientId::from("0-0");
    assert!(matches!(store.client(&id).await, Err(StoreError::Backend(_))));
    assert!(matches!(store.insert(&client("late"), None).await, Err(StoreError::Backend(_))));
    assert!(matches!(store.replace(&client("0-0")).await, Err(StoreError::Backend(_))));
    assert!(store.ping().await.is_err());
    assert!(begin.elapsed() < Duration::from_secs(20));

    server.restart().unwrap();
    for id in &stored {
        let found = store.client(&ClientId::from(id.as_str())).await.unwrap();
        assert_eq!(found.as_deref(), Some(&client(id)), "{id} was answered");
    }
    for id in &unanswered {
        let found = store.client(&ClientId::from(id.as_str())).await.unwrap();
        assert!(found.is_none_or(|found| *found == client(id)), "{id} is there in part");
    }
    store.insert(&client("late"), None).await.unwrap();
    store.replace(&client("0-0")).await.unwrap();
    store.ping().await.unwrap();
}

pub(super) async fn a_server_that_hangs_keeps_nobody_waiting_for_ever(engine: Engine) {
    let server = Throwaway::start(engine).unwrap();
    let place = Place::on(&server.url()).await;
    let store = SqlStore::open(place.url(), Access::ReadWrite).await.unwrap();
    store.insert(&client("a"), None).await.unwrap();
    let (a, b, id) = (client("a"), client("b"), ClientId::from("a"));
    let begin = Instant::now();
    server.pause().unwrap();
    let (read, written, replaced) =
        tokio::join!(store.client(&id), store.insert(&b, None), store.replace(&a));
    server.resume().unwrap();
    assert!(read.is_err() && written.is_err() && replaced.is_err());
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(store.client(&id).await.unwrap().is_some());
    store.insert(&client("c"), None).await.unwrap();
}
