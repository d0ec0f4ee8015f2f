//! The promises of a [`RecordStore`] but for removing many records at once, which is in `removals.rs`.

use std::sync::Arc;

use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use serde_json::value::{RawValue, to_raw_value};

use super::sample::record;
use super::tokio::task::JoinSet;
use crate::RecordKind::{Code, Consent, ReferenceToken, RefreshToken, Session, UsedAssertion, User};
use crate::{Belongs, Kinds, Record, RecordKind, RecordStore, StoreError, Write};

pub(super) async fn stored<S: RecordStore + ?Sized>(store: &S, record: &Record) -> Option<Record> {
    store.record(record.kind, &record.key).await.expect("the store reads")
}

pub(super) async fn write<S: RecordStore + ?Sized>(store: &S, write: Write) {
    store.apply(vec![write]).await.expect("the store writes");
}

pub(super) async fn insert<S: RecordStore + ?Sized>(store: &S, record: &Record) {
    write(store, Write::Insert(record.clone())).await;
}

pub(super) async fn insert_all<'a, S: RecordStore + ?Sized>(
    store: &S,
    records: impl IntoIterator<Item = &'a Record>,
) {
    let writes = records.into_iter().map(|record| Write::Insert(record.clone())).collect();
    store.apply(writes).await.expect("the store writes");
}

pub(super) async fn are_gone<'a, S: RecordStore + ?Sized>(
    store: &S,
    records: impl IntoIterator<Item = &'a Record>,
) {
    for record in records {
        assert_eq!(stored(store, record).await, None);
    }
}

pub(super) async fn are_as_before<'a, S: RecordStore + ?Sized>(
    store: &S,
    records: impl IntoIterator<Item = &'a Record>,
) {
    for record in records {
        assert_eq!(stored(store, record).await.as_ref(), Some(record));
    }
}

/// The write that takes this record, as it was read.
pub(super) fn take(record: &Record) -> Write {
    Write::Remove { kind: record.kind, key: record.key, revision: Some(record.revision) }
}

/// How many of so many tasks that write this at once are told that they did.
async fn winners<S: RecordStore + ?Sized>(store: &Arc<S>, write: &Write) -> usize {
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, write) = (store.clone(), write.clone());
        tasks.spawn(async move {
            match store.apply(vec![write]).await {
                Ok(()) => true,
                Err(StoreError::Conflict | StoreError::Duplicate) => false,
                Err(other) => panic!("{other}"),
            }
        });
    }
    tasks.join_all().await.into_iter().filter(|won| *won).count()
}

/// Every record of this kind that belongs to them, in pages of three.
async fn all<S: RecordStore + ?Sized>(store: &S, kind: RecordKind, belongs_to: &Belongs) -> Vec<SecretHash> {
    let mut all: Vec<SecretHash> = Vec::new();
    loop {
        let page = store.records(kind, belongs_to, all.last(), 3).await.expect("the store lists");
        assert!(page.len() <= 3, "a page has at most as many records as were asked for");
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|record| record.key));
    }
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("the sample is JSON")
}

pub(super) fn client(name: &str) -> Belongs {
    Belongs { client: Some(ClientId::from(name)), ..Belongs::default() }
}

pub(super) fn subject(name: &str) -> Belongs {
    Belongs { subject: Some(name.to_owned()), ..Belongs::default() }
}

pub(super) fn session(name: &str) -> Belongs {
    Belongs { session: Some(name.to_owned()), ..Belongs::default() }
}

pub(super) fn family(name: &str) -> Belongs {
    Belongs { family: Some(name.to_owned()), ..Belongs::default() }
}

pub async fn what_is_stored_comes_back_equal<S: RecordStore + ?Sized>(store: Arc<S>) {
    let bare = record(Code, Belongs::default());
    let owned = Belongs {
        client: Some(ClientId::from("a' OR 1=1 --")),
        subject: Some("Ünïcödé 𝄞".to_owned()),
        session: Some("%_\\".to_owned()),
        family: Some(String::new()),
    };
    let rich = Record {
        expires_at: Some(Timestamp(u64::from(u32::MAX) + 1)),
        document: json(r#"{ "b": [1.50, null, "é\u0000"], "a":18446744073709551615 }"#),
        ..record(Consent, owned)
    };
    let long = Record {
        document: to_raw_value(&"é".repeat(30_000)).expect("the sample is JSON"),
        ..record(User, subject("a"))
    };
    for record in [bare, rich, long] {
        insert(&*store, &record).await;
        assert_eq!(stored(&*store, &record).await, Some(record));
    }
}

pub async fn an_unknown_key_finds_nothing<S: RecordStore + ?Sized>(store: Arc<S>) {
    insert(&*store, &record(Code, Belongs::default())).await;
    assert_eq!(stored(&*store, &record(Code, Belongs::default())).await, None);
}

pub async fn kinds_do_not_mix<S: RecordStore + ?Sized>(store: Arc<S>) {
    let code = record(Code, client("a"));
    let token = Record { kind: RefreshToken, document: json("2"), ..code.clone() };
    insert(&*store, &code).await;
    assert_eq!(stored(&*store, &token).await, None);
    insert(&*store, &token).await;
    write(&*store, take(&code)).await;
    assert_eq!(stored(&*store, &code).await, None);
    assert!(all(&*store, Code, &client("a")).await.is_empty());
    assert_eq!(stored(&*store, &token).await, Some(token));
}

pub async fn a_record_that_has_ended_is_still_found<S: RecordStore + ?Sized>(store: Arc<S>) {
    let ended = Record { expires_at: Some(Timestamp(0)), ..record(RefreshToken, Belongs::default()) };
    insert(&*store, &ended).await;
    assert_eq!(stored(&*store, &ended).await, Some(ended));
}

pub async fn a_key_is_taken_once<S: RecordStore + ?Sized>(store: Arc<S>) {
    let first = Record { expires_at: Some(Timestamp(0)), ..record(UsedAssertion, client("a")) };
    insert(&*store, &first).await;
    let second = Write::Insert(Record { document: json("2"), ..first.clone() });
    assert!(matches!(store.apply(vec![second]).await, Err(StoreError::Duplicate)));
    assert_eq!(stored(&*store, &first).await, Some(first));
}

/// The `jti` of an assertion, presented many times at once.
pub async fn of_many_inserts_of_one_key_one_wins<S: RecordStore + ?Sized>(store: Arc<S>) {
    let used = Write::Insert(record(UsedAssertion, client("a")));
    assert_eq!(winners(&store, &used).await, 1);
}

pub async fn many_inserts_at_once_all_land<S: RecordStore + ?Sized>(store: Arc<S>) {
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move {
            let record = record(ReferenceToken, client("a"));
            insert(&*store, &record).await;
            let seen = stored(&*store, &record).await;
            assert_eq!(seen, Some(record), "an insert is seen as soon as it is answered");
        });
    }
    tasks.join_all().await;
    assert_eq!(all(&*store, ReferenceToken, &client("a")).await.len(), 100);
}

pub async fn the_store_counts_the_revision<S: RecordStore + ?Sized>(store: Arc<S>) {
    let first = Record { revision: 7, ..record(Session, client("a")) };
    insert(&*store, &first).await;
    assert_eq!(stored(&*store, &first).await.map(|stored| stored.revision), Some(1));
    let second = Record {
        revision: 1,
        issued_at: Timestamp(5),
        expires_at: Some(Timestamp(9)),
        document: json("2"),
        ..first.clone()
    };
    write(&*store, Write::Replace(second.clone())).await;
    assert_eq!(stored(&*store, &first).await, Some(Record { revision: 2, ..second }));
}

pub async fn owners_of_several_kilobytes_and_short_ones_do_not_mix<S: RecordStore + ?Sized>(store: Arc<S>) {
    let owners = ["1", "2"].map(|end| client(&format!("{}{end}", "é".repeat(4096))));
    let records = [&owners[0], &owners[1], &client("#")].map(|owner| record(Code, owner.clone()));
    insert_all(&*store, &records).await;
    are_as_before(&*store, &records).await;
    assert_eq!(all(&*store, Code, &owners[0]).await, [records[0].key]);
    write(&*store, Write::RemoveAll { kinds: Kinds::All, belongs_to: owners[0].clone() }).await;
    are_gone(&*store, &records[..1]).await;
    are_as_before(&*store, &records[1..]).await;
}

/// So that a store need not find it anew by each of them.
pub async fn a_replacement_belongs_to_whom_it_belonged_before<S: RecordStore + ?Sized>(store: Arc<S>) {
    let first = record(Session, Belongs { subject: Some("b".to_owned()), ..client("a") });
    insert(&*store, &first).await;
    let given_away =
        Record { belongs_to: Belongs { session: Some("d".to_owned()), ..client("c") }, ..first.clone() };
    write(&*store, Write::Replace(given_away)).await;
    assert_eq!(stored(&*store, &first).await, Some(Record { revision: 2, ..first.clone() }));
    assert_eq!(all(&*store, Session, &first.belongs_to).await, [first.key]);
    assert!(all(&*store, Session, &client("c")).await.is_empty());
    assert!(all(&*store, Session, &session("d")).await.is_empty());
}

pub async fn a_replacement_of_another_revision_or_of_nothing_is_a_conflict<S: RecordStore + ?Sized>(
    store: Arc<S>,
) {
    let record = record(RefreshToken, Belongs::default());
    let replace = |revision| Write::Replace(Record { revision, document: json("2"), ..record.clone() });
    let nothing = store.apply(vec![replace(1)]).await;
    assert!(matches!(nothing, Err(StoreError::Conflict)));
    insert(&*store, &record).await;
    for revision in [0, 2, u64::MAX] {
        assert!(matches!(store.apply(vec![replace(revision)]).await, Err(StoreError::Conflict)));
    }
    assert_eq!(stored(&*store, &record).await.as_ref(), Some(&record));
    write(&*store, take(&record)).await;
    assert!(matches!(store.apply(vec![replace(1)]).await, Err(StoreError::Conflict)));
    assert_eq!(stored(&*store, &record).await, None);
}

/// A refresh token that rotates, presented many times at once.
pub async fn of_many_replacements_at_once_one_wins<S: RecordStore + ?Sized>(store: Arc<S>) {
    let token = record(RefreshToken, family("a"));
    insert(&*store, &token).await;
    assert_eq!(winners(&store, &Write::Replace(token.clone())).await, 1);
    assert_eq!(stored(&*store, &token).await.map(|stored| stored.revision), Some(2));
}

/// A code pays once. RFC 6749 §4.1.2.
pub async fn of_many_who_take_a_record_at_once_one_wins<S: RecordStore + ?Sized>(store: Arc<S>) {
    let code = record(Code, family("a"));
    insert(&*store, &code).await;
    assert_eq!(winners(&store, &take(&code)).await, 1);
    assert_eq!(stored(&*store, &code).await, None);
}

pub async fn what_was_replaced_since_cannot_be_taken<S: RecordStore + ?Sized>(store: Arc<S>) {
    let code = record(Code, family("a"));
    insert(&*store, &code).await;
    write(&*store, Write::Replace(code.clone())).await;
    assert!(matches!(store.apply(vec![take(&code)]).await, Err(StoreError::Conflict)));
    assert!(stored(&*store, &code).await.is_some());
}

pub async fn what_is_gone_may_be_removed_again<S: RecordStore + ?Sized>(store: Arc<S>) {
    let session = record(Session, Belongs::default());
    insert(&*store, &session).await;
    write(&*store, Write::Replace(session.clone())).await;
    for _ in 0..2 {
        write(&*store, Write::Remove { kind: Session, key: session.key, revision: None }).await;
        assert_eq!(stored(&*store, &session).await, None);
    }
}

pub async fn a_write_that_fails_leaves_nothing_of_those_before_it<S: RecordStore + ?Sized>(store: Arc<S>) {
    let [code, session, token, missing] =
        [Code, Session, RefreshToken, ReferenceToken].map(|kind| record(kind, family("a")));
    insert_all(&*store, [&code, &session]).await;
    for failing in [Write::Insert(code.clone()), Write::Replace(missing.clone()), take(&missing)] {
        let writes = vec![
            Write::Insert(token.clone()),
            Write::Replace(Record { document: json("2"), ..code.clone() }),
            Write::Replace(Record { revision: 2, document: json("3"), ..code.clone() }),
            Write::RemoveAll { kinds: Kinds::These(vec![Session]), belongs_to: family("a") },
            failing,
        ];
        let failed = store.apply(writes).await;
        assert!(matches!(failed, Err(StoreError::Duplicate | StoreError::Conflict)), "{failed:?}");
        are_as_before(&*store, [&code, &session]).await;
        are_gone(&*store, [&token]).await;
    }
}

pub async fn writes_are_done_in_their_order<S: RecordStore + ?Sized>(store: Arc<S>) {
    let first = record(RefreshToken, family("a"));
    let second = Record { document: json("2"), ..first.clone() };
    let writes = vec![
        Write::Insert(first.clone()),
        Write::Replace(first.clone()),
        Write::RemoveAll { kinds: Kinds::All, belongs_to: family("a") },
        Write::Insert(second.clone()),
    ];
    store.apply(writes).await.expect("each finds what the one before left");
    assert_eq!(stored(&*store, &first).await, Some(second));
    store.apply(Vec::new()).await.expect("nothing to do is done");
}

pub async fn pages_follow_each_other_without_gap_or_repetition<S: RecordStore + ?Sized>(store: Arc<S>) {
    let both = Belongs { client: Some(ClientId::from("a")), ..subject("b") };
    let (mut everyones, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let own = if number % 2 == 0 { both.clone() } else { subject("b") };
        let record = record(Session, own.clone());
        insert(&*store, &record).await;
        insert(&*store, &Record { kind: Consent, ..record.clone() }).await;
        everyones.push(record.key);
        theirs.extend((own == both).then_some(record.key));
    }
    for keys in [&mut everyones, &mut theirs] {
        keys.sort_by_key(|key| *key.as_bytes());
    }
    assert_eq!(all(&*store, Session, &Belongs::default()).await, everyones);
    assert_eq!(all(&*store, Session, &subject("b")).await, everyones);
    assert_eq!(all(&*store, Session, &client("a")).await, theirs);
    assert_eq!(all(&*store, Session, &both).await, theirs);
    assert!(all(&*store, Session, &session("b")).await.is_empty());
    let none = store.records(Session, &both, None, 0).await.expect("the store lists");
    assert_eq!(none, []);
}
