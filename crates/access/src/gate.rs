//! The gate: authenticators say who is calling, the policy says whether that is enough. RFC 7591 §3.

use std::sync::Arc;

use enroll_store::{Client, RegisteredBy};
use http::HeaderValue;
use http::request::Parts;

use crate::authenticate::bearer_token;
use crate::challenge::parameter;
use crate::{AccessError, Authenticate, Caller, Credential, Decision, Denial, Policy, Terms};

/// Who may come in.
///
/// There is no default: whoever wants an open endpoint says [`policy::open`](crate::policy::open) in so many words.
///
/// ```
/// use std::sync::Arc;
///
/// use enroll_access::{Gate, InitialAccessTokens, NewInitialAccessToken, Policy, issue, policy};
/// use enroll_oauth_types::{Clock, SystemClock, SystemRandom};
/// use enroll_store::{MemoryStore, TokenStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Arc::new(MemoryStore::default());
/// let gate = Gate::require(policy::scope("client:register").or(policy::initial_access_token()))
///     .authenticate(InitialAccessTokens::in_store(store.clone(), Arc::new(SystemClock)));
///
/// let (secret, token) = issue(NewInitialAccessToken::default(), SystemClock.now(), &SystemRandom)?;
/// store.put(&token).await?;
///
/// let request = http::Request::post("/connect/dcr").header("Authorization", format!("Bearer {}", secret.expose()));
/// let (parts, ()) = request.body(())?.into_parts();
/// let caller = gate.admit(&parts).await?;
/// assert_eq!(caller.pays_with, Some(token.id));
/// # Ok(())
/// # }
/// ```
pub struct Gate {
    authenticators: Vec<Box<dyn Authenticate>>,
    policy: Box<dyn Policy>,
    realm: String,
    resource_metadata: Option<String>,
}

impl Gate {
    /// A gate that lets in whom the policy allows.
    pub fn require(policy: impl Policy) -> Self {
        Self {
            authenticators: Vec::new(),
            policy: Box::new(policy),
            realm: "enroll".to_owned(),
            resource_metadata: None,
        }
    }

    /// Knows one more kind of credential. The authenticators are asked in the order in which they were added.
    #[must_use]
    pub fn authenticate(mut self, authenticator: impl Authenticate) -> Self {
        self.authenticators.push(Box::new(authenticator));
        self
    }

    /// The `realm` of [challenges](Gate::challenge). By default `enroll`. RFC 9110 §11.5.
    #[must_use]
    pub fn realm(self, realm: impl Into<String>) -> Self {
        Self { realm: realm.into(), ..self }
    }

    /// Where a client reads who issues tokens for what is behind this gate, told in [challenges](Gate::challenge).
    /// RFC 9728 §5.1.
    #[must_use]
    pub fn resource_metadata(self, url: impl Into<String>) -> Self {
        Self { resource_metadata: Some(url.into()), ..self }
    }

    /// The caller on the terms that the policy grants, or why it is turned away.
    pub async fn admit(&self, parts: &Parts) -> Result<Caller, AccessError> {
        let caller = self.identify(parts).await?;
        match self.policy.decide(&caller, parts).await {
            Decision::Allow(terms) => Ok(caller.on(terms)),
            Decision::Deny(denial) => Err(turn_away(&caller, denial)),
        }
    }

    /// What a client may change in its registration: the present terms of the name that it registered under. `None` when
    /// the policy grants none of this name any more. A client of the operator is not the operator: it has the terms of
    /// whoever has no others, and never more than it was given.
    pub fn terms_of(&self, client: &Client) -> Option<Arc<Terms>> {
        let named = |name: &str| self.policy.terms().into_iter().find(|terms| terms.name == name);
        let RegisteredBy { kind, policy, .. } = &client.registered_by;
        if kind != Credential::Operator.as_str() {
            return named(policy.as_str());
        }
        let usual = named("default").unwrap_or_else(Terms::shared_default);
        let usual = Terms { name: policy.clone(), ..Terms::clone(&usual) };
        Some(Arc::new(usual.within(&client.metadata)))
    }

    /// All terms that the policy can grant.
    pub fn terms(&self) -> Vec<Arc<Terms>> {
        self.policy.terms()
    }

    /// The header `WWW-Authenticate` for this error, with the realm of this gate and where its metadata are. RFC 6750 §3.
    pub fn challenge(&self, error: &AccessError) -> Option<HeaderValue> {
        let challenge = error.www_authenticate(&self.realm)?;
        let Some(url) = &self.resource_metadata else { return Some(challenge) };
        let with_parameter = [challenge.as_bytes(), parameter("resource_metadata", url).as_bytes()].concat();
        HeaderValue::try_from(with_parameter).ok()
    }

    async fn identify(&self, parts: &Parts) -> Result<Caller, AccessError> {
        // Read first: a request with two credentials is refused, whichever of them an authenticator would have taken.
        let bearer = bearer_token(parts)?;
        for authenticator in &self.authenticators {
            if let Some(caller) = authenticator.authenticate(parts).await? {
                return Ok(caller);
            }
        }
        match bearer {
            Some(_) => Err(AccessError::InvalidToken("the token is of no kind that is known here")),
            None => Ok(Caller::anonymous()),
        }
    }
}

fn turn_away(caller: &Caller, denial: Denial) -> AccessError {
    match (denial, &caller.credential) {
        (Denial::Closed(why), _) => AccessError::Denied(why),
        // Whatever it is that somebody unknown lacks, a credential comes first.
        (_, Credential::Anonymous) => AccessError::Missing,
        (Denial::Unauthenticated, _) => AccessError::InvalidToken("a credential of another kind is required"),
        (Denial::InsufficientScope(scope), _) => AccessError::InsufficientScope(scope),
        (Denial::Forbidden(why), _) => AccessError::Denied(why),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use http::Request;
    use serde_json::json;

    use super::*;
    use crate::{Terms, policy};

    /// Knows the bearer token that is its own name.
    struct Knows(&'static str);

    #[async_trait]
    impl Authenticate for Knows {
        async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError> {
            match bearer_token(parts)? {
                Some("broken") => Err(AccessError::Internal("no disk".into())),
                Some(token) if token == self.0 => Ok(Some(Caller::new(Credential::Other(self.0)))),
                _ => Ok(None),
            }
        }
    }

    fn parts(authorization: &str) -> Parts {
        let mut request = Request::post("/connect/dcr");
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn denying(denial: Denial) -> Gate {
        Gate::require(move |_: &Caller, _: &Parts| Decision::Deny(denial.clone())).authenticate(Knows("one"))
    }

    #[tokio::test]
    async fn authenticators_are_asked_in_order_until_one_knows_the_credential() {
        let gate = Gate::require(policy::open()).authenticate(Knows("one")).authenticate(Knows("two"));
        for name in ["one", "two"] {
            let caller = gate.admit(&parts(&format!("Bearer {name}"))).await.unwrap();
            assert_eq!(caller.credential.as_str(), name);
        }
    }

    #[tokio::test]
    async fn no_credential_and_another_scheme_are_anonymous() {
        let gate = Gate::require(policy::open()).authenticate(Knows("one"));
        for authorization in ["", "Basic YTpi", "DPoP abc"] {
            assert_eq!(gate.admit(&parts(authorization)).await.unwrap().credential, Credential::Anonymous);
        }
    }

    /// RFC 6750 §3.1
    #[tokio::test]
    async fn a_token_that_nobody_knows_is_invalid_even_where_anybody_may_come_in() {
        let gate = Gate::require(policy::open()).authenticate(Knows("one"));
        assert!(matches!(gate.admit(&parts("Bearer three")).await, Err(AccessError::InvalidToken(_))));
        let without_authenticators = Gate::require(policy::open());
        assert!(matches!(
            without_authenticators.admit(&parts("Bearer one")).await,
            Err(AccessError::InvalidToken(_))
        ));
    }

    #[tokio::test]
    async fn a_malformed_or_unverifiable_credential_never_reaches_the_policy() {
        let gate = Gate::require(policy::open()).authenticate(Knows("one"));
        assert!(matches!(gate.admit(&parts("Bearer")).await, Err(AccessError::Malformed(_))));
        assert!(matches!(gate.admit(&parts("Bearer broken")).await, Err(AccessError::Internal(_))));
    }

    #[tokio::test]
    async fn the_caller_gets_the_terms_of_the_policy() {
        let gate = Gate::require(policy::open().on(Terms::unrestricted()));
        assert_eq!(*gate.admit(&parts("")).await.unwrap().terms, Terms::unrestricted());
    }

    /// RFC 6750 §3.1
    #[tokio::test]
    async fn somebody_unknown_is_asked_for_a_credential_whatever_the_policy_says() {
        let denials = [
            Denial::Unauthenticated,
            Denial::InsufficientScope("a".into()),
            Denial::Forbidden("closed".into()),
        ];
        for denial in denials {
            assert!(matches!(denying(denial).admit(&parts("")).await, Err(AccessError::Missing)));
        }
    }

    #[tokio::test]
    async fn a_known_caller_hears_what_it_lacks() {
        let known = parts("Bearer one");
        let error = denying(Denial::Unauthenticated).admit(&known).await.unwrap_err();
        assert!(matches!(error, AccessError::InvalidToken(_)), "{error:?}");
        let error = denying(Denial::InsufficientScope("a".into())).admit(&known).await.unwrap_err();
        assert!(matches!(&error, AccessError::InsufficientScope(scope) if scope == "a"), "{error:?}");
        let error = denying(Denial::Forbidden("closed".into())).admit(&known).await.unwrap_err();
        assert!(matches!(&error, AccessError::Denied(why) if why == "closed"), "{error:?}");
    }

    #[tokio::test]
    async fn challenges_carry_the_realm_and_shared_policies_are_policies() {
        let shared: Arc<dyn Policy> = Arc::new(policy::open());
        let gate = Gate::require(shared).realm("registration");
        assert!(gate.admit(&parts("")).await.is_ok());
        assert_eq!(gate.challenge(&AccessError::Missing).unwrap(), "Bearer realm=\"registration\"");
    }

    /// RFC 9728 §5.1
    #[test]
    fn challenges_say_where_the_metadata_of_the_resource_are() {
        let gate = Gate::require(policy::open()).resource_metadata("https://mcp.example/\"x");
        assert_eq!(
            gate.challenge(&AccessError::Missing).unwrap(),
            "Bearer realm=\"enroll\", resource_metadata=\"https://mcp.example/'x\""
        );
        let challenge = gate.challenge(&AccessError::InsufficientScope("mcp:tools".into())).unwrap();
        let challenge = challenge.to_str().unwrap();
        assert!(
            challenge.ends_with(", scope=\"mcp:tools\", resource_metadata=\"https://mcp.example/'x\""),
            "{challenge}"
        );
        assert_eq!(gate.challenge(&AccessError::Denied("closed".into())), None);
    }

    #[test]
    fn a_client_is_held_to_the_terms_of_its_name_wherever_they_stand_in_the_policy() {
        let named = |name: &str| Terms { name: name.to_owned(), ..Terms::default() };
        let staff = policy::scope("register").on(named("staff")).and(policy::open());
        let gate = Gate::require(staff.or(policy::initial_access_token().unnamed(named("partners"))));
        let found = |kind: &str, name: &str| {
            let document = json!({
                "client_id": "app", "issued_at": 1, "updated_at": 1, "enabled": true, "metadata": {}, "secrets": [],
                "registered_by": { "kind": kind, "policy": name },
            });
            gate.terms_of(&Client::from_document(&document.to_string(), 1).unwrap())
        };
        for name in ["staff", "partners"] {
            assert_eq!(found("bearer_jwt", name).unwrap().name, name);
        }
        // The operator's clients are not the operator, whatever the policy.
        for name in ["unrestricted", "staff", "gone"] {
            let terms = found("operator", name).unwrap();
            assert_eq!((terms.name.as_str(), &terms.privileges), (name, &crate::Privileges::None));
            assert_eq!(terms.allowed_scopes, Some(Vec::new()));
        }
        for (kind, name) in [("anonymous", "unrestricted"), ("anonymous", "default")] {
            assert_eq!(found(kind, name), None, "{kind} {name}");
        }
    }
}
