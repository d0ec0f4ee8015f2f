//! `enroll clients export`: every client with the hashes of its secrets and tokens, every deleted one's identifier, every
//! initial access token, the keys of those that are kept in their identifiers: all that must be elsewhere for nobody to notice a move.

use enroll_oauth_types::{ClientId, SecretHash, Timestamp};
use enroll_store::{Client, Token, TokenId, TokenKind};
use enroll_store::{Page as PageOf, Tombstone};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::commands::transfer::{PAGE, Page, Source};
use crate::failure::Failure;
use crate::service::Store;

/// A line.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    Client(ClientEntry),
    DeletedClient(Tombstone),
    InitialAccessToken(TokenEntry),
    /// What opens clients that are kept in their `client_id`.
    RegistrationKey(TokenEntry),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientEntry {
    pub(super) revision: u64,
    /// As [`Client::to_document`] writes it.
    pub(super) document: Box<RawValue>,
}

/// A token, or a key, at rest.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenEntry {
    token_id: TokenId,
    hash: SecretHash,
    issued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uses_left: Option<u32>,
    data: Box<RawValue>,
}

impl From<Token> for TokenEntry {
    fn from(token: Token) -> Self {
        let Token { id, hash, issued_at, expires_at, uses_left, data, .. } = token;
        Self { token_id: id, hash, issued_at, expires_at, uses_left, data }
    }
}

impl TokenEntry {
    pub(super) fn token(self, kind: TokenKind) -> Token {
        let Self { token_id, hash, issued_at, expires_at, uses_left, data } = self;
        Token { id: token_id, kind, hash, issued_at, expires_at, uses_left, data }
    }
}

/// The configuration plane.
pub(super) struct Everything<'a>(pub(super) &'a Store);

impl Source for Everything<'_> {
    const WHAT: &'static str = "clients";
    const PARTS: usize = 4;

    async fn page(&self, part: usize, after: Option<&str>) -> Result<Page, Failure> {
        let page = || PageOf { after: after.map(ClientId::from), limit: PAGE };
        match part {
            0 => {
                let clients = self.0.list(page()).await?;
                let last = clients.last().map(|client| client.id.to_string());
                let lines = clients.iter().map(|client| Ok(Entry::Client(ClientEntry::of(client)?)));
                lines_of(lines, last)
            }
            1 => {
                let tombstones = self.0.tombstones(page()).await?;
                let last = tombstones.last().map(|tombstone| tombstone.client_id.to_string());
                lines_of(tombstones.into_iter().map(|tombstone| Ok(Entry::DeletedClient(tombstone))), last)
            }
            2 => self.tokens(TokenKind::InitialAccessToken, after, Entry::InitialAccessToken).await,
            _ => self.tokens(TokenKind::RegistrationKey, after, Entry::RegistrationKey).await,
        }
    }

    fn place_of(&self, line: &str) -> Option<(usize, String)> {
        Some(match serde_json::from_str(line).ok()? {
            Entry::Client(entry) => (0, entry.client().ok()?.id.to_string()),
            Entry::DeletedClient(tombstone) => (1, tombstone.client_id.to_string()),
            Entry::InitialAccessToken(token) => (2, token.token_id.to_string()),
            Entry::RegistrationKey(token) => (3, token.token_id.to_string()),
        })
    }
}

impl Everything<'_> {
    async fn tokens(
        &self,
        kind: TokenKind,
        after: Option<&str>,
        entry: fn(TokenEntry) -> Entry,
    ) -> Result<Page, Failure> {
        let after = after.map(TokenId::from);
        let tokens = self.0.tokens(kind, after.as_ref(), PAGE).await?;
        let last = tokens.last().map(|token| token.id.to_string());
        lines_of(tokens.into_iter().map(|token| Ok(entry(token.into()))), last)
    }
}

impl ClientEntry {
    fn of(client: &Client) -> Result<Self, Failure> {
        let document = RawValue::from_string(client.to_document()).map_err(|error| Failure::world(&error))?;
        Ok(Self { revision: client.revision, document })
    }

    pub(super) fn client(&self) -> Result<Client, enroll_store::StoreError> {
        Client::from_document(self.document.get(), self.revision)
    }
}

fn lines_of(
    entries: impl Iterator<Item = Result<Entry, Failure>>,
    last: Option<String>,
) -> Result<Page, Failure> {
    let line = |entry| serde_json::to_string(&entry).map_err(|error| Failure::world(&error));
    let lines = entries.map(|entry| entry.and_then(line)).collect::<Result<_, _>>()?;
    Ok(Page { lines, last })
}
