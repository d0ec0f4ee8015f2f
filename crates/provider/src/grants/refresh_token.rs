//! Refresh tokens: new access tokens for what a user allowed before. RFC 6749 §6, RFC 9700 §4.14.
//!
//! A token that is used once gets a successor that can be computed from it, so that somebody who never heard the answer asks
//! again and is told the same. A token that comes again later, or whose successor was used, has been stolen from somebody:
//! all that came of the authorization is ended.

use std::time::Duration;

use enroll_oauth_types::{
    AuthMethod, ClientMetadata, GrantType, RefreshToken, RefreshTokenExpiration, RefreshTokenUsage, Seconds,
    Timestamp,
};
use enroll_store::{Client, Record, RecordKind, StoreError, Write};
use serde::{Deserialize, Serialize};

use super::UserGrant;
use super::authorization_code::invalid_grant;
use crate::endpoints::TokenResponse;
use crate::parameters::Parameters;
use crate::session::name;
use crate::tokens::access_token::NewAccessToken;
use crate::{ProtocolError, Provider, User};

/// The end of a chain of refresh tokens where the client does not say, in seconds.
const DEFAULT_ABSOLUTE_LIFETIME: u32 = 2_592_000;
/// How far each use extends it where the client does not say, in seconds.
const DEFAULT_SLIDING_LIFETIME: u32 = 1_296_000;

/// How long a token that was used once can be used again, by somebody who did not hear the answer.
const GRACE: Duration = Duration::from_mins(1);

/// How often a use is tried when others use tokens of the same authorization at the same time.
const TRIES: usize = 5;

/// A refresh token at rest.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    superseded: Option<Superseded>,
}

/// That another took its place.
#[derive(Clone, Serialize, Deserialize)]
struct Superseded {
    at: Timestamp,
    /// With this and the token, its successor can be computed again.
    salt: String,
}

/// Whether another took the place of this refresh token.
pub(crate) fn is_superseded(record: &Record) -> Result<bool, StoreError> {
    let stored: Stored = serde_json::from_str(record.document.get()).map_err(StoreError::backend)?;
    Ok(stored.superseded.is_some())
}

/// A refresh token that may be used, as it stands in the store.
struct Presented {
    token: RefreshToken,
    record: Record,
    stored: Stored,
}

/// What the client gets, and what must be stored before it does.
type Next = (Option<RefreshToken>, Vec<Write>, Timestamp);

impl Provider {
    /// The first refresh token of an authorization, if the client may have any.
    pub(super) fn first_refresh_token(
        &self,
        client: &Client,
        grant: &UserGrant,
    ) -> Result<Option<(RefreshToken, Record)>, ProtocolError> {
        let metadata = &client.metadata;
        if !metadata.grant_types.iter().flatten().any(|own| *own == GrantType::RefreshToken) {
            return Ok(None);
        }
        let now = self.clock.now();
        let end = end(metadata, grant, now, now);
        if end <= now {
            return Ok(None);
        }
        let token = RefreshToken::generate(self.random.as_ref());
        let record = self.new_record(&token, grant, end)?;
        Ok(Some((token, record)))
    }

    fn new_record(
        &self,
        token: &RefreshToken,
        grant: &UserGrant,
        end: Timestamp,
    ) -> Result<Record, ProtocolError> {
        Ok(Record {
            kind: RecordKind::RefreshToken,
            key: token.hash(),
            revision: 1,
            belongs_to: grant.belongs_to(),
            issued_at: self.clock.now(),
            expires_at: Some(end),
            document: serde_json::value::to_raw_value(&Stored::default()).map_err(ProtocolError::internal)?,
        })
    }

    /// `grant_type=refresh_token`. RFC 6749 §6.
    pub(crate) async fn refresh_token(
        &self,
        client: &Client,
        form: &Parameters,
    ) -> Result<TokenResponse, ProtocolError> {
        for _ in 0..TRIES {
            match self.refresh(client, form).await {
                // Somebody else used a token of the same authorization meanwhile: look again.
                Err(ProtocolError::Conflict) => {}
                done => return done,
            }
        }
        Err(ProtocolError::Conflict)
    }

    async fn refresh(&self, client: &Client, form: &Parameters) -> Result<TokenResponse, ProtocolError> {
        let token = form.get("refresh_token");
        let token = token.ok_or_else(|| ProtocolError::invalid_request("refresh_token: is required"))?;
        let invalid = || invalid_grant("refresh_token: is unknown, over, ended, or another client's");
        let token = RefreshToken::presented(token.to_owned());
        let record = self.records.record(RecordKind::RefreshToken, &token.hash()).await?;
        let record = record.filter(|own| own.belongs_to.client.as_ref() == Some(&client.id));
        let record = record.filter(|own| !own.has_ended(self.clock.now())).ok_or_else(invalid)?;
        let family = record.belongs_to.family.clone().unwrap_or_default();
        let grant = self.user_grant(&family).await?.ok_or_else(invalid)?;
        let stored = serde_json::from_str(record.document.get()).map_err(ProtocolError::internal)?;
        let presented = Presented { token, record, stored };
        let Some((next, mut writes, refresh_end)) = self.next(client, &grant, presented).await? else {
            return Err(self.replayed(client, &family, "refresh_token").await?);
        };
        let (mut response, made, user) = self.tokens_of(client, form, &grant, form.get("scope")).await?;
        writes.extend(made);
        writes.extend(grant.kept_until(refresh_end.max(response.ends_at))?);
        if grant.scope(client).contains("openid") {
            // §12.2: without the nonce, which belongs to the one before.
            let id_token = self.id_token(client, &user, &grant, None, Some(&response.access_token)).await?;
            response.id_token = Some(id_token);
        }
        response.refresh_token = next.map(|next| next.expose().to_owned());
        if !writes.is_empty() {
            self.records.apply(writes).await?;
        }
        Ok(response)
    }

    /// What becomes of a refresh token that is used: `None` when it must not be.
    async fn next(
        &self,
        client: &Client,
        grant: &UserGrant,
        presented: Presented,
    ) -> Result<Option<Next>, ProtocolError> {
        let Presented { token, record, stored } = presented;
        let now = self.clock.now();
        if let Some(superseded) = stored.superseded {
            let next: RefreshToken = token.successor(&superseded.salt);
            let heir = self.records.record(RecordKind::RefreshToken, &next.hash()).await?;
            let Some(heir) = heir.filter(|_| now <= superseded.at + GRACE) else { return Ok(None) };
            let of_heir: Stored =
                serde_json::from_str(heir.document.get()).map_err(ProtocolError::internal)?;
            let end = heir.expires_at.unwrap_or_default();
            return Ok(of_heir.superseded.is_none().then(|| (Some(next), Vec::new(), end)));
        }
        let end = end(&client.metadata, grant, grant.issued_at, now);
        if is_used_once(&client.metadata) {
            let salt = name(self.random.as_ref());
            let next: RefreshToken = token.successor(&salt);
            let heir = self.new_record(&next, grant, end)?;
            let superseded = Stored { superseded: Some(Superseded { at: now, salt }) };
            let document = serde_json::value::to_raw_value(&superseded).map_err(ProtocolError::internal)?;
            let writes = vec![Write::Replace(Record { document, ..record }), Write::Insert(heir)];
            return Ok(Some((Some(next), writes, end)));
        }
        let grows = record.expires_at.is_some_and(|own| own < end);
        let writes = grows.then_some(Write::Replace(Record { expires_at: Some(end), ..record }));
        Ok(Some((Some(token), writes.into_iter().collect(), end)))
    }

    /// The access token that an authorization gives now, with what must be stored, and the user.
    pub(super) async fn tokens_of(
        &self,
        client: &Client,
        form: &Parameters,
        grant: &UserGrant,
        scope: Option<&str>,
    ) -> Result<(TokenResponse, Vec<Write>, User), ProtocolError> {
        let user = self.users.of_subject(&grant.subject).await?.filter(|user| user.enabled);
        let user = user.ok_or_else(|| invalid_grant("the user is not here any more"))?;
        let allowed = grant.scope(client);
        if allowed.as_str().is_empty() {
            return Err(invalid_grant("the client is no longer registered for anything that was allowed"));
        }
        let resources = grant.resources(client, &self.catalog);
        let extent = self.catalog.part_of(&allowed, resources.as_deref(), scope, form.all("resource"))?;
        let shown = extent.scope.as_str().to_owned();
        let mut told = grant.clone();
        if client.metadata.update_access_token_claims_on_refresh == Some(true) {
            told.facts.of_user = self.told_to_resources(&user);
        }
        let subject = self.subject_for(client, &user.subject);
        let new = NewAccessToken { client, subject, extent, grant: Some(&told) };
        let mut token = self.access_token(new).await?;
        let writes = token.write.take().into_iter().collect();
        Ok((TokenResponse::new(token, shown), writes, user))
    }
}

/// RFC 9700 §2.2.2: that of a client that cannot authenticate is used once. For others that is no gain, and a danger when an
/// answer gets lost.
fn is_used_once(metadata: &ClientMetadata) -> bool {
    let cannot_authenticate = metadata.token_endpoint_auth_method == Some(AuthMethod::None);
    match &metadata.refresh_token_usage {
        Some(usage) => *usage == RefreshTokenUsage::OneTimeOnly,
        None => cannot_authenticate,
    }
}

/// When a refresh token ends that is given or used now.
fn end(metadata: &ClientMetadata, grant: &UserGrant, first: Timestamp, now: Timestamp) -> Timestamp {
    let seconds =
        |own: Option<Seconds>, default: u32| Duration::from_secs(own.map_or(default, Seconds::get).into());
    let absolute = seconds(metadata.absolute_refresh_token_lifetime, DEFAULT_ABSOLUTE_LIFETIME);
    let end = match metadata.refresh_token_expiration {
        Some(RefreshTokenExpiration::Sliding) => {
            let next = now + seconds(metadata.sliding_refresh_token_lifetime, DEFAULT_SLIDING_LIFETIME);
            // 0 seconds are no end at all.
            if absolute.is_zero() { next } else { next.min(first + absolute) }
        }
        _ => first + absolute,
    };
    grant.end_of_session(metadata).map_or(end, |session| end.min(session))
}
