//! Which registration access token a client holds after a request. RFC 7592 §2.1, §2.2, §5.
//!
//! A new token is stored before it is shown, and the one before works until the new one was used, or for a while: a
//! client whose answer got lost still has a token that works, and asking again shows it the same new one, and the same
//! secret if it got one. That takes neither at rest: both are computed from the old token, which its owner presents, and
//! a random salt, which is stored.
//!
//! A request that the client signed brings a new token as well. Those before, though the client may have lost them, work
//! until the new one was used, or for a while: it may have lost the answer too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::{ClientSecret, RegistrationAccessToken, SecretHash};
use enroll_store::{Client, SupersededToken, UsedAssertion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hold::Hold;
use crate::Server;
use crate::error::TooMany;

/// When a client gets another registration access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotateToken {
    /// It keeps the one that it was given.
    Never,
    /// When it changes its registration.
    #[default]
    OnUpdate,
    /// When it reads or changes its registration.
    OnUse,
}

/// What the client does with its registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It reads, and nothing may change.
    Look,
    Read,
    Update,
}

/// The signed requests that one client may have under way, until the first of them ends by itself.
const MOST_ASSERTIONS: usize = 64;

/// The earlier tokens that are kept: the oldest, which its owner has used, and the latest, which it may have.
const MOST_SUPERSEDED: usize = 8;

/// What comes of the tokens of a client by one request of its owner.
pub(super) struct Turn<'a> {
    presented: &'a RegistrationAccessToken,
    server: &'a Server,
    next: Next,
}

enum Next {
    /// A read by a token before the one that works now: it takes nothing away.
    Unchanged,
    /// The token that was presented is the one to go on with.
    Same { others: Others },
    /// Another takes its place, computed with this salt.
    Successor { salt: String, others: Others },
    /// It did so before, and is shown again.
    Again(String),
    /// The client signed the request, and gets a token that comes from no other.
    AfterAssertion(UsedAssertion),
}

/// What becomes of the other tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// They end: their owner has the one that works now, since it was presented.
    End,
    /// They work on for a while: whoever signed for the one that works now may have it.
    WorkOn,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        hold: Hold,
        presented: &'a RegistrationAccessToken,
        occasion: Occasion,
        server: &'a Server,
    ) -> Self {
        let go_on = |others| match server.rules.rotate_token.rotates(occasion) {
            true => {
                let mut salt = [0; 32];
                server.random.fill(&mut salt);
                Next::Successor { salt: URL_SAFE_NO_PAD.encode(salt), others }
            }
            false => Next::Same { others },
        };
        let next = match hold {
            Hold::Assertion(assertion) => Next::AfterAssertion(assertion),
            Hold::SupersededToken { salt: Some(salt) } => Next::Again(salt),
            Hold::SupersededToken { salt: None } if occasion == Occasion::Read => Next::Unchanged,
            Hold::SupersededToken { salt: None } => go_on(Others::WorkOn),
            Hold::Token => go_on(Others::End),
        };
        Self { presented, server, next }
    }

    /// The secret that comes along with a new token, if the client gets one: it can be computed again as the token can.
    pub(super) fn secret(&self) -> Option<ClientSecret> {
        match &self.next {
            Next::Successor { salt, .. } => Some(self.presented.successor(salt)),
            _ => None,
        }
    }

    /// The secret that came along with the token that is shown again, as long as it works.
    pub(super) fn secret_again(&self, client: &Client) -> Option<ClientSecret> {
        let Next::Again(salt) = &self.next else { return None };
        let (secret, now) = (self.presented.successor(salt), self.server.clock.now());
        let hash = ClientSecret::hash(&secret);
        client.secrets.iter().any(|own| own.hash == hash && own.works(now)).then_some(secret)
    }

    /// Gives the client the token that it is to use from now on. `true` when that changed what is to be stored.
    pub(super) fn hand_over(self, client: &mut Client) -> Result<(RegistrationAccessToken, bool), TooMany> {
        let presented = copy(self.presented);
        match self.next {
            Next::Unchanged => Ok((presented, false)),
            Next::Again(salt) => Ok((presented.successor(&salt), false)),
            Next::Same { others: Others::End } => {
                let ends_others = !client.superseded_tokens.is_empty();
                client.superseded_tokens.clear();
                Ok((presented, ends_others))
            }
            Next::Same { others: Others::WorkOn } => {
                supersede(client, self.server);
                go_on_with(client, &presented);
                Ok((presented, true))
            }
            Next::Successor { salt, others } => {
                match others {
                    Others::End => client.superseded_tokens.clear(),
                    Others::WorkOn => supersede(client, self.server),
                }
                let successor = presented.successor(&salt);
                go_on_with(client, &successor);
                keep(client, presented.hash(), Some(salt), self.server);
                Ok((successor, true))
            }
            Next::AfterAssertion(assertion) => {
                remember(client, assertion, self.server)?;
                supersede(client, self.server);
                let token = RegistrationAccessToken::generate(self.server.random.as_ref());
                go_on_with(client, &token);
                Ok((token, true))
            }
        }
    }
}

fn copy(token: &RegistrationAccessToken) -> RegistrationAccessToken {
    RegistrationAccessToken::presented(token.expose().to_owned())
}

/// The token that works now works on for a while, as do those before that have not ended. None of them leads to another.
fn supersede(client: &mut Client, server: &Server) {
    let now = server.clock.now();
    client.superseded_tokens.retain(|token| now < token.expires_at);
    for token in &mut client.superseded_tokens {
        token.salt = None;
    }
    if let Some(hash) = client.registration_access_token {
        keep(client, hash, None, server);
    }
}

/// Keeps a token as the latest of those before.
fn keep(client: &mut Client, hash: SecretHash, salt: Option<String>, server: &Server) {
    let expires_at = server.clock.now() + server.rules.token_overlap;
    client.superseded_tokens.retain(|before| before.hash != hash);
    client.superseded_tokens.push(SupersededToken { hash, salt, expires_at });
    if client.superseded_tokens.len() > MOST_SUPERSEDED {
        client.superseded_tokens.remove(1);
    }
}

fn go_on_with(client: &mut Client, token: &RegistrationAccessToken) {
    let hash = token.hash();
    client.superseded_tokens.retain(|before| before.hash != hash);
    client.registration_access_token = Some(hash);
}

/// A signed request is taken once. RFC 7523 §3, item 7.
fn remember(client: &mut Client, assertion: UsedAssertion, server: &Server) -> Result<(), TooMany> {
    let now = server.clock.now();
    client.used_assertions.retain(|used| now < used.expires_at);
    if client.used_assertions.len() >= MOST_ASSERTIONS {
        return Err(TooMany::until(client.used_assertions.iter().map(|used| used.expires_at), now));
    }
    client.used_assertions.push(assertion);
    Ok(())
}

impl RotateToken {
    fn rotates(self, occasion: Occasion) -> bool {
        match self {
            Self::Never => false,
            Self::OnUpdate => occasion == Occasion::Update,
            Self::OnUse => occasion != Occasion::Look,
        }
    }
}
