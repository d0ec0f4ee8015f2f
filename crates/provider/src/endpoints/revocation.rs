//! A client gives a token back. RFC 7009.

use axum::body::Body;
use axum::response::Response;
use enroll_endpoint::never_kept;
use enroll_oauth_types::{ReferenceToken, RefreshToken, SecretHash, Timestamp};
use enroll_store::{Belongs, Client, Record, RecordKind, StoreError, Write};
use serde_json::value::RawValue;

use crate::parameters::Parameters;
use crate::tokens::access_token::Claims;
use crate::{ProtocolError, Provider};

impl Provider {
    /// 200 whether or not there was such a token: what the client wanted is so. With a refresh token, all goes that came of
    /// the same authorization. RFC 7009 §2.1, §2.2.
    pub(crate) async fn revoke(&self, client: &Client, form: &Parameters) -> Result<Response, ProtocolError> {
        let token = form.get("token").ok_or_else(|| ProtocolError::invalid_request("token: is required"))?;
        let is_own = |belongs_to: &Belongs| belongs_to.client.as_ref() == Some(&client.id);
        if let Some(claims) = self.signed_claims(token) {
            if claims.client_id == client.id {
                self.remember_revoked(&claims).await?;
            }
        } else {
            let refresh = RefreshToken::presented(token.to_owned()).hash();
            let refresh = self.records.record(RecordKind::RefreshToken, &refresh).await?;
            let reference = ReferenceToken::presented(token.to_owned()).hash();
            if let Some(record) = refresh.filter(|record| is_own(&record.belongs_to)) {
                self.end_grant(record.belongs_to.family.as_deref().unwrap_or_default()).await?;
            } else if let Some(record) = self.records.record(RecordKind::ReferenceToken, &reference).await?
                && is_own(&record.belongs_to)
            {
                let gone = Write::Remove { kind: record.kind, key: record.key, revision: None };
                self.records.apply(vec![gone]).await?;
            }
        }
        let mut response = Response::new(Body::empty());
        never_kept(response.headers_mut());
        Ok(response)
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
