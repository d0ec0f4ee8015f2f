//! Many units at once.

use std::sync::Arc;

use enroll_oauth_types::ClientId;
use enroll_store::{ClientReader as _, ClientStore as _, StoreError, TokenStore as _};
use enroll_throwaway::Engine;
use tokio::task::JoinSet;
use url::Url;

use super::place::{Place, links};
use super::proxy::Proxy;
use super::{client, token};
use crate::database::{Statement, Value};
use crate::server::links::Links;
use crate::server::sizes::LARGEST;
use crate::server::{batch, unit};
use crate::{Access, SqlStore};

pub(super) const INSERT: &str = "INSERT INTO names (name, number) VALUES (?, ?)";
const PAY: &str = "UPDATE purses SET coins = coins - ? WHERE coins >= ?";
const COUNT: &str = "UPDATE names SET number = number + 1 WHERE name = ?";

fn insert(name: &str) -> Vec<Statement> {
    vec![Statement::new(INSERT, [name.into(), Value::Null])]
}

pub(super) fn pay() -> Statement {
    Statement::new(PAY, [1_u32.into(), 1_u32.into()]).counting(&[0, 1]).or(StoreError::Spent)
}

fn paid(name: &str) -> Vec<Statement> {
    [vec![pay()], insert(name)].into_iter().flatten().collect()
}

pub(super) async fn names(engine: Engine) -> Place {
    let place = Place::new(engine).await;
    let own = links(place.url());
    let mut held = own.take().await.unwrap();
    for make in [
        "CREATE TABLE names (name VARCHAR(20) NOT NULL PRIMARY KEY, number BIGINT)",
        "CREATE TABLE parts (owner BIGINT NOT NULL, part VARCHAR(20) NOT NULL)",
        "CREATE TABLE purses (coins BIGINT NOT NULL)",
        "INSERT INTO purses (coins) VALUES (3)",
    ] {
        held.link.order(make, crate::server::link::PATIENCE).await.unwrap();
    }
    place
}

/// How each unit went, in a letter.
pub(super) fn letters(outcomes: &[Result<u64, StoreError>]) -> String {
    let letter = |outcome: &Result<u64, StoreError>| match outcome {
        Ok(_) => 'k',
        Err(StoreError::Duplicate) => 'd',
        Err(StoreError::Spent) => 's',
        Err(StoreError::Conflict) => 'c',
        Err(StoreError::Refused(_)) => 'r',
        Err(StoreError::Backend(_)) => 'b',
    };
    outcomes.iter().map(letter).collect()
}

pub(super) async fn each_of_a_batch_gets_its_own_answer(engine: Engine) {
    let place = names(engine).await;
    let links = links(place.url());
    let units = ["a", "b", "a", "c", "d", "b", "e"].map(insert);
    assert_eq!(letters(&batch::write(&links, &units).await), "kkdkkdk");
    let units = ["f", "e", "g"].map(insert);
    assert_eq!(letters(&batch::write(&links, &units).await), "kdk");
}

pub(super) async fn what_does_not_fit_fails_alone(engine: Engine) {
    let place = names(engine).await;
    let units = ["a", "\0 and much too long for it", "b"].map(insert);
    assert_eq!(letters(&batch::write(&links(place.url()), &units).await), "kbk");
}

pub(super) async fn a_token_pays_for_as_many_as_it_has_uses(engine: Engine) {
    let place = names(engine).await;
    let links = links(place.url());
    // The first is taken already, and takes no coin.
    batch::write(&links, &["a"].map(insert)).await;
    let units = ["a", "b", "c", "d", "e", "f", "g"].map(paid);
    assert_eq!(letters(&batch::write(&links, &units).await), "dkkksss");
    assert_eq!(letters(&batch::write(&links, &["h", "i"].map(paid)).await), "ss");

    let store = SqlStore::open(Place::new(engine).await.url(), Access::ReadWrite).await.unwrap();
    let token = token(50);
    store.put(&token).await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..80 {
        let (store, id) = (store.clone(), token.id.clone());
        tasks.spawn(async move { store.insert(&client(&number.to_string()), Some(&id)).await.map(|()| 1) });
    }
    let told = letters(&tasks.join_all().await);
    assert_eq!((told.matches('k').count(), told.matches('s').count()), (50, 30), "{told}");
    assert_eq!(store.get(token.kind, &token.hash).await.unwrap().unwrap().uses_left, Some(0));
}

pub(super) async fn a_batch_is_one_way_there_and_back(engine: Engine) {
    let place = names(engine).await;
    let (proxy, links) = by_proxy(&place).await;
    let units = |start: usize, unit: fn(&str) -> Vec<Statement>| -> Vec<_> {
        (start..start + LARGEST).map(|number| unit(&number.to_string())).collect()
    };
    assert_eq!(letters(&batch::write(&links, &units(0, insert)).await), "k".repeat(LARGEST));
    proxy.turns();
    assert_eq!(letters(&batch::write(&links, &units(1000, insert)).await), "k".repeat(LARGEST));
    assert_eq!(proxy.turns(), 1, "the statement is known to the connection by now");

    place_coins(&place, 1000).await;
    batch::write(&links, &units(2000, paid)).await;
    proxy.turns();
    assert_eq!(letters(&batch::write(&links, &units(3000, paid)).await), "k".repeat(LARGEST));
    assert_eq!(proxy.turns(), 4, "begin, pay, insert, commit");
}

/// The way there, and connections that go it.
pub(super) async fn by_proxy(place: &Place) -> (Proxy, Arc<Links>) {
    let server = Url::parse(place.url()).unwrap().socket_addrs(|| None).unwrap()[0];
    let proxy = Proxy::to(server).await;
    let links = links(&place.url_with(|url| url.set_port(Some(proxy.port)).unwrap()));
    (proxy, links)
}

pub(super) async fn place_coins(place: &Place, coins: u32) {
    let unit = vec![Statement::new("UPDATE purses SET coins = ?", [coins.into()])];
    unit::write(&links(place.url()), unit).await.unwrap();
}

/// Few enough to be done in time on a machine that has other things to do.
const UNITS: usize = 4;

/// Half of them lock the rows in one order, half in the other.
pub(super) async fn units_that_wait_for_each_other_are_tried_again(engine: Engine) {
    let place = names(engine).await;
    let links = links(place.url());
    let rows = ["a", "b"].map(|name| vec![Statement::new(INSERT, [name.into(), 0_u32.into()])]);
    batch::write(&links, &rows).await;
    let mut tasks = JoinSet::new();
    for number in 0..UNITS {
        let links = links.clone();
        let names = if number % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
        let unit: Vec<_> =
            names.map(|name| Statement::new(COUNT, [name.into()]).or(StoreError::Conflict)).into();
        tasks.spawn(async move { unit::write(&links, unit).await });
    }
    assert_eq!(letters(&tasks.join_all().await), "k".repeat(UNITS));
    let mut rows = links.fetch("SELECT number FROM names".into(), &[]).await.unwrap();
    assert!(rows.iter_mut().all(|row| row.required_number().unwrap() == UNITS as u64));
}

pub(super) async fn what_was_queued_is_written_when_the_store_goes(engine: Engine) {
    let place = Place::new(engine).await;
    let store = SqlStore::open(place.url(), Access::ReadWrite).await.unwrap();
    for number in 0..20 {
        let client = client(&number.to_string());
        let abandoned = store.insert(&client, None);
        tokio::select! { biased; _ = abandoned => {}, () = std::future::ready(()) => {} }
    }
    drop(store);
    let store = SqlStore::open(place.url(), Access::ReadOnly).await.unwrap();
    for number in 0..20 {
        assert!(store.client(&ClientId::from(&*number.to_string())).await.unwrap().is_some(), "{number}");
    }
}
