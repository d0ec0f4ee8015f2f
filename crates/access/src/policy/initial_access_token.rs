//! An initial access token as the key, and terms by the name that it was issued under. RFC 7591 §1.2.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use super::{Decision, Denial, Policy};
use crate::{Caller, Credential, Terms};

/// The caller must hold an initial access token.
pub fn initial_access_token() -> RequireInitialAccessToken {
    RequireInitialAccessToken { named: HashMap::new(), terms: Arc::default() }
}

/// The policy of [`initial_access_token`].
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Arc;
///
/// use enroll_access::{Terms, policy};
///
/// let internal = Arc::new(Terms { name: "internal".to_owned(), ..Terms::unrestricted() });
/// let policy = policy::initial_access_token().named(HashMap::from([("internal".to_owned(), internal)]));
/// ```
#[derive(Clone, Debug)]
pub struct RequireInitialAccessToken {
    named: HashMap<String, Arc<Terms>>,
    terms: Arc<Terms>,
}

impl RequireInitialAccessToken {
    /// The terms that tokens can be issued under, by name. A token whose name is not among them is refused: its terms
    /// are gone, and others may grant more.
    #[must_use]
    pub fn named(self, named: HashMap<String, Arc<Terms>>) -> Self {
        Self { named, ..self }
    }

    /// The terms of tokens that were issued under no name. Named tokens keep theirs.
    #[must_use]
    pub fn unnamed(self, terms: impl Into<Arc<Terms>>) -> Self {
        Self { terms: terms.into(), ..self }
    }
}

#[async_trait]
impl Policy for RequireInitialAccessToken {
    async fn decide(&self, caller: &Caller, _: &Parts) -> Decision {
        if caller.credential != Credential::InitialAccessToken {
            return Decision::Deny(Denial::Unauthenticated);
        }
        let Some(name) = &caller.policy else { return Decision::Allow(self.terms.clone()) };
        match self.named.get(name) {
            Some(terms) => Decision::Allow(terms.clone()),
            None => Decision::forbid(format!(
                "the policy `{name}` of the initial access token is no longer there; ask for another token"
            )),
        }
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        self.named.values().chain([&self.terms]).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{terms, verdict};

    fn holder(policy: Option<&str>) -> Caller {
        Caller { policy: policy.map(str::to_owned), ..Caller::new(Credential::InitialAccessToken) }
    }

    fn policy() -> RequireInitialAccessToken {
        initial_access_token().named(HashMap::from([("partners".to_owned(), Arc::new(terms("partners")))]))
    }

    #[tokio::test]
    async fn the_name_of_the_token_selects_the_terms() {
        assert_eq!(verdict(&policy(), &holder(Some("partners"))).await, Ok("partners".into()));
        assert_eq!(verdict(&policy(), &holder(None)).await, Ok("default".into()));
    }

    #[tokio::test]
    async fn terms_of_its_own_are_for_tokens_without_a_name() {
        let policy = policy().unnamed(terms("unnamed"));
        assert_eq!(verdict(&policy, &holder(None)).await, Ok("unnamed".into()));
        assert_eq!(verdict(&policy, &holder(Some("partners"))).await, Ok("partners".into()));
    }

    #[tokio::test]
    async fn a_name_that_is_gone_is_forbidden_and_never_falls_back() {
        for policy in [policy(), initial_access_token().unnamed(Terms::unrestricted())] {
            match verdict(&policy, &holder(Some("gone"))).await {
                Err(Denial::Forbidden(why)) => {
                    assert!(why.contains("`gone`") && why.contains("no longer"), "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn any_other_caller_needs_another_credential() {
        for caller in [Caller::anonymous(), Caller::new(Credential::BearerJwt)] {
            assert_eq!(verdict(&policy(), &caller).await, Err(Denial::Unauthenticated));
        }
    }
}
