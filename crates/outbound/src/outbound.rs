//! The client and how it is made.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use enroll_oauth_types::{Clock, Timestamp};
use reqwest::{Certificate, Client, redirect};
use tracing::{error, info};

use crate::budget::Budget;
use crate::cache::{Cache, Entry};
use crate::fetch::{Document, get};
use crate::reach::Reach;
use crate::resolve::{Checked, Resolve, SystemResolver};
use crate::target::Target;
use crate::{FetchError, Limits, Media};

/// Fetches documents from addresses that strangers named. Cheap to clone; clones share cache and budgets.
///
/// ```no_run
/// use std::sync::Arc;
/// use enroll_oauth_types::SystemClock;
/// use enroll_outbound::{Limits, Outbound};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let outbound = Outbound::builder(Arc::new(SystemClock), Limits::default()).build()?;
/// let document = outbound.json("https://client.example/redirect_uris.json").await?;
/// println!("{} bytes of {}", document.bytes.len(), document.media_type);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    lines: Lines,
    cache: Cache,
    clock: Arc<dyn Clock>,
    limits: Limits,
    reach: Reach,
}

/// One for each kind of document: whoever makes this server fetch pictures uses up nothing of what keys are fetched with.
struct Lines {
    json: Line,
    jwk_set: Line,
    image: Line,
}

/// A way out, with limits of its own.
struct Line {
    client: LazyClient,
    budget: Arc<Budget>,
}

/// The client, made by the first fetch: reading what the system trusts takes some milliseconds, and most servers are
/// never asked to fetch anything.
type LazyClient =
    LazyLock<Result<Client, reqwest::Error>, Box<dyn FnOnce() -> Result<Client, reqwest::Error> + Send>>;

/// Makes an [`Outbound`].
pub struct Builder {
    clock: Arc<dyn Clock>,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    trusted: Vec<String>,
    reach: Reach,
}

/// Why the client cannot be made: a certificate to be trusted cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a certificate to be trusted cannot be read: it must be PEM")]
pub struct BuildError(#[source] reqwest::Error);

impl Outbound {
    /// A client with these limits; the clock says how old remembered answers are.
    pub fn builder(clock: Arc<dyn Clock>, limits: Limits) -> Builder {
        let resolver = Arc::new(SystemResolver::default());
        Builder { clock, limits, resolver, trusted: Vec::new(), reach: Reach::Public }
    }

    /// How long one fetch takes at the most.
    pub fn patience(&self) -> Duration {
        self.0.limits.total
    }

    /// The JSON document at the URL. It is not parsed.
    pub async fn json(&self, url: &str) -> Result<Document, FetchError> {
        self.fetch(url, Media::Json).await
    }

    /// The JWK set at the URL (RFC 7517 §5). It is not parsed.
    pub async fn jwk_set(&self, url: &str) -> Result<Document, FetchError> {
        self.fetch(url, Media::JwkSet).await
    }

    /// The picture at the URL, to be shown from here: never from where it is, which would tell its host who looks.
    pub async fn image(&self, url: &str) -> Result<Document, FetchError> {
        self.fetch(url, Media::Image).await
    }

    /// The document at the URL: a remembered one while it holds, else a new one.
    pub async fn fetch(&self, url: &str, media: Media) -> Result<Document, FetchError> {
        let now = self.0.clock.now();
        self.answer(url, media, now, |entry| entry.is_fresh(now)).await
    }

    /// The document at the URL anew, unless the host was asked within [`Limits::refetch_after`]: for a key set that
    /// lacks the key that a signature names.
    ///
    /// When the host fails, a document that still holds is returned as before.
    pub async fn refetch(&self, url: &str, media: Media) -> Result<Document, FetchError> {
        let now = self.0.clock.now();
        let age = self.0.limits.refetch_after;
        self.answer(url, media, now, |entry| entry.is_younger(now, age)).await
    }

    async fn answer(
        &self,
        url: &str,
        media: Media,
        now: Timestamp,
        usable: impl Fn(&Entry) -> bool,
    ) -> Result<Document, FetchError> {
        let target = Target::read(url, self.0.reach)?;
        let key = (media, target.url.as_str().to_owned());
        self.0.cache.answer(key, now, usable, self.0.ask(&target, media, now)).await
    }
}

impl Inner {
    /// Fetches, and says so.
    async fn ask(&self, target: &Target, media: Media, now: Timestamp) -> Entry {
        let begun = Instant::now();
        let answer = self.get(target, media, now).await;
        note(&target.host, &answer, begun.elapsed());
        let lifetime = answer.as_ref().map_or(self.limits.keep_failure, |(_, lifetime)| *lifetime);
        Entry { answer: answer.map(|(document, _)| document), asked: now, until: now + lifetime }
    }

    async fn get(
        &self,
        target: &Target,
        media: Media,
        now: Timestamp,
    ) -> Result<(Document, Duration), FetchError> {
        let line = self.lines.of(media);
        let _leave = line.budget.host(&target.host, now)?;
        if let Some(address) = target.literal {
            line.budget.address(address, now)?;
        }
        let client = line.client.as_ref().map_err(|error| {
            error!("nothing can be fetched: {error}; are there certificates that this system trusts?");
            FetchError::Tls
        })?;
        let fetch = get(client, target, media, &self.limits);
        tokio::time::timeout(self.limits.total, fetch).await.unwrap_or(Err(FetchError::Timeout))
    }
}

impl Lines {
    fn of(&self, media: Media) -> &Line {
        match media {
            Media::Json => &self.json,
            Media::JwkSet => &self.jwk_set,
            Media::Image => &self.image,
        }
    }
}

/// Neither path nor query are noted: there are secrets in some.
fn note(host: &str, answer: &Result<(Document, Duration), FetchError>, duration: Duration) {
    let outcome = answer.as_ref().map_or_else(FetchError::outcome, |_| "fetched");
    metrics::counter!("enroll_outbound_fetches_total", "outcome" => outcome).increment(1);
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok((document, _)) => {
            let bytes = document.bytes.len();
            info!(host, status = 200, outcome, duration_ms, bytes, "fetched {bytes} bytes from `{host}`");
        }
        Err(error) => {
            info!(
                host,
                status = error.status(),
                outcome,
                duration_ms,
                "fetched nothing from `{host}`: {error}"
            );
        }
    }
}

impl Builder {
    /// Looks names up with another resolver than the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Trusts these certificates too, in PEM, beside those that the system trusts.
    #[must_use]
    pub fn trust(mut self, pem: impl Into<String>) -> Self {
        self.trusted.push(pem.into());
        self
    }

    /// Lets strangers make this server connect to itself, by https or http. For tests and development only.
    #[must_use]
    pub fn insecure_allow_loopback(mut self) -> Self {
        self.reach = Reach::Loopback;
        self
    }

    /// Connects to the addresses of private networks and of this machine too, by https or http. For addresses that the
    /// operator named, and nobody else: a stranger could look around in the operator's network.
    #[must_use]
    pub fn insecure_allow_private(mut self) -> Self {
        self.reach = Reach::Private;
        self
    }

    /// The client.
    pub fn build(self) -> Result<Outbound, BuildError> {
        let lines = Lines { json: self.line()?, jwk_set: self.line()?, image: self.line()? };
        let cache = Cache::new(&self.limits);
        let inner = Inner { lines, cache, clock: self.clock, limits: self.limits, reach: self.reach };
        Ok(Outbound(Arc::new(inner)))
    }

    fn line(&self) -> Result<Line, BuildError> {
        let budget = Budget::new(&self.limits);
        let resolver = Checked {
            resolver: Arc::clone(&self.resolver),
            budget: Arc::clone(&budget),
            clock: Arc::clone(&self.clock),
            reach: self.reach,
        };
        let mut client = Client::builder()
            .dns_resolver(resolver)
            .no_proxy() // a proxy would resolve the name itself
            .redirect(redirect::Policy::none()) // the next address would go unchecked
            .https_only(self.reach == Reach::Public)
            .http1_only()
            .pool_max_idle_per_host(0) // a kept connection would outlive its check
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(self.limits.connect)
            .user_agent(concat!("enroll/", env!("CARGO_PKG_VERSION")));
        for pem in &self.trusted {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(BuildError)?;
            client = client.tls_certs_merge(certificates);
        }
        let client: LazyClient = if self.trusted.is_empty() {
            LazyLock::new(Box::new(|| client.build()))
        } else {
            let client = client.build().map_err(BuildError)?; // whether they are certificates shows only now
            LazyLock::new(Box::new(|| Ok(client)))
        };
        Ok(Line { client, budget })
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}
