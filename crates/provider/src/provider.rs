//! The authorization server: what it is made of, and its endpoints as routers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use enroll_endpoint::{json, must_not_be_announced_too_large, only, read_body};
use enroll_jose::SigningAlgorithm;
use enroll_oauth_types::{
    AuthorizationServer, Clock, ErrorCode, Random, SealingKey, SystemClock, SystemRandom,
};
use enroll_outbound::Outbound;
use enroll_pages::Language;
use enroll_store::{Client, ClientReader, RecordStore};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::authorization::Prompts;
use crate::parameters::Parameters;
use crate::session;
use crate::tokens::claims;
use crate::{Catalog, Keys, ProtocolError, Users, paths};

/// Serves the clients of a store. Clones share everything.
#[derive(Clone)]
pub struct Provider {
    pub(crate) issuer: String,
    pub(crate) clients: Arc<dyn ClientReader>,
    pub(crate) records: Arc<dyn RecordStore>,
    pub(crate) keys: Keys,
    pub(crate) users: Users,
    pub(crate) sealing_key: Arc<SealingKey>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) outbound: Option<Outbound>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) body_timeout: Duration,
    pub(crate) session_lifetime: Duration,
    pub(crate) access_token_algorithm: SigningAlgorithm,
    pub(crate) legacy_implicit: bool,
    /// How people know this server.
    pub(crate) service: String,
}

/// Makes a [`Provider`].
pub struct ProviderBuilder(Provider);

impl Provider {
    /// A provider of this issuer, whose clients and records these are.
    pub fn builder(
        issuer: impl Into<String>,
        clients: Arc<dyn ClientReader>,
        records: Arc<dyn RecordStore>,
        keys: Keys,
        users: Users,
        sealing_key: Arc<SealingKey>,
    ) -> ProviderBuilder {
        let issuer = issuer.into();
        ProviderBuilder(Self {
            service: host(&issuer).to_owned(),
            issuer,
            clients,
            records,
            keys,
            users,
            sealing_key,
            catalog: Arc::default(),
            outbound: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            body_timeout: Duration::from_secs(10),
            session_lifetime: session::DEFAULT_LIFETIME,
            access_token_algorithm: SigningAlgorithm::Es256,
            legacy_implicit: false,
        })
    }

    /// The address of an endpoint.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The path of an endpoint, below the path in the issuer.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", &self.issuer[self.origin().len()..])
    }

    /// Scheme, host and port of the issuer.
    fn origin(&self) -> &str {
        let behind_scheme = self.issuer.find("://").map_or(0, |at| at + 3);
        let end = self.issuer[behind_scheme..].find('/').map_or(self.issuer.len(), |at| behind_scheme + at);
        &self.issuer[..end]
    }

    /// Each address of the token endpoint: where it is, and where clients go that found no metadata.
    pub(crate) fn token_endpoints(&self) -> [String; 3] {
        let guessed = paths::GUESSED_TOKEN;
        [self.url(paths::TOKEN), self.url(guessed), format!("{}{guessed}", self.origin())]
    }

    /// The endpoints that scripts of any origin may call, below `prefix`, the path in the issuer.
    pub fn cross_origin_routes(self, prefix: &str) -> Router {
        let guessed = [paths::GUESSED_TOKEN.to_owned(), format!("{prefix}{}", paths::GUESSED_TOKEN)];
        let mut router = Endpoint::Token.route(Router::new(), &format!("{prefix}{}", paths::TOKEN));
        for path in BTreeSet::from(guessed) {
            router = Endpoint::Token.route(router, &path);
        }
        let userinfo = get(userinfo).post(userinfo);
        Endpoint::Revocation
            .route(router, &format!("{prefix}{}", paths::REVOCATION))
            .route(&format!("{prefix}{}", paths::USERINFO), only("GET, POST", userinfo))
            .route(&format!("{prefix}{}", paths::JWKS), get(jwks))
            .with_state(Arc::new(self))
    }

    /// The endpoints that no script of another origin may call: those that people see, and those that servers alone call.
    pub fn same_origin_routes(self, prefix: &str) -> Router {
        let at = |path: &str| format!("{prefix}{path}");
        let authorization = || only("GET, POST", get(authorize).post(authorize));
        let mut router = Router::new();
        let guessed = [paths::GUESSED_AUTHORIZATION.to_owned(), at(paths::GUESSED_AUTHORIZATION)];
        for path in BTreeSet::from(guessed) {
            router = router.route(&path, authorization());
        }
        Endpoint::Introspection
            .route(router, &at(paths::INTROSPECTION))
            .route(&at(paths::AUTHORIZATION), authorization())
            .route(&at(paths::LOGIN), only("POST", post(log_in)))
            .route(&at(paths::RESUME), only("GET", get(resume)))
            .route(&at(paths::CONSENT), only("POST", post(consent)))
            .route(&at(paths::END_SESSION), only("GET, POST", get(end_session).post(end_session)))
            .route(&format!("{}/{{client_id}}", at(paths::LOGO)), only("GET", get(logo)))
            .route(&at(paths::CONFIRM), only("POST", post(confirm_end_session)))
            .with_state(Arc::new(self))
    }

    /// Where it is, and what it does, for the discovery documents.
    pub fn described(&self) -> AuthorizationServer {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        AuthorizationServer {
            authorization_endpoint: self.url(paths::AUTHORIZATION),
            token_endpoint: self.url(paths::TOKEN),
            userinfo_endpoint: self.url(paths::USERINFO),
            end_session_endpoint: self.url(paths::END_SESSION),
            introspection_endpoint: self.url(paths::INTROSPECTION),
            revocation_endpoint: self.url(paths::REVOCATION),
            jwks_uri: self.url(paths::JWKS),
            claims: claims::supported(&self.catalog),
            prompts: owned(&Prompts::ALL),
            ui_locales: owned(&Language::ALL.map(Language::tag)),
        }
    }

    /// A form that was sent.
    pub(crate) async fn form(&self, headers: &HeaderMap, body: Body) -> Result<Parameters, ProtocolError> {
        must_not_be_announced_too_large(headers)?;
        let body = read_body(body, self.body_timeout).await?;
        Parameters::form(headers, &body)
    }

    async fn answer(&self, endpoint: Endpoint, request: Request) -> Result<Response, ProtocolError> {
        let (parts, body) = request.into_parts();
        let form = self.form(&parts.headers, body).await?.each_once()?;
        if let Endpoint::Introspection = endpoint
            && let Some(resource) = self.resource(&parts.headers, &form)?
        {
            return self.introspect_for(resource, &form, &parts.headers).await;
        }
        let client = self.authenticate(&parts.headers, &form, &self.url(endpoint.path())).await?;
        let answered = self.answer_client(endpoint, &client, &form, &parts.headers).await;
        if answered.is_err()
            && let Some(client) = self.changed(&client).await?
        {
            return self.answer_client(endpoint, &client, &form, &parts.headers).await;
        }
        answered
    }

    async fn answer_client(
        &self,
        endpoint: Endpoint,
        client: &Client,
        form: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Response, ProtocolError> {
        must_be_of_allowed_origin(client, headers)?;
        match endpoint {
            Endpoint::Token => Box::pin(self.token(client, form)).await,
            Endpoint::Introspection => self.introspect(client, form, headers).await,
            Endpoint::Revocation => self.revoke(client, form).await,
        }
    }

    /// The client as it is now, if it changed since it was read: what was refused by the older one may be allowed.
    async fn changed(&self, client: &Client) -> Result<Option<Arc<Client>>, ProtocolError> {
        let now = self.clients.client(&client.id).await?;
        Ok(now.filter(|now| now.enabled && now.revision != client.revision))
    }
}

/// Where a client named the origins of its scripts, no script of another speaks for it.
fn must_be_of_allowed_origin(client: &Client, headers: &HeaderMap) -> Result<(), ProtocolError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let Some(allowed) = client.metadata.allowed_cors_origins.as_ref().filter(|own| !own.is_empty()) else {
        return Ok(());
    };
    match allowed.iter().any(|own| own.as_str().as_bytes() == origin.as_bytes()) {
        true => Ok(()),
        false => Err(ProtocolError::new(
            ErrorCode::UnauthorizedClient,
            "Origin: is not one of the allowed_cors_origins that the client is registered with",
        )),
    }
}

/// What people read in an issuer.
fn host(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, rest)| rest)
}

impl ProviderBuilder {
    /// What there is to get access to.
    #[must_use]
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.0.catalog = Arc::new(catalog);
        self
    }

    /// Fetches the keys of clients that keep them elsewhere.
    #[must_use]
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.0.outbound = Some(outbound);
        self
    }

    /// What time it is. By default the operating system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.0.clock = clock;
        self
    }

    /// How long a body may take to arrive. By default 10 seconds.
    #[must_use]
    pub fn body_timeout(mut self, longest: Duration) -> Self {
        self.0.body_timeout = longest;
        self
    }

    /// How long somebody who logged in stays so. By default 10 hours.
    #[must_use]
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.0.session_lifetime = lifetime;
        self
    }

    /// How access tokens are signed. By default ES256.
    #[must_use]
    pub fn access_token_algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.0.access_token_algorithm = algorithm;
        self
    }

    /// Whether the implicit flow is there, which RFC 9700 §2.1.2 advises against. By default it is not. What clients may
    /// register for is said by `Capabilities::with_legacy_implicit`.
    #[must_use]
    pub fn legacy_implicit(mut self, is_there: bool) -> Self {
        self.0.legacy_implicit = is_there;
        self
    }

    /// The provider.
    pub fn build(self) -> Provider {
        self.0
    }
}

type Shared = State<Arc<Provider>>;

/// An endpoint to which clients send forms, and by which they are known.
#[derive(Clone, Copy)]
enum Endpoint {
    Token,
    Introspection,
    Revocation,
}

impl Endpoint {
    fn path(self) -> &'static str {
        match self {
            Self::Token => paths::TOKEN,
            Self::Introspection => paths::INTROSPECTION,
            Self::Revocation => paths::REVOCATION,
        }
    }

    fn route(self, router: Router<Arc<Provider>>, path: &str) -> Router<Arc<Provider>> {
        let answer = move |State(provider): Shared, request: Request| async move {
            // In a place of its own: it is large, and every layer around would move it once.
            let answer = Box::pin(provider.answer(self, request)).await;
            answer.unwrap_or_else(ProtocolError::into_response)
        };
        router.route(path, only("POST", post(answer)))
    }
}

async fn logo(State(provider): Shared, client: Path<String>, request: Request) -> Response {
    Box::pin(provider.logo(client, request)).await
}

macro_rules! handlers {
    ($($name:ident)*) => {
        $(async fn $name(State(provider): Shared, request: Request) -> Response {
            // In a place of its own: it is large, and every layer around would move it once.
            Box::pin(provider.$name(request)).await
        })*
    };
}

handlers! { authorize log_in resume consent userinfo end_session confirm_end_session }

/// The public keys. They may be kept for a quarter of an hour: a new one is there for a day before it signs. Whoever asks a
/// new server waits until there is one for each algorithm, and not one of them less. RFC 7517 §5.
async fn jwks(State(provider): Shared) -> Response {
    for algorithm in SigningAlgorithm::ALL {
        if let Err(error) = provider.must_have_key(algorithm).await {
            return error.into_response();
        }
    }
    let mut response = json(StatusCode::OK, &provider.keys.ring().jwks(provider.clock.now()));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=900"));
    headers.remove(header::PRAGMA);
    response
}
