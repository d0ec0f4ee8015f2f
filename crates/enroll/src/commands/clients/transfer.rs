//! `enroll clients export` and `import`: every client as a JSON line, hashes of secrets included.

use std::sync::Arc;

use enroll_access::Caller;
use enroll_oauth_types::ClientId;
use enroll_registration::{Note, Registrar, RegistrationError};
use enroll_store::{Client, StoreError};

use tokio::task::JoinSet;

use super::for_each;
use crate::commands::{moment, say, say_exactly, tell};
use crate::failure::{Failure, with_causes};
use crate::service::Store;

/// How many clients are stored at once.
const GROUP: usize = 256;

pub(super) async fn export(store: &Store) -> Result<(), Failure> {
    for_each(&**store, |client| say_exactly(&client.to_document())).await
}

/// Stores what is not there yet, through the pipeline of registration. A line that cannot be read, is refused or cannot
/// be stored is told, and the others go on.
pub(super) async fn import(registrar: Registrar, store: &Store, lines: &[u8]) -> Result<(), Failure> {
    let text = std::str::from_utf8(lines)
        .map_err(|error| Failure::World(format!("the file is not UTF-8: {error}")))?;
    let lines: Vec<_> = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()).collect();
    let registrar = Arc::new(registrar);
    let (mut stored, mut there, mut wrong) = (0_u64, 0_u64, 0_u64);
    for group in lines.chunks(GROUP) {
        for (number, outcome) in import_all(&registrar, store, group).await {
            match outcome {
                Ok(notes) => {
                    stored += 1;
                    for note in notes {
                        tell(format_args!("line {number}: {}: {}", note.member, note.text));
                    }
                }
                Err(Obstacle::Store(StoreError::Duplicate)) => there += 1,
                Err(obstacle) => {
                    wrong += 1;
                    tell(format_args!("line {number}: {}", with_causes(&obstacle)));
                }
            }
        }
    }
    say(format_args!("{stored} imported, {there} were there already, {wrong} failed"))?;
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::Refused("one line could not be imported".to_owned())),
        _ => Err(Failure::Refused(format!("{wrong} lines could not be imported"))),
    }
}

/// What keeps a line out.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("it is no exported client: {0}")]
    Document(String),
    #[error(transparent)]
    Refused(RegistrationError),
    #[error("the client {0} was deleted here at {1}, and its identifier is not given again")]
    Deleted(ClientId, String),
    #[error(transparent)]
    Store(StoreError),
}

/// Imports a group at once, so that its clients share a commit; tells each line's outcome, in their order.
async fn import_all(
    registrar: &Arc<Registrar>,
    store: &Store,
    group: &[(&str, u64)],
) -> Vec<(u64, Result<Vec<Note>, Obstacle>)> {
    let mut imports = JoinSet::new();
    for (line, number) in group {
        let client = Client::from_document(line, 1);
        let (number, registrar, store) = (*number, registrar.clone(), store.clone());
        imports.spawn(async move { (number, import_one(&registrar, &store, client).await) });
    }
    let mut outcomes = imports.join_all().await;
    outcomes.sort_unstable_by_key(|(number, _)| *number);
    outcomes
}

async fn import_one(
    registrar: &Registrar,
    store: &Store,
    client: Result<Client, StoreError>,
) -> Result<Vec<Note>, Obstacle> {
    let client = client.map_err(|error| match error {
        StoreError::Backend(cause) => Obstacle::Document(cause.to_string()),
        other => Obstacle::Store(other),
    })?;
    let (client, notes) =
        registrar.readmit(&client, &Caller::operator("import")).await.map_err(Obstacle::Refused)?;
    match store.insert(&client, None).await {
        Ok(()) => Ok(notes),
        Err(StoreError::Duplicate) => Err(taken(store, client.id).await),
        Err(error) => Err(Obstacle::Store(error)),
    }
}

/// Whether the client of this identifier is there, or was.
async fn taken(store: &Store, id: ClientId) -> Obstacle {
    match store.deleted_at(&id).await {
        Ok(Some(time)) => Obstacle::Deleted(id, moment(time)),
        Ok(None) => Obstacle::Store(StoreError::Duplicate),
        Err(error) => Obstacle::Store(error),
    }
}
