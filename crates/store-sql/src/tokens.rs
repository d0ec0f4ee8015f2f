//! Tokens: a hash, an end, a number of uses.

use async_trait::async_trait;
use enroll_oauth_types::{SecretHash, Timestamp};
use enroll_store::{StoreError, Token, TokenId, TokenKind, TokenStore};
use serde_json::value::RawValue;

use crate::SqlStore;
use crate::database::{Row, Statement, Value};

const INSERT: &str = "INSERT INTO tokens (token_id, kind, hash, issued_at, expires_at, uses_left, data) \
     VALUES (?, ?, ?, ?, ?, ?, ?)";
const DELETE: &str = "DELETE FROM tokens WHERE token_id = ?";
const BY_HASH: &str = "SELECT token_id, hash, issued_at, expires_at, uses_left, data FROM tokens \
     WHERE hash = ? AND kind = ?";
const PAGE: &str = "SELECT token_id, hash, issued_at, expires_at, uses_left, data FROM tokens \
     WHERE token_id > ? AND kind = ? ORDER BY token_id LIMIT ?";

#[async_trait]
impl TokenStore for SqlStore {
    async fn put(&self, token: &Token) -> Result<(), StoreError> {
        let values = [
            token.id.as_str().into(),
            token.kind.as_str().into(),
            token.hash.as_bytes().as_slice().into(),
            token.issued_at.seconds().into(),
            token.expires_at.map(Timestamp::seconds).into(),
            token.uses_left.into(),
            token.data.get().into(),
        ];
        self.database.apply(vec![Statement::new(INSERT, values)]).await.map(drop)
    }

    async fn get(&self, kind: TokenKind, hash: &SecretHash) -> Result<Option<Token>, StoreError> {
        let values = [hash.as_bytes().as_slice().into(), kind.as_str().into()];
        let rows = self.database.fetch(BY_HASH, values, 1).await?;
        rows.into_iter().next().map(|row| read(kind, row)).transpose()
    }

    async fn revoke(&self, id: &TokenId) -> Result<bool, StoreError> {
        let touched = self.database.apply(vec![Statement::new(DELETE, [id.as_str().into()])]).await?;
        Ok(touched > 0)
    }

    async fn tokens(
        &self,
        kind: TokenKind,
        after: Option<&TokenId>,
        limit: u32,
    ) -> Result<Vec<Token>, StoreError> {
        let after = after.map_or(Value::Text(String::new()), |id| id.as_str().into());
        let rows = self.database.fetch(PAGE, [after, kind.as_str().into(), limit.into()], limit).await?;
        rows.into_iter().map(|row| read(kind, row)).collect()
    }
}

fn read(kind: TokenKind, mut row: Row) -> Result<Token, StoreError> {
    let id = TokenId::from(row.text()?.as_str());
    let hash: [u8; 32] =
        row.bytes()?.try_into().map_err(|_| StoreError::backend("a stored hash must have 32 bytes"))?;
    let issued_at = Timestamp(row.required_number()?);
    let expires_at = row.number()?.map(Timestamp);
    let uses_left = row.number()?.map(|uses| u32::try_from(uses).unwrap_or(u32::MAX));
    let data = RawValue::from_string(row.text()?).map_err(StoreError::backend)?;
    Ok(Token { id, kind, hash: hash.into(), issued_at, expires_at, uses_left, data })
}
