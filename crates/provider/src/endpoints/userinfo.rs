//! What a client may know of a user. OpenID Connect Core 1.0 §5.3.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use enroll_access::{AccessError, bearer_token};
use enroll_endpoint::{error_response, json, never_kept};
use enroll_oauth_types::{ErrorCode, Scope};
use enroll_store::Client;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};

use crate::parameters::Parameters;
use crate::tokens::access_token::Claims;
use crate::tokens::claims;
use crate::tokens::encryption::{Said, encrypted};
use crate::tokens::signing::supported;
use crate::{ProtocolError, Provider};

/// Why there is no answer. RFC 6750 §3.1.
enum Denied {
    /// No token, or one that does not open this.
    Access(StatusCode, Option<ErrorCode>, &'static str),
    Protocol(ProtocolError),
}

impl Provider {
    pub(crate) async fn userinfo(&self, request: Request) -> Response {
        let answer = Box::pin(self.known_of_user(request)).await;
        answer.unwrap_or_else(Denied::into_response)
    }

    async fn known_of_user(&self, request: Request) -> Result<Response, Denied> {
        let token = self.presented_token(request).await?;
        let invalid = || {
            Denied::Access(
                StatusCode::UNAUTHORIZED,
                Some(ErrorCode::InvalidToken),
                "the access token is unknown, over, or was given back",
            )
        };
        let told = self.claims_of(&token).await.map_err(ProtocolError::from)?.ok_or_else(invalid)?;
        let family = told.family().ok_or_else(no_openid)?;
        if !Scope::from(told.scope.as_str()).contains("openid") {
            return Err(no_openid());
        }
        let grant = self.user_grant(family).await.map_err(ProtocolError::from)?.ok_or_else(invalid)?;
        let user = self.users.of_subject(&grant.subject).await.map_err(ProtocolError::from)?;
        let user = user.filter(|user| user.enabled).ok_or_else(invalid)?;
        let client = self.clients.client(&told.client_id).await.map_err(ProtocolError::from)?;
        let client = client.ok_or_else(invalid)?;
        // As far as the client is still registered for it.
        let registered = grant.scope(&client);
        let of_token = Scope::from(told.scope.as_str());
        let scope = of_token.values().filter(|value| registered.contains(value)).collect();
        let mut known = claims::of_scope(&user, &scope, &self.catalog);
        claims::add(&mut known, &user, self.single_claims(&client, &grant.facts.claims.userinfo));
        known.insert("sub".to_owned(), Value::from(told.sub.as_str()));
        self.shown(&client, &told, known).await
    }

    /// Plain, or signed and encrypted where the client registered so. §5.3.2.
    async fn shown(
        &self,
        client: &Client,
        told: &Claims,
        mut known: Map<String, Value>,
    ) -> Result<Response, Denied> {
        let algorithm = supported(client.metadata.userinfo_signed_response_alg.as_ref());
        let recipient = self.recipient(client, Said::UserInfo).await?;
        let token = match (algorithm, recipient) {
            (None, None) => return Ok(json(StatusCode::OK, &known)),
            (None, Some(recipient)) => recipient.encrypt_claims(&known).map_err(ProtocolError::internal)?,
            (Some(algorithm), recipient) => {
                known.insert("iss".to_owned(), Value::from(self.issuer.as_str()));
                known.insert("aud".to_owned(), Value::from(told.client_id.as_str()));
                encrypted(recipient.as_ref(), self.signed(algorithm, "JWT", &known).await?)?
            }
        };
        let mut response = Response::new(Body::from(token));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
        never_kept(headers);
        Ok(response)
    }

    /// In the header, or in the body of a POST; in one place. RFC 6750 §2.
    async fn presented_token(&self, request: Request) -> Result<String, Denied> {
        let (parts, body) = request.into_parts();
        let in_header = bearer_token(&parts).map_err(Denied::from)?.map(str::to_owned);
        let is_form = parts.method == Method::POST && parts.headers.contains_key(header::CONTENT_TYPE);
        let form = match is_form {
            true => self.form(&parts.headers, body).await?.each_once()?,
            false => Parameters::default(),
        };
        match (in_header, form.get("access_token")) {
            (Some(_), Some(_)) => {
                Err(ProtocolError::invalid_request("access_token: must be sent in one place").into())
            }
            (Some(token), None) => Ok(token),
            (None, Some(token)) => Ok(token.to_owned()),
            (None, None) => {
                Err(Denied::Access(StatusCode::UNAUTHORIZED, None, "an access token is required"))
            }
        }
    }
}

fn no_openid() -> Denied {
    let problem = "the access token does not have the scope openid";
    Denied::Access(StatusCode::FORBIDDEN, Some(ErrorCode::InsufficientScope), problem)
}

impl Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Protocol(error) => {
                let is_of_request = matches!(error, ProtocolError::Refused(ErrorCode::InvalidRequest, _));
                let response = error.into_response();
                match is_of_request {
                    true => challenged(response, Some(&ErrorCode::InvalidRequest)),
                    false => response,
                }
            }
            Self::Access(status, code, problem) => {
                tracing::info!("showed nothing of a user: {problem}");
                let told = code.clone().unwrap_or(ErrorCode::InvalidToken);
                challenged(error_response(status, told, problem), code.as_ref())
            }
        }
    }
}

/// RFC 6750 §3.1: without a token, no error.
fn challenged(mut response: Response, code: Option<&ErrorCode>) -> Response {
    let challenge = match code {
        None => "Bearer realm=\"enroll\"".to_owned(),
        Some(ErrorCode::InsufficientScope) => {
            "Bearer realm=\"enroll\", error=\"insufficient_scope\", scope=\"openid\"".to_owned()
        }
        Some(code) => format!("Bearer realm=\"enroll\", error=\"{code}\""),
    };
    let challenge = HeaderValue::from_str(&challenge).expect("made of printable ASCII");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

impl From<ProtocolError> for Denied {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<AccessError> for Denied {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Missing => {
                Self::Access(StatusCode::UNAUTHORIZED, None, "an access token is required")
            }
            error => Self::Protocol(ProtocolError::invalid_request(error.to_string())),
        }
    }
}
