//! A client gives a token back. RFC 7009.

use axum::body::Body;
use axum::response::Response;
use enroll_endpoint::never_kept;
use enroll_oauth_types::{ErrorCode, ReferenceToken};
use enroll_store::{Client, RecordKind, Write};

use crate::form::Form;
use crate::{ProtocolError, Provider};

impl Provider {
    /// 200 whether or not there was such a token: what the client wanted is so. A signed token cannot be taken back, and
    /// the client is told, so that it does not believe so. RFC 7009 §2.2, §2.2.1.
    pub(crate) async fn revoke(&self, client: &Client, form: &Form) -> Result<Response, ProtocolError> {
        let token = form.get("token").ok_or_else(|| ProtocolError::invalid_request("token: is required"))?;
        if self.signed_claims(token).is_some() {
            let problem =
                "token: is signed, and ends by itself; register access_token_type Reference for others";
            return Err(ProtocolError::new(ErrorCode::UnsupportedTokenType, problem));
        }
        let hash = ReferenceToken::presented(token.to_owned()).hash();
        let record = self.records.record(RecordKind::ReferenceToken, &hash).await?;
        if let Some(record) = record.filter(|record| record.belongs_to.client.as_ref() == Some(&client.id)) {
            self.records
                .apply(vec![Write::Remove { kind: record.kind, key: record.key, revision: None }])
                .await?;
        }
        let mut response = Response::new(Body::empty());
        never_kept(response.headers_mut());
        Ok(response)
    }
}
