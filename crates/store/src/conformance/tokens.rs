//! The promises of a [`TokenStore`], and of a registration that a token pays for.

use std::sync::Arc;

use enroll_oauth_types::Timestamp;

use super::sample::{NOW, client, token};
use super::tokio::task::JoinSet;
use crate::{Client, ClientStore, StoreError, Token, TokenId, TokenKind, TokenStore};

const KIND: TokenKind = TokenKind::InitialAccessToken;

async fn stored(store: &impl TokenStore, token: &Token) -> Option<Token> {
    store.get(KIND, &token.hash).await.expect("the store reads")
}

async fn put(store: &impl TokenStore, token: &Token) {
    store.put(token).await.expect("the store puts");
}

/// Whether a new client is registered for a use of the token, at that moment.
async fn registers(store: &impl ClientStore, token: &TokenId, at: Timestamp) -> bool {
    let client = Client { issued_at: at, ..client() };
    match store.insert(&client, Some(token)).await {
        Ok(()) => true,
        Err(StoreError::Spent) => {
            let nobody = store.client(&client.id).await.expect("the store reads");
            assert_eq!(nobody, None, "a registration that is not paid for leaves nothing");
            false
        }
        Err(other) => panic!("{other}"),
    }
}

pub async fn a_token_is_found_by_its_hash<S: TokenStore>(store: Arc<S>) {
    let token = Token { expires_at: Some(Timestamp(1_900_000_000)), ..token(Some(3)) };
    put(&*store, &token).await;
    assert_eq!(stored(&*store, &token).await, Some(token));
}

pub async fn another_hash_finds_nothing<S: TokenStore>(store: Arc<S>) {
    put(&*store, &token(None)).await;
    assert_eq!(stored(&*store, &token(None)).await, None);
}

pub async fn kinds_do_not_mix<S: TokenStore>(store: Arc<S>) {
    let (one, other) = (token(None), Token { kind: TokenKind::RegistrationKey, ..token(None) });
    put(&*store, &one).await;
    put(&*store, &other).await;
    for (kind, own, stranger) in [(one.kind, &one, &other), (other.kind, &other, &one)] {
        let found = async |token: &Token| store.get(kind, &token.hash).await.expect("the store reads");
        assert_eq!((found(own).await.as_ref(), found(stranger).await), (Some(own), None));
        let listed = store.tokens(kind, None, 10).await.expect("the store lists");
        assert_eq!(listed.iter().collect::<Vec<_>>(), [own]);
    }
}

pub async fn a_name_and_a_hash_are_taken_once<S: TokenStore>(store: Arc<S>) {
    let first = token(Some(1));
    put(&*store, &first).await;
    for second in [Token { id: first.id.clone(), ..token(None) }, Token { hash: first.hash, ..token(None) }] {
        assert!(matches!(store.put(&second).await, Err(StoreError::Duplicate)));
    }
    assert_eq!(stored(&*store, &first).await, Some(first));
}

pub async fn a_revoked_token_is_gone<S: TokenStore>(store: Arc<S>) {
    let token = token(None);
    put(&*store, &token).await;
    assert!(store.revoke(&token.id).await.expect("the store revokes"));
    assert!(!store.revoke(&token.id).await.expect("the store revokes"));
    assert_eq!(stored(&*store, &token).await, None);
}

pub async fn tokens_are_listed_in_pages<S: TokenStore>(store: Arc<S>) {
    let mut expected = Vec::new();
    for _ in 0..5 {
        let token = token(None);
        put(&*store, &token).await;
        expected.push(token.id);
    }
    expected.sort();
    let mut seen: Vec<TokenId> = Vec::new();
    loop {
        let page = store.tokens(KIND, seen.last(), 2).await.expect("the store lists");
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|token| token.id));
    }
    assert_eq!(seen, expected);
}

pub async fn a_registration_takes_one_use<S: ClientStore + TokenStore>(store: Arc<S>) {
    let token = token(Some(2));
    put(&*store, &token).await;
    assert!(registers(&*store, &token.id, NOW).await);
    assert_eq!(stored(&*store, &token).await.and_then(|token| token.uses_left), Some(1));
}

pub async fn a_token_without_limit_stays_without_limit<S: ClientStore + TokenStore>(store: Arc<S>) {
    let token = token(None);
    put(&*store, &token).await;
    for _ in 0..3 {
        assert!(registers(&*store, &token.id, NOW).await);
    }
    assert_eq!(stored(&*store, &token).await, Some(token));
}

pub async fn a_token_that_is_used_up_registers_nobody<S: ClientStore + TokenStore>(store: Arc<S>) {
    let token = token(Some(1));
    put(&*store, &token).await;
    assert!(registers(&*store, &token.id, NOW).await);
    assert!(!registers(&*store, &token.id, NOW).await);
    assert_eq!(stored(&*store, &token).await.and_then(|token| token.uses_left), Some(0));
}

pub async fn a_token_registers_until_the_second_it_expires<S: ClientStore + TokenStore>(store: Arc<S>) {
    let end = Timestamp(NOW.seconds() + 60);
    let token = Token { expires_at: Some(end), ..token(Some(9)) };
    put(&*store, &token).await;
    assert!(registers(&*store, &token.id, Timestamp(end.seconds() - 1)).await);
    assert!(!registers(&*store, &token.id, end).await);
}

pub async fn a_revoked_token_registers_nobody<S: ClientStore + TokenStore>(store: Arc<S>) {
    let token = token(None);
    put(&*store, &token).await;
    store.revoke(&token.id).await.expect("the store revokes");
    assert!(!registers(&*store, &token.id, NOW).await);
    assert!(!registers(&*store, &TokenId::from("unknown"), NOW).await);
}

pub async fn a_registration_that_fails_takes_no_use<S: ClientStore + TokenStore>(store: Arc<S>) {
    let (token, client) = (token(Some(2)), client());
    put(&*store, &token).await;
    store.insert(&client, Some(&token.id)).await.expect("the token has uses");
    assert!(matches!(store.insert(&client, Some(&token.id)).await, Err(StoreError::Duplicate)));
    assert_eq!(stored(&*store, &token).await.and_then(|token| token.uses_left), Some(1));
}

/// Incident `token_count_race`.
pub async fn of_many_registrations_at_once_as_many_land_as_the_token_has_uses<S: ClientStore + TokenStore>(
    store: Arc<S>,
) {
    let token = token(Some(5));
    put(&*store, &token).await;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let (store, id) = (store.clone(), token.id.clone());
        tasks.spawn(async move { registers(&*store, &id, NOW).await });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|landed| *landed).count(), 5);
    assert_eq!(stored(&*store, &token).await.and_then(|token| token.uses_left), Some(0));
}
