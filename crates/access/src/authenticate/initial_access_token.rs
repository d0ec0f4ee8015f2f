//! Initial access tokens: issued by the operator, presented once for each client that they register. RFC 7591 §1.2.

use std::sync::Arc;

use async_trait::async_trait;
use enroll_oauth_types::{Clock, InitialAccessToken, Random, Secret, SecretKind, Timestamp};
use enroll_store::{Token, TokenId, TokenKind, TokenStore};
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::{Authenticate, bearer_token};
use crate::{AccessError, Caller, Credential};

/// Knows the initial access tokens of a store.
///
/// A use is taken by the insert of the client that it pays for, so a request that is refused uses up nothing.
pub struct InitialAccessTokens {
    tokens: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
}

impl InitialAccessTokens {
    /// The tokens that [`issue`] made and somebody put into this store.
    pub fn in_store(tokens: Arc<dyn TokenStore>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens, clock }
    }

    async fn verify(&self, presented: &InitialAccessToken) -> Result<Caller, AccessError> {
        let stored = self.tokens.get(TokenKind::InitialAccessToken, &presented.hash()).await;
        let token = stored.map_err(|error| AccessError::Internal(error.into()))?;
        let usable = token.filter(|token| token.is_usable(self.clock.now()));
        let token = usable.ok_or_else(AccessError::invalid_initial_access_token)?;
        let data: InitialAccessTokenData =
            serde_json::from_str(token.data.get()).map_err(|error| AccessError::Internal(error.into()))?;
        Ok(Caller {
            subject: data.label,
            policy: data.policy,
            pays_with: Some(token.id),
            ..Caller::new(Credential::InitialAccessToken)
        })
    }
}

#[async_trait]
impl Authenticate for InitialAccessTokens {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError> {
        let Some(token) = bearer_token(parts)? else { return Ok(None) };
        let presented = InitialAccessToken::presented(token.to_owned());
        if has_prefix(&presented) { self.verify(&presented).await.map(Some) } else { Ok(None) }
    }
}

/// The prefix spares the store every credential of another kind.
fn has_prefix<K: SecretKind>(secret: &Secret<K>) -> bool {
    secret.expose().starts_with(K::PREFIX)
}

impl AccessError {
    /// What the holder of an initial access token that does not work is told: the same whether it is unknown,
    /// expired, used up or revoked, so that the answer helps nobody who guesses.
    pub fn invalid_initial_access_token() -> Self {
        Self::InvalidToken("the initial access token is not valid: unknown, expired, used up or revoked")
    }
}

/// What an initial access token stands for: the [`Token::data`] of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialAccessTokenData {
    /// Whom it was given to, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The name of the policy that its holder registers under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// What an operator asks for.
#[derive(Clone, Debug, Default)]
pub struct NewInitialAccessToken {
    /// Whom it is for, in the operator's words.
    pub label: Option<String>,
    /// The name of the policy that its holder registers under; `None` is the default one.
    pub policy: Option<String>,
    /// When it ends; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// How many clients it registers, at most [`NewInitialAccessToken::MOST_USES`]; `None` is without limit.
    pub uses: Option<u32>,
}

impl NewInitialAccessToken {
    /// The highest number of uses that can be counted down; whoever needs more wants no limit.
    pub const MOST_USES: u32 = 1_000_000;
}

/// Why no token was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A token that could never be used, or a count that nobody means.
    #[error("uses: must be from 1 to 1000000, or left out for a token without limit; got {0}")]
    Uses(u32),
    /// A token that would be expired from the start.
    #[error("expires_at: must be in the future, or left out for a token that does not expire")]
    ExpiresAt,
}

/// Makes an initial access token: what its holder gets, and what belongs into the store.
///
/// ```
/// use enroll_access::{NewInitialAccessToken, issue};
/// use enroll_oauth_types::{Clock, SystemClock, SystemRandom};
///
/// let new = NewInitialAccessToken { label: Some("ci".to_owned()), uses: Some(10), ..Default::default() };
/// let (secret, token) = issue(new, SystemClock.now(), &SystemRandom)?;
/// assert!(secret.expose().starts_with("enr_iat_"));
/// assert_eq!(token.uses_left, Some(10));
/// # Ok::<(), enroll_access::IssueError>(())
/// ```
pub fn issue(
    new: NewInitialAccessToken,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(InitialAccessToken, Token), IssueError> {
    let NewInitialAccessToken { label, policy, expires_at, uses } = new;
    if let Some(uses) = uses.filter(|uses| !(1..=NewInitialAccessToken::MOST_USES).contains(uses)) {
        return Err(IssueError::Uses(uses));
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err(IssueError::ExpiresAt);
    }
    let secret = InitialAccessToken::generate(random);
    let data = InitialAccessTokenData { label, policy };
    let token = Token {
        id: TokenId::generate(now, random),
        kind: TokenKind::InitialAccessToken,
        hash: secret.hash(),
        issued_at: now,
        expires_at,
        uses_left: uses,
        data: serde_json::value::to_raw_value(&data).expect("two strings are JSON"),
    };
    Ok((secret, token))
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SystemRandom;
    use enroll_store::MemoryStore;
    use http::Request;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    struct At(Timestamp);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    async fn present(
        store: &Arc<MemoryStore>,
        now: Timestamp,
        token: &str,
    ) -> Result<Option<Caller>, AccessError> {
        let (parts, ()) = Request::post("/")
            .header("authorization", format!("Bearer {token}"))
            .body(())
            .unwrap()
            .into_parts();
        InitialAccessTokens::in_store(store.clone(), Arc::new(At(now))).authenticate(&parts).await
    }

    async fn issued(store: &Arc<MemoryStore>, new: NewInitialAccessToken) -> (InitialAccessToken, Token) {
        let (secret, token) = issue(new, NOW, &SystemRandom).unwrap();
        store.put(&token).await.unwrap();
        (secret, token)
    }

    /// RFC 7591 §1.2
    #[tokio::test]
    async fn a_holder_is_known_by_label_and_policy_and_pays_with_the_token() {
        let store = Arc::new(MemoryStore::default());
        let new = NewInitialAccessToken {
            label: Some("ci".into()),
            policy: Some("internal".into()),
            uses: Some(1),
            ..Default::default()
        };
        let (secret, token) = issued(&store, new).await;
        let caller = present(&store, NOW, secret.expose()).await.unwrap().unwrap();
        assert_eq!(caller.credential, Credential::InitialAccessToken);
        assert_eq!(caller.subject.as_deref(), Some("ci"));
        assert_eq!(caller.policy.as_deref(), Some("internal"));
        assert_eq!(caller.pays_with, Some(token.id));
    }

    #[tokio::test]
    async fn a_token_ends_at_its_second_and_not_before() {
        let store = Arc::new(MemoryStore::default());
        let new = NewInitialAccessToken { expires_at: Some(Timestamp(NOW.0 + 10)), ..Default::default() };
        let (secret, _) = issued(&store, new).await;
        assert!(present(&store, Timestamp(NOW.0 + 9), secret.expose()).await.unwrap().is_some());
        assert!(present(&store, Timestamp(NOW.0 + 10), secret.expose()).await.is_err());
    }

    #[tokio::test]
    async fn unknown_expired_used_up_and_revoked_tokens_get_the_same_answer() {
        let store = Arc::new(MemoryStore::default());
        let expires_soon =
            NewInitialAccessToken { expires_at: Some(Timestamp(NOW.0 + 1)), ..Default::default() };
        let (expired, _) = issued(&store, expires_soon).await;
        let (revoked, token) = issued(&store, NewInitialAccessToken::default()).await;
        store.revoke(&token.id).await.unwrap();
        let (used_up, mut token) = issue(NewInitialAccessToken::default(), NOW, &SystemRandom).unwrap();
        token.uses_left = Some(0);
        store.put(&token).await.unwrap();
        let unknown = InitialAccessToken::generate(&SystemRandom);

        let later = Timestamp(NOW.0 + 1);
        for secret in [expired.expose(), revoked.expose(), used_up.expose(), unknown.expose(), "enr_iat_"] {
            match present(&store, later, secret).await {
                Err(AccessError::InvalidToken(text)) => {
                    assert_eq!(text, AccessError::invalid_initial_access_token().to_string());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_token_without_the_prefix_is_left_to_the_next_authenticator() {
        let store = Arc::new(MemoryStore::default());
        for other in ["abc", "enr_rat_abc", "ENR_IAT_abc", "e30.e30.e30"] {
            assert!(present(&store, NOW, other).await.unwrap().is_none(), "{other}");
        }
    }

    #[test]
    fn uses_and_expiry_are_checked_at_their_bounds() {
        let make = |uses, expires_at| {
            let new = NewInitialAccessToken { expires_at, uses, ..Default::default() };
            issue(new, NOW, &SystemRandom)
                .map(|(_, token)| token.uses_left)
                .map_err(|error| error.to_string())
        };
        assert_eq!(make(None, None), Ok(None));
        assert_eq!(make(Some(1), Some(Timestamp(NOW.0 + 1))), Ok(Some(1)));
        assert_eq!(make(Some(1_000_000), None), Ok(Some(1_000_000)));
        for uses in [0, 1_000_001, u32::MAX] {
            let text = make(Some(uses), None).unwrap_err();
            assert!(text.contains("from 1 to 1000000") && text.ends_with(&format!("got {uses}")), "{text}");
        }
        for end in [NOW, Timestamp(0)] {
            assert!(make(None, Some(end)).unwrap_err().contains("must be in the future"));
        }
    }

    #[test]
    fn what_is_stored_does_not_hold_the_secret_or_empty_members() {
        let (secret, token) = issue(NewInitialAccessToken::default(), NOW, &SystemRandom).unwrap();
        assert_eq!(token.data.get(), "{}");
        assert!(!format!("{token:?}").contains(secret.expose()));
    }
}
