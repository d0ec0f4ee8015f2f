//! The promises of a [`RecordStore`] on removing many records at once: with whom they belong to, and when they have ended.

use std::sync::Arc;

use enroll_oauth_types::Timestamp;

use super::records::{
    are_as_before, are_gone, client, family, insert, insert_all, session, stored, subject, take, write,
};
use super::sample::{NOW, record};
use crate::RecordKind::{Code, Consent, RefreshToken, Session};
use crate::{Belongs, Kinds, Record, RecordStore, StoreError, Write};

pub async fn records_are_removed_with_whom_they_belong_to<S: RecordStore + ?Sized>(store: Arc<S>) {
    let owners: [fn(&str) -> Belongs; 4] = [client, subject, session, family];
    for belongs in owners {
        let theirs = [Code, RefreshToken].map(|kind| record(kind, belongs("A")));
        let strangers = owners.map(|other| record(Code, other("a")));
        let nobodys = record(Code, Belongs::default());
        insert_all(&*store, theirs.iter().chain(&strangers).chain([&nobodys])).await;
        write(&*store, Write::RemoveAll { kinds: Kinds::All, belongs_to: belongs("A") }).await;
        are_gone(&*store, &theirs).await;
        are_as_before(&*store, strangers.iter().chain([&nobodys])).await;
    }
}

pub async fn records_of_two_owners_are_removed_where_both_own<S: RecordStore + ?Sized>(store: Arc<S>) {
    let all = together(together(client("a"), subject("a")), together(session("a"), family("a")));
    let owners: [fn(&str) -> Belongs; 4] = [client, subject, session, family];
    for (number, one) in owners.iter().enumerate() {
        for other in &owners[number + 1..] {
            let both = together(one("a"), other("a"));
            let gone = [both.clone(), all.clone()].map(|belongs| record(Consent, belongs));
            let strangers =
                [one("a"), other("a"), together(one("a"), other("b")), together(one("b"), other("a"))];
            let stay = strangers.map(|belongs| record(Consent, belongs));
            for kinds in [Kinds::All, Kinds::These(vec![Consent])] {
                insert_all(&*store, gone.iter().chain(&stay)).await;
                write(&*store, Write::RemoveAll { kinds, belongs_to: both.clone() }).await;
                are_gone(&*store, &gone).await;
                are_as_before(&*store, &stay).await;
                store.apply(stay.iter().map(take).collect()).await.expect("they are there");
            }
        }
    }
}

/// Of both.
fn together(one: Belongs, other: Belongs) -> Belongs {
    Belongs {
        client: one.client.or(other.client),
        subject: one.subject.or(other.subject),
        session: one.session.or(other.session),
        family: one.family.or(other.family),
    }
}

pub async fn only_the_kinds_that_are_named_are_removed<S: RecordStore + ?Sized>(store: Arc<S>) {
    let records = [Code, RefreshToken, Session].map(|kind| record(kind, subject("a")));
    insert_all(&*store, &records).await;
    for (kinds, gone) in [(vec![], 0), (vec![Code, RefreshToken], 2)] {
        write(&*store, Write::RemoveAll { kinds: Kinds::These(kinds), belongs_to: subject("a") }).await;
        are_gone(&*store, &records[..gone]).await;
        are_as_before(&*store, &records[gone..]).await;
    }
}

pub async fn nobodys_records_cannot_be_removed_together<S: RecordStore + ?Sized>(store: Arc<S>) {
    let (stays, new) = (record(Code, Belongs::default()), record(Code, client("a")));
    insert(&*store, &stays).await;
    for kinds in [Kinds::All, Kinds::These(vec![Code]), Kinds::These(Vec::new())] {
        let all = Write::RemoveAll { kinds, belongs_to: Belongs::default() };
        let refused = store.apply(vec![Write::Insert(new.clone()), all]).await;
        assert!(matches!(refused, Err(StoreError::Backend(_))), "{refused:?}");
    }
    assert_eq!(stored(&*store, &stays).await, Some(stays));
    assert_eq!(stored(&*store, &new).await, None);
}

pub async fn a_sweep_removes_what_has_ended_by_then<S: RecordStore + ?Sized>(store: Arc<S>) {
    let ends = |end: Option<u64>| Record {
        expires_at: end.map(Timestamp),
        ..record(RefreshToken, Belongs::default())
    };
    let now = NOW.seconds();
    let ended = [Some(0), Some(now - 1), Some(now)].map(ends);
    let lasting = [Some(now + 1), None].map(ends);
    insert_all(&*store, ended.iter().chain(&lasting)).await;
    for swept in [3, 0] {
        assert_eq!(store.sweep(NOW, 100).await.expect("the store sweeps"), swept);
        are_gone(&*store, &ended).await;
        are_as_before(&*store, &lasting).await;
    }
}

pub async fn a_sweep_removes_a_few_at_a_time_the_longest_ended_first<S: RecordStore + ?Sized>(store: Arc<S>) {
    let kinds = [Session, Code, RefreshToken, Code, Session];
    let mut records = kinds.map(|kind| record(kind, client("a")));
    for (end, record) in (0..).zip(&mut records) {
        record.expires_at = Some(Timestamp(end));
    }
    insert_all(&*store, records.iter().rev()).await;
    for (limit, swept, gone) in [(0, 0, 0), (2, 2, 2), (2, 2, 4), (2, 1, 5)] {
        assert_eq!(store.sweep(NOW, limit).await.expect("the store sweeps"), swept);
        are_gone(&*store, &records[..gone]).await;
        are_as_before(&*store, &records[gone..]).await;
    }
}
