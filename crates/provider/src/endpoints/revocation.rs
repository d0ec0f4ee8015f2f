//! A client gives a token back. RFC 7009.

use axum::body::Body;
use axum::response::Response;
use enroll_endpoint::never_kept;
use enroll_oauth_types::{ClientId, ReferenceToken, RefreshToken, SecretHash, Timestamp};
use enroll_store::{Belongs, Client, Record, RecordKind, StoreError, Write};
use serde_json::value::RawValue;

use crate::parameters::Parameters;
use crate::tokens::access_token::Claims;
use crate::{ProtocolError, Provider};

impl Provider {
    /// 200 whether or not there was such a token: what the client wanted is so. With a refresh token, all goes that came of
    /// the same authorization. The token of another client is left alone, and its holder hears that. RFC 7009 §2.1, §2.2.
    pub(crate) async fn revoke(&self, client: &Client, form: &Parameters) -> Result<Response, ProtocolError> {
        let token = form.get("token").ok_or_else(|| ProtocolError::invalid_request("token: is required"))?;
        if let Some(claims) = self.signed_claims(token) {
            must_be_of(client, Some(&claims.client_id))?;
            self.remember_revoked(&claims).await?;
        } else if let Some(record) = self.stored_token(token).await? {
            must_be_of(client, record.belongs_to.client.as_ref())?;
            match record.kind {
                RecordKind::RefreshToken => {
                    self.end_grant(record.belongs_to.family.as_deref().unwrap_or_default()).await?;
                }
                kind => {
                    let gone = Write::Remove { kind, key: record.key, revision: None };
                    self.records.apply(vec![gone]).await?;
                }
            }
        }
        let mut response = Response::new(Body::empty());
        never_kept(response.headers_mut());
        Ok(response)
    }

    /// A refresh token, or an access token that is a handle: whatever `token_type_hint` says. RFC 7009 §2.1.
    async fn stored_token(&self, token: &str) -> Result<Option<Record>, StoreError> {
        let refresh = RefreshToken::presented(token.to_owned()).hash();
        if let Some(record) = self.records.record(RecordKind::RefreshToken, &refresh).await? {
            return Ok(Some(record));
        }
        let reference = ReferenceToken::presented(token.to_owned()).hash();
        self.records.record(RecordKind::ReferenceToken, &reference).await
    }

    /// A signed token works by itself wherever nobody asks here; whoever asks hears that it is over.
    async fn remember_revoked(&self, claims: &Claims) -> Result<(), StoreError> {
        let now = self.clock.now();
        if claims.exp <= now.seconds() {
            return Ok(());
        }
        let record = Record {
            kind: RecordKind::RevokedToken,
            key: SecretHash::of(&claims.jti),
            revision: 1,
            belongs_to: Belongs { client: Some(claims.client_id.clone()), ..Belongs::default() },
            issued_at: now,
            expires_at: Some(Timestamp(claims.exp)),
            document: RawValue::NULL.to_owned(),
        };
        match self.records.apply(vec![Write::Insert(record)]).await {
            // Somebody has given it back before.
            Err(StoreError::Duplicate) => Ok(()),
            done => done,
        }
    }
}

fn must_be_of(client: &Client, owner: Option<&ClientId>) -> Result<(), ProtocolError> {
    match owner == Some(&client.id) {
        true => Ok(()),
        false => Err(ProtocolError::invalid_request("token: is another client's, and stays as it is")),
    }
}
