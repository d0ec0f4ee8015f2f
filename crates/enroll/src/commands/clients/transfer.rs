//! `enroll clients export` and `import`: every client as a JSON line, hashes of secrets included.

use enroll_store::{Client, ClientStore, StoreError};
use enroll_store_sql::SqlStore;

use tokio::task::JoinSet;

use super::for_each;
use crate::cli::{Failure, with_causes};
use crate::commands::{say, tell};

/// How many clients are stored at once.
const GROUP: usize = 256;

pub(super) async fn export(store: &SqlStore) -> Result<(), Failure> {
    for_each(store, |client| say(client.to_document())).await
}

/// Stores what is not there yet. A line that cannot be read or stored is told, and the others go on.
pub(super) async fn import(store: &SqlStore, lines: &[u8]) -> Result<(), Failure> {
    let text = std::str::from_utf8(lines)
        .map_err(|error| Failure::World(format!("the file is not UTF-8: {error}")))?;
    let lines: Vec<_> = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()).collect();
    let (mut stored, mut there, mut wrong) = (0_u64, 0_u64, 0_u64);
    for group in lines.chunks(GROUP) {
        for (number, outcome) in store_all(store, group).await {
            match outcome {
                Ok(()) => stored += 1,
                Err(StoreError::Duplicate) => there += 1,
                Err(error) => {
                    wrong += 1;
                    tell(format_args!("line {number}: {}", with_causes(&error)));
                }
            }
        }
    }
    say(format_args!("{stored} imported, {there} were there already, {wrong} failed"))?;
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::Refused(format!("{wrong} lines could not be imported"))),
    }
}

/// Stores a group at once, so that its clients share a commit; tells each line's outcome, in their order.
async fn store_all(store: &SqlStore, group: &[(&str, u64)]) -> Vec<(u64, Result<(), StoreError>)> {
    let mut inserts = JoinSet::new();
    for (line, number) in group {
        let (client, number, store) = (Client::from_document(line, 1), *number, store.clone());
        inserts.spawn(async move {
            match client {
                Ok(client) => (number, store.insert(&client, None).await),
                Err(error) => (number, Err(error)),
            }
        });
    }
    let mut outcomes = inserts.join_all().await;
    outcomes.sort_unstable_by_key(|(number, _)| *number);
    outcomes
}
