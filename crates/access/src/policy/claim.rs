//! A claim of the caller's token as the key. RFC 7519 §4.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;
use serde_json::Value;

use super::{Decision, Denial, Policy, needs_another_credential};
use crate::{Caller, Terms};

/// The claim of this name must be this value, or a list that holds it.
pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> RequireClaim {
    RequireClaim { name: name.into(), value: value.into(), terms: Arc::default() }
}

/// The policy of [`claim`].
#[derive(Clone, Debug)]
pub struct RequireClaim {
    name: String,
    value: Value,
    terms: Arc<Terms>,
}

impl RequireClaim {
    fn is_met_by(&self, caller: &Caller) -> bool {
        let own = caller.claims.get(&self.name);
        own == Some(&self.value)
            || own.and_then(Value::as_array).is_some_and(|values| values.contains(&self.value))
    }
}

#[async_trait]
impl Policy for RequireClaim {
    async fn decide(&self, caller: &Caller, _: &Parts) -> Decision {
        if self.is_met_by(caller) {
            Decision::Allow(self.terms.clone())
        } else if needs_another_credential(caller) {
            Decision::Deny(Denial::Unauthenticated)
        } else {
            // The value stays unsaid: it may be the name of somebody else.
            Decision::forbid(format!("the claim `{}` of the token does not allow this", self.name))
        }
    }

    fn terms(&self) -> Vec<Arc<Terms>> {
        vec![self.terms.clone()]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Credential;
    use crate::policy::tests::verdict;

    fn with(claims: &Value) -> Caller {
        let claims = claims.as_object().unwrap().clone();
        Caller { claims, ..Caller::new(Credential::BearerJwt) }
    }

    #[tokio::test]
    async fn a_claim_is_met_by_its_value_or_a_list_that_holds_it() {
        let policy = claim("tenant", "a");
        for claims in [json!({ "tenant": "a" }), json!({ "tenant": ["b", "a"] })] {
            assert_eq!(verdict(&policy, &with(&claims)).await, Ok("default".into()), "{claims}");
        }
        assert_eq!(
            verdict(&claim("admin", true), &with(&json!({ "admin": true }))).await,
            Ok("default".into())
        );
    }

    #[tokio::test]
    async fn anything_else_is_forbidden_without_saying_what_would_do() {
        let policy = claim("tenant", "a");
        let others = [
            json!({}),
            json!({ "tenant": "ab" }),
            json!({ "tenant": [] }),
            json!({ "tenant": [["a"]] }),
            json!({ "tenant": { "a": "a" } }),
            json!({ "Tenant": "a" }),
            json!({ "tenant": null }),
        ];
        for claims in others {
            let denial = Denial::Forbidden("the claim `tenant` of the token does not allow this".into());
            assert_eq!(verdict(&policy, &with(&claims)).await, Err(denial), "{claims}");
        }
        assert!(verdict(&claim("admin", true), &with(&json!({ "admin": "true" }))).await.is_err());
    }

    #[tokio::test]
    async fn a_caller_without_any_claims_to_have_needs_another_credential() {
        for caller in [Caller::anonymous(), Caller::new(Credential::InitialAccessToken)] {
            assert_eq!(verdict(&claim("tenant", "a"), &caller).await, Err(Denial::Unauthenticated));
        }
    }
}
