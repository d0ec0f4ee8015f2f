use enroll_oauth_types::SystemRandom;
use enroll_store::MemoryRecords;
use enroll_testkit::StandingClock;
use serde_json::json;

use super::*;

fn users() -> (Users, Arc<StandingClock>) {
    let clock = Arc::new(StandingClock::default());
    let key = Arc::new(SealingKey::generate(&SystemRandom));
    (Users::new(Arc::new(MemoryRecords::default()), key, clock.clone(), Arc::new(SystemRandom)), clock)
}

fn alice() -> NewUser {
    let claims = json!({ "name": "Alice" }).as_object().unwrap().clone();
    NewUser { username: "alice".to_owned(), password: typed("right"), claims }
}

fn typed(text: &str) -> Password {
    Password::presented(text.to_owned())
}

async fn try_to_log_in(
    users: &Users,
    username: &str,
    password: &str,
    device: Option<&str>,
) -> Result<User, LogInError> {
    let source = IpAddr::from([192, 0, 2, 1]);
    users.log_in(LogIn { username, password: typed(password), source, device }).await
}

#[tokio::test]
async fn somebody_logs_in_by_name_in_any_case_and_password() {
    let (users, _) = users();
    let added = users.add(alice()).await.unwrap();
    for username in ["alice", " Alice ", "ALICE"] {
        assert_eq!(try_to_log_in(&users, username, "right", None).await.unwrap(), added);
    }
    for (username, password) in [("alice", "Right"), ("alice", ""), ("bob", "right"), ("", "")] {
        let tried = try_to_log_in(&users, username, password, None).await;
        assert!(matches!(tried, Err(LogInError::Wrong)), "{username} {password}");
    }
    assert_eq!(users.of_subject(&added.subject).await.unwrap(), Some(added));
}

#[tokio::test]
async fn a_name_is_given_once_and_what_is_wrong_is_told() {
    let (users, _) = users();
    users.add(alice()).await.unwrap();
    assert!(matches!(
        users.add(NewUser { username: "ALICE".to_owned(), ..alice() }).await,
        Err(UserError::Taken)
    ));
    for username in ["", " ", "a\nb", &"a".repeat(257)] {
        let added = users.add(NewUser { username: username.to_owned(), ..alice() }).await;
        assert!(matches!(added, Err(UserError::Name)), "{username}");
    }
    let with = |password: &str| NewUser { username: "bob".to_owned(), password: typed(password), ..alice() };
    for wrong in ["", &"a".repeat(1025)] {
        assert!(matches!(users.add(with(wrong)).await, Err(UserError::Password)), "{}", wrong.len());
        let changed = users.set_password("alice", typed(wrong)).await;
        assert!(matches!(changed, Err(UserError::Password)), "{}", wrong.len());
    }
    let longest = "a".repeat(1024);
    users.add(with(&longest)).await.unwrap();
    try_to_log_in(&users, "bob", &longest, None).await.unwrap();
    let claims = json!({ "sub": "root" }).as_object().unwrap().clone();
    let pretender = NewUser { username: "bob".to_owned(), claims, ..alice() };
    assert!(matches!(users.add(pretender).await, Err(UserError::Claim(_))));
}

#[tokio::test]
async fn whoever_is_disabled_or_deleted_is_not_let_in() {
    let (users, _) = users();
    users.add(alice()).await.unwrap();
    users.set_enabled("alice", false).await.unwrap();
    assert!(try_to_log_in(&users, "alice", "right", None).await.is_err());
    users.set_enabled("alice", true).await.unwrap();
    users.set_password("alice", typed("other")).await.unwrap();
    assert!(try_to_log_in(&users, "alice", "right", None).await.is_err());
    assert!(try_to_log_in(&users, "alice", "other", None).await.is_ok());
    users.delete("alice").await.unwrap();
    assert!(try_to_log_in(&users, "alice", "other", None).await.is_err());
    assert!(matches!(users.delete("alice").await, Err(UserError::Unknown)));
}

/// RFC 8265 §3.3: composed or not, a name is the same.
#[tokio::test]
async fn a_name_is_the_same_however_a_keyboard_writes_it() {
    let (users, _) = users();
    let zoe = users.add(NewUser { username: "Zoë".to_owned(), ..alice() }).await.unwrap();
    assert_eq!(users.named("ZOE\u{308}").await.unwrap(), Some(zoe));
    assert_eq!(users.named("zoe").await.unwrap(), None);
}

#[tokio::test]
async fn whoever_is_deleted_leaves_nothing_behind_and_others_stay() {
    let records = Arc::new(MemoryRecords::default());
    let key = Arc::new(SealingKey::generate(&SystemRandom));
    let users = Users::new(records.clone(), key, Arc::new(StandingClock::default()), Arc::new(SystemRandom));
    let mut subjects = Vec::new();
    for username in ["alice", "bob"] {
        let user = users.add(NewUser { username: username.to_owned(), ..alice() }).await.unwrap();
        for kind in [RecordKind::Session, RecordKind::Consent, RecordKind::RefreshToken] {
            let record = Record {
                kind,
                key: SecretHash::of(username),
                revision: 1,
                belongs_to: Belongs { subject: Some(user.subject.clone()), ..Belongs::default() },
                issued_at: Timestamp(1),
                expires_at: None,
                document: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
            };
            records.apply(vec![Write::Insert(record)]).await.unwrap();
        }
        subjects.push(Belongs { subject: Some(user.subject), ..Belongs::default() });
    }
    users.delete("alice").await.unwrap();
    for kind in [RecordKind::User, RecordKind::Session, RecordKind::Consent, RecordKind::RefreshToken] {
        let left = |index: usize| records.records(kind, &subjects[index], None, 10);
        assert_eq!(left(0).await.unwrap().len(), 0, "{kind:?}");
        assert_eq!(left(1).await.unwrap().len(), 1, "{kind:?}");
    }
}

/// A page that begins after somebody goes on with everybody else, once each.
#[tokio::test]
async fn a_list_is_read_a_page_at_a_time() {
    let (users, _) = users();
    let mut added = Vec::new();
    for username in ["alice", "bob", "carol"] {
        added.push(users.add(NewUser { username: username.to_owned(), ..alice() }).await.unwrap());
    }
    let (mut listed, mut last) = (Vec::new(), None::<String>);
    while let [user] = users.list(last.as_deref(), 1).await.unwrap().as_slice() {
        last = Some(user.username.clone());
        listed.push(user.clone());
    }
    listed.sort_by(|one, other| one.username.cmp(&other.username));
    assert_eq!(listed, added);
}

#[tokio::test]
async fn strangers_do_not_lock_the_owner_out() {
    let (users, clock) = users();
    let added = users.add(alice()).await.unwrap();
    let device = users.device_token(&added);
    for _ in 0..5 {
        let tried = try_to_log_in(&users, "alice", "wrong", None).await;
        assert!(matches!(tried, Err(LogInError::Wrong)));
    }
    let tried = try_to_log_in(&users, "alice", "right", None).await;
    let Err(LogInError::TooManyTries(wait)) = tried else { panic!("{tried:?}") };
    assert!(try_to_log_in(&users, "alice", "right", Some("forged")).await.is_err());
    assert!(try_to_log_in(&users, "alice", "right", Some(&device)).await.is_ok());
    clock.advance(wait.as_secs());
    assert!(try_to_log_in(&users, "alice", "right", None).await.is_ok());
}

/// OWASP, "device cookies": a token is of one account, ends with the password that it was given for, and after a year.
#[tokio::test]
async fn a_browser_is_known_for_one_account_a_year_and_one_password() {
    let (users, clock) = users();
    let added = users.add(alice()).await.unwrap();
    users.add(NewUser { username: "bob".to_owned(), ..alice() }).await.unwrap();
    let device = users.device_token(&added);
    let wait_for = async |username: &str| {
        while !matches!(
            try_to_log_in(&users, username, "wrong", None).await,
            Err(LogInError::TooManyTries(_))
        ) {}
    };
    wait_for("bob").await;
    assert!(try_to_log_in(&users, "bob", "right", Some(&device)).await.is_err(), "another account");
    clock.advance(364 * 24 * 60 * 60);
    wait_for("alice").await;
    assert!(try_to_log_in(&users, "alice", "right", Some(&device)).await.is_ok());
    users.set_password("alice", typed("other")).await.unwrap();
    assert!(try_to_log_in(&users, "alice", "other", Some(&device)).await.is_err(), "another password");
    let device = users.device_token(&added);
    assert!(try_to_log_in(&users, "alice", "other", Some(&device)).await.is_ok());
    clock.advance(365 * 24 * 60 * 60);
    wait_for("alice").await;
    assert!(try_to_log_in(&users, "alice", "other", Some(&device)).await.is_err(), "another year");
}

/// That many log in is no guess of anybody's.
#[tokio::test]
async fn who_finds_too_many_waiting_is_told_that_and_has_not_tried() {
    let (users, _) = users();
    users.add(alice()).await.unwrap();
    let line = users.passwords.strangers.available_permits().try_into().unwrap();
    let in_line = users.passwords.strangers.acquire_many(line).await.unwrap();
    for _ in 0..10 {
        let tried = try_to_log_in(&users, "alice", "right", None).await;
        assert!(matches!(tried, Err(LogInError::Busy(BUSY))), "{tried:?}");
    }
    drop(in_line);
    assert!(try_to_log_in(&users, "alice", "right", None).await.is_ok());
}

#[tokio::test]
async fn without_limits_nobody_waits() {
    let (users, _) = users();
    users.add(alice()).await.unwrap();
    let users = users.insecure_without_limits();
    for _ in 0..10 {
        let tried = try_to_log_in(&users, "alice", "wrong", None).await;
        assert!(matches!(tried, Err(LogInError::Wrong)), "{tried:?}");
    }
    assert!(try_to_log_in(&users, "alice", "right", None).await.is_ok());
}

/// What is stored at less than today's cost, as an older version did.
#[tokio::test]
async fn a_weak_hash_is_stored_anew_when_its_owner_logs_in_and_sessions_stay() {
    let records = Arc::new(MemoryRecords::default());
    let key = Arc::new(SealingKey::generate(&SystemRandom));
    let users = Users::new(records.clone(), key, Arc::new(StandingClock::default()), Arc::new(SystemRandom));
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let weak = Users { passwords: Passwords::costing(params, Arc::new(SystemRandom)), ..users.clone() };
    let added = weak.add(alice()).await.unwrap();
    let stored = async || {
        let record = records.record(RecordKind::User, &place("alice")).await.unwrap().unwrap();
        (record.revision, parse(&record).unwrap().password)
    };
    assert!(try_to_log_in(&users, "alice", "wrong", None).await.is_err());
    assert_eq!(stored().await.0, 1, "whoever does not know it changes nothing");
    for _ in 0..2 {
        assert_eq!(try_to_log_in(&users, "alice", "right", None).await.unwrap(), added);
        let (revision, password) = stored().await;
        assert_eq!(revision, 2);
        assert!(password.contains("m=19456,t=2,p=1"), "{password}");
    }
}
