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
use enroll_oauth_types::{ClientSecret, RegistrationAccessToken};
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
    /// The token that was presented is the one to go on with. It ends those before if its owner must have it.
    Same { ends_others: bool },
    /// Another takes its place, computed with this salt.
    Successor(String),
    /// It did so before, and is shown again.
    Again(String),
    /// The client signed the request, and gets a token that comes from no other.
    AfterAssertion(UsedAssertion),
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        hold: Hold,
        presented: &'a RegistrationAccessToken,
        occasion: Occasion,
        server: &'a Server,
    ) -> Self {
        let rotates = server.rules.rotate_token.rotates(occasion);
        let next = match hold {
            Hold::Assertion(assertion) => Next::AfterAssertion(assertion),
            Hold::SupersededToken { salt: Some(salt) } => Next::Again(salt),
            // Whoever signed since may have the token that works now, and reading takes it away from nobody.
            Hold::SupersededToken { salt: None } if occasion == Occasion::Read => {
                Next::Same { ends_others: false }
            }
            Hold::Token | Hold::SupersededToken { .. } if rotates => {
                let mut salt = [0; 32];
                server.random.fill(&mut salt);
                Next::Successor(URL_SAFE_NO_PAD.encode(salt))
            }
            Hold::Token | Hold::SupersededToken { .. } => Next::Same { ends_others: true },
        };
        Self { presented, server, next }
    }

    /// The secret that the client gets if it gets one: the same however often it asks with the same token.
    pub(super) fn secret(&self) -> Option<ClientSecret> {
        match &self.next {
            Next::Successor(salt) | Next::Again(salt) => Some(self.presented.successor(salt)),
            Next::Same { .. } | Next::AfterAssertion(_) => None,
        }
    }

    /// The secret that the client got by the same token, as it may not have seen it.
    pub(super) fn secret_of(&self, client: &Client) -> Option<ClientSecret> {
        self.secret().filter(|secret| client.secrets.iter().any(|own| own.hash == secret.hash()))
    }

    /// Gives the client the token that it is to use from now on. `true` when that changed what is to be stored.
    pub(super) fn hand_over(self, client: &mut Client) -> Result<(RegistrationAccessToken, bool), TooMany> {
        let now = self.server.clock.now();
        let supersede =
            |hash, salt| SupersededToken { hash, salt, expires_at: now + self.server.rules.token_overlap };
        let presented = self.presented;
        match self.next {
            Next::Same { ends_others: false } => Ok((copy(presented), false)),
            Next::Again(salt) => Ok((presented.successor(&salt), false)),
            Next::Same { ends_others: true } => {
                let hash = Some(presented.hash());
                let is_news =
                    client.registration_access_token != hash || !client.superseded_tokens.is_empty();
                client.registration_access_token = hash;
                client.superseded_tokens.clear();
                Ok((copy(presented), is_news))
            }
            Next::Successor(salt) => {
                let successor: RegistrationAccessToken = presented.successor(&salt);
                client.registration_access_token = Some(successor.hash());
                client.superseded_tokens = vec![supersede(presented.hash(), Some(salt))];
                Ok((successor, true))
            }
            Next::AfterAssertion(assertion) => {
                client.used_assertions.retain(|used| now < used.expires_at);
                if client.used_assertions.len() >= MOST_ASSERTIONS {
                    return Err(TooMany::until(
                        client.used_assertions.iter().map(|used| used.expires_at),
                        now,
                    ));
                }
                client.used_assertions.push(assertion);
                let before = client.registration_access_token.map(|hash| supersede(hash, None));
                client.superseded_tokens.retain(|token| now < token.expires_at);
                client.superseded_tokens.iter_mut().for_each(|token| token.salt = None);
                client.superseded_tokens.extend(before);
                if client.superseded_tokens.len() > MOST_SUPERSEDED {
                    client.superseded_tokens.remove(1);
                }
                let token = RegistrationAccessToken::generate(self.server.random.as_ref());
                client.registration_access_token = Some(token.hash());
                Ok((token, true))
            }
        }
    }
}

fn copy(token: &RegistrationAccessToken) -> RegistrationAccessToken {
    RegistrationAccessToken::presented(token.expose().to_owned())
}

impl RotateToken {
    fn rotates(self, occasion: Occasion) -> bool {
        match self {
            Self::Never => false,
            Self::OnUpdate => occasion == Occasion::Update,
            Self::OnUse => true,
        }
    }
}
