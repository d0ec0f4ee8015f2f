//! From the configuration to the parts: store, gate, registrar.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use enroll_access::policy::{self, Policy};
use enroll_access::{
    BearerJwt, Caller, Decision, Denial, Gate, InitialAccessTokens, StatementIssuer, StatementIssuers, Terms,
};
use enroll_oauth_types::{SealingKey, SystemClock, SystemRandom};
use enroll_outbound::{Builder, Limits, Outbound};
use enroll_provider::{Activity, Users};
use enroll_registration::{Registrar, RegistrarBuilder, Remote, Statements};
use enroll_store::{Belongs, ClientStore, Page, RecordKind, RecordStore as _};
use enroll_store_sql::{
    Access, ConfigurationStore, IdentityServerStore, OpenError, SchemaVersion, SqlRecords, SqlStore,
    without_password,
};
use http::request::Parts;

use crate::authorization;
use crate::cli::Role;
use crate::clock::CautiousClock;
use crate::config::{
    Config, IssuerConfig, OutboundConfig, ResourceConfig, Schema, ScopeConfig, SoftwareStatement,
    StatementIssuerConfig,
};
use crate::failure::{Failure, with_causes};
use crate::retention::Reaper;
use crate::sealed;

/// The path that clients guess when they find no metadata.
const GUESSED: &str = "/register";

/// The store of the configuration plane, in whosever tables.
pub(crate) type Store = Arc<dyn ConfigurationStore>;

/// Opens the store of the configuration plane for what this process does: an authorization server apart only reads it, and
/// makes neither database nor schema.
pub(crate) async fn store_of_role(config: &Config) -> Result<Store, Failure> {
    let moment = config.database.client_staleness();
    match config.role {
        Role::All | Role::Registration => open_store(config, Access::ReadWrite, moment).await,
        Role::Authorization => {
            configuration_must_exist(config).await?;
            open_store(config, Access::ReadOnly, moment).await
        }
    }
}

/// Opens the store of the configuration plane for writing.
pub(crate) async fn store(config: &Config) -> Result<Store, Failure> {
    open_store(config, Access::ReadWrite, Duration::ZERO).await
}

/// Opens the store for a command that is about what is there: a mistyped folder is no empty database.
pub(crate) async fn existing_store(config: &Config, access: Access) -> Result<Store, Failure> {
    configuration_must_exist(config).await?;
    open_store(config, access, Duration::ZERO).await
}

/// `moment` is how old what it says of a client may be.
async fn open_store(config: &Config, access: Access, moment: Duration) -> Result<Store, Failure> {
    let url = config.configuration_database();
    let store: Result<Store, OpenError> = match config.database.schema {
        Schema::Enroll => {
            let store = SqlStore::open(&url, access).await;
            store.map(|store| Arc::new(store.remembering(moment)) as _)
        }
        Schema::IdentityServer => {
            IdentityServerStore::open(&url, access).await.map(|store| Arc::new(store) as _)
        }
    };
    store.map_err(|error| not_opened(&error))
}

/// The schema that the database of the configuration plane has, and the one that this version needs.
pub(crate) async fn schema_of_store(config: &Config) -> Result<SchemaVersion, Failure> {
    let url = config.configuration_database();
    let schema = match config.database.schema {
        Schema::Enroll => SqlStore::schema(&url).await,
        Schema::IdentityServer => IdentityServerStore::schema(&url).await,
    };
    schema.map_err(|error| not_opened(&error))
}

/// The people of the operational plane.
pub(crate) async fn users(config: &Config) -> Result<Users, Failure> {
    let key = sealing_key(config, &store_of_role(config).await?).await?;
    let records = records(config, Access::ReadWrite).await?;
    Ok(Users::new(Arc::new(records), key, Arc::new(SystemClock), Arc::new(SystemRandom)))
}

/// Opens the store of the operational plane.
pub(crate) async fn records(config: &Config, access: Access) -> Result<SqlRecords, Failure> {
    let records = SqlRecords::open(&config.operational_database(), access).await;
    records.map_err(|error| not_opened(&error))
}

/// A mistyped folder is no empty database.
pub(crate) async fn configuration_must_exist(config: &Config) -> Result<(), Failure> {
    let is_ours = config.database.schema == Schema::Enroll;
    if is_ours && schema_of_store(config).await?.found == 0 {
        return Err(not_there(&config.configuration_database()));
    }
    Ok(())
}

/// Likewise.
pub(crate) async fn operational_must_exist(config: &Config) -> Result<(), Failure> {
    let url = config.operational_database();
    match SqlRecords::schema(&url).await.map_err(|error| not_opened(&error))?.found {
        0 => Err(not_there(&url)),
        _ => Ok(()),
    }
}

fn not_there(url: &str) -> Failure {
    let database = without_password(url);
    let problem = match url.starts_with("sqlite://") {
        true => format!("there is no database {database} yet: look at --data and --config"),
        false => format!(
            "there is nothing of Enroll in the database {database} yet, or its user may read none of it: look at --config, run \
             `enroll migrate` as the owner, or let the user SELECT from its tables"
        ),
    };
    Failure::World(problem)
}

/// A database that cannot be opened: wrong configuration, or a failing world.
pub(crate) fn not_opened(error: &OpenError) -> Failure {
    match error {
        OpenError::Url { .. } => Failure::Usage(error.to_string()),
        OpenError::Failed { .. } | OpenError::Newer { .. } => Failure::World(with_causes(error)),
    }
}

/// The path in the issuer, empty for most.
pub(crate) fn path_of(issuer: &str) -> String {
    url::Url::parse(issuer).map_or_else(|_| String::new(), |url| url.path().trim_end_matches('/').to_owned())
}

/// The registrar of this configuration, behind this gate. It fetches nothing yet.
pub(crate) fn registrar(
    config: &Config,
    issuer: &str,
    clients: Arc<dyn ClientStore>,
    key: impl Into<Arc<SealingKey>>,
    gate: Gate,
) -> Result<RegistrarBuilder, Failure> {
    let url = config.registration_url(issuer);
    let guessed = [GUESSED.to_owned(), format!("{}{GUESSED}", path_of(issuer))];
    let aliases = BTreeSet::from(guessed).into_iter().filter(|alias| *alias != path_of(&url));
    let builder = Registrar::builder(&url)
        .clients(clients)
        .capabilities(config.capabilities())
        .rules(config.rules())
        .sealing_key(key)
        .statements(statements(config)?)
        .body_timeout(config.limits.body_timeout())
        .gate(gate);
    Ok(aliases.fold(builder, RegistrarBuilder::alias))
}

/// How documents at addresses that clients name are fetched: from public addresses, and from loopback ones when somebody
/// tries things.
pub(crate) fn remote(config: &Config, is_development: bool) -> Result<Remote, Failure> {
    let allow = |builder: Builder| if is_development { builder.insecure_allow_loopback() } else { builder };
    outbound(config, allow).map(Remote::Fetched)
}

fn outbound(config: &Config, allow: impl FnOnce(Builder) -> Builder) -> Result<Outbound, Failure> {
    let OutboundConfig { timeout, per_host_per_minute, ca_file } = &config.outbound;
    let limits = Limits {
        total: Duration::from_secs(*timeout),
        per_host_per_minute: *per_host_per_minute,
        ..Limits::default()
    };
    let mut builder = Outbound::builder(Arc::new(SystemClock), limits);
    if let Some(file) = ca_file {
        let wrong = |problem: &dyn std::fmt::Display| {
            Failure::Usage(format!("configuration: outbound.ca_file {}: {problem}", file.display()))
        };
        builder = builder.trust(std::fs::read_to_string(file).map_err(|error| wrong(&error))?);
    }
    allow(builder).build().map_err(|error| Failure::Usage(format!("configuration: outbound: {error}")))
}

/// The key that secrets are sealed under, from its file; made at the first start. When it is lost, a new one would open
/// nothing that the old one sealed, so none is made.
pub(crate) async fn sealing_key(config: &Config, store: &Store) -> Result<Arc<SealingKey>, Failure> {
    let file = config.sealing_key_file();
    if !file.exists() && config.role == Role::Authorization {
        return Err(Failure::World(format!(
            "the sealing key {} is not there: an authorization server apart needs that of the registration endpoint; copy it, \
             or name it by registration.sealing_key_file",
            file.display()
        )));
    }
    if !file.exists()
        && (sealed::holds_keys(store).await?
            || holds_sealed_secrets(store).await?
            || holds_signing_keys(config).await?)
    {
        return Err(Failure::World(format!(
            "the sealing key {} is not there, and registrations, secrets of registered clients or signing keys are sealed \
             under it: put it back from its copy, or name it by registration.sealing_key_file",
            file.display()
        )));
    }
    read_or_make_sealing_key(config).map(Arc::new)
}

/// The same, where it is there; none is made.
pub(crate) fn present_sealing_key(config: &Config) -> Result<Option<SealingKey>, Failure> {
    match config.sealing_key_file().exists() {
        true => read_or_make_sealing_key(config).map(Some),
        false => Ok(None),
    }
}

async fn holds_sealed_secrets(store: &Store) -> Result<bool, Failure> {
    let mut after = None;
    loop {
        let clients = store.list(Page { after, limit: 500 }).await?;
        let Some(last) = clients.last() else { return Ok(false) };
        after = Some(last.id.clone());
        if clients.iter().flat_map(|client| &client.secrets).any(|secret| secret.sealed.is_some()) {
            return Ok(true);
        }
    }
}

async fn holds_signing_keys(config: &Config) -> Result<bool, Failure> {
    let url = config.operational_database();
    if SqlRecords::schema(&url).await.map_err(|error| not_opened(&error))?.found == 0 {
        return Ok(false);
    }
    let records = SqlRecords::open(&url, Access::ReadOnly).await.map_err(|error| not_opened(&error))?;
    Ok(!records.records(RecordKind::SigningKey, &Belongs::default(), None, 1).await?.is_empty())
}

fn read_or_make_sealing_key(config: &Config) -> Result<SealingKey, Failure> {
    let file = config.sealing_key_file();
    let fail = |problem: &dyn std::fmt::Display| {
        Failure::World(format!("the sealing key {}: {problem}", file.display()))
    };
    match std::fs::read_to_string(&file) {
        Ok(text) => SealingKey::from_text(&text).ok_or_else(|| fail(&"must be 32 bytes in base64url")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = SealingKey::generate(&SystemRandom);
            match write_private(&file, key.expose()) {
                Ok(()) => Ok(key),
                // Another process was quicker: its key is the key.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    read_or_make_sealing_key(config)
                }
                Err(error) => Err(fail(&error)),
            }
        }
        Err(error) => Err(fail(&error)),
    }
}

/// Writes a new file for its owner alone, whole or not at all, and on disk when this returns. So is its folder, which no
/// database has made when they are elsewhere.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = file.with_extension(format!("draft-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&draft).and_then(|mut open| {
        open.write_all(text.as_bytes())?;
        open.sync_all()
    });
    // A link fails when the file is there already, a rename would replace it.
    let linked = written.and_then(|()| std::fs::hard_link(&draft, file));
    let _draft_is_spent = std::fs::remove_file(&draft);
    linked
}

/// Looks for clients that are not to be kept.
pub(crate) fn reaper(
    config: &Config,
    clients: Store,
    records: SqlRecords,
    activity: Arc<Activity>,
) -> Result<Reaper, Failure> {
    Ok(Reaper {
        clients,
        records: Arc::new(records),
        activity,
        terms: config.terms()?,
        tombstones: config.retention.tombstones(),
        clock: Arc::new(CautiousClock::following(SystemClock)),
    })
}

/// Who may register: the holders of initial access tokens, those whom the configured issuers let in, or anybody.
pub(crate) fn gate(
    config: &Config,
    issuer: &str,
    store: Store,
    issuers: Vec<BearerJwt>,
) -> Result<Gate, Failure> {
    let terms = config.terms()?;
    let default = terms["default"].clone();
    let tokens = policy::initial_access_token().named(terms.clone()).unnamed(default.clone());
    let own = policy::scope(authorization::SCOPE).on(default.clone()).and(issued_by(issuer));
    let mut allowed: Arc<dyn Policy> = Arc::new(tokens.or(own));
    for issuer in &config.registration.issuers {
        let terms = issuer.policy.as_ref().and_then(|name| terms.get(name)).unwrap_or(&default);
        let holders = policy::scope(issuer.scope.clone()).on(terms.clone()).and(issued_by(&issuer.issuer));
        allowed = Arc::new(allowed.or(holders));
    }
    if config.registration.open {
        allowed = Arc::new(allowed.or(policy::open().on(default)));
    }
    if config.registration.closed {
        // The terms of those who registered before stay known, for their updates.
        allowed = Arc::new(closed.and(allowed));
    }
    let mut gate =
        Gate::require(allowed).authenticate(InitialAccessTokens::in_store(store, Arc::new(SystemClock)));
    for issuer in issuers {
        gate = gate.authenticate(issuer);
    }
    Ok(gate)
}

/// Nobody registers over the network.
fn closed(_: &Caller, _: &Parts) -> Decision {
    Decision::Deny(Denial::Closed("registration is closed here; ask whoever runs the server".to_owned()))
}

/// The scope of one issuer must not open the door to the tokens of another.
fn issued_by(issuer: &str) -> impl Policy {
    policy::claim("iss", issuer)
}

/// The verifiers of the configured issuers: with their keys read, or to be discovered.
pub(crate) fn verifiers(config: &Config) -> Result<Vec<BearerJwt>, Failure> {
    config.registration.issuers.iter().map(|issuer| verifier(config, issuer)).collect()
}

fn verifier(config: &Config, issuer: &IssuerConfig) -> Result<BearerJwt, Failure> {
    let verifier = BearerJwt::issued_by(&issuer.issuer).for_audience(&issuer.audience);
    let verifier = if issuer.is_discovered() {
        // One for each: what strangers have fetched elsewhere uses up nothing of an issuer's budget.
        let private = issuer.insecure_allow_private;
        let allow = |builder: Builder| if private { builder.insecure_allow_private() } else { builder };
        verifier.with_discovery(outbound(config, allow)?)
    } else {
        verifier.with_keys(&keys(issuer.jwks.as_ref(), issuer.jwks_file.as_ref())?)
    };
    verifier.map_err(|error| Failure::Usage(format!("configuration: issuer {}: {error}", issuer.issuer)))
}

/// Whose software statements are believed.
pub(crate) fn statements(config: &Config) -> Result<Statements, Failure> {
    let issuers = config.registration.statement_issuers.iter().map(statement_issuer);
    let statements = Statements::of(StatementIssuers::new(issuers.collect::<Result<Vec<_>, _>>()?));
    Ok(match config.registration.statements() {
        SoftwareStatement::Ignore => Statements::default(),
        SoftwareStatement::Optional => statements,
        SoftwareStatement::Required => statements.required(),
    })
}

fn statement_issuer(config: &StatementIssuerConfig) -> Result<StatementIssuer, Failure> {
    let keys = keys(config.jwks.as_ref(), config.jwks_file.as_ref())?;
    let mut issuer = StatementIssuer::new(&config.issuer, &keys)
        .map_err(|error| Failure::Usage(format!("configuration: issuer {}: {error}", config.issuer)))?;
    if let Some(audience) = &config.audience {
        issuer = issuer.for_audience(audience);
    }
    if let Some(seconds) = config.longest_age {
        issuer = issuer.not_older_than(Duration::from_secs(seconds));
    }
    Ok(config.claims.iter().fold(issuer, |issuer, (claim, member)| issuer.taking(claim, member)))
}

/// Public keys from the configuration or from a file of theirs.
fn keys(jwks: Option<&String>, file: Option<&PathBuf>) -> Result<String, Failure> {
    match (jwks, file) {
        (Some(jwks), _) => Ok(jwks.clone()),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("configuration: jwks_file {}: {error}", file.display()))),
        (None, None) => Ok(String::new()),
    }
}

/// What `--dev` changes: anybody may register anything, with the demo scopes before those of the configuration.
pub(crate) fn for_development(config: &mut Config) {
    config.registration.open = true;
    let mut scopes = ScopeConfig::demo();
    let others = std::mem::take(&mut config.scopes);
    scopes.extend(
        others.into_iter().filter(|other| ScopeConfig::demo().iter().all(|demo| demo.name != other.name)),
    );
    config.scopes = scopes;
    config.resources.extend(ResourceConfig::demo());
    config.insecure_any_loopback_resource = Some(vec!["mcp:tools".to_owned()]);
    config.sessions.insecure_unlimited_log_ins = true;
}

/// The gate of `--dev`: its policy grants every member.
pub(crate) fn gate_for_development(config: &Config, store: Store) -> Result<Gate, Failure> {
    let base = config.terms()?["default"].clone();
    let terms = Arc::new(Terms {
        allowed_scopes: base.allowed_scopes.clone(),
        default_scopes: base.default_scopes.clone(),
        storage: base.storage,
        ..Terms::unrestricted()
    });
    let allowed = policy::initial_access_token().unnamed(terms.clone()).or(policy::open().on(terms));
    Ok(Gate::require(allowed).authenticate(InitialAccessTokens::in_store(store, Arc::new(SystemClock))))
}
