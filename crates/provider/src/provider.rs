//! The authorization server: what it is made of, and its endpoints as routers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use enroll_endpoint::{json, must_not_be_announced_too_large, read_body};
use enroll_oauth_types::{Clock, Random, SealingKey, SystemClock, SystemRandom};
use enroll_outbound::Outbound;
use enroll_store::{ClientReader, RecordStore};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::form::Form;
use crate::{Catalog, Keys, ProtocolError, paths};

/// Serves the clients of a store. Clones share everything.
#[derive(Clone)]
pub struct Provider {
    pub(crate) issuer: String,
    pub(crate) clients: Arc<dyn ClientReader>,
    pub(crate) records: Arc<dyn RecordStore>,
    pub(crate) keys: Keys,
    pub(crate) sealing_key: Arc<SealingKey>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) outbound: Option<Outbound>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) body_timeout: Duration,
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
        sealing_key: Arc<SealingKey>,
    ) -> ProviderBuilder {
        ProviderBuilder(Self {
            issuer: issuer.into(),
            clients,
            records,
            keys,
            sealing_key,
            catalog: Arc::default(),
            outbound: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            body_timeout: Duration::from_secs(10),
        })
    }

    /// The address of an endpoint.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The endpoints that scripts of any origin may call, below `prefix`, the path in the issuer.
    pub fn cross_origin_routes(self, prefix: &str) -> Router {
        let guessed = [paths::GUESSED_TOKEN.to_owned(), format!("{prefix}{}", paths::GUESSED_TOKEN)];
        let mut router = Endpoint::Token.route(Router::new(), &format!("{prefix}{}", paths::TOKEN));
        for path in BTreeSet::from(guessed) {
            router = Endpoint::Token.route(router, &path);
        }
        Endpoint::Revocation
            .route(router, &format!("{prefix}{}", paths::REVOCATION))
            .route(&format!("{prefix}{}", paths::JWKS), get(jwks))
            .with_state(Arc::new(self))
    }

    /// The endpoints that servers alone call.
    pub fn same_origin_routes(self, prefix: &str) -> Router {
        let path = format!("{prefix}{}", paths::INTROSPECTION);
        Endpoint::Introspection.route(Router::new(), &path).with_state(Arc::new(self))
    }

    /// The form that was sent, with the headers beside it.
    async fn receive(&self, request: Request) -> Result<(HeaderMap, Form), ProtocolError> {
        let (parts, body) = request.into_parts();
        must_not_be_announced_too_large(&parts.headers)?;
        let body = read_body(body, self.body_timeout).await?;
        let form = Form::read(&parts.headers, &body)?;
        Ok((parts.headers, form))
    }

    async fn answer(&self, endpoint: Endpoint, request: Request) -> Result<Response, ProtocolError> {
        let (headers, form) = self.receive(request).await?;
        let client = self.authenticate(&headers, &form, &self.url(endpoint.path())).await?;
        match endpoint {
            Endpoint::Token => self.token(&client, &form).await,
            Endpoint::Introspection => self.introspect(&client, &form).await,
            Endpoint::Revocation => self.revoke(&client, &form).await,
        }
    }
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
        router.route(path, post(answer))
    }
}

/// The public keys. They may be kept for a quarter of an hour: a new one is there for a day before it signs. RFC 7517 §5.
async fn jwks(State(provider): Shared) -> Response {
    let mut response = json(StatusCode::OK, &provider.keys.ring().jwks(provider.clock.now()));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=900"));
    headers.remove(header::PRAGMA);
    response
}
