//! The registrar: what it is made of, and how it registers a client.

use std::sync::Arc;
use std::time::Duration;

use enroll_access::{Caller, Gate};
use enroll_oauth_types::{Capabilities, ClientId, ClientMetadata, Clock, Random, SealingKey};
use enroll_store::{ClientStore, RegistrationKeys, Storage};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::registration::Assembled;
use crate::{
    ClientInformation, Outcome, Pipeline, Registration, RegistrationError, Remote, Report, Rules, Server,
    Statements, StepReport,
};

/// Registers clients: the one way in, for the network and for the operator. Clones share the gate, the store and the
/// steps, so that one can become a router and another be called.
///
/// ```
/// # use std::sync::Arc;
/// use enroll_access::{Caller, Gate, policy};
/// use enroll_oauth_types::{Capabilities, ClientMetadata, ReadingRules};
/// use enroll_registration::Registrar;
/// use enroll_store::MemoryStore;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let registrar = Registrar::builder("https://id.example/connect/dcr")
///     .clients(Arc::new(MemoryStore::default()))
///     .capabilities(Capabilities::code_and_client_credentials())
///     .gate(Gate::require(policy::open()))
///     .build()?;
///
/// let body = br#"{ "redirect_uris": ["https://app.example/cb"] }"#;
/// let metadata = ClientMetadata::parse(body, &ReadingRules::default())?;
/// let information = registrar.register(&metadata, &Caller::operator("cli")).await?;
/// assert!(information.registration_client_uri().unwrap().starts_with("https://id.example/connect/dcr/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Registrar {
    pub(crate) url: String,
    pub(crate) path: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) body_timeout: Duration,
    pub(crate) server: Server,
    pub(crate) pipeline: Pipeline,
    pub(crate) clients: Arc<dyn ClientStore>,
}

impl Registrar {
    /// Starts a registrar whose registration endpoint is at `url`: absolute, since it appears in responses.
    pub fn builder(url: impl Into<String>) -> RegistrarBuilder {
        RegistrarBuilder {
            url: url.into(),
            aliases: Vec::new(),
            gate: None,
            body_timeout: Duration::from_secs(10),
            clients: None,
            server: Server::new(Capabilities::default(), Rules::default()),
            pipeline: Pipeline::standard(),
        }
    }

    /// What is mended and what is refused.
    pub fn rules(&self) -> &Rules {
        &self.server.rules
    }

    /// What clients may register for.
    pub fn capabilities(&self) -> &Capabilities {
        &self.server.capabilities
    }

    /// The steps that a registration goes through.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Registers a client. When this returns, the client is stored for good. RFC 7591 §3.
    pub async fn register(
        &self,
        sent: &ClientMetadata,
        caller: &Caller,
    ) -> Result<ClientInformation, RegistrationError> {
        let assembled = Assembled::new(sent, caller, None, &self.server);
        let mut registration = Registration::new(sent, &assembled, caller, &self.server);
        self.pipeline.run(&mut registration).await?;
        let Registration { client, issued, .. } = registration;
        if client.id.as_str().is_empty() {
            return Err(RegistrationError::Internal("no step of the pipeline made a client_id".into()));
        }
        self.clients.insert(&client, caller.pays_with.as_ref()).await?;

        let id = &client.id;
        tracing::info!(client.id = %id.brief(), caller.kind = caller.credential.as_str(), "registered a client");
        let management = issued.registration_access_token.map(|token| (self.configuration_url(id), token));
        Ok(ClientInformation { client, client_secret: issued.client_secret, management })
    }

    /// What [`Registrar::register`] would do, step by step. Stores nothing and uses up nothing.
    pub async fn explain(&self, sent: &ClientMetadata, caller: &Caller) -> Result<Report, RegistrationError> {
        let assembled = Assembled::new(sent, caller, None, &self.server);
        let mut registration = Registration::new(sent, &assembled, caller, &self.server);
        let mut report = self.pipeline.explain(&mut registration).await?;
        report.effective = report.refusal().is_none().then_some(registration.client.metadata);
        Ok(report)
    }

    /// The same from the body of a request on.
    pub async fn explain_body(&self, body: &[u8], caller: &Caller) -> Result<Report, RegistrationError> {
        let (read, mut report) = match ClientMetadata::parse(body, &self.rules().reading) {
            Ok(metadata) => (Outcome::Passed, self.explain(&metadata, caller).await?),
            Err(rejection) => (Outcome::Refused(rejection), self.pipeline.not_reached()),
        };
        report.steps.insert(0, StepReport { name: Report::READ, outcome: read, notes: Vec::new() });
        Ok(report)
    }

    pub(crate) fn configuration_url(&self, id: &ClientId) -> String {
        // One of our own needs no encoding; one from elsewhere may.
        format!("{}/{}", self.url, utf8_percent_encode(id.as_str(), RESERVED))
    }
}

/// What a segment of a path encodes. RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Builds a [`Registrar`].
pub struct RegistrarBuilder {
    url: String,
    aliases: Vec<String>,
    gate: Option<Gate>,
    body_timeout: Duration,
    clients: Option<Arc<dyn ClientStore>>,
    server: Server,
    pipeline: Pipeline,
}

/// What a registrar still lacks.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The URL of the registration endpoint is not absolute, or has a query.
    #[error(
        "the registration endpoint `{0}` must be an absolute http or https URL without query or fragment"
    )]
    Url(String),
    /// An alias is no path, or stands twice.
    #[error("the alias `{0}` must be a path of its own that begins with `/` and is no pattern")]
    Alias(String),
    /// Nobody said who may register.
    #[error("no gate: say who may register, `policy::open()` if anybody")]
    Gate,
    /// Nobody said where clients are stored.
    #[error("no store: say where clients are stored, `MemoryStore` if they may be forgotten")]
    Clients,
    /// A policy wants registrations kept in their `client_id`, and nothing seals them.
    #[error(
        "no registration keys: the policy `{0}` keeps registrations in their client_id, so say what seals them"
    )]
    RegistrationKeys(String),
}

impl RegistrarBuilder {
    /// Where clients are stored. Required.
    #[must_use]
    pub fn clients(self, clients: Arc<dyn ClientStore>) -> Self {
        Self { clients: Some(clients), ..self }
    }

    /// Who may register. Required: an open endpoint says `policy::open()`.
    #[must_use]
    pub fn gate(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// How long the body of a request may take to arrive; 408 after that. The default is 10 seconds.
    #[must_use]
    pub fn body_timeout(self, body_timeout: Duration) -> Self {
        Self { body_timeout, ..self }
    }

    /// What clients may register for. The default is nothing.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.server.capabilities = capabilities;
        self
    }

    /// What is mended and what is refused. The default takes what real clients send.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.server.rules = rules;
        self
    }

    /// The steps. The default is [`Pipeline::standard`].
    #[must_use]
    pub fn pipeline(self, pipeline: Pipeline) -> Self {
        Self { pipeline, ..self }
    }

    /// Another path of the registration endpoint, for clients that guess.
    #[must_use]
    pub fn alias(mut self, path: impl Into<String>) -> Self {
        self.aliases.push(path.into());
        self
    }

    /// The clock. The default is the operating system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.server.clock = clock;
        self
    }

    /// Where identifiers and secrets come from. The default is the operating system's generator.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.server.random = random;
        self
    }

    /// What seals client secrets that the server must read again. Without it, `client_secret_jwt` and signatures with a
    /// shared key are not among the capabilities.
    #[must_use]
    pub fn sealing_key(mut self, key: impl Into<Arc<SealingKey>>) -> Self {
        self.server.sealing_key = Some(key.into());
        self
    }

    /// What seals registrations on terms that want nothing stored; the store must open them
    /// ([`SealedStore`](enroll_store::SealedStore)). Without it such a registration fails.
    #[must_use]
    pub fn registration_keys(mut self, keys: Arc<RegistrationKeys>) -> Self {
        self.server.registration_keys = Some(keys);
        self
    }

    /// What is done about documents at addresses that a client names. By default none is fetched, and
    /// `sector_identifier_uri` is refused.
    #[must_use]
    pub fn remote(mut self, remote: Remote) -> Self {
        self.server.remote = remote;
        self
    }

    /// Whose software statements are believed. By default nobody's, and they are ignored.
    #[must_use]
    pub fn statements(mut self, statements: Statements) -> Self {
        self.server.statements = statements;
        self
    }

    /// The registrar, when nothing is missing.
    pub fn build(mut self) -> Result<Registrar, BuildError> {
        if self.server.sealing_key.is_none() {
            self.server.capabilities = self.server.capabilities.without_shared_keys();
        }
        let path = path_of(&self.url).ok_or_else(|| BuildError::Url(self.url.clone()))?;
        let stands_twice = |alias: &String| self.aliases.iter().filter(|own| *own == alias).count() > 1;
        let is_wrong = |alias: &String| !is_route(alias) || *alias == path || stands_twice(alias);
        if let Some(alias) = self.aliases.iter().find(|alias| is_wrong(alias)) {
            return Err(BuildError::Alias(alias.clone()));
        }
        let gate = self.gate.ok_or(BuildError::Gate)?;
        let terms = gate.terms();
        let sealed = terms.iter().find(|terms| terms.storage != Storage::Stored);
        if let Some(terms) = sealed.filter(|_| self.server.registration_keys.is_none()) {
            return Err(BuildError::RegistrationKeys(terms.name.clone()));
        }
        Ok(Registrar {
            url: self.url,
            path,
            aliases: self.aliases,
            body_timeout: self.body_timeout,
            gate: Arc::new(gate),
            clients: self.clients.ok_or(BuildError::Clients)?,
            server: self.server,
            pipeline: self.pipeline,
        })
    }
}

fn path_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let web =
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    let plain = web
        && uri.query().is_none()
        && !url.contains('#')
        && uri.path().len() > 1
        && is_route(uri.path())
        && !uri.path().ends_with('/');
    plain.then(|| uri.path().to_owned())
}

/// Whether a router takes this for one path, and not for a pattern, at some of which it would panic.
fn is_route(path: &str) -> bool {
    let is_plain = |segment: &str| !segment.starts_with([':', '*']) && !segment.contains(['{', '}']);
    path.starts_with('/') && path.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use enroll_access::Terms;
    use enroll_access::policy::{self, Policy as _};
    use enroll_store::MemoryStore;

    use super::*;

    fn build(url: &str, aliases: &[&str]) -> Result<Registrar, BuildError> {
        let builder = Registrar::builder(url)
            .clients(Arc::new(MemoryStore::default()))
            .gate(Gate::require(policy::open()));
        aliases.iter().fold(builder, |builder, alias| builder.alias(*alias)).build()
    }

    #[test]
    fn what_is_missing_is_told() {
        let url = "https://id.example/register";
        assert!(matches!(Registrar::builder(url).build(), Err(BuildError::Gate)));
        let gate = Gate::require(policy::open());
        assert!(matches!(Registrar::builder(url).gate(gate).build(), Err(BuildError::Clients)));
    }

    /// RFC 7591 Appendix A.5.2
    #[test]
    fn a_policy_that_wants_registrations_sealed_needs_a_key_for_it() {
        let terms = Terms { storage: Storage::Stateless, ..Terms::default() };
        let gate = Gate::require(policy::initial_access_token().or(policy::open().on(terms)));
        let builder = Registrar::builder("https://id.example/register").gate(gate);
        let built = builder.clients(Arc::new(MemoryStore::default())).build();
        assert!(matches!(built, Err(BuildError::RegistrationKeys(name)) if name == "default"));
    }

    #[test]
    fn the_endpoint_is_an_absolute_url_with_a_path() {
        for good in ["https://id.example/register", "http://127.0.0.1:5001/connect/dcr"] {
            assert!(build(good, &[]).is_ok(), "{good}");
        }
        for bad in ["", "/register", "ftp://id.example/r", "https://id.example", "https://id.example/r/"] {
            assert!(matches!(build(bad, &[]), Err(BuildError::Url(_))), "{bad}");
        }
        for bad in ["https://id.example/r?x", "https://id.example/r#x", "https://id.example/{r}"] {
            assert!(matches!(build(bad, &[]), Err(BuildError::Url(_))), "{bad}");
        }
    }

    #[test]
    fn an_alias_is_a_path_that_no_router_panics_at() {
        let url = "https://id.example/connect/dcr";
        drop(build(url, &["/register", "/oauth/register"]).unwrap().router());
        for bad in [&["register"][..], &["/:any"], &["/*"], &["/{any}"], &["/connect/dcr"], &["/r", "/r"]] {
            assert!(matches!(build(url, bad), Err(BuildError::Alias(_))), "{bad:?}");
        }
    }
}
