//! The promises of a [`RecordStore`].

use std::sync::Arc;

use enroll_oauth_types::{ClientId, Random as _, SecretHash, SystemRandom, Timestamp};
use serde_json::value::RawValue;

use super::sample::NOW;
use super::tokio::task::JoinSet;
use crate::{Belongs, Record, RecordKind, RecordStore, StoreError, Write};

const KIND: RecordKind = RecordKind::ReferenceToken;

/// A record with a key of its own.
fn record() -> Record {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    Record {
        kind: KIND,
        key: bytes.into(),
        revision: 1,
        belongs_to: Belongs::default(),
        issued_at: NOW,
        expires_at: Some(Timestamp(NOW.seconds() + 60)),
        document: RawValue::from_string(r#"{"scope":"api1 \u00e9"}"#.to_owned()).expect("it is JSON"),
    }
}

fn of(client: &str, family: &str) -> Record {
    let belongs_to = Belongs {
        client: Some(ClientId::from(client)),
        family: Some(family.to_owned()),
        subject: Some("alice".to_owned()),
        session: Some("s".to_owned()),
    };
    Record { belongs_to, ..record() }
}

async fn insert(store: &impl RecordStore, record: &Record) {
    store.apply(vec![Write::Insert(record.clone())]).await.expect("the store inserts");
}

async fn stored(store: &impl RecordStore, record: &Record) -> Option<Record> {
    store.record(record.kind, &record.key).await.expect("the store reads")
}

async fn is_there(store: &impl RecordStore, record: &Record) -> bool {
    stored(store, record).await.is_some()
}

pub async fn a_record_comes_back_equal<S: RecordStore>(store: Arc<S>) {
    for record in [record(), of("app", "f"), Record { expires_at: None, ..record() }] {
        insert(&*store, &record).await;
        assert_eq!(stored(&*store, &record).await, Some(record));
    }
}

pub async fn an_unknown_key_is_nothing<S: RecordStore>(store: Arc<S>) {
    insert(&*store, &record()).await;
    assert_eq!(stored(&*store, &record()).await, None);
}

pub async fn kinds_do_not_mix<S: RecordStore>(store: Arc<S>) {
    let one = record();
    insert(&*store, &one).await;
    let other = Record { kind: RecordKind::UsedAssertion, ..one.clone() };
    assert_eq!(stored(&*store, &other).await, None);
    insert(&*store, &other).await;
    assert_eq!(stored(&*store, &one).await, Some(one));
}

pub async fn a_key_is_taken_once<S: RecordStore>(store: Arc<S>) {
    let one = record();
    insert(&*store, &one).await;
    let again = store.apply(vec![Write::Insert(one)]).await;
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
}

pub async fn of_many_inserts_of_one_key_one_wins<S: RecordStore>(store: Arc<S>) {
    let one = record();
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (store, one) = (store.clone(), one.clone());
        tries.spawn(async move { store.apply(vec![Write::Insert(one)]).await.is_ok() });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1);
}

pub async fn a_change_counts_the_revision_and_one_of_an_older_is_a_conflict<S: RecordStore>(store: Arc<S>) {
    let mut one = record();
    insert(&*store, &one).await;
    one.expires_at = None;
    store.apply(vec![Write::Replace(one.clone())]).await.expect("the store replaces");
    assert_eq!(stored(&*store, &one).await, Some(Record { revision: 2, ..one.clone() }));
    for stale in [one, record()] {
        let refused = store.apply(vec![Write::Replace(stale)]).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
}

pub async fn of_many_that_take_one_record_one_gets_it<S: RecordStore>(store: Arc<S>) {
    let one = record();
    insert(&*store, &one).await;
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (store, key) = (store.clone(), one.key);
        tries.spawn(async move { store.apply(vec![Write::Take(KIND, key, 1)]).await.is_ok() });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1);
    assert!(!is_there(&*store, &one).await);
}

pub async fn changes_are_made_all_or_none<S: RecordStore>(store: Arc<S>) {
    let (kept, taken) = (record(), record());
    insert(&*store, &kept).await;
    let failing = vec![
        Write::Insert(taken.clone()),
        Write::Take(KIND, kept.key, 1),
        Write::Replace(record()), // there is none
    ];
    assert!(matches!(store.apply(failing).await, Err(StoreError::Conflict)));
    assert!(is_there(&*store, &kept).await && !is_there(&*store, &taken).await);
    store
        .apply(vec![Write::Insert(taken.clone()), Write::Take(KIND, kept.key, 1)])
        .await
        .expect("both are made");
    assert!(!is_there(&*store, &kept).await && is_there(&*store, &taken).await);
}

pub async fn what_belongs_to_somebody_goes_with_them<S: RecordStore>(store: Arc<S>) {
    let client = Belongs { client: Some(ClientId::from("a")), ..Belongs::default() };
    let family = Belongs { family: Some("f".to_owned()), ..Belongs::default() };
    let both = Belongs { family: Some("f".to_owned()), ..client.clone() };
    let user = Belongs { subject: Some("alice".to_owned()), ..Belongs::default() };
    let session = Belongs { session: Some("s".to_owned()), ..Belongs::default() };
    for (whose, left) in [
        (client, [0, 0, 1, 1]),
        (family, [0, 1, 0, 1]),
        (both, [0, 1, 1, 1]),
        (user, [0, 0, 0, 1]),
        (session, [0, 0, 0, 1]),
    ] {
        let all = [of("a", "f"), of("a", "g"), of("b", "f"), record()];
        for record in &all {
            insert(&*store, record).await;
        }
        store.apply(vec![Write::TakeAll(None, whose.clone())]).await.expect("the store takes");
        for (record, left) in all.iter().zip(left) {
            assert_eq!(is_there(&*store, record).await, left == 1, "{whose:?} {:?}", record.belongs_to);
        }
        let rest = Belongs { subject: Some("alice".to_owned()), ..Belongs::default() };
        store.apply(vec![Write::TakeAll(None, rest)]).await.expect("the store takes");
    }
}

pub async fn only_the_kind_that_is_named_goes<S: RecordStore>(store: Arc<S>) {
    let one = of("a", "f");
    let other = Record { kind: RecordKind::UsedAssertion, ..of("a", "f") };
    insert(&*store, &one).await;
    insert(&*store, &other).await;
    store.apply(vec![Write::TakeAll(Some(KIND), one.belongs_to.clone())]).await.expect("the store takes");
    assert!(!is_there(&*store, &one).await && is_there(&*store, &other).await);
}

pub async fn nobody_named_takes_nothing<S: RecordStore>(store: Arc<S>) {
    let one = record();
    insert(&*store, &one).await;
    store.apply(vec![Write::TakeAll(None, Belongs::default())]).await.expect("it is no error");
    assert!(is_there(&*store, &one).await);
}

pub async fn records_are_listed_in_pages<S: RecordStore>(store: Arc<S>) {
    for client in ["a", "b", "a", "a", "a", "a"] {
        insert(&*store, &of(client, "f")).await;
    }
    let whose = Belongs { client: Some(ClientId::from("a")), ..Belongs::default() };
    let (mut seen, mut after): (Vec<[u8; 32]>, Option<SecretHash>) = (Vec::new(), None);
    loop {
        let page = store.records(KIND, &whose, after.as_ref(), 2).await.expect("the store lists");
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        seen.extend(page.iter().map(|record| *record.key.as_bytes()));
    }
    assert!(seen.len() == 5 && seen.is_sorted(), "{seen:?}");
    assert_eq!(store.records(KIND, &Belongs::default(), None, 9).await.expect("the store lists").len(), 6);
    assert!(
        store.records(RecordKind::SigningKey, &whose, None, 9).await.expect("the store lists").is_empty()
    );
}

pub async fn what_is_over_is_swept_a_few_at_a_time<S: RecordStore>(store: Arc<S>) {
    let ends_at = |end: Option<u64>| Record { expires_at: end.map(Timestamp), ..record() };
    let kept = [ends_at(None), ends_at(Some(101))];
    for record in kept.iter().cloned().chain([100, 99, 1, 50, 100].map(|end| ends_at(Some(end)))) {
        insert(&*store, &record).await;
    }
    let mut swept = Vec::new();
    for _ in 0..4 {
        swept.push(store.sweep(Timestamp(100), 2).await.expect("the store sweeps"));
    }
    assert_eq!(swept, [2, 2, 1, 0]);
    for record in kept {
        assert!(is_there(&*store, &record).await);
    }
}

pub async fn many_inserts_at_once_all_land<S: RecordStore>(store: Arc<S>) {
    let records: Vec<_> = (0..100).map(|_| record()).collect();
    let mut inserts = JoinSet::new();
    for record in records.clone() {
        let store = store.clone();
        inserts.spawn(async move { insert(&*store, &record).await });
    }
    inserts.join_all().await;
    for record in &records {
        assert!(is_there(&*store, record).await);
    }
}
