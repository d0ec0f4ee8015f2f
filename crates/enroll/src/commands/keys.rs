//! `enroll keys`: the keys that this server signs with. RFC 7517, OpenID Connect Core 1.0 §10.1.1.

mod registrations;

use std::sync::Arc;

use enroll_jose::KeyState;
use enroll_oauth_types::{Clock as _, SystemClock};
use enroll_provider::{KeyEntry, KeyStoreError, Keys, list_keys};
use enroll_store_sql::{Access, SqlRecords};
use serde_json::json;

use super::{moment, say};
use crate::authorization;
use crate::cli::{Keys as KeysCommand, Place};
use crate::config::Config;
use crate::failure::{Failure, with_causes};
use crate::service;

pub(super) async fn run(command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List { place, json, registrations: false } => list(&place, json).await,
        KeysCommand::List { place, json, registrations: true } => registrations::list(&place, json).await,
        KeysCommand::Rotate { place, registrations: false } => rotate(&place).await,
        KeysCommand::Rotate { place, registrations: true } => registrations::rotate(&place).await,
        KeysCommand::Retire { name, place } => registrations::retire(&name, &place).await,
    }
}

/// The database of a server that was there before: a mistyped folder is no empty one.
async fn open(config: &Config, access: Access) -> Result<SqlRecords, Failure> {
    service::operational_must_exist(config).await?;
    SqlRecords::open(&config.operational_database(), access)
        .await
        .map_err(|error| service::not_opened(&error))
}

async fn entries(records: &SqlRecords) -> Result<Vec<KeyEntry>, Failure> {
    list_keys(records, authorization::schedule(), SystemClock.now()).await.map_err(|error| failed(&error))
}

fn failed(error: &KeyStoreError) -> Failure {
    Failure::World(with_causes(error))
}

async fn list(place: &Place, as_json: bool) -> Result<(), Failure> {
    let entries = entries(&open(&Config::load(place)?, Access::ReadOnly).await?).await?;
    if !as_json {
        let titles = ["KID", "ALGORITHM", "STATE", "SINCE", "UNTIL"];
        say(row(titles))?;
    }
    for entry in entries {
        let KeyEntry { kid, algorithm, state, since, until } = entry;
        let (algorithm, state) = (algorithm.as_str(), word(state));
        if as_json {
            let told = json!({
                "kid": kid, "algorithm": algorithm, "state": state, "since": since, "until": until,
            });
            say(told)?;
        } else {
            say(row([&kid, algorithm, state, &moment(since), &moment(until)]))?;
        }
    }
    Ok(())
}

fn row([kid, algorithm, state, since, until]: [&str; 5]) -> String {
    format!("{kid:<43}  {algorithm:<9}  {state:<9}  {since:<20}  {until}")
}

fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::Announced => "announced",
        KeyState::Signing => "signing",
        KeyState::Kept => "kept",
    }
}

async fn rotate(place: &Place) -> Result<(), Failure> {
    let config = Config::load(place)?;
    let records = open(&config, Access::ReadWrite).await?;
    let store = service::existing_store(&config, Access::ReadOnly).await?;
    let sealing_key = service::sealing_key(&config, &store).await?;
    let before = entries(&records).await?;
    let shared = Arc::new(records.clone());
    let keys = Keys::new(shared, sealing_key, Arc::new(SystemClock), authorization::schedule());
    keys.rotate().await.map_err(|error| failed(&error))?;
    let is_new = |entry: &KeyEntry| before.iter().all(|own| own.kid != entry.kid);
    for KeyEntry { kid, algorithm, state, until, .. } in entries(&records).await?.into_iter().filter(is_new) {
        match state {
            KeyState::Announced => say(format_args!("{algorithm} {kid} signs from {} on", moment(until)))?,
            KeyState::Signing | KeyState::Kept => say(format_args!("{algorithm} {kid} signs from now on"))?,
        }
    }
    Ok(())
}
