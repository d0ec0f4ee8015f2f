//! Is that enough: policies, the ones that everybody needs, and how they combine.
//!
//! ```
//! use enroll_access::{Caller, Decision, Gate, Policy, Terms, policy};
//! use http::request::Parts;
//!
//! fn on_weekdays(caller: &Caller, _: &Parts) -> Decision {
//!     # let it_is_sunday = || false;
//!     if it_is_sunday() { Decision::forbid("registration is closed on Sundays") } else { Decision::allow() }
//! }
//!
//! let staff = policy::scope("client:register").and(policy::claim("tenant", "internal")).on(Terms::unrestricted());
//! let gate = Gate::require(staff.or(policy::initial_access_token()).and(on_weekdays));
//! ```

mod claim;
mod combine;
mod initial_access_token;
mod scope;

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;

use crate::{Caller, Credential, Terms};

pub use claim::{RequireClaim, claim};
pub use combine::{And, OnTerms, Or};
pub use initial_access_token::{RequireInitialAccessToken, initial_access_token};
pub use scope::{RequireScope, scope};

/// What a policy says.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Come in, on these terms.
    Allow(Arc<Terms>),
    /// Stay out.
    Deny(Denial),
}

impl Decision {
    /// Come in, on the terms of everybody.
    pub fn allow() -> Self {
        Self::Allow(Arc::default())
    }

    /// Stay out, and this is why; the text is for the caller.
    pub fn forbid(why: impl Into<String>) -> Self {
        Self::Deny(Denial::Forbidden(why.into()))
    }
}

/// What a caller lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A credential, or one of another kind.
    Unauthenticated,
    /// These scopes, in the form of RFC 6749 §3.3.
    InsufficientScope(String),
    /// Nothing that it could get by itself. The text is for the caller.
    Forbidden(String),
    /// Nothing that anybody could get: no credential helps. The text is for the caller.
    Closed(String),
}

/// Decides who comes in, and on what terms.
///
/// To write one: a function or closure `Fn(&Caller, &Parts) -> Decision`, or this trait where it has to wait for
/// something.
///
/// Trust the [`Caller`] alone: it is verified, and the headers of a request are whatever somebody typed. The parts are
/// there for what the server itself knows: method, path, and what your own middleware put into the extensions, such as
/// the address of the peer. What needs the body is a step of the pipeline.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    label = "neither a `Policy` nor a function `Fn(&Caller, &Parts) -> Decision`",
    note = "give both parameters of a closure their types: `|caller: &Caller, parts: &Parts| Decision::allow()`"
)]
pub trait Policy: Send + Sync + 'static {
    /// Whether this caller comes in.
    async fn decide(&self, caller: &Caller, parts: &Parts) -> Decision;

    /// The terms that it can grant. A client that changes its registration is held to the present ones of the name that
    /// it registered under; where no policy tells of any, it cannot change it. Functions grant [`Terms::default`].
    fn terms(&self) -> Vec<Arc<Terms>> {
        Vec::new()
    }

    /// Both must allow; the terms are those of this one.
    fn and<P: Policy>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And::new(self, other)
    }

    /// The first that allows decides; when neither does, the denial that helps the caller more.
    fn or<P: Policy>(self, other: P) -> Or<Self, P>
    where
        Self: Sized,
    {
        Or::new(self, other)
    }

    /// The same callers, on these terms.
    fn on(self, terms: impl Into<Arc<Terms>>) -> OnTerms<Self>
    where
        Self: Sized,
    {
        OnTerms::new(self, terms.into())
    }
}

#[async_trait]
impl<F> Policy for F
where
    F: Fn(&Caller, &Parts) -> Decision + Send + Sync + 'static,
{
    async fn decide(&self, caller: &Caller, parts: &Parts) -> Decision {
        self(caller, parts)
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        vec![Terms::shared_default()]
    }
}

/// So that a policy can be chosen at run time.
#[async_trait]
impl Policy for Arc<dyn Policy> {
    async fn decide(&self, caller: &Caller, parts: &Parts) -> Decision {
        (**self).decide(caller, parts).await
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        (**self).terms()
    }
}

/// Anybody may come in, with or without a credential. RFC 7591 §3 calls it open registration.
pub fn open() -> Open {
    Open(Arc::default())
}

/// The policy of [`open`].
#[derive(Clone, Debug)]
pub struct Open(Arc<Terms>);

#[async_trait]
impl Policy for Open {
    async fn decide(&self, _: &Caller, _: &Parts) -> Decision {
        Decision::Allow(self.0.clone())
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        vec![self.0.clone()]
    }
}

/// Whether the credential is none that could ever carry scopes or claims, so that only another one would help.
fn needs_another_credential(caller: &Caller) -> bool {
    matches!(caller.credential, Credential::Anonymous | Credential::InitialAccessToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that no policy here looks at.
    pub(super) fn parts() -> Parts {
        http::Request::post("/connect/dcr").body(()).unwrap().into_parts().0
    }

    /// The name of the terms, or the denial.
    pub(super) async fn verdict(policy: &impl Policy, caller: &Caller) -> Result<String, Denial> {
        match policy.decide(caller, &parts()).await {
            Decision::Allow(terms) => Ok(terms.name.clone()),
            Decision::Deny(denial) => Err(denial),
        }
    }

    pub(super) fn terms(name: &str) -> Terms {
        Terms { name: name.to_owned(), ..Terms::default() }
    }

    #[tokio::test]
    async fn an_open_policy_lets_anybody_in_on_the_default_terms() {
        assert_eq!(verdict(&open(), &Caller::anonymous()).await, Ok("default".into()));
    }

    #[tokio::test]
    async fn a_closure_and_a_function_are_policies() {
        fn closed(_: &Caller, _: &Parts) -> Decision {
            Decision::forbid("closed")
        }
        let only_ada = |caller: &Caller, _: &Parts| match caller.subject.as_deref() {
            Some("ada") => Decision::allow(),
            _ => Decision::forbid("you are not Ada"),
        };
        let ada = Caller { subject: Some("ada".into()), ..Caller::new(Credential::BearerJwt) };
        assert_eq!(verdict(&only_ada, &ada).await, Ok("default".into()));
        assert_eq!(verdict(&closed, &ada).await, Err(Denial::Forbidden("closed".into())));
    }

    /// A header is whatever somebody typed (`policy_by_header`).
    #[tokio::test]
    async fn no_header_changes_what_a_policy_says() {
        let mut forged = parts();
        for name in ["scope", "x-scope", "tenant", "x-forwarded-user", "x-client-cert"] {
            forged.headers.insert(name, http::HeaderValue::from_static("client:register"));
        }
        let policy =
            scope("client:register").or(claim("tenant", "client:register")).or(initial_access_token());
        let caller = Caller::new(Credential::BearerJwt);
        assert!(matches!(policy.decide(&caller, &forged).await, Decision::Deny(_)));
    }
}
