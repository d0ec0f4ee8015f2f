use enroll_access::Retention;
use enroll_oauth_types::{Seconds, SecretHash};
use enroll_store::{
    ClientReader as _, ClientStore as _, MemoryRecords, MemoryStore, Record, RegisteredBy, Tombstone,
};

use super::*;

struct At(u64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp(self.0)
    }
}

/// What a reaper works on, at this second, where clients of the policy `short` end after 60 seconds without use.
struct Stage {
    clients: Arc<MemoryStore>,
    records: Arc<MemoryRecords>,
    reaper: Reaper,
}

async fn stage(now: u64) -> Stage {
    let (clients, records) = (Arc::new(MemoryStore::default()), Arc::new(MemoryRecords::default()));
    let activity = Arc::new(Activity::new(records.clone()));
    activity.begin(Timestamp(0)).await.unwrap();
    let seconds = Seconds::new(60);
    let retention = Retention { unused_after: seconds, idle_after: seconds, lifetime: None };
    let terms = Terms { name: "short".to_owned(), retention, ..Terms::default() };
    let reaper = Reaper {
        clients: clients.clone(),
        records: records.clone(),
        activity,
        terms: HashMap::from([
            ("short".to_owned(), Arc::new(terms)),
            ("default".to_owned(), Terms::shared_default()),
        ]),
        tombstones: Some(Duration::from_secs(100)),
        clock: Arc::new(At(now)),
    };
    Stage { clients, records, reaper }
}

impl Stage {
    /// Registers a client of this policy at second 1000.
    async fn register(&self, id: &str, policy: &str) -> Client {
        let by = RegisteredBy { policy: policy.to_owned(), ..RegisteredBy::kind("anonymous") };
        let client = Client::new(id.into(), Timestamp(1_000), by);
        self.clients.insert(&client, None).await.unwrap();
        client
    }

    async fn lives(&self, id: &str) -> bool {
        self.clients.client(&id.into()).await.unwrap().is_some()
    }

    async fn keep(&self, kind: RecordKind, client: &str, number: u64, expires_at: Option<u64>) {
        let record = Record {
            kind,
            key: SecretHash::of(&format!("{client} {number}")),
            revision: 1,
            belongs_to: Belongs { client: Some(client.into()), ..Belongs::default() },
            issued_at: Timestamp(1_000),
            expires_at: expires_at.map(Timestamp),
            document: serde_json::value::to_raw_value("").unwrap(),
        };
        self.records.apply(vec![Write::Insert(record)]).await.unwrap();
    }

    async fn kept(&self, kind: RecordKind, client: &str) -> usize {
        let belongs_to = Belongs { client: Some(client.into()), ..Belongs::default() };
        self.records.records(kind, &belongs_to, None, u32::MAX).await.unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_deletes_what_its_policy_does_not_keep_and_nothing_else() {
    for (now, goes) in [(1_059, false), (1_060, true)] {
        let stage = stage(now).await;
        for (id, policy) in [("ends", "short"), ("stays", "default"), ("unknown", "gone")] {
            stage.register(id, policy).await;
        }
        for number in 0..500 {
            stage.keep(RecordKind::Consent, "ends", number, None).await;
        }
        stage.keep(RecordKind::Consent, "stays", 0, None).await;
        stage.reaper.round().await.unwrap();
        assert_eq!(stage.lives("ends").await, !goes, "{now}");
        assert!(stage.lives("stays").await && stage.lives("unknown").await);
        assert_eq!(stage.kept(RecordKind::Consent, "ends").await, if goes { 0 } else { 500 });
        assert_eq!(stage.kept(RecordKind::Consent, "stays").await, 1);
        let deleted = stage.clients.deleted_at(&"ends".into()).await.unwrap();
        assert_eq!(deleted, goes.then_some(Timestamp(now)), "who still comes with it is told");
    }
}

#[tokio::test]
async fn what_was_given_and_works_keeps_a_client_until_the_second_it_ends() {
    for kind in [RecordKind::Grant, RecordKind::RefreshToken, RecordKind::ReferenceToken] {
        for (end, stays) in [(Some(5_000), false), (Some(5_001), true), (None, true)] {
            let stage = stage(5_000).await;
            let client = stage.register("a", "short").await;
            for number in 0..300 {
                stage.keep(kind, "a", number, Some(2_000)).await;
            }
            stage.keep(kind, "a", 300, end).await;
            assert_eq!(stage.reaper.judge(client).await.unwrap().is_none(), stays, "{kind:?} {end:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_is_used_between_the_look_and_the_deletion_stays() {
    let stage = stage(5_000).await;
    let client = stage.register("a", "short").await;
    let finding = stage.reaper.judge(client).await.unwrap().unwrap();
    stage.reaper.activity.note(&"a".into(), Timestamp(5_000));
    assert!(!stage.reaper.reap(&finding).await.unwrap());
    assert!(stage.lives("a").await);
}

#[tokio::test]
async fn a_client_that_is_changed_between_the_look_and_the_deletion_stays() {
    let stage = stage(5_000).await;
    let client = stage.register("a", "short").await;
    let finding = stage.reaper.judge(client.clone()).await.unwrap().unwrap();
    stage.clients.replace(&client).await.unwrap();
    assert!(!stage.reaper.reap(&finding).await.unwrap());
    assert!(stage.lives("a").await);
}

#[tokio::test]
async fn looks_are_as_frequent_as_the_shortest_rule_within_bounds() {
    let mut reaper = stage(2_000).await.reaper;
    for (seconds, pause) in [(1, 60), (60, 60), (61, 61), (3_599, 3_599), (3_601, 3_600)] {
        let retention = Retention { lifetime: Seconds::new(seconds), ..Retention::default() };
        let terms = Terms { retention, ..Terms::default() };
        reaper.terms.insert("short".to_owned(), Arc::new(terms));
        assert_eq!(reaper.pause(), Duration::from_secs(pause), "{seconds}");
    }
    assert_eq!(reaper.deleting_none().pause(), SELDOM);
}

#[tokio::test]
async fn a_client_goes_once() {
    let stage = stage(5_000).await;
    let client = stage.register("a", "short").await;
    let finding = stage.reaper.judge(client).await.unwrap().unwrap();
    assert!(stage.reaper.reap(&finding).await.unwrap());
    assert!(!stage.reaper.reap(&finding).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn identifiers_of_deleted_clients_are_forgotten_at_their_second_where_that_is_wanted() {
    let mut stage = stage(1_000).await;
    // Whose identifier holds the registration would come back.
    for (id, at) in [("old", 900), ("young", 901), ("enr_dcr_sealed", 1), ("#hash", 1)] {
        let tombstone = Tombstone { client_id: id.into(), deleted_at: Timestamp(at) };
        stage.clients.bury(&tombstone).await.unwrap();
    }
    let kept = Duration::from_secs(100);
    for (tombstones, left) in [(None, 4), (Some(kept), 3)] {
        stage.reaper.tombstones = tombstones;
        stage.reaper.round().await.unwrap();
        let page = Page { after: None, limit: 9 };
        assert_eq!(stage.clients.tombstones(page).await.unwrap().len(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_client_that_deleted_itself_is_removed() {
    let stage = stage(1_000).await;
    for id in ["gone", "lives", "elsewhere"] {
        if id != "elsewhere" {
            stage.register(id, "default").await;
        }
        stage.keep(RecordKind::ClientActivity, id, 0, None).await;
        stage.keep(RecordKind::Consent, id, 0, None).await;
    }
    stage.clients.delete(&"gone".into(), Timestamp(1_000)).await.unwrap();
    stage.reaper.round().await.unwrap();
    for (id, left) in [("gone", 0), ("lives", 1), ("elsewhere", 1)] {
        assert_eq!(stage.kept(RecordKind::Consent, id).await, left, "{id}");
        assert_eq!(stage.kept(RecordKind::ClientActivity, id).await, left, "{id}");
    }
    assert!(stage.reaper.activity.since().await.unwrap().is_some());
}

/// An authorization server apart: others delete.
#[tokio::test(start_paused = true)]
async fn whoever_only_reads_clients_deletes_none_and_removes_what_is_left_of_those_that_are_gone() {
    let Stage { clients, records, reaper } = stage(5_000).await;
    let stage = Stage { clients, records, reaper: reaper.deleting_none() };
    for id in ["unused", "gone"] {
        stage.register(id, "short").await;
        stage.keep(RecordKind::ClientActivity, id, 0, None).await;
    }
    let tombstone = Tombstone { client_id: "old".into(), deleted_at: Timestamp(1) };
    stage.clients.bury(&tombstone).await.unwrap();
    stage.clients.delete(&"gone".into(), Timestamp(5_000)).await.unwrap();
    stage.reaper.round().await.unwrap();
    assert!(stage.lives("unused").await);
    assert!(stage.clients.deleted_at(&"old".into()).await.unwrap().is_some());
    for (id, left) in [("unused", 1), ("gone", 0)] {
        assert_eq!(stage.kept(RecordKind::ClientActivity, id).await, left, "{id}");
    }
}
