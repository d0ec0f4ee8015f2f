use std::time::Duration;

use enroll_oauth_types::SystemRandom;
use enroll_store::MemoryRecords;

use super::*;

struct At(std::sync::atomic::AtomicU64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

const SCHEDULE: Schedule = Schedule {
    announce: Duration::from_secs(10),
    use_for: Duration::from_secs(100),
    keep: Duration::from_secs(50),
};

fn node(records: &Arc<MemoryRecords>, key: &Arc<SealingKey>, clock: &Arc<At>) -> Keys {
    Keys::new(records.clone(), key.clone(), clock.clone(), SCHEDULE)
}

fn kids(keys: &Keys) -> Vec<String> {
    let jwks = keys.ring().jwks(keys.clock.now());
    let own = jwks["keys"].as_array().unwrap().iter().filter(|key| key["alg"] == "ES256");
    own.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn parts() -> (Arc<MemoryRecords>, Arc<SealingKey>, Arc<At>) {
    let key = Arc::new(SealingKey::generate(&SystemRandom));
    (Arc::new(MemoryRecords::default()), key, Arc::new(At(1000.into())))
}

#[tokio::test]
async fn nodes_that_start_at_once_agree_on_their_keys() {
    let (records, key, clock) = parts();
    let (one, other) = (node(&records, &key, &clock), node(&records, &key, &clock));
    let (first, second) = tokio::join!(one.refresh(), other.refresh());
    first.and(second).unwrap();
    one.refresh().await.unwrap();
    assert_eq!(kids(&one).len(), 1);
    assert_eq!(kids(&one), kids(&other));
}

#[tokio::test]
async fn keys_take_turns_and_go() {
    let (records, key, clock) = parts();
    let keys = node(&records, &key, &clock);
    keys.refresh().await.unwrap();
    let first = kids(&keys);
    let signer = || keys.ring().signer(SigningAlgorithm::Es256, clock.now()).unwrap().kid().to_owned();
    let at = |now| clock.0.store(now, std::sync::atomic::Ordering::SeqCst);
    at(1099);
    keys.refresh().await.unwrap();
    assert_eq!(kids(&keys), first);
    at(1100);
    keys.refresh().await.unwrap();
    assert_eq!((kids(&keys).len(), signer()), (2, first[0].clone()));
    at(1110);
    assert_ne!(signer(), first[0]);
    at(1159);
    keys.refresh().await.unwrap();
    assert!(kids(&keys).contains(&first[0]));
    at(1160);
    keys.refresh().await.unwrap();
    assert!(!kids(&keys).contains(&first[0]));
}

#[tokio::test]
async fn a_rotation_announces_one_more_of_each() {
    let (records, key, clock) = parts();
    let keys = node(&records, &key, &clock);
    keys.refresh().await.unwrap();
    keys.rotate().await.unwrap();
    assert_eq!(keys.ring().jwks(clock.now())["keys"].as_array().unwrap().len(), 8);
}

/// The store knows each second's keys by their generation, and so does the schedule.
#[tokio::test]
async fn the_younger_of_two_keys_of_one_second_follows_the_older() {
    let (records, key, clock) = parts();
    let keys = node(&records, &key, &clock);
    let signer = || keys.ring().signer(SigningAlgorithm::Es256, clock.now()).unwrap().kid().to_owned();
    let mut signers = Vec::new();
    keys.refresh().await.unwrap();
    for now in [1000, 1011, 1022, 1033, 1044, 1055] {
        clock.0.store(now, std::sync::atomic::Ordering::SeqCst);
        signers.push(signer());
        keys.rotate().await.unwrap();
    }
    let before = signers.len();
    signers.sort_unstable();
    signers.dedup();
    assert_eq!(signers.len(), before, "each rotation brought another signer");
}

/// A token that outlives the 50 seconds for which keys are kept.
#[tokio::test]
async fn a_key_is_kept_until_the_last_of_its_tokens_has_ended() {
    const END: u64 = 2 * DAY - 7;
    let (records, key, clock) = parts();
    let keys = node(&records, &key, &clock);
    let at = |now| clock.0.store(now, std::sync::atomic::Ordering::SeqCst);
    let revisions = async || {
        let all = records.records(RecordKind::SigningKey, &Belongs::default(), None, MOST).await.unwrap();
        all.iter().map(|record| record.revision).sum::<u64>()
    };
    let kept = async |end| keys.keep_until(SigningAlgorithm::Es256, Timestamp(end)).await.unwrap();
    keys.refresh().await.unwrap();
    let first = kids(&keys).remove(0);
    kept(1050).await;
    assert_eq!(revisions().await, 4, "it is kept for so long anyhow");
    for end in [1051, END, END + 7] {
        kept(end).await;
    }
    assert_eq!(revisions().await, 4 + 2, "written once for each day");

    let other = node(&records, &key, &clock);
    for (now, is_there) in [(1100, true), (END, true), (2 * DAY - 1, true), (2 * DAY, false)] {
        at(now);
        for node in [&keys, &other] {
            node.refresh().await.unwrap();
            assert_eq!(kids(node).contains(&first), is_there, "{now}");
        }
    }
}

/// The next key may begin between the promise and the signature.
#[tokio::test]
async fn a_key_that_is_announced_is_kept_as_well() {
    let (records, key, clock) = parts();
    let keys = node(&records, &key, &clock);
    keys.refresh().await.unwrap();
    keys.rotate().await.unwrap();
    keys.keep_until(SigningAlgorithm::Es256, Timestamp(DAY)).await.unwrap();
    for (now, needed) in [(1000, Some(DAY)), (1011, Some(DAY))] {
        let found = keys.ring().needed_until(SigningAlgorithm::Es256, Timestamp(now));
        assert_eq!(found, needed.map(Timestamp), "{now}");
    }
    assert_eq!(keys.ring().needed_until(SigningAlgorithm::Rs256, Timestamp(1000)), None);
}

/// Nodes that promise at once do not undo each other's promise.
#[tokio::test]
async fn of_promises_made_at_once_the_longest_holds() {
    let (records, key, clock) = parts();
    let nodes = [(); 4].map(|()| node(&records, &key, &clock));
    for node in &nodes {
        node.refresh().await.unwrap();
    }
    let [one, two, three, four] = &nodes;
    let promise = |keys: &Keys, days: u64| {
        let keys = keys.clone();
        async move { keys.keep_until(SigningAlgorithm::Es256, Timestamp(days * DAY)).await.unwrap() }
    };
    tokio::join!(promise(one, 2), promise(two, 9), promise(three, 4), promise(four, 3));
    one.refresh().await.unwrap();
    let needed = one.ring().needed_until(SigningAlgorithm::Es256, clock.now());
    assert_eq!(needed, Some(Timestamp(9 * DAY)));
}

#[tokio::test]
async fn another_sealing_key_opens_none() {
    let (records, key, clock) = parts();
    node(&records, &key, &clock).refresh().await.unwrap();
    let other = Arc::new(SealingKey::generate(&SystemRandom));
    let opened = node(&records, &other, &clock).refresh().await;
    assert!(matches!(opened, Err(KeyStoreError::Sealed(_))), "{opened:?}");
}
