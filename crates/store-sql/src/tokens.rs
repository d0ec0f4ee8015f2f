//! Tokens: a hash, an end, a number of uses.

use async_trait::async_trait;
use enroll_oauth_types::{SecretHash, Timestamp};
use enroll_store::{StoreError, Token, TokenId, TokenKind, TokenStore};
use serde_json::value::RawValue;

use crate::database::{Database, Row, Statement, Value};
use crate::{IdentityServerStore, SqlStore};

/// The statements for a table of tokens.
pub(crate) struct Tokens {
    insert: &'static str,
    delete: &'static str,
    by_hash: &'static str,
    page: &'static str,
    take_use: &'static str,
}

macro_rules! tokens {
    ($table:literal) => {
        Tokens {
            insert: concat!(
                "INSERT INTO ",
                $table,
                " (token_id, kind, hash, issued_at, expires_at, uses_left, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE token_id = ?"),
            by_hash: concat!(
                "SELECT token_id, hash, issued_at, expires_at, uses_left, data FROM ",
                $table,
                " WHERE hash = ? AND kind = ?"
            ),
            page: concat!(
                "SELECT token_id, hash, issued_at, expires_at, uses_left, data FROM ",
                $table,
                " WHERE token_id > ? AND kind = ? ORDER BY token_id LIMIT ?"
            ),
            take_use: concat!(
                "UPDATE ",
                $table,
                " SET uses_left = uses_left - ? WHERE token_id = ? AND (uses_left IS NULL OR uses_left >= ?) \
                 AND (expires_at IS NULL OR expires_at > ?)"
            ),
        }
    };
}

/// Those in a database of our own.
pub(crate) static TOKENS: Tokens = tokens!("tokens");

/// Those in a database of somebody else's, under a name of ours.
pub(crate) static TOKENS_BESIDE: Tokens = tokens!("enroll_tokens");

impl Tokens {
    pub(crate) async fn put(&self, database: &Database, token: &Token) -> Result<(), StoreError> {
        let values = [
            token.id.as_str().into(),
            token.kind.as_str().into(),
            token.hash.as_bytes().as_slice().into(),
            token.issued_at.seconds().into(),
            token.expires_at.map(Timestamp::seconds).into(),
            token.uses_left.into(),
            token.data.get().into(),
        ];
        database.apply(vec![Statement::new(self.insert, values)]).await.map(drop)
    }

    pub(crate) async fn get(
        &self,
        database: &Database,
        kind: TokenKind,
        hash: &SecretHash,
    ) -> Result<Option<Token>, StoreError> {
        let values = [hash.as_bytes().as_slice().into(), kind.as_str().into()];
        let rows = database.fetch(self.by_hash, values, 1).await?;
        rows.into_iter().next().map(|row| read(kind, row)).transpose()
    }

    pub(crate) async fn revoke(&self, database: &Database, id: &TokenId) -> Result<bool, StoreError> {
        let touched = database.apply(vec![Statement::new(self.delete, [id.as_str().into()])]).await?;
        Ok(touched > 0)
    }

    pub(crate) async fn page(
        &self,
        database: &Database,
        kind: TokenKind,
        after: Option<&TokenId>,
        limit: u32,
    ) -> Result<Vec<Token>, StoreError> {
        let after = after.map_or(Value::Text(String::new()), |id| id.as_str().into());
        let rows = database.fetch(self.page, [after, kind.as_str().into(), limit.into()], limit).await?;
        rows.into_iter().map(|row| read(kind, row)).collect()
    }

    /// Takes one use of the token, at that moment, as a part of the write that it pays for.
    pub(crate) fn take_use(&self, token: &TokenId, now: Timestamp) -> Statement {
        let values = [1_u32.into(), token.as_str().into(), 1_u32.into(), now.seconds().into()];
        Statement::new(self.take_use, values).counting(&[0, 2]).or(StoreError::Spent)
    }
}

/// Keeps tokens in the database of a store, by these statements.
macro_rules! keeps_tokens {
    ($store:ty, $tokens:expr) => {
        #[async_trait]
        impl TokenStore for $store {
            async fn put(&self, token: &Token) -> Result<(), StoreError> {
                $tokens.put(&self.database, token).await
            }

            async fn get(&self, kind: TokenKind, hash: &SecretHash) -> Result<Option<Token>, StoreError> {
                $tokens.get(&self.database, kind, hash).await
            }

            async fn revoke(&self, id: &TokenId) -> Result<bool, StoreError> {
                $tokens.revoke(&self.database, id).await
            }

            async fn tokens(
                &self,
                kind: TokenKind,
                after: Option<&TokenId>,
                limit: u32,
            ) -> Result<Vec<Token>, StoreError> {
                $tokens.page(&self.database, kind, after, limit).await
            }
        }
    };
}

keeps_tokens!(SqlStore, TOKENS);
keeps_tokens!(IdentityServerStore, TOKENS_BESIDE);

fn read(kind: TokenKind, mut row: Row) -> Result<Token, StoreError> {
    let id = TokenId::from(row.text()?.as_str());
    let hash = row.hash()?;
    let issued_at = Timestamp(row.required_number()?);
    let expires_at = row.number()?.map(Timestamp);
    let uses_left = row.number()?.map(|uses| u32::try_from(uses).unwrap_or(u32::MAX));
    let data = RawValue::from_string(row.text()?).map_err(StoreError::backend)?;
    Ok(Token { id, kind, hash, issued_at, expires_at, uses_left, data })
}
