//! `enroll clients`: the operator's view.

mod export;
mod import;
mod reap;

use std::path::Path;
use std::sync::Arc;

use enroll_access::{Caller, Gate, policy};
use enroll_oauth_types::{ClientId, ClientMetadata, Clock as _, Extensions, SystemClock, Timestamp};
use enroll_registration::{Registrar, RegistrationError};
use enroll_store::{Client, ClientStore, Page, RegisteredBy, StoreError};
use enroll_store_sql::Access;
use serde::Serialize;

use super::transfer::{self, Destination, Input, Source as _};
use super::{moment, read_request, say, say_json, say_json_line, say_row};
use crate::cli::{Clients, OneClient, Output, Place};
use crate::config::{Config, validate_issuer};
use crate::failure::Failure;
use crate::sealed;
use crate::service::{self, Store};

/// How many clients are read at a time.
const PAGE: u32 = 500;

/// How often a change is tried again when somebody else was quicker.
const ATTEMPTS: u32 = 5;

pub(super) async fn run(command: Clients) -> Result<(), Failure> {
    match command {
        Clients::Register { file, place, issuer } => register(&file, &place, issuer).await,
        Clients::List { place, json } => list(&place, json).await,
        Clients::Show(one) => show(&one).await,
        Clients::Delete(one) => delete(&one).await,
        Clients::Disable(one) => set_enabled(&one, false).await,
        Clients::Enable(one) => set_enabled(&one, true).await,
        Clients::Reap(options) => reap::reap(&options).await,
        Clients::Export { output, place } => export_all(&output, &place).await,
        Clients::Import { file, exact, replace, place } => import_all(&file, exact, replace, &place).await,
    }
}

/// The database of a command that is about what is there.
async fn open(place: &Place, access: Access) -> Result<Store, Failure> {
    service::existing_store(&Config::load(place)?, access).await
}

/// The store for a command about one client, which may be one without a row.
async fn find(one: &OneClient, access: Access) -> Result<(Arc<dyn ClientStore>, ClientId), Failure> {
    let config = Config::load(&one.place)?;
    let store = service::existing_store(&config, access).await?;
    Ok((sealed::clients(&config, store).await?, ClientId::from(one.id.as_str())))
}

/// A registrar that nobody comes to but the operator.
async fn registrar(config: &Config, issuer: Option<String>, store: &Store) -> Result<Registrar, Failure> {
    let issuer = issuer.unwrap_or_else(|| config.issuer_or_default());
    let key = service::sealing_key(config, store).await?;
    let remote = service::remote(config, false)?;
    let gate = Gate::require(policy::open());
    Ok(service::registrar(config, &issuer, store.clone(), key, gate)?.remote(remote).build()?)
}

async fn export_all(output: &Output, place: &Place) -> Result<(), Failure> {
    let config = Config::load(place)?;
    let store = service::existing_store(&config, Access::ReadOnly).await?;
    let key = service::present_sealing_key(&config)?;
    let destination = Destination::open(output)?;
    transfer::export(&export::Everything(&store), key.as_ref(), destination).await
}

async fn import_all(file: &Path, exact: bool, replace: bool, place: &Place) -> Result<(), Failure> {
    let config = Config::load(place)?;
    let input = Input::open(file, export::Everything::WHAT)?;
    let present = service::present_sealing_key(&config)?;
    match &input.header {
        Some(header) if exact => transfer::must_have_the_same_key(header, present.as_ref(), &config)?,
        None if exact => {
            let problem =
                "--exact takes what `enroll clients export` wrote, whose first line says so; this does not";
            return Err(Failure::Refused(problem.to_owned()));
        }
        _ => {}
    }
    let store = service::store(&config).await?;
    let (judge, key) = if exact {
        (None, present.map(Arc::new))
    } else {
        let key = service::sealing_key(&config, &store).await?;
        (Some(registrar(&config, None, &store).await?), Some(key))
    };
    let key_file = config.sealing_key_file();
    transfer::import(input, Arc::new(import::Clients { store, judge, key, key_file, replace })).await
}

/// Registers as the operator, through the same pipeline as everybody.
async fn register(file: &Path, place: &Place, issuer: Option<String>) -> Result<(), Failure> {
    let config = Config::load(place)?;
    if let Some(issuer) = &issuer {
        validate_issuer(issuer).map_err(|problem| Failure::Usage(format!("--issuer: {problem}")))?;
    }
    let registrar = registrar(&config, issuer, &service::store(&config).await?).await?;
    let refused = |rejection: &dyn std::fmt::Display| Failure::Refused(format!("refused: {rejection}"));
    let metadata = ClientMetadata::parse(&read_request(file)?, &registrar.rules().reading)
        .map_err(|rejection| refused(&rejection))?;
    match registrar.register(&metadata, &Caller::operator("cli")).await {
        Ok(information) => say_json(&information),
        Err(RegistrationError::Rejected(rejection)) => Err(refused(&rejection)),
        Err(error) => Err(Failure::world(&error)),
    }
}

async fn list(place: &Place, as_json: bool) -> Result<(), Failure> {
    let store = open(place, Access::ReadOnly).await?;
    if !as_json {
        say(format_args!("{:<36}  {:<20}  {:<20}  {:<8}  NAME", "CLIENT_ID", "ISSUED", "BY", "STATE"))?;
    }
    let each = |client: &Client| match as_json {
        true => say_json_line(&seen_by_operator(client)),
        false => say_row(&as_row(client)),
    };
    for_each(&*store, each).await
}

fn as_row(client: &Client) -> String {
    let name = client.metadata.client_name.as_ref().and_then(|name| name.untagged());
    let state = if client.enabled { "enabled" } else { "disabled" };
    let (issued, by) = (moment(client.issued_at), &client.registered_by.kind);
    let name = name.map_or("", String::as_str);
    format!("{:<36}  {issued:<20}  {by:<20}  {state:<8}  {name}", client.id.as_str())
}

/// Every client, a page at a time.
async fn for_each(
    store: &dyn ClientStore,
    mut each: impl FnMut(&Client) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let clients = store.list(Page { after, limit: PAGE }).await?;
        let Some(last) = clients.last() else { return Ok(()) };
        after = Some(last.id.clone());
        clients.iter().try_for_each(&mut each)?;
    }
}

/// What an operator sees of a client: all but its secrets, of which there are only hashes. It is written as it is and never
/// read: keys in the tables of others may hold numbers that are none here.
#[derive(Serialize)]
struct Seen<'a> {
    client_id: &'a ClientId,
    client_id_issued_at: Timestamp,
    updated_at: Timestamp,
    revision: u64,
    enabled: bool,
    registered_by: &'a RegisteredBy,
    metadata: &'a ClientMetadata,
    extensions: &'a Extensions,
    secrets: Vec<SeenSecret>,
}

#[derive(Serialize)]
struct SeenSecret {
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
}

fn seen_by_operator(client: &Client) -> Seen<'_> {
    let secrets = client.secrets.iter();
    let secrets = secrets.map(|own| SeenSecret { issued_at: own.issued_at, expires_at: own.expires_at });
    Seen {
        client_id: &client.id,
        client_id_issued_at: client.issued_at,
        updated_at: client.updated_at,
        revision: client.revision,
        enabled: client.enabled,
        registered_by: &client.registered_by,
        metadata: &client.metadata,
        extensions: &client.metadata.extensions,
        secrets: secrets.collect(),
    }
}

async fn show(one: &OneClient) -> Result<(), Failure> {
    let (store, id) = find(one, Access::ReadOnly).await?;
    match store.client(&id).await? {
        Some(client) => say_json(&seen_by_operator(&client)),
        None => Err(not_there(&*store, &id).await?),
    }
}

async fn delete(one: &OneClient) -> Result<(), Failure> {
    let (store, id) = find(one, Access::ReadWrite).await?;
    match store.delete(&id, SystemClock.now()).await? {
        true => say(format_args!("deleted {id}")),
        false => Err(not_there(&*store, &id).await?),
    }
}

async fn set_enabled(one: &OneClient, enabled: bool) -> Result<(), Failure> {
    let (store, id) = find(one, Access::ReadWrite).await?;
    for _ in 0..ATTEMPTS {
        let Some(client) = store.client(&id).await? else { return Err(not_there(&*store, &id).await?) };
        let said = || say(format_args!("{} {}", if enabled { "enabled" } else { "disabled" }, id));
        // People are told since when it is disabled.
        if client.enabled == enabled {
            return said();
        }
        match store
            .replace(&Client { enabled, updated_at: SystemClock.now(), ..Client::clone(&client) })
            .await
        {
            Ok(()) => return said(),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::World(format!("the client {id} keeps changing; try again")))
}

/// Why there is no such client.
async fn not_there(store: &dyn ClientStore, id: &ClientId) -> Result<Failure, Failure> {
    let since = store.deleted_at(id).await?;
    let since = since.map_or(String::new(), |time| format!(": it was deleted at {}", moment(time)));
    Ok(Failure::Refused(format!("there is no client {id}{since}")))
}
