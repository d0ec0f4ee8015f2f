//! Policies of policies.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use super::{Decision, Denial, Policy};
use crate::{Caller, Terms};

/// Both must allow; made by [`Policy::and`].
#[derive(Clone, Debug)]
pub struct And<A, B> {
    left: A,
    right: B,
}

impl<A, B> And<A, B> {
    pub(super) fn new(left: A, right: B) -> Self {
        Self { left, right }
    }
}

#[async_trait]
impl<A: Policy, B: Policy> Policy for And<A, B> {
    async fn decide(&self, caller: &Caller, parts: &Parts) -> Decision {
        let terms = match self.left.decide(caller, parts).await {
            Decision::Allow(terms) => terms,
            denied @ Decision::Deny(_) => return denied,
        };
        match self.right.decide(caller, parts).await {
            Decision::Allow(_) => Decision::Allow(terms),
            denied @ Decision::Deny(_) => denied,
        }
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        self.left.terms()
    }
}

/// One must allow; made by [`Policy::or`].
#[derive(Clone, Debug)]
pub struct Or<A, B> {
    left: A,
    right: B,
}

impl<A, B> Or<A, B> {
    pub(super) fn new(left: A, right: B) -> Self {
        Self { left, right }
    }
}

#[async_trait]
impl<A: Policy, B: Policy> Policy for Or<A, B> {
    async fn decide(&self, caller: &Caller, parts: &Parts) -> Decision {
        let left = match self.left.decide(caller, parts).await {
            allowed @ Decision::Allow(_) => return allowed,
            Decision::Deny(denial) => denial,
        };
        match self.right.decide(caller, parts).await {
            // "Bring another credential" helps least: whoever has the right kind hears what it lacks.
            Decision::Deny(right) if left == Denial::Unauthenticated => Decision::Deny(right),
            Decision::Deny(_) => Decision::Deny(left),
            allowed @ Decision::Allow(_) => allowed,
        }
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        [self.left.terms(), self.right.terms()].concat()
    }
}

/// The same callers on other terms; made by [`Policy::on`].
#[derive(Clone, Debug)]
pub struct OnTerms<P> {
    policy: P,
    terms: Arc<Terms>,
}

impl<P> OnTerms<P> {
    pub(super) fn new(policy: P, terms: Arc<Terms>) -> Self {
        Self { policy, terms }
    }
}

#[async_trait]
impl<P: Policy> Policy for OnTerms<P> {
    async fn decide(&self, caller: &Caller, parts: &Parts) -> Decision {
        match self.policy.decide(caller, parts).await {
            Decision::Allow(_) => Decision::Allow(self.terms.clone()),
            denied @ Decision::Deny(_) => denied,
        }
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        vec![self.terms.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{terms, verdict};
    use crate::{Credential, policy};

    fn yes(name: &str) -> impl Policy + use<> {
        policy::open().on(terms(name))
    }

    fn no(denial: Denial) -> impl Policy {
        move |_: &Caller, _: &Parts| Decision::Deny(denial.clone())
    }

    fn forbidden() -> Denial {
        Denial::Forbidden("closed".into())
    }

    fn scope() -> Denial {
        Denial::InsufficientScope("client:register".into())
    }

    #[tokio::test]
    async fn and_takes_two_and_keeps_the_terms_of_the_left() {
        let anybody = Caller::anonymous();
        assert_eq!(verdict(&yes("left").and(yes("right")), &anybody).await, Ok("left".into()));
        assert_eq!(verdict(&yes("left").and(no(forbidden())), &anybody).await, Err(forbidden()));
        assert_eq!(verdict(&no(scope()).and(yes("right")), &anybody).await, Err(scope()));
        assert_eq!(verdict(&no(scope()).and(no(forbidden())), &anybody).await, Err(scope()));
    }

    #[tokio::test]
    async fn or_takes_the_first_that_allows() {
        let anybody = Caller::anonymous();
        assert_eq!(verdict(&yes("left").or(yes("right")), &anybody).await, Ok("left".into()));
        assert_eq!(verdict(&no(forbidden()).or(yes("right")), &anybody).await, Ok("right".into()));
    }

    #[tokio::test]
    async fn or_keeps_the_denial_that_helps_more() {
        use Denial::Unauthenticated;
        let anybody = Caller::anonymous();
        let table = [
            (Unauthenticated, Unauthenticated, Unauthenticated),
            (Unauthenticated, scope(), scope()),
            (Unauthenticated, forbidden(), forbidden()),
            (scope(), Unauthenticated, scope()),
            (forbidden(), Unauthenticated, forbidden()),
            (scope(), forbidden(), scope()),
            (forbidden(), scope(), forbidden()),
        ];
        for (left, right, expected) in table {
            let policy = no(left.clone()).or(no(right.clone()));
            assert_eq!(verdict(&policy, &anybody).await, Err(expected), "{left:?} or {right:?}");
        }
    }

    #[tokio::test]
    async fn a_caller_of_either_kind_hears_of_its_own_kind() {
        let policy = policy::scope("client:register").or(policy::initial_access_token());
        assert_eq!(verdict(&policy, &Caller::new(Credential::BearerJwt)).await, Err(scope()));
        let gone = Caller { policy: Some("gone".into()), ..Caller::new(Credential::InitialAccessToken) };
        assert!(matches!(verdict(&policy, &gone).await, Err(Denial::Forbidden(_))));
        assert_eq!(verdict(&policy, &Caller::anonymous()).await, Err(Denial::Unauthenticated));
    }

    #[tokio::test]
    async fn terms_are_given_only_to_whom_the_policy_allows() {
        let anybody = Caller::anonymous();
        assert_eq!(verdict(&no(scope()).on(Terms::unrestricted()), &anybody).await, Err(scope()));
        let either = policy::scope("a").on(terms("a")).or(yes("b"));
        assert_eq!(verdict(&either, &anybody).await, Ok("b".into()));
    }
}
