//! What a token says, for whom it concerns. RFC 7662, RFC 9701.

use axum::body::Body;
use axum::response::Response;
use enroll_endpoint::{json as answer, never_kept};
use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{AuthMethod, RefreshToken};
use enroll_store::Client;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::parameters::Parameters;
use crate::tokens::id_token::supported;
use crate::{ProtocolError, Provider};

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
        let token = form.get("token").ok_or_else(|| ProtocolError::invalid_request("token: is required"))?;
        let told = self.told_of(client, token).await?;
        let wants_signed = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| range.split(';').next().is_some_and(|range| range.trim() == SIGNED));
        match wants_signed {
            true => self.told_signed(client, &told).await,
            false => Ok(answer(StatusCode::OK, &told)),
        }
    }

    async fn told_of(&self, client: &Client, token: &str) -> Result<Value, ProtocolError> {
        if let Some(claims) = self.claims_of(token).await? {
            if claims.client_id != client.id {
                return Ok(inactive());
            }
            let mut told = serde_json::to_value(&claims).map_err(ProtocolError::internal)?;
            told["active"] = true.into();
            told["token_type"] = "Bearer".into();
            return Ok(told);
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
        let family = record.belongs_to.family.unwrap_or_default();
        let Some(grant) = self.user_grant(&family).await? else { return Ok(inactive()) };
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
    async fn told_signed(&self, client: &Client, told: &Value) -> Result<Response, ProtocolError> {
        let registered = supported(client.metadata.introspection_signed_response_alg.as_ref());
        let claims = json!({
            "iss": self.issuer,
            "aud": client.id.as_str(),
            "iat": self.clock.now(),
            "token_introspection": told,
        });
        let algorithm = registered.unwrap_or(SigningAlgorithm::Rs256);
        let token = self.signed(algorithm, "token-introspection+jwt", &claims).await?;
        let mut response = Response::new(Body::from(token));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SIGNED));
        never_kept(headers);
        Ok(response)
    }
}

fn inactive() -> Value {
    json!({ "active": false })
}
