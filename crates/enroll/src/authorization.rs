//! The authorization server of this configuration: its store, its keys, its endpoints, and what it does by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use enroll_endpoint::cors;
use enroll_jose::Schedule;
use enroll_oauth_types::{Clock as _, SealingKey, ServerMetadata, SystemClock, TokenEndpoints};
use enroll_outbound::Outbound;
use enroll_provider::{Catalog, Keys, Provider, Resource, paths};
use enroll_store::{ClientReader, RecordStore};
use enroll_store_sql::{Access, SqlRecords};
use http::Method;

use crate::config::Config;
use crate::failure::{Failure, with_causes};
use crate::service;

/// Who has this scope registers clients, at the registration endpoint.
pub(crate) const SCOPE: &str = "enroll.registration";

/// The authorization server, and what it keeps in order by itself.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) provider: Provider,
    keys: Keys,
    pub(crate) records: SqlRecords,
}

/// How often keys are looked at, so that every node knows a new one long before it signs.
const LOOK_AT_KEYS: Duration = Duration::from_mins(5);

/// How often what is over is swept, and how much of it at a time.
const SWEEP: Duration = Duration::from_secs(2);
const SWEPT_AT_ONCE: u32 = 100;

/// Opens the operational plane and reads the keys; the first of them is made when there is none.
pub(crate) async fn open(
    config: &Config,
    issuer: &str,
    clients: Arc<dyn ClientReader>,
    key: Arc<SealingKey>,
    outbound: Option<&Outbound>,
) -> Result<Authorization, Failure> {
    let records = SqlRecords::open(&config.operational_database(), Access::ReadWrite)
        .map_err(|error| service::not_opened(&error))?;
    let shared: Arc<dyn RecordStore> = Arc::new(records.clone());
    let keys = Keys::new(shared.clone(), key.clone(), Arc::new(SystemClock), Schedule::default());
    keys.refresh_quick().await.map_err(|error| Failure::World(with_causes(&error)))?;
    let mut builder = Provider::builder(issuer, clients, shared, keys.clone(), key)
        .catalog(catalog(config, issuer))
        .body_timeout(config.limits.body_timeout());
    if let Some(outbound) = outbound {
        builder = builder.outbound(outbound.clone());
    }
    Ok(Authorization { provider: builder.build(), keys, records })
}

fn catalog(config: &Config, issuer: &str) -> Catalog {
    let configured = config.resources.iter().map(|resource| Resource {
        identifier: resource.identifier.clone(),
        scopes: resource.scopes.clone(),
    });
    let registration =
        Resource { identifier: service::registration_url(issuer), scopes: vec![SCOPE.to_owned()] };
    Catalog::new(configured.chain([registration]))
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
        metadata.with_token_endpoints(TokenEndpoints {
            token: self.provider.url(paths::TOKEN),
            introspection: self.provider.url(paths::INTROSPECTION),
            revocation: self.provider.url(paths::REVOCATION),
            jwks: self.provider.url(paths::JWKS),
        })
    }

    /// Makes keys when they are due, and forgets what is over, for as long as the server runs.
    pub(crate) async fn keep_up(self) {
        let mut keys = tokio::time::interval(LOOK_AT_KEYS);
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            let failed = tokio::select! {
                _ = keys.tick() => self.keys.refresh().await.map_err(|error| with_causes(&error)),
                _ = sweep.tick() => self.sweep().await,
            };
            if let Err(problem) = failed {
                tracing::error!("the operational database could not be kept in order: {problem}");
            }
        }
    }

    async fn sweep(&self) -> Result<(), String> {
        let swept = self.records.sweep(SystemClock.now(), SWEPT_AT_ONCE).await;
        let swept = swept.map_err(|error| with_causes(&error))?;
        tracing::debug!("swept {swept} records that were over");
        Ok(())
    }
}
