//! What somebody allowed a client, remembered: for one person, one client and one browser, for these scopes and resources,
//! and only while the client is what it was. OpenID Connect Core 1.0 §3.1.2.4, RFC 8252 §8.6.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::{AuthMethod, BrowserToken, Scope, Seconds, SecretHash};
use enroll_store::{Belongs, Client, Record, RecordKind, StoreError, Write};
use serde::{Deserialize, Serialize};

use super::request::is_about_the_login;
use super::{AuthorizationRequest, Present};
use crate::browser::{Jar, Visitor};
use crate::{ProtocolError, Provider};

/// How long an answer is remembered where the client does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_hours(365 * 24);

/// A consent at rest.
#[derive(Debug, Serialize, Deserialize)]
struct Consent {
    scope: String,
    /// Where that leads, whether or not the client named it: a wider request is another question.
    resources: Vec<String>,
    /// What the client wanted to know beside what the scopes open.
    #[serde(default)]
    claims: Vec<String>,
    /// What the client was when somebody allowed this.
    client: SecretHash,
}

impl Provider {
    /// Whether the user must be asked. OpenID Connect Core 1.0 §3.1.2.4.
    pub(super) async fn must_ask(
        &self,
        request: &AuthorizationRequest,
        present: &Present,
        visitor: &Visitor<'_>,
    ) -> Result<bool, StoreError> {
        if request.prompts.consent {
            return Ok(true);
        }
        if request.client.metadata.require_consent == Some(false) {
            return Ok(false);
        }
        let remembered = self.remembered(request, present, visitor).await?;
        Ok(!remembered.is_some_and(|consent| consent.covers(request)))
    }

    async fn remembered(
        &self,
        request: &AuthorizationRequest,
        present: &Present,
        visitor: &Visitor<'_>,
    ) -> Result<Option<Consent>, StoreError> {
        let browser: Option<BrowserToken> = visitor.secret(Jar::Browser);
        let Some(browser) = browser.filter(|_| may_remember(&request.client)) else { return Ok(None) };
        let key = place(&request.client, present, &browser);
        let record = self.records.record(RecordKind::Consent, &key).await?;
        let record = record.filter(|record| !record.has_ended(self.clock.now()));
        let read = |record: Record| serde_json::from_str(record.document.get());
        record.map(read).transpose().map_err(StoreError::backend)
    }

    /// Remembers what somebody allowed, in the place of what they allowed before.
    pub(super) async fn remember(
        &self,
        request: &AuthorizationRequest,
        present: &Present,
        scope: &Scope,
        browser: &BrowserToken,
    ) -> Result<(), ProtocolError> {
        let now = self.clock.now();
        let client = &request.client;
        let consent = Consent {
            scope: scope.as_str().to_owned(),
            resources: request.audience_within(scope),
            claims: self.claims_within(request, scope).names().map(str::to_owned).collect(),
            client: as_registered(client),
        };
        let lifetime = client
            .metadata
            .consent_lifetime
            .map_or(DEFAULT_LIFETIME, |seconds| Duration::from_secs(Seconds::get(seconds).into()));
        let record = Record {
            kind: RecordKind::Consent,
            key: place(client, present, browser),
            revision: 1,
            belongs_to: Belongs {
                client: Some(client.id.clone()),
                subject: Some(present.user.subject.clone()),
                ..Belongs::default()
            },
            issued_at: now,
            expires_at: Some(now + lifetime),
            document: serde_json::value::to_raw_value(&consent).map_err(ProtocolError::internal)?,
        };
        let gone = Write::Remove { kind: record.kind, key: record.key, revision: None };
        Ok(self.records.apply(vec![gone, Write::Insert(record)]).await?)
    }
}

impl AuthorizationRequest {
    /// The `aud` of its tokens, but for what somebody closed who allowed this.
    fn audience_within(&self, allowed: &Scope) -> Vec<String> {
        let all = self.extent.resources.iter();
        let open = all.filter(|resource| !resource.is_closed(&self.extent.scope, allowed));
        open.map(|resource| resource.identifier.clone()).collect()
    }
}

impl Consent {
    fn covers(&self, request: &AuthorizationRequest) -> bool {
        let allowed = Scope::from(self.scope.as_str());
        self.client == as_registered(&request.client)
            && request.extent.scope.values().all(|value| allowed.contains(value))
            && request.extent.audience().iter().all(|resource| self.resources.contains(resource))
            && request
                .claims
                .names()
                .all(|name| is_about_the_login(name) || self.claims.iter().any(|own| own == name))
    }
}

/// Whether an answer may be remembered at all. Any program on a device can pass for a client that has no secret and is
/// called back there, so its user is asked each time, unless somebody who may decided otherwise. RFC 8252 §8.6.
pub(super) fn may_remember(client: &Client) -> bool {
    let metadata = &client.metadata;
    let has_no_proof = metadata.token_endpoint_auth_method == Some(AuthMethod::None);
    let is_on_device =
        metadata.redirect_uris.iter().flatten().any(enroll_oauth_types::RedirectUri::is_native_only);
    metadata.allow_remember_consent.unwrap_or(!(has_no_proof && is_on_device))
}

fn place(client: &Client, present: &Present, browser: &BrowserToken) -> SecretHash {
    let browser = URL_SAFE_NO_PAD.encode(browser.hash().as_bytes());
    SecretHash::of(&format!("{}\n{}\n{browser}", present.user.subject, client.id))
}

/// What a client is to people: whatever it registered.
pub(super) fn as_registered(client: &Client) -> SecretHash {
    SecretHash::of(&serde_json::to_string(&client.metadata).expect("metadata is made of JSON"))
}
