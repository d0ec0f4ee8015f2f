//! A registration without a registrar: the standard pipeline on a JSON body, on a server as the test likes it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use enroll_access::{Caller, Credential, Terms};
use enroll_oauth_types::{Capabilities, ClientMetadata, Clock, Random, Rejection, Timestamp};
use enroll_store::Client;
use serde_json::Value;

use crate::registration::{Assembled, Issued};
use crate::{Note, Pipeline, Registration, RegistrationError, Rules, Server};

/// A server that knows five scopes and stands still in time, an anonymous caller, the standard pipeline.
pub(super) struct Trial {
    pub(super) server: Server,
    pub(super) caller: Caller,
    pub(super) current: Option<Client>,
    pub(super) pipeline: Pipeline,
}

/// What came out.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) client: Client,
    pub(super) json: Value,
    pub(super) issued: Issued,
    pub(super) notes: Vec<Note>,
}

impl Trial {
    pub(super) fn new() -> Self {
        Self::under(Rules::default())
    }

    pub(super) fn strict() -> Self {
        Self::under(Rules::strict())
    }

    fn under(rules: Rules) -> Self {
        let scopes = ["openid", "profile", "offline_access", "api1", "api2"];
        let capabilities = Capabilities::code_and_client_credentials().with_scopes(scopes);
        let mut server = Server::new(capabilities, rules);
        server.clock = Arc::new(Standing);
        server.random = Arc::new(Counting);
        Self { server, caller: Caller::anonymous(), current: None, pipeline: Pipeline::standard() }
    }

    pub(super) fn capable(mut self, change: impl FnOnce(&mut Capabilities)) -> Self {
        change(&mut self.server.capabilities);
        self
    }

    pub(super) fn on(mut self, terms: Terms) -> Self {
        self.caller = self.caller.on(Arc::new(terms));
        self
    }

    /// The caller is the client itself, by its registration access token.
    pub(super) fn owner(mut self) -> Self {
        self.caller.credential = Credential::RegistrationAccessToken;
        self
    }

    pub(super) fn updating(mut self, client: Client) -> Self {
        self.current = Some(client);
        self
    }

    /// Registers, reading the body as the endpoint does.
    pub(super) fn register(&self, body: &Value) -> Result<Registered, Rejection> {
        let request = ClientMetadata::parse(body.to_string().as_bytes(), &self.server.rules.reading)?;
        self.register_metadata(&request)
    }

    pub(super) fn register_metadata(&self, request: &ClientMetadata) -> Result<Registered, Rejection> {
        let assembled = Assembled::new(request, &self.caller, self.current.as_ref(), &self.server);
        let mut registration = Registration::new(request, &assembled, &self.caller, &self.server);
        registration.current = self.current.as_ref();
        match pin!(self.pipeline.run(&mut registration)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(RegistrationError::Rejected(rejection))) => return Err(rejection),
            Poll::Ready(Err(other)) => panic!("{other:?}"),
            Poll::Pending => panic!("no standard step waits for anything"),
        }
        let Registration { client, issued, notes, .. } = registration;
        let json = serde_json::to_value(&client.metadata).unwrap();
        Ok(Registered { client, json, issued, notes })
    }

    /// The effective metadata of a request that must pass.
    #[track_caller]
    pub(super) fn accepts(&self, body: &Value) -> Value {
        self.register(body).unwrap_or_else(|rejection| panic!("{body}: {rejection}")).json
    }

    /// `code member: problem` of a request that must not.
    #[track_caller]
    pub(super) fn refuses(&self, body: &Value) -> String {
        match self.register(body) {
            Ok(registered) => panic!("{body} was accepted as {}", registered.json),
            Err(rejection) => format!("{} {rejection}", rejection.code),
        }
    }

    /// That a request is refused as `invalid_client_metadata` about this member.
    #[track_caller]
    pub(super) fn refuses_about(&self, member: &str, body: &Value) {
        let refusal = self.refuses(body);
        let start = format!("invalid_client_metadata {member}: ");
        assert!(refusal.starts_with(&start), "{body}: expected `{start}…`, got `{refusal}`");
    }
}

/// A code client that nobody objects to, overlaid with other members.
pub(super) fn app(over: Value) -> Value {
    with(serde_json::json!({ "redirect_uris": ["https://app.example/cb"] }), over)
}

/// A machine client that nobody objects to, overlaid with other members.
pub(super) fn machine(over: Value) -> Value {
    with(serde_json::json!({ "grant_types": ["client_credentials"] }), over)
}

fn with(mut body: Value, over: Value) -> Value {
    let Value::Object(over) = over else { panic!("metadata is an object") };
    body.as_object_mut().unwrap().extend(over);
    body
}

impl Registered {
    /// Whether a note is about this member.
    pub(super) fn notes_about(&self, member: &str) -> bool {
        self.notes.iter().any(|note| note.member == member)
    }
}

/// A public key of P-256 for signatures and key agreement. RFC 7517 appendix A.1.
pub(super) fn keys() -> Value {
    serde_json::json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    }] })
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(1_800_000_000)
    }
}

struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        (0_u8..).zip(bytes).for_each(|(count, byte)| *byte = count);
    }
}
