//! `enroll.toml`: defaults, under the file, under `ENROLL_*` variables, under flags.

mod layers;
mod network;
mod policies;
mod registration;
mod schema;
mod scopes;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use enroll_oauth_types::{Capabilities, SecretHash, Uri};
use enroll_registration::Rules;
use enroll_store_sql::{SqlStore, without_password};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::{Place, Role};
use crate::failure::Failure;
use crate::telemetry;
pub(crate) use network::Network;
pub(crate) use policies::PolicyConfig;
pub(crate) use registration::{IssuerConfig, RegistrationConfig, SoftwareStatement, StatementIssuerConfig};
pub(crate) use schema::schema;
pub(crate) use scopes::{Dynamic, ResourceConfig, ScopeConfig, Wording};
pub(crate) use tokens::{SessionConfig, TokenConfig};

/// The path of the registration endpoint, below the issuer.
const REGISTRATION: &str = "/connect/dcr";

/// The commented example, which `enroll config example` prints.
pub(crate) const EXAMPLE: &str = include_str!("config/example.toml");

/// Every key. `enroll config example` explains them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) role: Role,
    pub(crate) database: Databases,
    pub(crate) registration: RegistrationConfig,
    pub(crate) scopes: Vec<ScopeConfig>,
    pub(crate) resources: Vec<ResourceConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) insecure_any_loopback_resource: Option<Vec<String>>,
    pub(crate) policies: BTreeMap<String, PolicyConfig>,
    pub(crate) retention: RetentionConfig,
    pub(crate) tokens: TokenConfig,
    pub(crate) sessions: SessionConfig,
    pub(crate) outbound: OutboundConfig,
    pub(crate) limits: Limits,
    pub(crate) log: LogConfig,
    pub(crate) legacy: Legacy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 5001)),
            data: PathBuf::from("enroll-data"),
            role: Role::All,
            database: Databases::default(),
            registration: RegistrationConfig::default(),
            scopes: ScopeConfig::standard(),
            resources: Vec::new(),
            insecure_any_loopback_resource: None,
            policies: BTreeMap::new(),
            retention: RetentionConfig::default(),
            tokens: TokenConfig::default(),
            sessions: SessionConfig::default(),
            outbound: OutboundConfig::default(),
            limits: Limits::default(),
            log: LogConfig::default(),
            legacy: Legacy::default(),
        }
    }
}

/// Where the two planes are stored: by default in two SQLite files in the data folder, or in databases of PostgreSQL, MySQL or
/// MariaDB.
#[derive(Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Databases {
    pub(crate) schema: Schema,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operational: Option<String>,
    client_staleness: u64,
}

impl Default for Databases {
    fn default() -> Self {
        Self { configuration: None, operational: None, client_staleness: 2, schema: Schema::default() }
    }
}

/// Without the passwords in the URLs.
impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, configuration, operational, client_staleness } = self;
        f.debug_struct("Databases")
            .field("schema", schema)
            .field("configuration", &configuration.as_deref().map(without_password))
            .field("operational", &operational.as_deref().map(without_password))
            .field("client_staleness", client_staleness)
            .finish()
    }
}

impl Databases {
    /// How long a node may go by what it read of a client before.
    pub(crate) fn client_staleness(&self) -> Duration {
        Duration::from_secs(self.client_staleness)
    }
}

/// What is kept for how long, beside what policies say of their clients.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RetentionConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    tombstones: Option<u64>,
}

impl RetentionConfig {
    /// How long the identifiers of deleted clients are kept; `None` is for ever.
    pub(crate) fn tombstones(&self) -> Option<Duration> {
        self.tombstones.map(Duration::from_secs)
    }
}

/// Whose tables hold the clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Schema {
    /// Our own.
    #[default]
    Enroll,
    /// Those of an IdentityServer that are there already.
    IdentityServer,
}

/// How documents at addresses that clients name are fetched.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutboundConfig {
    pub(crate) timeout: u64,
    pub(crate) per_host_per_minute: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self { timeout: 5, per_host_per_minute: 30, ca_file: None }
    }
}

/// Seconds and counts that keep one caller from using up what all need.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    #[schemars(range(min = 1))]
    pub(crate) connections: usize,
    #[schemars(range(min = 1))]
    pub(crate) connections_per_source: usize,
    pub(crate) trusted_proxies: Vec<Network>,
    #[schemars(range(min = 1))]
    header_timeout: u64,
    #[schemars(range(min = 1))]
    body_timeout: u64,
    #[schemars(range(min = 1))]
    request_timeout: u64,
    shutdown_timeout: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_source: 1024,
            trusted_proxies: Vec::new(),
            header_timeout: 10,
            body_timeout: 10,
            request_timeout: 30,
            shutdown_timeout: 20,
        }
    }
}

impl Limits {
    /// How long the header of a request may take, and how long a connection may be idle.
    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout)
    }

    /// How long a body may take to arrive.
    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout)
    }

    /// How long a request may take as a whole.
    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout)
    }

    /// How long requests in flight may take when the server stops.
    pub(crate) fn shutdown_timeout(&self) -> Duration {
        Duration::from_secs(self.shutdown_timeout)
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    pub(crate) level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Pretty, level: "info".to_owned() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Pretty,
    Json,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Legacy {
    pub(crate) implicit: bool,
}

impl Config {
    /// The configuration for a command: defaults, file, environment, and the flags of `place`.
    pub(crate) fn load(place: &Place) -> Result<Self, Failure> {
        let config = layers::read(place)?;
        config.validate()?;
        Ok(config)
    }

    /// The issuer of a command that opens no socket: the configured one, or that of a server at the configured address.
    pub(crate) fn issuer_or_default(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// The registration endpoint, as clients see it: below the issuer, where no other host serves it.
    pub(crate) fn registration_url(&self, issuer: &str) -> String {
        self.registration.url.clone().unwrap_or_else(|| format!("{issuer}{REGISTRATION}"))
    }

    /// The database of the configuration plane.
    pub(crate) fn configuration_database(&self) -> String {
        self.database.configuration.clone().unwrap_or_else(|| in_folder(&self.data, "configuration.db"))
    }

    /// The database of the operational plane.
    pub(crate) fn operational_database(&self) -> String {
        self.database.operational.clone().unwrap_or_else(|| in_folder(&self.data, "operational.db"))
    }

    /// The file of the key that secrets are sealed under.
    pub(crate) fn sealing_key_file(&self) -> PathBuf {
        self.registration.sealing_key_file.clone().unwrap_or_else(|| self.data.join("sealing.key"))
    }

    /// What clients may register for.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let scopes = self.scopes.iter().map(|scope| scope.name.clone());
        let capabilities = Capabilities::code_and_client_credentials().with_scopes(scopes);
        #[cfg(feature = "jwe")]
        let capabilities = capabilities
            .with_encryption(enroll_provider::KeyManagement::ALL, enroll_provider::ContentEncryption::ALL);
        if self.legacy.implicit { capabilities.with_legacy_implicit() } else { capabilities }
    }

    /// How rough a request may be.
    pub(crate) fn rules(&self) -> Rules {
        self.registration.rules()
    }

    fn validate(&self) -> Result<(), Failure> {
        let wrong =
            |key: &str, problem: &str| Err(Failure::Usage(format!("configuration: {key}: {problem}")));
        telemetry::filter(&self.log.level).map(drop).or_else(|problem| wrong("log.level", &problem))?;
        for (key, url) in [
            ("database.configuration", &self.database.configuration),
            ("database.operational", &self.database.operational),
        ] {
            let checked = url.as_ref().map_or(Ok(()), |url| SqlStore::check_url(url));
            checked.or_else(|error| wrong(key, &error.to_string()))?;
        }
        if self.database.schema == Schema::IdentityServer && self.database.configuration.is_none() {
            return wrong(
                "database.configuration",
                "must name the configuration database of the IdentityServer when schema is identityserver",
            );
        }
        if let Some((key, problem)) = self.registration.problem(|name| self.policies.contains_key(name)) {
            return wrong(&key, &problem);
        }
        if let Some(scope) =
            self.scopes.iter().find(|scope| !enroll_oauth_types::Scope::is_token(&scope.name))
        {
            return wrong("scopes", &format!("`{}` is no scope by RFC 6749 section 3.3", scope.name));
        }
        for (number, resource) in self.resources.iter().enumerate() {
            let is_known = |name: &String| self.scopes.iter().any(|scope| scope.name == *name);
            if let Some(unknown) = resource.scopes.iter().find(|name| !is_known(name)) {
                return wrong(
                    &format!("resources[{number}].scopes"),
                    &format!("`{unknown}` is not under [[scopes]]"),
                );
            }
        }
        for (number, resource) in self.resources.iter().enumerate() {
            if resource.secret_hashes.iter().any(|text| SecretHash::from_text(text).is_none()) {
                return wrong(
                    &format!("resources[{number}].secret_hashes"),
                    "must hold what `enroll config secret` prints, never the secret itself",
                );
            }
        }
        if self.limits.connections == 0 || self.limits.connections_per_source == 0 {
            return wrong("limits", "connections and connections_per_source must be at least 1");
        }
        let Limits { header_timeout, body_timeout, request_timeout, .. } = self.limits;
        if [header_timeout, body_timeout, request_timeout].contains(&0) {
            return wrong(
                "limits",
                "header_timeout, body_timeout and request_timeout must be at least 1 second",
            );
        }
        if self.outbound.timeout == 0 || self.outbound.per_host_per_minute == 0 {
            return wrong("outbound", "timeout and per_host_per_minute must be at least 1");
        }
        if self.retention.tombstones == Some(0) {
            return wrong("retention.tombstones", "must be at least 1 second");
        }
        if let Some(issuer) = &self.issuer {
            validate_issuer(issuer).or_else(|problem| wrong("issuer", &problem))?;
        }
        if self.database.schema == Schema::IdentityServer && self.seals_registrations()? {
            return wrong(
                "registration.storage",
                "must be `stored` with `database.schema = \"identityserver\"`, whose tables hold identifiers of 200 characters",
            );
        }
        self.terms().map(drop)
    }
}

/// RFC 8414 §2: https, no query, no fragment; http on loopback for trying things. And every path that is made of it is
/// one that clients and routers spell alike.
pub(crate) fn validate_issuer(issuer: &str) -> Result<(), String> {
    let uri = Uri::from(issuer);
    let parts = uri.parts().map_err(String::from)?;
    let lower = issuer.starts_with("https://") || issuer.starts_with("http://") && parts.is_loopback();
    let plain = parts.query.is_none() && parts.fragment.is_none() && !issuer.ends_with('/');
    if !(lower && plain) {
        let problem = "must be an https URL without query, fragment and final slash (http on loopback only)";
        return Err(problem.to_owned());
    }
    let mut segments = parts.path.split('/').skip(1);
    let is_plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with([':', '*'])
            && segment != ".well-known"
            && !segment.contains('%')
    };
    match segments.all(is_plain) {
        true => Ok(()),
        false => Err("must have a path of plain segments: none empty, encoded or `.well-known`".to_owned()),
    }
}

fn in_folder(folder: &Path, name: &str) -> String {
    format!("sqlite://{}", folder.join(name).display())
}

#[cfg(test)]
mod tests;
