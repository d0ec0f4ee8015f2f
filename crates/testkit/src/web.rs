//! A web of our own: hosts that answer as a test says, over real TLS, and the names that lead to them.

mod answer;
mod names;
mod pages;
mod serve;

use std::net::SocketAddr;
use std::sync::Arc;

use enroll_oauth_types::Clock;
use enroll_outbound::{Builder, Limits, Outbound};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::task::JoinHandle;

pub use answer::WebAnswer;
pub use names::WebNames;

use crate::StandingClock;
use pages::Pages;

/// Hosts of strangers, on a loopback address, until it is dropped.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use enroll_testkit::{FakeWeb, WebAnswer};
///
/// let web = FakeWeb::of(&["client.example"]).await;
/// web.answer("/uris.json", WebAnswer::json("[]"));
///
/// let document = web.outbound().json(&web.url("client.example", "/uris.json")).await.unwrap();
/// assert_eq!(&document.bytes[..], b"[]");
/// assert_eq!(web.requests("/uris.json").len(), 1);
/// # });
/// ```
#[derive(Debug)]
pub struct FakeWeb {
    address: SocketAddr,
    certificate: String,
    pages: Arc<Pages>,
    names: WebNames,
    clock: Arc<StandingClock>,
    server: JoinHandle<()>,
}

impl FakeWeb {
    /// A web of hosts with these names, on a certificate that is valid for all of them.
    pub async fn of(names: &[&str]) -> Self {
        let subjects: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(subjects).expect("the names are host names");
        let pages = Arc::<Pages>::default();
        let listener = serve::listen().await;
        let address = listener.local_addr().expect("it listens");
        let acceptor = serve::acceptor(cert.der().clone(), signing_key.serialize_der());
        let server = tokio::spawn(serve::serve(listener, acceptor, Arc::clone(&pages)));
        let web_names = WebNames::default();
        for name in names {
            web_names.always(name, &[address.ip()]);
        }
        let clock = Arc::new(StandingClock::default());
        Self { address, certificate: cert.pem(), pages, names: web_names, clock, server }
    }

    /// What every host answers at the path from now on, whatever the query. Anything else is 404.
    pub fn answer(&self, path: &str, answer: WebAnswer) {
        self.pages.set(path, answer);
    }

    /// The requests that came for the path, each with its line and its headers.
    pub fn requests(&self, path: &str) -> Vec<String> {
        self.pages.requests(path)
    }

    /// How many connections were made, whether a request came or not.
    pub fn connections(&self) -> usize {
        self.pages.connections()
    }

    /// Waits until a request has come for the path.
    pub async fn requested(&self, path: &str) {
        self.pages.requested(path).await;
    }

    /// Lets one [held](WebAnswer::held) answer go.
    pub fn release(&self) {
        self.pages.release();
    }

    /// The URL of a path at one of the hosts.
    pub fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.address.port())
    }

    /// Where the hosts listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the hosts, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The names that lead to the hosts, to change what they lead to.
    pub fn names(&self) -> &WebNames {
        &self.names
    }

    /// The clock of [`FakeWeb::outbound`].
    pub fn clock(&self) -> &StandingClock {
        &self.clock
    }

    /// A client that knows the names and trusts the hosts.
    pub fn outbound(&self) -> Outbound {
        self.outbound_within(Limits::default())
    }

    /// The same with limits of one's own.
    pub fn outbound_within(&self, limits: Limits) -> Outbound {
        self.builder(limits).insecure_allow_loopback().build().expect("the certificate is one")
    }

    /// The client before it is made: it knows the names and trusts the hosts, but does not connect to loopback
    /// addresses.
    pub fn builder(&self, limits: Limits) -> Builder {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Outbound::builder(clock, limits).resolver(self.names.clone()).trust(self.certificate.clone())
    }
}

impl Drop for FakeWeb {
    fn drop(&mut self) {
        self.server.abort();
    }
}
