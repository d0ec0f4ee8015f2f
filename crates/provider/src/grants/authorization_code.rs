//! A code: given to a client by way of the browser, and paid out once, to whoever began. RFC 6749 §4.1, RFC 7636 §4.6.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::{ApplicationType, AuthorizationCode, ErrorCode, Scope, Seconds, Timestamp};
use enroll_store::{Client, Record, RecordKind, StoreError, Write};
use serde::{Deserialize, Serialize};

use super::UserGrant;
use crate::authorization::{AuthorizationRequest, Present};
use crate::endpoints::TokenResponse;
use crate::parameters::Parameters;
use crate::{ProtocolError, Provider};

/// How long a code works where the client does not say, in seconds.
const DEFAULT_LIFETIME: u32 = 300;

/// How long a code that was paid out is remembered at the most, to notice when it comes again.
const MEMORY: Duration = Duration::from_hours(24);

/// The longest `code` and `code_verifier`, in bytes, and the shortest `code_verifier`. RFC 7636 §4.1.
const LONGEST: usize = 128;
const SHORTEST_VERIFIER: usize = 43;

/// A code at rest.
#[derive(Serialize, Deserialize)]
struct Stored {
    redirect_uri: String,
    /// Whether the authorization request named it.
    redirect_uri_was_sent: bool,
    code_challenge: String,
    nonce: Option<String>,
    ends_at: Timestamp,
    #[serde(default)]
    is_spent: bool,
}

impl Provider {
    /// A code for what the user allowed.
    pub(crate) async fn new_code(
        &self,
        request: &AuthorizationRequest,
        challenge: &str,
        present: &Present,
        scope: &Scope,
    ) -> Result<AuthorizationCode, ProtocolError> {
        let code = AuthorizationCode::generate(self.random.as_ref());
        let now = self.clock.now();
        let lifetime =
            request.client.metadata.authorization_code_lifetime.map_or(DEFAULT_LIFETIME, Seconds::get);
        let ends_at = now + Duration::from_secs(lifetime.into());
        let grant = self.new_grant(request, present, scope, ends_at);
        let stored = Stored {
            redirect_uri: request.destination.redirect_uri.clone(),
            redirect_uri_was_sent: request.destination.was_sent,
            code_challenge: challenge.to_owned(),
            nonce: request.nonce.clone(),
            ends_at,
            is_spent: false,
        };
        let record = Record {
            kind: RecordKind::Code,
            key: code.hash(),
            revision: 1,
            belongs_to: grant.belongs_to(),
            issued_at: now,
            expires_at: Some(ends_at),
            document: serde_json::value::to_raw_value(&stored).map_err(ProtocolError::internal)?,
        };
        self.records.apply(vec![grant.begun()?, Write::Insert(record)]).await?;
        self.activity.note_use(&request.client, now);
        tracing::info!(client.id = %request.client.id.brief(), "gave a code");
        Ok(code)
    }

    /// `grant_type=authorization_code`. RFC 6749 §4.1.3.
    pub(crate) async fn authorization_code(
        &self,
        client: &Client,
        form: &Parameters,
    ) -> Result<TokenResponse, ProtocolError> {
        let code = form.get("code").ok_or_else(|| ProtocolError::invalid_request("code: is required"))?;
        let invalid = || invalid_grant("code: is unknown, over, used, or another client's");
        if code.len() > LONGEST {
            return Err(invalid());
        }
        let hash = AuthorizationCode::presented(code.to_owned()).hash();
        let record = self.records.record(RecordKind::Code, &hash).await?;
        let record = record.filter(|own| own.belongs_to.client.as_ref() == Some(&client.id));
        let record = record.ok_or_else(invalid)?;
        let stored: Stored = serde_json::from_str(record.document.get()).map_err(ProtocolError::internal)?;
        let family = record.belongs_to.family.clone().unwrap_or_default();
        if stored.is_spent {
            return Err(self.replayed(client, &family, "code").await?);
        }
        if stored.ends_at <= self.clock.now() {
            return Err(invalid());
        }
        let grant = self.user_grant(&family).await?.ok_or_else(invalid)?;
        stored.must_fit(client, form)?;
        let paid = self.pay_out(client, form, &grant, &stored, record).await;
        match paid {
            // Somebody was quicker with the same code.
            Err(ProtocolError::Conflict) => Err(self.replayed(client, &family, "code").await?),
            paid => paid,
        }
    }

    /// Tokens for the code, and the mark that it is spent: all or nothing.
    async fn pay_out(
        &self,
        client: &Client,
        form: &Parameters,
        grant: &UserGrant,
        stored: &Stored,
        record: Record,
    ) -> Result<TokenResponse, ProtocolError> {
        let (mut response, mut writes, user) = self.tokens_of(client, form, grant, None).await?;
        let refresh = self.first_refresh_token(client, grant)?;
        let mut end = response.ends_at;
        if let Some((token, record)) = refresh {
            end = end.max(record.expires_at.unwrap_or_default());
            response.refresh_token = Some(token.expose().to_owned());
            writes.push(Write::Insert(record));
        }
        writes.extend(grant.kept_until(end)?);
        let remembered = response.ends_at.min(self.clock.now() + MEMORY).max(stored.ends_at);
        writes.push(Write::Replace(stored.spent(record, remembered)?));
        if grant.scope(client).contains("openid") {
            let id_token = self
                .id_token(client, &user, grant, stored.nonce.as_deref(), Some(&response.access_token))
                .await?;
            response.id_token = Some(id_token);
        }
        self.records.apply(writes).await?;
        Ok(response)
    }

    /// Something that works once came twice: whoever has the rest may be a thief. RFC 6749 §4.1.2, RFC 9700 §4.14.2.
    pub(crate) async fn replayed(
        &self,
        client: &Client,
        family: &str,
        what: &'static str,
    ) -> Result<ProtocolError, StoreError> {
        tracing::warn!(client.id = %client.id.brief(), "a {what} was presented twice; all that came of it is ended");
        self.end_grant(family).await?;
        Ok(invalid_grant(format!("{what}: was used before, and all that came of it has been ended")))
    }
}

impl Stored {
    /// RFC 6749 §4.1.3, RFC 7636 §4.6
    fn must_fit(&self, client: &Client, form: &Parameters) -> Result<(), ProtocolError> {
        match form.get("redirect_uri") {
            None if self.redirect_uri_was_sent => {
                return Err(ProtocolError::invalid_request(
                    "redirect_uri: is required, since the authorization request had it",
                ));
            }
            Some(sent) if sent != self.redirect_uri => {
                return Err(invalid_grant("redirect_uri: must be that of the authorization request"));
            }
            _ => {}
        }
        let native = client.metadata.application_type == Some(ApplicationType::Native);
        let registered = client.metadata.redirect_uris.iter().flatten();
        if !registered.into_iter().any(|own| own.matches(&self.redirect_uri, native)) {
            return Err(invalid_grant("redirect_uri: is no longer registered"));
        }
        let verifier = form.get("code_verifier").unwrap_or_default();
        if (SHORTEST_VERIFIER..=LONGEST).contains(&verifier.len()) && self.is_challenge_of(verifier) {
            return Ok(());
        }
        Err(invalid_grant("code_verifier: is not the one that the code_challenge was made of"))
    }

    fn is_challenge_of(&self, verifier: &str) -> bool {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        verify_slices_are_equal(challenge.as_bytes(), self.code_challenge.as_bytes()).is_ok()
    }

    fn spent(&self, record: Record, remembered: Timestamp) -> Result<Record, ProtocolError> {
        let stored = Self {
            redirect_uri: self.redirect_uri.clone(),
            code_challenge: String::new(),
            nonce: None,
            is_spent: true,
            ..*self
        };
        let document = serde_json::value::to_raw_value(&stored).map_err(ProtocolError::internal)?;
        Ok(Record { expires_at: Some(remembered), document, ..record })
    }
}

pub(crate) fn invalid_grant(problem: impl Into<std::borrow::Cow<'static, str>>) -> ProtocolError {
    ProtocolError::new(ErrorCode::InvalidGrant, problem)
}
