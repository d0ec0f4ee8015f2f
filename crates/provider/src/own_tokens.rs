//! The access tokens of this server let their holders register clients. RFC 7591 §3, RFC 9068 §4.

use async_trait::async_trait;
use enroll_access::{AccessError, Authenticate, Caller, Credential, bearer_token};
use enroll_oauth_types::Scope;
use http::request::Parts;

use crate::Provider;

/// Knows the access tokens of a provider that are meant for one audience, signed ones and others.
pub struct OwnTokens {
    provider: Provider,
    audience: String,
}

impl OwnTokens {
    /// Those of this provider whose `aud` is or contains this.
    pub fn of(provider: Provider, audience: impl Into<String>) -> Self {
        Self { provider, audience: audience.into() }
    }
}

#[async_trait]
impl Authenticate for OwnTokens {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Caller>, AccessError> {
        let Some(token) = bearer_token(parts)? else { return Ok(None) };
        let claims =
            self.provider.claims_of(token).await.map_err(|error| AccessError::Internal(error.into()))?;
        // What is not known here may be another's.
        let Some(claims) = claims else { return Ok(None) };
        if !claims.aud.contains(&self.audience) {
            return Err(AccessError::InvalidToken("the token is meant for another audience"));
        }
        let mut caller = Caller::new(Credential::BearerJwt);
        caller.subject = Some(claims.sub.clone());
        caller.issuer = Some(claims.iss.clone());
        caller.scopes = Scope::from(claims.scope.as_str()).values().map(str::to_owned).collect();
        if let Ok(serde_json::Value::Object(claims)) = serde_json::to_value(&claims) {
            caller.claims = claims;
        }
        Ok(Some(caller))
    }
}
