//! The context that walks through the pipeline.

use std::borrow::Cow;
use std::sync::Arc;

use enroll_access::{Caller, Terms};
use enroll_oauth_types::{
    Capabilities, ClientId, ClientMetadata, ClientSecret, Clock, GrantType, Random, RegistrationAccessToken,
    SealingKey, SystemClock, SystemRandom,
};
use enroll_store::{Client, RegistrationKeys};

use crate::choices::{Chosen, choose};
use crate::statement::Verdict;
use crate::{Remote, Rules, Statements};

/// What the server brings to every registration.
#[derive(Clone)]
#[non_exhaustive]
pub struct Server {
    /// What clients may register for.
    pub capabilities: Capabilities,
    /// What is mended and what is refused.
    pub rules: Rules,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identifiers and secrets come from.
    pub random: Arc<dyn Random>,
    /// What seals the secrets that the server must read again.
    pub sealing_key: Option<Arc<SealingKey>>,
    /// What seals registrations of which nothing is to be stored.
    pub registration_keys: Option<Arc<RegistrationKeys>>,
    /// Documents at addresses that a client names.
    pub remote: Remote,
    /// Whose software statements are believed.
    pub statements: Statements,
}

impl Server {
    /// A server with the operating system's clock and randomness.
    pub fn new(capabilities: Capabilities, rules: Rules) -> Self {
        Self {
            capabilities,
            rules,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            sealing_key: None,
            registration_keys: None,
            remote: Remote::Off,
            statements: Statements::default(),
        }
    }
}

/// The request that the steps see, made once, before the first of them.
pub(crate) struct Assembled<'a> {
    request: Cow<'a, ClientMetadata>,
    verdict: Verdict,
    chosen: Chosen,
}

impl<'a> Assembled<'a> {
    /// The policy's template, overlaid by what was sent, overlaid by what a believed statement claims, with a value chosen
    /// from each list of choices.
    pub(crate) fn new(
        sent: &'a ClientMetadata,
        caller: &Caller,
        current: Option<&Client>,
        server: &Server,
    ) -> Self {
        let template = &caller.terms.template;
        let request = match *template == ClientMetadata::default() {
            true => Cow::Borrowed(sent),
            false => Cow::Owned(template.clone().overlaid_by(sent)),
        };
        let settled = current.and_then(|client| client.metadata.software_statement.as_deref());
        let (verdict, overlaid) = server.statements.overlay(&request, settled, &*server.clock);
        let (request, chosen) = choose(overlaid.map_or(request, Cow::Owned), server);
        Self { request, verdict, chosen }
    }
}

/// One registration on its way. Steps read `request` and write `client`.
#[non_exhaustive]
pub struct Registration<'a> {
    /// What was sent, as it was sent.
    pub sent: &'a ClientMetadata,
    /// What is asked: the policy's template, overlaid by what was sent, overlaid by what a believed software statement
    /// claims. Nobody can edit it.
    pub request: &'a ClientMetadata,
    /// Who asks, and on what terms.
    pub caller: &'a Caller,
    /// The client as it is now, when this is an update. RFC 7592 §2.2.
    pub current: Option<&'a Client>,
    /// The server's side.
    pub server: &'a Server,
    /// The client under construction. It starts with no metadata at all: what no step takes over is not registered.
    pub client: Client,
    /// The secrets to be shown in the answer.
    pub issued: Issued,
    /// What the steps changed of what was asked, for the report.
    pub notes: Vec<Note>,
    /// Typed values from step to step.
    pub extensions: http::Extensions,
    /// The secret to be given, if one is; any will do when there is none.
    pub(crate) next_secret: Option<ClientSecret>,
    /// What came of the software statement.
    pub(crate) verdict: &'a Verdict,
    /// What came of the lists of choices.
    pub(crate) chosen: &'a Chosen,
}

/// The secrets that this registration gives out. They are shown once.
#[derive(Debug, Default)]
pub struct Issued {
    /// `client_secret`
    pub client_secret: Option<ClientSecret>,
    /// `registration_access_token`
    pub registration_access_token: Option<RegistrationAccessToken>,
}

/// Something that a step decided otherwise than it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The member.
    pub member: Cow<'static, str>,
    /// What was done, and why.
    pub text: Cow<'static, str>,
}

impl<'a> Registration<'a> {
    pub(crate) fn new(
        sent: &'a ClientMetadata,
        assembled: &'a Assembled<'_>,
        caller: &'a Caller,
        server: &'a Server,
    ) -> Self {
        let client = Client::new(ClientId::from(""), server.clock.now(), caller.to_record());
        Self {
            sent,
            request: &assembled.request,
            caller,
            current: None,
            server,
            client,
            issued: Issued::default(),
            notes: Vec::new(),
            extensions: http::Extensions::new(),
            next_secret: None,
            verdict: &assembled.verdict,
            chosen: &assembled.chosen,
        }
    }

    /// On what terms the caller registers.
    pub fn terms(&self) -> &'a Terms {
        &self.caller.terms
    }

    /// Says that a member was decided otherwise than asked, and why.
    pub fn note(&mut self, member: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) {
        self.notes.push(Note { member: member.into(), text: text.into() });
    }

    /// Whether the client under construction has this grant. True only after the step `grant_types`.
    pub fn has_grant(&self, grant: &GrantType) -> bool {
        self.client.metadata.grant_types.iter().flatten().any(|own| own == grant)
    }

    /// Whether the client under construction sends browsers to the authorization endpoint.
    pub fn uses_redirects(&self) -> bool {
        self.client.metadata.grant_types.iter().flatten().any(GrantType::uses_redirects)
    }
}
