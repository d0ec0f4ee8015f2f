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
    for username in ["alice", " Alice "] {
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
