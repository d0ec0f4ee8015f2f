//! `response_type`: in which flow a client asks, with what each needs. OpenID Connect Core 1.0 §3.1, §3.2.
//!
//! There is no third one. A token that no ID token stands beside cannot be told from one that somebody put there (RFC 9700
//! §2.1.2), and who wants a code gets all the rest for it.

use enroll_oauth_types::{ErrorCode, GrantType, ResponseType};
use enroll_store::Client;

use crate::parameters::Parameters;
use crate::{ProtocolError, Provider};

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// `code`: one that is worth nothing without the verifier of this challenge. RFC 7636 §4.3.
    Code { challenge: String },
    /// `id_token`, or `id_token token` with an access token beside it.
    Implicit { access_token: bool },
}

impl Provider {
    /// The flow that this client asks for, if it is registered for it and sends what it needs.
    pub(super) fn flow(&self, client: &Client, parameters: &Parameters) -> Result<Flow, ProtocolError> {
        let asked = parameters.get("response_type");
        let asked = asked.ok_or_else(|| ProtocolError::invalid_request("response_type: is required"))?;
        let asked = ResponseType::from(asked);
        let is = |known: &str| asked == ResponseType::from(known);
        if is("code") {
            must_be_registered(client, &asked, &GrantType::AuthorizationCode)?;
            let challenge = code_challenge(parameters)?.to_owned();
            return Ok(Flow::Code { challenge });
        }
        let access_token = is("id_token token");
        if !self.legacy_implicit || !(access_token || is("id_token")) {
            let problem = match self.legacy_implicit {
                true => "response_type: must be code, id_token, or id_token token",
                false => "response_type: must be code",
            };
            return Err(ProtocolError::new(ErrorCode::UnsupportedResponseType, problem));
        }
        must_be_registered(client, &asked, &GrantType::Implicit)?;
        // OpenID Connect Core 1.0 §3.2.2.1
        if parameters.get("nonce").is_none() {
            let problem = "nonce: is required where an ID token comes by way of the browser";
            return Err(ProtocolError::invalid_request(problem));
        }
        Ok(Flow::Implicit { access_token })
    }
}

fn must_be_registered(client: &Client, asked: &ResponseType, grant: &GrantType) -> Result<(), ProtocolError> {
    let metadata = &client.metadata;
    let has_type = metadata.response_types.iter().flatten().any(|own| own == asked);
    let has_grant = metadata.grant_types.iter().flatten().any(|own| own == grant);
    if has_type && has_grant {
        return Ok(());
    }
    let problem = format!("response_type: the client is not registered for {asked}");
    Err(ProtocolError::new(ErrorCode::UnauthorizedClient, problem))
}

/// RFC 7636 §4.2, §4.3; RFC 9700 §2.1.1: for every client, and never `plain`.
fn code_challenge(parameters: &Parameters) -> Result<&str, ProtocolError> {
    let challenge = parameters.get("code_challenge");
    let challenge = challenge.ok_or_else(|| {
        ProtocolError::invalid_request("code_challenge: is required; see RFC 7636 for how to make one")
    })?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(ProtocolError::invalid_request("code_challenge_method: must be S256"));
    }
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&challenge.len()) || !challenge.bytes().all(is_one) {
        let problem = "code_challenge: must be the SHA-256 of the verifier in base64url, 43 characters";
        return Err(ProtocolError::invalid_request(problem));
    }
    Ok(challenge)
}
