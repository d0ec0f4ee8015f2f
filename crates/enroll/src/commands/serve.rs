//! `enroll serve`: runs the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use enroll_access::{NewInitialAccessToken, issue};
use enroll_oauth_types::{Clock as _, ServerMetadata, SystemClock, SystemRandom};
use enroll_provider::OwnTokens;
use enroll_store::{
    ClientReader, ClientStore as _, Page, SealedReader, SealedStore, TokenKind, TokenStore as _,
};
use enroll_store_sql::{SqlStore, without_password};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{say, tell, users};
use crate::cli::{Role, Serve};
use crate::config::{Config, LogFormat, RegistrationConfig, validate_issuer};
use crate::failure::Failure;
use crate::{authorization, sealed, server, service, telemetry};

/// How long the token of the first start works.
const FIRST_TOKEN: Duration = Duration::from_hours(24);

pub(super) async fn run(options: Serve) -> Result<(), Failure> {
    let config = configuration(&options)?;
    let log = Arc::new(telemetry::start_logging(&config.log)?);
    let metrics = telemetry::start_metrics()?;

    let issuers = service::verifiers(&config)?;
    let store = service::store_of_role(&config).await?;
    let key = service::sealing_key(&config, &store).await?;
    let registration_keys = sealed::keys(&config, store.clone(), key.clone()).await?;
    let clients = Arc::new(SealedStore::new(store.clone(), registration_keys.clone()));
    let reader: Arc<dyn ClientReader> = match config.role {
        Role::All | Role::Registration => clients.clone(),
        Role::Authorization => Arc::new(SealedReader::new(store.clone(), registration_keys.clone())),
    };
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Failure::World(format!("cannot listen on {}: {error}", config.listen)))?;
    let address = listener.local_addr()?;
    let issuer = config.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    let remote = service::remote(&config, options.dev)?;
    let mut gate = match options.dev {
        true => service::gate_for_development(&config, store.clone())?,
        false => service::gate(&config, &issuer, store.clone(), issuers)?,
    };
    let authorization = match config.role {
        Role::Registration => None,
        Role::All | Role::Authorization => {
            let outbound = remote.outbound();
            Some(authorization::open(&config, &issuer, reader, key.clone(), outbound).await?)
        }
    };
    if let Some(authorization) = &authorization {
        match options.dev {
            true => users::add_demonstration_users(&authorization.users).await?,
            false => users::delete_demonstration_users(&authorization.users).await?,
        }
    }
    if let Some(authorization) = &authorization {
        gate = gate
            .authenticate(OwnTokens::of(authorization.provider.clone(), config.registration_url(&issuer)));
    }
    let registrar = match config.role {
        Role::Authorization => None,
        Role::All | Role::Registration => {
            let builder = service::registrar(&config, &issuer, clients, key, gate)?;
            Some(builder.registration_keys(registration_keys.clone()).remote(remote).build()?)
        }
    };
    let url = config.registration_url(&issuer);
    let mut metadata = ServerMetadata::new(&issuer, &config.capabilities());
    if config.registration.is_advertised() {
        metadata = metadata.with_registration_endpoint(&url);
    }
    tokio::spawn(telemetry::keep_up(metrics.clone(), log.clone()));
    tokio::spawn(sealed::keep_up(registration_keys, config.seals_registrations()?));
    if let Some(authorization) = &authorization {
        metadata = authorization.described(metadata);
        tokio::spawn(authorization.clone().keep_up());
    }
    let app = server::app(
        registrar,
        authorization.as_ref(),
        &metadata,
        &issuer,
        store.clone(),
        metrics,
        &config.limits,
    );
    let stop = stop_signal()?;

    if config.role != Role::Authorization {
        greet(&config, options.dev, &store, &url).await?;
    }
    let database = without_password(&config.configuration_database());
    tracing::info!("issuer {issuer}, listening on {address}, clients in {database}");
    say(format_args!("ready http://{address}"))?;
    server::serve(listener, app, &config.limits, stop).await;
    tracing::info!("stopped");
    Ok(())
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

/// Tells whoever starts the server how to register, where that is not plain.
async fn greet(
    config: &Config,
    is_development: bool,
    store: &Arc<SqlStore>,
    url: &str,
) -> Result<(), Failure> {
    let RegistrationConfig { open, closed, issuers, .. } = &config.registration;
    if is_development && config.log.format == LogFormat::Pretty {
        tell(format_args!(
            "Anybody may register here. Try it:\n\n  {}\n\nPeople log in as alice or bob, with the name as the password.\n",
            curl(url, None)
        ));
    } else if !open && !closed && issuers.is_empty() && nobody_was_here(store).await? {
        welcome(store, url).await?;
    }
    Ok(())
}

/// Whether no client and no token has ever been made here: then nobody can register, and the operator needs a token.
async fn nobody_was_here(store: &SqlStore) -> Result<bool, Failure> {
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
async fn welcome(store: &Arc<SqlStore>, url: &str) -> Result<(), Failure> {
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
