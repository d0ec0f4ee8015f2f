//! What a token says, for whom it concerns. RFC 7662, RFC 9701.

use axum::body::Body;
use axum::response::Response;
use enroll_endpoint::{json as answer, never_kept};
use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{AuthMethod, RefreshToken, Scope};
use enroll_store::Client;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::grants::is_superseded;
use crate::parameters::Parameters;
use crate::tokens::access_token::{Audience, Claims};
use crate::tokens::encryption::{Said, encrypted};
use crate::tokens::signing::supported;
use crate::{ProtocolError, Provider, Resource};

/// The media type of a signed answer, and, after `application/`, of its header. RFC 9701 §4, §5.
const SIGNED: &str = "application/token-introspection+jwt";

impl Provider {
    /// A client sees its own tokens. Whatever else is asked about is not active, and nothing more is told. RFC 7662 §2.2.
    pub(crate) async fn introspect(
        &self,
        client: &Client,
        form: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Response, ProtocolError> {
        if client.metadata.token_endpoint_auth_method == Some(AuthMethod::None) {
            return Err(ProtocolError::not_proven(false));
        }
        let told = self.told_of(client, token(form)?).await?;
        self.tell(client.id.as_str(), Some(client), &told, headers).await
    }

    /// A resource sees the tokens that are meant for it, and of those what is its own. RFC 7662 §2.2, §4.
    pub(crate) async fn introspect_for(
        &self,
        resource: &Resource,
        form: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Response, ProtocolError> {
        let claims = self.claims_of(token(form)?).await?;
        let told = match claims.filter(|claims| claims.aud.contains(&resource.identifier)) {
            Some(claims) => active(&of_resource(claims, resource))?,
            None => inactive(),
        };
        self.tell(&resource.identifier, None, &told, headers).await
    }

    async fn tell(
        &self,
        audience: &str,
        client: Option<&Client>,
        told: &Value,
        headers: &HeaderMap,
    ) -> Result<Response, ProtocolError> {
        let wants_signed = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| range.split(';').next().is_some_and(|range| range.trim() == SIGNED));
        match wants_signed {
            true => self.told_signed(audience, client, told).await,
            false if client.is_some_and(|client| Said::Introspection.is_secret(&client.metadata)) => {
                Err(ProtocolError::invalid_request(format!(
                    "Accept: must be {SIGNED}, since the client is registered for encrypted answers"
                )))
            }
            false => Ok(answer(StatusCode::OK, told)),
        }
    }

    async fn told_of(&self, client: &Client, token: &str) -> Result<Value, ProtocolError> {
        if let Some(mut claims) = self.claims_of(token).await? {
            if claims.client_id != client.id {
                return Ok(inactive());
            }
            // They are for the resources. What a client may know of a user it asks for, and the user is asked.
            claims.of_user.clear();
            return active(&claims);
        }
        self.told_of_refresh_token(client, token).await
    }

    async fn told_of_refresh_token(&self, client: &Client, token: &str) -> Result<Value, ProtocolError> {
        let now = self.clock.now();
        let hash = RefreshToken::presented(token.to_owned()).hash();
        let record = self.records.record(enroll_store::RecordKind::RefreshToken, &hash).await?;
        let is_own = |own: &enroll_store::Record| own.belongs_to.client.as_ref() == Some(&client.id);
        let Some(record) = record.filter(|own| is_own(own) && !own.has_ended(now)) else {
            return Ok(inactive());
        };
        if is_superseded(&record)? {
            return Ok(inactive());
        }
        let family = record.belongs_to.family.unwrap_or_default();
        let Some(grant) = self.grant_of_present_user(&family).await? else { return Ok(inactive()) };
        Ok(json!({
            "active": true,
            "client_id": client.id.as_str(),
            "iss": self.issuer,
            "sub": self.subject_for(client, &grant.subject),
            "scope": grant.scope(client).as_str(),
            "iat": record.issued_at,
            "exp": record.expires_at,
        }))
    }

    /// RFC 9701 §5
    async fn told_signed(
        &self,
        audience: &str,
        client: Option<&Client>,
        told: &Value,
    ) -> Result<Response, ProtocolError> {
        let claims = json!({
            "iss": self.issuer,
            "aud": audience,
            "iat": self.clock.now(),
            "token_introspection": told,
        });
        let registered = client.and_then(|client| client.metadata.introspection_signed_response_alg.as_ref());
        let algorithm = supported(registered).unwrap_or(SigningAlgorithm::Rs256);
        let recipient = match client {
            Some(client) => self.recipient(client, Said::Introspection).await?,
            None => None,
        };
        let signed = self.signed(algorithm, "token-introspection+jwt", &claims).await?;
        let token = encrypted(recipient.as_ref(), signed)?;
        let mut response = Response::new(Body::from(token));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SIGNED));
        never_kept(headers);
        Ok(response)
    }
}

fn token(form: &Parameters) -> Result<&str, ProtocolError> {
    form.get("token").ok_or_else(|| ProtocolError::invalid_request("token: is required"))
}

fn active(claims: &Claims) -> Result<Value, ProtocolError> {
    let mut told = serde_json::to_value(claims).map_err(ProtocolError::internal)?;
    told["active"] = true.into();
    told["token_type"] = "Bearer".into();
    Ok(told)
}

fn inactive() -> Value {
    json!({ "active": false })
}

/// What a token says to one of those whom it is for. What it opens elsewhere is not this one's to know.
fn of_resource(mut claims: Claims, resource: &Resource) -> Claims {
    let scope = Scope::from(claims.scope.as_str());
    let own: Scope = scope.values().filter(|value| resource.scopes.iter().any(|own| own == value)).collect();
    own.as_str().clone_into(&mut claims.scope);
    claims.aud = Audience::One(resource.identifier.clone());
    claims.of_user.retain(|name, _| resource.claims.contains(name));
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7662 §4
    #[test]
    fn a_resource_is_told_what_is_its_own() {
        let claims: Claims = serde_json::from_value(json!({
            "iss": "https://id.example", "sub": "alice", "aud": ["https://one.example", "https://two.example"],
            "client_id": "app", "exp": 2, "iat": 1, "jti": "a.b", "scope": "openid api1 api2 api1:write",
            "email": "alice@example.com", "name": "Alice",
        }))
        .unwrap();
        let resource = Resource {
            identifier: "https://two.example".to_owned(),
            scopes: vec!["api1:write".to_owned(), "api2".to_owned(), "api3".to_owned()],
            claims: vec!["name".to_owned()],
            ..Resource::default()
        };
        let told = active(&of_resource(claims, &resource)).unwrap();
        assert_eq!(told["scope"], "api2 api1:write");
        assert_eq!(told["aud"], "https://two.example");
        assert_eq!((&told["name"], told.get("email")), (&json!("Alice"), None));
    }
}
