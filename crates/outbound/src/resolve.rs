//! From names to addresses: asked once, all checked, and the checked ones are what is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use async_trait::async_trait;
use enroll_oauth_types::Clock;
use reqwest::dns::{Addrs, Name, Resolving};
use tokio::sync::Semaphore;
use tracing::info;

use crate::FetchError;
use crate::budget::Budget;
use crate::reach::Reach;

/// Names that are looked up at the same time. The system's resolver holds a thread for each, beyond our deadline.
const LOOKUPS: usize = 64;

/// A connection is tried to so many of a host's addresses.
const TRIED: usize = 4;

/// Looks up the addresses of names.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of the name.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug)]
pub struct SystemResolver {
    threads: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { threads: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let lookup = tokio::task::spawn_blocking(move || {
            let _thread = thread; // until the look-up ends, which may be after the fetch was given up
            (host.as_str(), 0).to_socket_addrs().map(|found| found.map(|socket| socket.ip()).collect())
        });
        lookup.await.map_err(io::Error::other)?
    }
}

/// The resolver as the HTTP client uses it. There is no other way from a name to an address, so none goes unchecked;
/// and the client connects to what this returns, so that a name that changes its address in between gains nothing.
pub(crate) struct Checked {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reach: Reach,
}

impl Checked {
    async fn addresses(
        resolver: Arc<dyn Resolve>,
        reach: Reach,
        host: &str,
    ) -> Result<Vec<IpAddr>, FetchError> {
        // The answer is the same for all three, the log is not: what a name leads to within is ours to know.
        let found = match resolver.resolve(host).await {
            Ok(found) => found,
            Err(error) => {
                info!(host, %error, "could not look up the host `{host}`: {error}");
                return Err(FetchError::NotPublic);
            }
        };
        if found.is_empty() {
            info!(host, "the host `{host}` has no address");
            return Err(FetchError::NotPublic);
        }
        if let Some(address) = found.iter().find(|address| !reach.includes(**address)) {
            info!(host, %address, "the host `{host}` leads to {address}, which is not a public address");
            return Err(FetchError::NotPublic);
        }
        Ok(found.into_iter().take(TRIED).collect())
    }
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, budget) = (Arc::clone(&self.resolver), Arc::clone(&self.budget));
        let (now, reach) = (self.clock.now(), self.reach);
        Box::pin(async move {
            let addresses = Self::addresses(resolver, reach, name.as_str()).await?;
            for address in &addresses {
                budget.address(*address, now)?;
            }
            // The client puts the URL's port in the place of 0.
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}
