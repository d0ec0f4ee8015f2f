//! `enroll clients import`: judged as a registration is, or exactly as they were exported.

use std::path::PathBuf;
use std::sync::Arc;

use enroll_access::{Caller, InitialAccessTokenData};
use enroll_oauth_types::{ClientId, SealingKey};
use enroll_registration::{Note, Registrar};
use enroll_store::{Client, RegistrationKeyError, RegistrationKeys, StoreError, Token, TokenKind, Tombstone};

use super::ATTEMPTS;
use super::export::{ClientEntry, Entry};
use crate::commands::moment;
use crate::commands::transfer::{Obstacle, Outcome, Taker};
use crate::service::Store;

/// Stores clients.
pub(super) struct Clients {
    pub(super) store: Store,
    /// Who judges each; nobody where it is to be as it was exported.
    pub(super) judge: Option<Registrar>,
    /// What sealed secrets must open under, and the file that it is in.
    pub(super) key: Option<Arc<SealingKey>>,
    pub(super) key_file: PathBuf,
    /// Whether what is here and differs gives way.
    pub(super) replace: bool,
}

impl Taker for Clients {
    async fn take(&self, line: String) -> Result<Outcome, Obstacle> {
        match (entry(&line)?, &self.judge) {
            (Entry::Client(entry), judge) => {
                let client = entry.client().map_err(unreadable)?;
                self.must_open(&client)?;
                let caller = Caller::operator("import");
                let (client, notes) = match judge {
                    Some(judge) => judge.readmit(&client, &caller).await.map_err(Obstacle::Refused)?,
                    None => (sound(client)?, Vec::new()),
                };
                self.client(client, notes).await
            }
            // Whoever had the right to delete a client, or to let others register, had it elsewhere.
            (Entry::DeletedClient(_) | Entry::InitialAccessToken(_) | Entry::RegistrationKey(_), Some(_)) => {
                Ok(Outcome::LeftOut)
            }
            (Entry::DeletedClient(tombstone), None) => self.tombstone(&tombstone).await,
            (Entry::InitialAccessToken(entry), None) => {
                let token = entry.token(TokenKind::InitialAccessToken);
                serde_json::from_str::<InitialAccessTokenData>(token.data.get()).map_err(unreadable)?;
                self.token(&token, "initial access token").await
            }
            (Entry::RegistrationKey(entry), None) => {
                let key = entry.token(TokenKind::RegistrationKey);
                self.must_open_key(&key)?;
                self.token(&key, "registration key").await
            }
        }
    }
}

/// The most changes that a client can have had: what JSON can say exactly, and every database can count on from.
const MOST_REVISIONS: u64 = (1 << 53) - 1;

/// Nothing is judged but what paths, logs and the store depend on.
fn sound(client: Client) -> Result<Client, Obstacle> {
    client.id.check().map_err(|problem| Obstacle::Unreadable(format!("client_id: {problem}")))?;
    match client.revision {
        1..=MOST_REVISIONS => Ok(client),
        _ => Err(Obstacle::Unreadable(format!("revision: must be 1 to {MOST_REVISIONS}"))),
    }
}

/// A line of an export, or a client's document alone, as versions before wrote it.
fn entry(line: &str) -> Result<Entry, Obstacle> {
    serde_json::from_str(line).or_else(|problem| {
        let document =
            serde_json::value::RawValue::from_string(line.trim().to_owned()).map_err(unreadable)?;
        let entry = ClientEntry { revision: 1, document };
        let is_export = ["client", "deleted_client", "initial_access_token", "registration_key"]
            .iter()
            .any(|name| line.trim_start().starts_with(&format!("{{\"{name}\":")));
        match entry.client() {
            Ok(_) => Ok(Entry::Client(entry)),
            Err(_) if is_export => Err(unreadable(problem)),
            Err(other) => Err(unreadable(other)),
        }
    })
}

fn unreadable(error: impl Into<enroll_store::BoxError>) -> Obstacle {
    let error: enroll_store::BoxError = error.into();
    Obstacle::Unreadable(crate::failure::with_causes(&*error))
}

impl Clients {
    /// What is sealed here must be readable here.
    fn must_open(&self, client: &Client) -> Result<(), Obstacle> {
        let mut sealed = client.secrets.iter().filter_map(|secret| secret.sealed.as_ref());
        let opens = |sealed| self.key.as_ref().is_some_and(|key| key.open(sealed, &client.id).is_some());
        match sealed.all(opens) {
            true => Ok(()),
            false => Err(Obstacle::Sealed(client.id.to_string(), self.key_file.display().to_string())),
        }
    }

    async fn client(&self, client: Client, notes: Vec<Note>) -> Result<Outcome, Obstacle> {
        for _ in 0..ATTEMPTS {
            let Some(here) = self.store.client(&client.id).await? else {
                match self.store.insert(&client, None).await {
                    Ok(()) => return Ok(Outcome::Stored(notes)),
                    Err(StoreError::Duplicate) => {
                        self.must_not_be_deleted(&client.id).await?;
                        continue; // somebody was quicker
                    }
                    Err(error) => return Err(error.into()),
                }
            };
            let next = Client { revision: here.revision, ..client.clone() };
            if next == *here {
                return Ok(Outcome::There);
            }
            if !self.replace {
                return Err(Obstacle::Differs(format!("the client {}", client.id)));
            }
            match self.store.replace(&next).await {
                Ok(()) => return Ok(Outcome::Replaced),
                Err(StoreError::Conflict) => {} // changed meanwhile: look again
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn must_not_be_deleted(&self, id: &ClientId) -> Result<(), Obstacle> {
        match self.store.deleted_at(id).await? {
            Some(time) => Err(Obstacle::Deleted(id.to_string(), moment(time))),
            None => Ok(()),
        }
    }

    async fn tombstone(&self, tombstone: &Tombstone) -> Result<Outcome, Obstacle> {
        let client_id = &tombstone.client_id;
        client_id.check().map_err(|problem| Obstacle::Unreadable(format!("client_id: {problem}")))?;
        match self.store.bury(tombstone).await {
            Ok(true) => Ok(Outcome::Stored(Vec::new())),
            // It is gone here as there, since when by its own time.
            Ok(false) => Ok(Outcome::There),
            // Whether it should live is for the operator to say.
            Err(StoreError::Duplicate) => Err(Obstacle::Lives(client_id.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// What opens clients that have no row must open itself.
    fn must_open_key(&self, token: &Token) -> Result<(), Obstacle> {
        match self.key.as_ref().map(|key| RegistrationKeys::check(key, token)) {
            Some(Ok(())) => Ok(()),
            Some(Err(error @ RegistrationKeyError::Store(_))) => Err(unreadable(error)),
            Some(Err(_)) | None => {
                Err(Obstacle::SealedKey(token.id.to_string(), self.key_file.display().to_string()))
            }
        }
    }

    async fn token(&self, token: &Token, what: &str) -> Result<Outcome, Obstacle> {
        match self.store.put(token).await {
            Ok(()) => return Ok(Outcome::Stored(Vec::new())),
            Err(StoreError::Duplicate) => {}
            Err(error) => return Err(error.into()),
        }
        let here = self.store.get(token.kind, &token.hash).await?;
        if here.is_some_and(|here| here == *token) {
            return Ok(Outcome::There);
        }
        if !self.replace {
            return Err(Obstacle::Differs(format!("the {what} {}", token.id)));
        }
        // A kill in between is mended by the same import again.
        self.store.revoke(&token.id).await?;
        self.store.put(token).await?;
        Ok(Outcome::Replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_of_an_export_it_is_told_what_that_line_lacks() {
        for name in ["client", "deleted_client", "initial_access_token", "registration_key"] {
            let problem = entry(&format!("{{\"{name}\":{{\"nothing\":1}}}}")).err().unwrap().to_string();
            assert!(problem.contains("unknown field `nothing`"), "{name}: {problem}");
        }
        assert!(entry("{}").err().unwrap().to_string().contains("client_id"));
    }
}
