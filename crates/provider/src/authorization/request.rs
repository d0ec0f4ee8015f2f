//! What an authorization request asks for. RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1, RFC 8707 §2.

use std::borrow::Cow;
use std::sync::Arc;

use enroll_oauth_types::{ErrorCode, Scope, Seconds};
use enroll_store::Client;

use super::claims_request::ClaimsRequest;
use super::destination::Destination;
use super::{Flow, Refusal, prompt::Prompts};
use crate::catalog::Extent;
use crate::endpoints::must_not_need_a_bound_token;
use crate::parameters::Parameters;
use crate::tokens::claims::scopes_that_open;
use crate::tokens::encryption::Said;
use crate::{ProtocolError, Provider};

/// The longest `nonce`, in bytes.
const LONGEST_NONCE: usize = 512;

/// The longest list of anything else that is kept or shown, in bytes.
const LONGEST_HINT: usize = 4096;

/// Claims that no scope opens, since they are about the login rather than the user. OpenID Connect Core 1.0 §2.
const ABOUT_THE_LOGIN: [&str; 3] = ["sub", "auth_time", "acr"];

/// An authorization request, every part of it judged.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) destination: Destination,
    pub(crate) flow: Flow,
    pub(crate) extent: Extent,
    /// What was named as `resource`.
    pub(crate) resources: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) prompts: Prompts,
    /// Seconds.
    pub(crate) max_age: Option<u64>,
    pub(crate) claims: ClaimsRequest,
    /// The scopes of which single claims are asked for: people are asked for these as well.
    pub(crate) opened: Vec<String>,
    pub(crate) acr_values: Vec<String>,
    /// The subject, as this client knows it, that must be logged in.
    pub(crate) subject: Option<String>,
    pub(crate) login_hint: Option<String>,
    /// As they were sent, to go on from later.
    pub(crate) parameters: Parameters,
}

impl Provider {
    /// Judges a request.
    pub(crate) async fn authorization_request(
        &self,
        parameters: Parameters,
    ) -> Result<AuthorizationRequest, Refusal> {
        let client = self.client_that_asks(&parameters).await?;
        let mut destination = super::destination::destination(&client, &parameters, self.legacy_implicit)?;
        if destination.mode.signed {
            self.must_have_key(destination.reader.1).await?;
            destination.recipient = self.recipient(&client, Said::AuthorizationResponse).await?;
        }
        self.request_of(&client, &destination, &parameters).map_err(|error| match error {
            ProtocolError::Refused(code, problem) => {
                Refusal::Client(Box::new(destination.clone()), code, problem)
            }
            other => Refusal::Protocol(other),
        })
    }

    fn request_of(
        &self,
        client: &Arc<Client>,
        destination: &Destination,
        parameters: &Parameters,
    ) -> Result<AuthorizationRequest, ProtocolError> {
        if let Some(name) = parameters.doubled() {
            let problem = format!("{}: must be sent once", name.escape_default());
            return Err(ProtocolError::invalid_request(problem));
        }
        must_be_supported(parameters)?;
        must_be_pushed_or_signed_if_so_registered(client)?;
        let flow = self.flow(client, parameters)?;
        let nothing = Scope::default();
        let registered = client.metadata.scope.as_ref().unwrap_or(&nothing);
        let mut extent =
            self.catalog.for_user(registered, parameters.get("scope"), parameters.all("resource"))?;
        let prompts = Prompts::read(parameters.get("prompt"))?;
        let mut claims = ClaimsRequest::read(parameters.get("claims"))?;
        let opened = self.opened_by_claims(&mut claims, registered);
        if let Flow::Implicit { access_token } = flow {
            extent = without_refresh_tokens(extent)?;
            match access_token {
                true => must_not_need_a_bound_token(client)?,
                false => must_not_want_userinfo(&claims)?,
            }
        }
        let default_max_age = client.metadata.default_max_age.map(|age| Seconds::get(age).into());
        let hint = parameters.get("id_token_hint");
        let hinted = hint.map(|hint| self.subject_of_hint(hint, client)).transpose()?;
        let subject = the_one_subject(hinted.as_deref(), &claims)?;
        Ok(AuthorizationRequest {
            client: client.clone(),
            destination: destination.clone(),
            flow,
            extent,
            resources: parameters.all("resource").map(str::to_owned).collect(),
            nonce: limited(parameters, "nonce", LONGEST_NONCE)?.map(str::to_owned),
            prompts,
            max_age: max_age(parameters)?.or(default_max_age),
            acr_values: acr_values(client, parameters),
            claims,
            opened,
            subject,
            login_hint: limited(parameters, "login_hint", LONGEST_HINT)?.map(str::to_owned),
            parameters: parameters.clone(),
        })
    }

    /// Single claims can be had by a client that is registered for a scope that opens them; others are passed over. Which
    /// scopes these are. OpenID Connect Core 1.0 §5.5.
    fn opened_by_claims(&self, claims: &mut ClaimsRequest, registered: &Scope) -> Vec<String> {
        let mut opened: Vec<String> = Vec::new();
        claims.retain(|claim| {
            if is_about_the_login(claim) {
                return true;
            }
            let scope = scopes_that_open(claim, &self.catalog).find(|scope| registered.contains(scope));
            let Some(scope) = scope else { return false };
            if !opened.iter().any(|own| own == scope) {
                opened.push(scope.to_owned());
            }
            true
        });
        opened
    }

    /// The single claims that come with what somebody allowed: by a scope that they left in, or by one that they were shown
    /// for the sake of the claim alone.
    pub(crate) fn claims_within(&self, request: &AuthorizationRequest, allowed: &Scope) -> ClaimsRequest {
        let was_shown = |scope: &str| {
            request.opened.iter().any(|own| own == scope) && !request.extent.scope.contains(scope)
        };
        let mut claims = request.claims.clone();
        claims.retain(|claim| {
            let mut scopes = scopes_that_open(claim, &self.catalog);
            is_about_the_login(claim) || scopes.any(|scope| allowed.contains(scope) || was_shown(scope))
        });
        claims
    }

    /// An ID token that this server gave this client says who should be there, even when it has ended. OpenID Connect Core
    /// 1.0 §3.1.2.1.
    fn subject_of_hint(&self, hint: &str, client: &Client) -> Result<String, ProtocolError> {
        let refuse = || {
            ProtocolError::invalid_request("id_token_hint: must be an ID token from here, for this client")
        };
        let hint = self.id_token_hint(hint).ok_or_else(refuse)?;
        match hint.is_for(&client.id) {
            true => Ok(hint.subject),
            false => Err(refuse()),
        }
    }
}

/// Whether it tells nothing of the user that the answer would not tell anyway.
pub(super) fn is_about_the_login(claim: &str) -> bool {
    ABOUT_THE_LOGIN.contains(&claim)
}

/// OpenID Connect Core 1.0 §3.1.2.6, §6, §7.2.1
fn must_be_supported(parameters: &Parameters) -> Result<(), ProtocolError> {
    for (name, code) in [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if parameters.get(name).is_some() {
            return Err(ProtocolError::new(code, format!("{name}: is not supported here")));
        }
    }
    Ok(())
}

/// What a client made a condition of its requests is not given up because this server cannot meet it yet. RFC 9101 §10.5,
/// RFC 9126 §6.
fn must_be_pushed_or_signed_if_so_registered(client: &Client) -> Result<(), ProtocolError> {
    let metadata = &client.metadata;
    for (member, value) in [
        ("require_pushed_authorization_requests", metadata.require_pushed_authorization_requests),
        ("require_signed_request_object", metadata.require_signed_request_object),
    ] {
        if value == Some(true) {
            let problem =
                format!("the client is registered with {member}, and this request is not such a one");
            return Err(ProtocolError::invalid_request(problem));
        }
    }
    Ok(())
}

/// An ID token is what comes in any case, and a refresh token in none. OpenID Connect Core 1.0 §3.1.2.1, §11.
fn without_refresh_tokens(extent: Extent) -> Result<Extent, ProtocolError> {
    if !extent.scope.contains("openid") {
        let problem = "scope: must hold openid where an ID token is asked for";
        return Err(ProtocolError::new(ErrorCode::InvalidScope, problem));
    }
    let scope = extent.scope.values().filter(|value| *value != "offline_access").collect();
    Ok(Extent { scope, ..extent })
}

/// OpenID Connect Core 1.0 §5.5: who gets no access token cannot ask at the `UserInfo` endpoint.
fn must_not_want_userinfo(claims: &ClaimsRequest) -> Result<(), ProtocolError> {
    match claims.userinfo.is_empty() {
        true => Ok(()),
        false => Err(ProtocolError::invalid_request(
            "claims: must hold id_token alone where no access token is asked for",
        )),
    }
}

/// Whoever must be somebody, and somebody else as well, can never be logged in. OpenID Connect Core 1.0 §3.1.2.1, §5.5.1.
fn the_one_subject(hinted: Option<&str>, claims: &ClaimsRequest) -> Result<Option<String>, ProtocolError> {
    let mut named = hinted.into_iter().chain(claims.subjects());
    let first = named.next();
    if named.any(|other| Some(other) != first) {
        let problem = "id_token_hint, claims: name several users, of whom only one can be logged in";
        return Err(ProtocolError::new(ErrorCode::LoginRequired, problem));
    }
    Ok(first.map(str::to_owned))
}

fn max_age(parameters: &Parameters) -> Result<Option<u64>, ProtocolError> {
    let read = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too large for us is no limit to anybody.
        true => Ok(text.parse().unwrap_or(u64::MAX)),
        false => Err(ProtocolError::invalid_request("max_age: must be a number of seconds, 0 or more")),
    };
    parameters.get("max_age").map(read).transpose()
}

fn acr_values(client: &Client, parameters: &Parameters) -> Vec<String> {
    match parameters.get("acr_values") {
        Some(asked) => asked.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect(),
        None => client.metadata.default_acr_values.clone().unwrap_or_default(),
    }
}

fn limited<'a>(
    parameters: &'a Parameters,
    name: &'static str,
    longest: usize,
) -> Result<Option<&'a str>, ProtocolError> {
    match parameters.get(name) {
        Some(value) if value.len() > longest => {
            let problem: Cow<'static, str> = format!("{name}: must be at most {longest} bytes long").into();
            Err(ProtocolError::invalid_request(problem))
        }
        value => Ok(value),
    }
}
