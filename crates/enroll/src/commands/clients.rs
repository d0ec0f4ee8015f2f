//! `enroll clients`: the operator's view.

mod transfer;

use std::path::Path;
use std::sync::Arc;

use enroll_access::{Caller, Gate, policy};
use enroll_oauth_types::{ClientId, ClientMetadata, Clock as _, SystemClock};
use enroll_registration::{Registrar, RegistrationError};
use enroll_store::{Client, ClientStore, Page, StoreError};
use enroll_store_sql::{Access, SqlStore};
use serde_json::{Value, json};

use super::{moment, read, read_request, say, say_json, say_row};
use crate::cli::{Clients, OneClient, Place};
use crate::config::{Config, validate_issuer};
use crate::failure::Failure;
use crate::{sealed, service};

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
        Clients::Export { place } => transfer::export(&*open(&place, Access::ReadOnly).await?).await,
        Clients::Import { file, place } => import(&file, &place).await,
    }
}

/// The database of a command that is about what is there.
async fn open(place: &Place, access: Access) -> Result<Arc<SqlStore>, Failure> {
    service::existing_store(&Config::load(place)?, access).await
}

/// The store for a command about one client, which may be one without a row.
async fn find(one: &OneClient, access: Access) -> Result<(Arc<dyn ClientStore>, ClientId), Failure> {
    let config = Config::load(&one.place)?;
    let store = service::existing_store(&config, access).await?;
    Ok((sealed::clients(&config, store).await?, ClientId::from(one.id.as_str())))
}

/// A registrar that nobody comes to but the operator.
async fn registrar(
    config: &Config,
    issuer: Option<String>,
    store: &Arc<SqlStore>,
) -> Result<Registrar, Failure> {
    let issuer = issuer.unwrap_or_else(|| config.issuer_or_default());
    let key = service::sealing_key(config, store).await?;
    let remote = service::remote(config, false)?;
    let gate = Gate::require(policy::open());
    Ok(service::registrar(config, &issuer, store.clone(), key, gate)?.remote(remote).build()?)
}

async fn import(file: &Path, place: &Place) -> Result<(), Failure> {
    let config = Config::load(place)?;
    let lines = read(file)?;
    let store = service::store(&config).await?;
    transfer::import(registrar(&config, None, &store).await?, &store, &lines).await
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
    for_each(&*store, |client| if as_json { say(seen_by_operator(client)) } else { say_row(&as_row(client)) })
        .await
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

/// What an operator sees of a client: all but its secrets, of which there are only hashes.
fn seen_by_operator(client: &Client) -> Value {
    let secrets = client.secrets.iter();
    let secrets =
        secrets.map(|secret| json!({ "issued_at": secret.issued_at, "expires_at": secret.expires_at }));
    json!({
        "client_id": client.id,
        "client_id_issued_at": client.issued_at,
        "updated_at": client.updated_at,
        "revision": client.revision,
        "enabled": client.enabled,
        "registered_by": client.registered_by,
        "metadata": client.metadata,
        "extensions": client.metadata.extensions,
        "secrets": secrets.collect::<Vec<_>>(),
    })
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
