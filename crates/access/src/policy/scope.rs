//! A scope of the caller's token as the key. RFC 6750 §3.1, RFC 9068 §2.2.3.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use super::{Decision, Denial, Policy, needs_another_credential};
use crate::{Caller, Terms};

/// The caller's token must have this scope.
pub fn scope(scope: impl Into<String>) -> RequireScope {
    RequireScope { scope: scope.into(), terms: Arc::default() }
}

/// The policy of [`scope`].
#[derive(Clone, Debug)]
pub struct RequireScope {
    scope: String,
    terms: Arc<Terms>,
}

#[async_trait]
impl Policy for RequireScope {
    async fn decide(&self, caller: &Caller, _: &Parts) -> Decision {
        if caller.scopes.contains(&self.scope) {
            Decision::Allow(self.terms.clone())
        } else if needs_another_credential(caller) {
            Decision::Deny(Denial::Unauthenticated)
        } else {
            Decision::Deny(Denial::InsufficientScope(self.scope.clone()))
        }
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        vec![self.terms.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credential;
    use crate::policy::tests::verdict;

    /// RFC 6750 §3.1
    #[tokio::test]
    async fn the_whole_scope_must_be_there_letter_for_letter() {
        let policy = scope("client:register");
        let with = |scopes: &[&str]| Caller {
            scopes: scopes.iter().map(ToString::to_string).collect(),
            ..Caller::new(Credential::BearerJwt)
        };
        assert_eq!(verdict(&policy, &with(&["openid", "client:register"])).await, Ok("default".into()));
        for scopes in
            [&[][..], &["client"], &["client:register2"], &["Client:Register"], &["a client:register"]]
        {
            let denial = Denial::InsufficientScope("client:register".into());
            assert_eq!(verdict(&policy, &with(scopes)).await, Err(denial), "{scopes:?}");
        }
    }

    #[tokio::test]
    async fn a_caller_without_any_scopes_to_have_needs_another_credential() {
        let policy = scope("client:register");
        for caller in [Caller::anonymous(), Caller::new(Credential::InitialAccessToken)] {
            assert_eq!(verdict(&policy, &caller).await, Err(Denial::Unauthenticated));
        }
    }
}
