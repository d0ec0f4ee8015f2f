//! The authorization server of this configuration: its store, its keys, its endpoints, and what it does by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use enroll_endpoint::cors;
use enroll_jose::Schedule;
use enroll_oauth_types::{
    Clock as _, SealingKey, SecretHash, ServerMetadata, SystemClock, SystemRandom, Timestamp,
};
use enroll_outbound::Outbound;
use enroll_provider::{Catalog, Keys, Provider, Resource, ScopeMeaning, Users};
use enroll_store::{ClientReader, RecordStore, StoreError};
use enroll_store_sql::{Access, SqlRecords};
use http::Method;

use crate::clock::CautiousClock;
use crate::config::{Config, Wording};
use crate::failure::{Failure, with_causes};
use crate::service;

/// Who has this scope registers clients, at the registration endpoint.
pub(crate) const SCOPE: &str = "enroll.registration";

/// The authorization server, and what it keeps in order by itself.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) provider: Provider,
    keys: Keys,
    pub(crate) users: Users,
    pub(crate) records: SqlRecords,
}

/// How often keys are looked at, so that every node knows a new one long before it signs.
const LOOK_AT_KEYS: Duration = Duration::from_mins(5);

/// How often it is written down which clients were used. What was noted since is lost when the process is killed.
const WRITE_DOWN: Duration = Duration::from_millis(250);

/// How often what is over is swept, how much of it at a time, and how often at once: far more than can be made meanwhile,
/// and a little in each transaction, so that nobody waits for it.
const SWEEP: Duration = Duration::from_secs(2);
const SWEPT_AT_ONCE: u32 = 100;
const MOST_ROUNDS: u32 = 100;

/// Opens the operational plane and reads the keys; the first of them is made when there is none.
pub(crate) async fn open(
    config: &Config,
    issuer: &str,
    clients: Arc<dyn ClientReader>,
    key: Arc<SealingKey>,
    outbound: Option<&Outbound>,
) -> Result<Authorization, Failure> {
    let records = service::records(config, Access::ReadWrite).await?;
    let shared: Arc<dyn RecordStore> = Arc::new(records.clone());
    let keys = Keys::new(shared.clone(), key.clone(), Arc::new(SystemClock), schedule());
    keys.refresh_quick().await.map_err(|error| Failure::World(with_causes(&error)))?;
    let mut users = Users::new(shared.clone(), key.clone(), Arc::new(SystemClock), Arc::new(SystemRandom));
    if config.sessions.insecure_unlimited_log_ins {
        users = users.insecure_without_limits();
    }
    let mut builder = Provider::builder(issuer, clients, shared, keys.clone(), users.clone(), key)
        .catalog(catalog(config, issuer))
        .session_lifetime(config.sessions.lifetime())
        .access_token_algorithm(config.tokens.access_token_signing_alg())
        .legacy_implicit(config.legacy.implicit)
        .body_timeout(config.limits.body_timeout());
    if let Some(outbound) = outbound {
        builder = builder.outbound(outbound.clone());
    }
    let provider = builder.build();
    provider.activity().begin(SystemClock.now()).await?;
    Ok(Authorization { provider, keys, users, records })
}

/// When keys take turns, for the server and for who asks about them.
pub(crate) fn schedule() -> Schedule {
    Schedule::default()
}

fn catalog(config: &Config, issuer: &str) -> Catalog {
    let configured = config.resources.iter().map(|resource| Resource {
        identifier: resource.identifier.clone(),
        title: resource.title.clone(),
        scopes: resource.scopes.clone(),
        claims: resource.claims.clone(),
        access_token_lifetime: resource.access_token_lifetime,
        secrets: resource.secret_hashes.iter().filter_map(|text| SecretHash::from_text(text)).collect(),
    });
    let registration = Resource {
        identifier: config.registration_url(issuer),
        scopes: vec![SCOPE.to_owned()],
        ..Resource::default()
    };
    let scopes = config.scopes.iter().map(|scope| ScopeMeaning {
        name: scope.name.clone(),
        title: scope.title.as_ref().map(Wording::localized),
        description: scope.description.as_ref().map(Wording::localized),
        claims: scope.claims.clone(),
    });
    let catalog = Catalog::new(configured.chain([registration])).with_scopes(scopes);
    match &config.insecure_any_loopback_resource {
        Some(scopes) => catalog.insecure_with_any_on_loopback(scopes.clone()),
        None => catalog,
    }
}

impl Authorization {
    /// The endpoints.
    pub(crate) fn router(&self, issuer: &str) -> Router {
        let prefix = service::path_of(issuer);
        let open = self.provider.clone().cross_origin_routes(&prefix);
        let open = open.layer(cors([Method::GET, Method::HEAD, Method::POST]));
        open.merge(self.provider.clone().same_origin_routes(&prefix))
    }

    /// What the discovery documents say of it.
    pub(crate) fn described(&self, metadata: ServerMetadata) -> ServerMetadata {
        metadata.with_authorization_server(self.provider.described())
    }

    /// Makes keys when they are due, and forgets what is over, for as long as the server runs.
    pub(crate) async fn keep_up(self) {
        let mut keys = tokio::time::interval(LOOK_AT_KEYS);
        let mut sweep = tokio::time::interval(SWEEP);
        let clock = CautiousClock::following(SystemClock);
        loop {
            let failed = tokio::select! {
                _ = keys.tick() => self.keys.refresh().await.map_err(|error| with_causes(&error)),
                _ = sweep.tick() => self.sweep(clock.long_over()).await,
            };
            if let Err(problem) = failed {
                tracing::error!("the operational database could not be kept in order: {problem}");
            }
        }
    }

    /// Writes down which clients were used, for as long as the server runs.
    pub(crate) async fn write_down(self) {
        let mut write = tokio::time::interval(WRITE_DOWN);
        loop {
            write.tick().await;
            self.write_down_now().await;
        }
    }

    /// The same once, before the server ends.
    pub(crate) async fn write_down_now(&self) {
        if let Err(error) = self.provider.activity().write_down().await {
            tracing::error!("the uses of clients could not be written down: {}", with_causes(&error));
        }
    }

    async fn sweep(&self, over: Timestamp) -> Result<(), String> {
        let swept = sweep(&self.records, over).await.map_err(|error| with_causes(&error))?;
        tracing::debug!("swept {swept} records that were over");
        Ok(())
    }
}

async fn sweep(records: &impl RecordStore, now: Timestamp) -> Result<u32, StoreError> {
    let mut all = 0;
    for _ in 0..MOST_ROUNDS {
        let swept = records.sweep(now, SWEPT_AT_ONCE).await?;
        all += swept;
        if swept < SWEPT_AT_ONCE {
            break;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SecretHash;
    use enroll_store::{Belongs, MemoryRecords, Record, RecordKind, Write};

    use super::*;

    /// More comes to an end than one round takes: what is left over would pile up.
    #[tokio::test]
    async fn all_that_is_over_is_swept_and_nothing_else() {
        let records = MemoryRecords::default();
        let record = |n: u64, end: u64| Record {
            kind: RecordKind::UsedAssertion,
            key: SecretHash::of(&n.to_string()),
            revision: 1,
            belongs_to: Belongs::default(),
            issued_at: Timestamp(1),
            expires_at: Some(Timestamp(end)),
            document: serde_json::value::to_raw_value("").unwrap(),
        };
        let over = (0..250).map(|n| Write::Insert(record(n, 10)));
        records.apply(over.chain([Write::Insert(record(250, 11))]).collect()).await.unwrap();
        assert_eq!(sweep(&records, Timestamp(10)).await.unwrap(), 250);
        assert_eq!(sweep(&records, Timestamp(10)).await.unwrap(), 0);
    }
}
