//! Registrations that are kept in their `client_id`: the keys that seal them, and the store that opens them.

use std::sync::Arc;
use std::time::Duration;

use enroll_access::Terms;
use enroll_oauth_types::{Clock as _, SealingKey, SystemClock, SystemRandom};
use enroll_store::{
    ClientStore, RegistrationKeyError, RegistrationKeys, SealedStore, StoreError, TokenKind, TokenStore,
};

use crate::config::Config;
use crate::failure::{Failure, with_causes};
use crate::service::{self, Store};

/// How often keys are looked at: then an ended one is forgotten, and the next one made.
const LOOK_AT_KEYS: Duration = Duration::from_secs(30);

/// The keys that are there. Where the configuration wants registrations to be sealed, the first of them is made when there is
/// none, so that what is answered with 201 can be opened again.
pub(crate) async fn keys(
    config: &Config,
    tokens: Arc<dyn TokenStore>,
    key: Arc<SealingKey>,
) -> Result<Arc<RegistrationKeys>, Failure> {
    let keys = load(config, tokens, key).await?;
    if config.seals_registrations()? {
        keys.keep_up(SystemClock.now(), &SystemRandom).await.map_err(|error| failed(&error))?;
    }
    Ok(Arc::new(keys))
}

/// The clients as the server sees them, for a command about one of them: those too that have no row.
pub(crate) async fn clients(config: &Config, store: Store) -> Result<Arc<dyn ClientStore>, Failure> {
    if !holds_keys(&store).await? {
        return Ok(store as _);
    }
    let key = service::sealing_key(config, &store).await?;
    let keys = load(config, store.clone(), key).await?;
    Ok(Arc::new(SealedStore::new(store, Arc::new(keys))))
}

/// The keys, with the time that each policy gives its registrations.
async fn load(
    config: &Config,
    tokens: Arc<dyn TokenStore>,
    key: Arc<SealingKey>,
) -> Result<RegistrationKeys, Failure> {
    let keys = RegistrationKeys::load(key, tokens).await.map_err(|error| failed(&error))?;
    let terms = config.terms()?;
    let lifetime = |(name, terms): (&String, &Arc<Terms>)| {
        let seconds = terms.retention.lifetime?.get();
        Some((name.clone(), Duration::from_secs(seconds.into())))
    };
    Ok(keys.ending(terms.iter().filter_map(lifetime).collect(), Arc::new(SystemClock)))
}

/// Whether registrations were ever sealed here, and may be in use.
pub(crate) async fn holds_keys(store: &Store) -> Result<bool, StoreError> {
    Ok(!store.tokens(TokenKind::RegistrationKey, None, 1).await?.is_empty())
}

/// Follows what other nodes do, and makes keys when they are due, for as long as the server runs.
pub(crate) async fn keep_up(keys: Arc<RegistrationKeys>, seals: bool) {
    let mut ticks = tokio::time::interval(LOOK_AT_KEYS);
    loop {
        ticks.tick().await;
        let outcome = match seals {
            true => keys.keep_up(SystemClock.now(), &SystemRandom).await,
            false => keys.refresh().await,
        };
        if let Err(error) = outcome {
            tracing::error!("the registration keys could not be kept in order: {}", with_causes(&error));
        }
    }
}

pub(crate) fn failed(error: &RegistrationKeyError) -> Failure {
    match error {
        RegistrationKeyError::InUse(_) => Failure::Refused(error.to_string()),
        RegistrationKeyError::Sealed(_) | RegistrationKeyError::Store(_) => {
            Failure::World(with_causes(error))
        }
    }
}
