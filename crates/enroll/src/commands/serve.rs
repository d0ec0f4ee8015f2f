//! `enroll serve`: runs the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use enroll_access::{BearerJwt, NewInitialAccessToken, issue};
use enroll_oauth_types::{Clock as _, SealingKey, ServerMetadata, SystemClock, SystemRandom};
use enroll_provider::OwnTokens;
use enroll_registration::{Registrar, Remote};
use enroll_store::{ClientReader, Page, RegistrationKeys, SealedReader, SealedStore, TokenKind};
use enroll_store_sql::without_password;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{say, tell, users};
use crate::authorization::{self, Authorization};
use crate::cli::{Role, Serve};
use crate::config::{Config, LogFormat, RegistrationConfig, validate_issuer};
use crate::failure::{Failure, with_causes};
use crate::service::Store;
use crate::{sealed, server, service, telemetry};

/// How long the token of the first start works.
const FIRST_TOKEN: Duration = Duration::from_hours(24);

pub(super) async fn run(options: Serve) -> Result<(), Failure> {
    let config = configuration(&options)?;
    let log = Arc::new(telemetry::start_logging(&config.log)?);
    let metrics = telemetry::start_metrics()?;

    let issuers = service::verifiers(&config)?;
    let parts = Parts::open(config, options.dev).await?;
    let config = &parts.config;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Failure::World(format!("cannot listen on {}: {error}", config.listen)))?;
    let address = listener.local_addr()?;
    let issuer = config.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    let authorization = parts.authorization(&issuer).await?;
    let registrar = parts.registrar(&issuer, issuers, authorization.as_ref())?;
    let metadata = parts.metadata(&issuer, authorization.as_ref());
    tokio::spawn(telemetry::keep_up(metrics.clone(), log.clone()));
    parts.keep_up(authorization.as_ref())?;
    let is_registering = registrar.is_some();
    let store = parts.store.clone();
    let app =
        server::app(registrar, authorization.as_ref(), &metadata, &issuer, store, metrics, &config.limits);
    let stop = stop_signal()?;

    if let Err(error) = parts.store.ping().await {
        tracing::error!(
            "what needs the clients' database is answered with 503 for now: {}",
            with_causes(&error)
        );
    }
    if is_registering {
        parts.greet(&config.registration_url(&issuer)).await?;
    }
    let database = without_password(&config.configuration_database());
    tracing::info!("issuer {issuer}, listening on {address}, clients in {database}");
    say(format_args!("ready http://{address}"))?;
    server::serve(listener, app, &config.limits, stop).await;
    if let Some(authorization) = &authorization {
        authorization.write_down_now().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// What the registration endpoint and the authorization server are made of, whichever of them this process is.
struct Parts {
    config: Config,
    is_development: bool,
    store: Store,
    key: Arc<SealingKey>,
    registration_keys: Arc<RegistrationKeys>,
    remote: Remote,
}

impl Parts {
    async fn open(config: Config, is_development: bool) -> Result<Self, Failure> {
        let store = service::store_of_role(&config).await?;
        let key = service::sealing_key(&config, &store).await?;
        let registration_keys = sealed::keys(&config, store.clone(), key.clone()).await?;
        let remote = service::remote(&config, is_development)?;
        Ok(Self { config, is_development, store, key, registration_keys, remote })
    }

    async fn authorization(&self, issuer: &str) -> Result<Option<Authorization>, Failure> {
        let (store, keys) = (self.store.clone(), self.registration_keys.clone());
        let clients: Arc<dyn ClientReader> = match self.config.role {
            Role::Registration => return Ok(None),
            Role::All => Arc::new(SealedStore::new(store, keys)),
            Role::Authorization => Arc::new(SealedReader::new(store, keys)),
        };
        let outbound = self.remote.outbound();
        let opened = authorization::open(&self.config, issuer, clients, self.key.clone(), outbound).await?;
        match self.is_development {
            true => users::add_demonstration_users(&opened.users).await?,
            false => users::delete_demonstration_users(&opened.users).await?,
        }
        Ok(Some(opened))
    }

    fn registrar(
        &self,
        issuer: &str,
        issuers: Vec<BearerJwt>,
        authorization: Option<&Authorization>,
    ) -> Result<Option<Registrar>, Failure> {
        let (config, store) = (&self.config, self.store.clone());
        if config.role == Role::Authorization {
            return Ok(None);
        }
        let mut gate = match self.is_development {
            true => service::gate_for_development(config, store.clone())?,
            false => service::gate(config, issuer, store.clone(), issuers)?,
        };
        if let Some(authorization) = authorization {
            let own = OwnTokens::of(authorization.provider.clone(), config.registration_url(issuer));
            gate = gate.authenticate(own);
        }
        let clients = Arc::new(SealedStore::new(store, self.registration_keys.clone()));
        let builder = service::registrar(config, issuer, clients, self.key.clone(), gate)?;
        let builder = builder.registration_keys(self.registration_keys.clone()).remote(self.remote.clone());
        Ok(Some(builder.build()?))
    }

    fn metadata(&self, issuer: &str, authorization: Option<&Authorization>) -> ServerMetadata {
        let mut metadata = ServerMetadata::new(issuer, &self.config.capabilities());
        if self.config.registration.is_advertised() {
            metadata = metadata.with_registration_endpoint(&self.config.registration_url(issuer));
        }
        match authorization {
            Some(authorization) => authorization.described(metadata),
            None => metadata,
        }
    }

    /// Starts what is to be done again and again, for as long as the server runs.
    fn keep_up(&self, authorization: Option<&Authorization>) -> Result<(), Failure> {
        let config = &self.config;
        tokio::spawn(sealed::keep_up(self.registration_keys.clone(), config.seals_registrations()?));
        if let Some(authorization) = authorization {
            tokio::spawn(authorization.clone().keep_up());
            tokio::spawn(authorization.clone().write_down());
            let (records, activity) =
                (authorization.records.clone(), authorization.provider.activity().clone());
            let reaper = service::reaper(config, self.store.clone(), records, activity)?;
            let reads_alone = config.role == Role::Authorization;
            tokio::spawn(if reads_alone { reaper.deleting_none() } else { reaper }.keep_up());
        }
        let ends = config.retention.tombstones().is_some()
            || config.terms()?.values().any(|own| !own.retention.is_for_ever());
        if ends && config.role != Role::All {
            tracing::warn!(
                "clients are deleted by unused_after, idle_after and lifetime, and forgotten by retention.tombstones, \
                 only where the role is `all`"
            );
        }
        Ok(())
    }

    /// Tells whoever starts the server how to register, where that is not plain.
    async fn greet(&self, url: &str) -> Result<(), Failure> {
        let RegistrationConfig { open, closed, issuers, .. } = &self.config.registration;
        if self.is_development && self.config.log.format == LogFormat::Pretty {
            tell(format_args!(
                "Anybody may register here. Try it:\n\n  {}\n\nPeople log in as alice or bob, with the name as the password.\n",
                curl(url, None)
            ));
        } else if !open && !closed && issuers.is_empty() && nobody_was_here(&self.store).await? {
            welcome(&self.store, url).await?;
        }
        Ok(())
    }
}

/// The configuration under the flags of this command.
fn configuration(options: &Serve) -> Result<Config, Failure> {
    let mut config = Config::load(&options.place)?;
    if let Some(listen) = options.listen {
        config.listen = listen;
    }
    if let Some(issuer) = &options.issuer {
        validate_issuer(issuer).map_err(|problem| Failure::Usage(format!("--issuer: {problem}")))?;
        config.issuer = Some(issuer.clone());
    }
    if let Some(role) = options.role {
        config.role = role;
    }
    if options.dev {
        must_be_loopback(config.listen, "--dev listens on loopback only")?;
        service::for_development(&mut config);
    }
    if config.issuer.is_none() {
        must_be_loopback(config.listen, "issuer: is required when listening on other than loopback")?;
    }
    Ok(config)
}

fn must_be_loopback(address: SocketAddr, otherwise: &str) -> Result<(), Failure> {
    match address.ip().is_loopback() {
        true => Ok(()),
        false => Err(Failure::Usage(format!("{otherwise}, and {address} is not"))),
    }
}

/// Whether no client and no token has ever been made here: then nobody can register, and the operator needs a token.
async fn nobody_was_here(store: &Store) -> Result<bool, Failure> {
    let tokens = store.tokens(TokenKind::InitialAccessToken, None, 1).await?;
    Ok(tokens.is_empty() && store.list(Page { after: None, limit: 1 }).await?.is_empty())
}

/// A line to paste that registers a client.
fn curl(url: &str, token: Option<&str>) -> String {
    let authorization =
        token.map_or_else(String::new, |token| format!("-H 'Authorization: Bearer {token}' "));
    format!(
        "curl {url} {authorization}-H 'Content-Type: application/json' \
         -d '{{\"redirect_uris\": [\"https://app.example/callback\"]}}'"
    )
}

/// Tells whoever starts a protected server for the first time how to register.
async fn welcome(store: &Store, url: &str) -> Result<(), Failure> {
    let now = SystemClock.now();
    let new = NewInitialAccessToken {
        label: Some("first start".to_owned()),
        expires_at: Some(now + FIRST_TOKEN),
        ..NewInitialAccessToken::default()
    };
    let (secret, token) = issue(new, now, &SystemRandom).map_err(|error| Failure::world(&error))?;
    store.put(&token).await?;
    tell(format_args!(
        "Registration is protected. This initial access token works for 24 hours:\n\n  {}\n\n\
         Try it:\n\n  {}\n\n\
         `enroll tokens issue` issues others.\n",
        secret.expose(),
        curl(url, Some(secret.expose())),
    ));
    Ok(())
}

/// Done when the process is asked to end.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("asked to end by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("asked to end by SIGINT"),
        }
    })
}
