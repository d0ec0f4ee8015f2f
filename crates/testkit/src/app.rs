//! A registration app in memory.

use std::sync::Arc;

use axum::Router;
use enroll_access::{Gate, InitialAccessTokens, NewInitialAccessToken, issue, policy};
use enroll_oauth_types::{Capabilities, Clock as _, SealingKey};
use enroll_registration::{Registrar, RegistrarBuilder};
use enroll_store::{ClientStore as _, MemoryStore, Page, TokenStore as _};

use crate::described::Described;
use crate::{Identity, RepeatableRandom, StandingClock};

/// The scopes that a test app knows.
pub const SCOPES: [&str; 6] = ["openid", "profile", "email", "offline_access", "api1", "api2"];

/// A registration app whose registration endpoint is `https://id.example/connect/dcr`.
pub struct TestApp {
    /// Where it stores clients and tokens.
    pub store: Arc<MemoryStore>,
    /// What time it is.
    pub clock: Arc<StandingClock>,
    random: Arc<RepeatableRandom>,
    described: Arc<Described>,
    router: Router,
}

impl TestApp {
    /// Anybody may register.
    pub fn open() -> Self {
        Self::build(|builder| builder.gate(Gate::require(policy::open())))
    }

    /// Whoever holds an initial access token may register.
    pub fn protected() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(StandingClock::default()));
        let tokens = InitialAccessTokens::in_store(store.clone(), clock.clone());
        let gate = Gate::require(policy::initial_access_token()).authenticate(tokens);
        Self::with(store, clock, |builder| builder.gate(gate))
    }

    /// An app of your own making.
    pub fn build(customize: impl FnOnce(RegistrarBuilder) -> RegistrarBuilder) -> Self {
        Self::with(Arc::default(), Arc::default(), customize)
    }

    fn with(
        store: Arc<MemoryStore>,
        clock: Arc<StandingClock>,
        customize: impl FnOnce(RegistrarBuilder) -> RegistrarBuilder,
    ) -> Self {
        let random = Arc::new(RepeatableRandom::default());
        let builder = Registrar::builder("https://id.example/connect/dcr")
            .alias("/register")
            .clients(store.clone())
            .capabilities(Capabilities::code_and_client_credentials().with_scopes(SCOPES))
            .sealing_key(SealingKey::generate(&RepeatableRandom::default()))
            .clock(clock.clone())
            .random(random.clone());
        let registrar = customize(builder).build().expect("the test app is complete");
        let described = Arc::new(Described::of(&registrar));
        Self { store, clock, random, described, router: registrar.router() }
    }

    /// Somebody without a credential.
    pub fn anonymous(&self) -> Identity {
        Identity::new(self.router.clone(), self.described.clone(), None)
    }

    /// Somebody who presents this as a bearer token.
    pub fn bearer(&self, token: &str) -> Identity {
        Identity::new(self.router.clone(), self.described.clone(), Some(format!("Bearer {token}")))
    }

    /// Somebody with a new initial access token of so many uses.
    pub async fn holder_of_initial_access_token(&self, uses: u32) -> Identity {
        let new = NewInitialAccessToken { uses: Some(uses), ..NewInitialAccessToken::default() };
        let (secret, token) = issue(new, self.clock.now(), &*self.random).expect("the token is well formed");
        self.store.put(&token).await.expect("the memory store stores");
        self.bearer(secret.expose())
    }

    /// How many clients are stored.
    pub async fn clients(&self) -> usize {
        self.store.list(Page { after: None, limit: 10_000 }).await.expect("the memory store reads").len()
    }
}
