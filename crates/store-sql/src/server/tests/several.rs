//! Many units at once that each write into several tables.

use std::sync::Arc;

use enroll_store::StoreError;
use enroll_throwaway::Engine;
use tokio::task::JoinSet;

use super::batching::{INSERT, by_proxy, letters, names, pay, place_coins};
use super::place::links;
use super::proxy::Break;
use crate::database::Statement;
use crate::server::batch;
use crate::server::links::Links;

const PART: &str = "INSERT INTO parts (owner, part) VALUES ((SELECT number FROM names WHERE name = ?), ?)";

/// Somebody with a number, or nobody whom anything could belong to, and what belongs to him.
fn unit(name: &str, number: Option<u32>, parts: &[&str]) -> Vec<Statement> {
    let part = |part: &&str| Statement::new(PART, [name.into(), (*part).into()]);
    [Statement::new(INSERT, [name.into(), number.into()])].into_iter().chain(parts.iter().map(part)).collect()
}

fn paid(unit: Vec<Statement>) -> Vec<Statement> {
    [pay()].into_iter().chain(unit).collect()
}

/// So many units, by their numbers.
fn units(start: u32, count: u32) -> Vec<Vec<Statement>> {
    (start..start + count).map(|number| unit(&number.to_string(), Some(number), &["x", "y"])).collect()
}

/// What a query of a single column gives, with a space after each.
async fn list(links: &Arc<Links>, sql: &'static str) -> String {
    let mut rows = links.fetch(sql.into(), &[]).await.unwrap();
    rows.iter_mut().map(|row| row.text().unwrap() + " ").collect()
}

async fn count(links: &Arc<Links>, sql: &'static str) -> u64 {
    links.fetch(sql.into(), &[]).await.unwrap()[0].required_number().unwrap()
}

const NAMES: &str = "SELECT name FROM names ORDER BY name";
const PARTS: &str = "SELECT part FROM parts ORDER BY owner, part";
const HOW_MANY: &str = "SELECT count(*) FROM names";
const HOW_MANY_PARTS: &str = "SELECT count(*) FROM parts";
const COINS: &str = "SELECT coins FROM purses";

pub(super) async fn each_is_written_whole_or_not_at_all(engine: Engine) {
    let place = names(engine).await;
    let links = links(place.url());
    let mut all = vec![
        unit("a", Some(1), &["1", "2"]),
        unit("b", Some(2), &[]),
        unit("a", Some(3), &["lost"]),
        unit("nobody", None, &["lost"]),
        unit("c", Some(4), &["3", "much too long to be there"]),
        unit("d", Some(5), &["4"]),
    ];
    assert_eq!(letters(&batch::write(&links, &all).await), "kkdbbk");
    assert_eq!(list(&links, NAMES).await, "a b d ");
    assert_eq!(list(&links, PARTS).await, "1 2 4 ");
    place_coins(&place, 2).await;
    all.extend(["e", "f", "g"].map(|name| unit(name, Some(6), &[name])));
    let all: Vec<_> = all.into_iter().map(paid).collect();
    assert_eq!(letters(&batch::write(&links, &all).await), "dddbbdkks");
    assert_eq!(list(&links, PARTS).await, "1 2 4 e f ");
    assert_eq!(count(&links, COINS).await, 0);
}

pub(super) async fn many_are_one_way_there_and_back_for_each_table(engine: Engine) {
    let place = names(engine).await;
    let (proxy, links) = by_proxy(&place).await;
    for (start, turns) in [(0, None), (100, Some(4))] {
        proxy.turns();
        assert_eq!(letters(&batch::write(&links, &units(start, 16)).await), "k".repeat(16));
        let took = proxy.turns();
        assert_eq!(turns.unwrap_or(took), took, "begin, names, parts, commit");
    }
    assert_eq!(count(&links, HOW_MANY_PARTS).await, 64);
}

/// Nobody knows then whether it was done, but the server.
pub(super) async fn a_commit_whose_answer_is_lost_is_told_as_what_it_is_and_not_done_twice(engine: Engine) {
    let place = names(engine).await;
    place_coins(&place, 1000).await;
    let (proxy, links) = by_proxy(&place).await;
    let free = |start| units(start, 4);
    let bought = |start| units(start, 4).into_iter().map(paid).collect::<Vec<_>>();
    // The statements are known to the connection afterwards.
    batch::write(&links, &free(0)).await;
    batch::write(&links, &bought(10)).await;

    for (units, commit) in [(free(20), 4), (bought(30), 5)] {
        proxy.break_at(commit, Break::BeforeTheAnswer);
        for outcome in batch::write(&links, &units).await {
            let Err(StoreError::Backend(error)) = outcome else { panic!("{outcome:?}") };
            assert!(error.to_string().contains("may or may not have been done"), "{error}");
        }
        // What was learnt on the connection that broke.
        batch::write(&links, &free(if commit == 4 { 40 } else { 50 })).await;
        batch::write(&links, &bought(if commit == 4 { 60 } else { 70 })).await;
    }
    for (units, commit) in [(free(80), 4), (bought(90), 5)] {
        proxy.break_at(commit, Break::BeforeTheQuestion);
        assert_eq!(letters(&batch::write(&links, &units).await), "kkkk", "it was not done, and is now");
        batch::write(&links, &free(if commit == 4 { 100 } else { 110 })).await;
        batch::write(&links, &bought(if commit == 4 { 120 } else { 130 })).await;
    }
    assert_eq!(count(&links, HOW_MANY).await, 14 * 4);
    assert_eq!(count(&links, HOW_MANY_PARTS).await, 14 * 8);
    assert_eq!(count(&links, COINS).await, 1000 - 7 * 4);
}

/// In whichever order each names them, nobody waits for somebody who waits for him.
pub(super) async fn of_the_same_in_many_batches_each_is_written_once(engine: Engine) {
    let place = names(engine).await;
    let links = links(place.url());
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let links = links.clone();
        let mut units = units(0, 10);
        units.rotate_left(task);
        if task % 2 == 0 {
            units.reverse();
        }
        tasks.spawn(async move { letters(&batch::write(&links, &units).await) });
    }
    let told = tasks.join_all().await.concat();
    assert_eq!((told.matches('k').count(), told.matches('d').count()), (10, 3 * 10), "{told}");
    assert_eq!(count(&links, HOW_MANY_PARTS).await, 20);
}
