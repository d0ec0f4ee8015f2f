//! Which registration access token a client holds after a request. RFC 7592 §2.1, §2.2, §5.
//!
//! A new token is stored before it is shown, and the one before works until the new one was used, or for a while: a
//! client whose answer got lost still has a token that works, and asking again shows it the same new one. That takes no
//! token at rest: the new one is computed from the old one, which its owner presents, and a random salt, which is stored.
//!
//! A request that the client signed brings a new token as well, and ends those before at once: they are lost, perhaps to
//! somebody else. Should the answer get lost too, the client signs again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::RegistrationAccessToken;
use enroll_store::{Client, SupersededToken};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hold::Hold;
use crate::Server;

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

/// Too many signed requests at once: when to come back.
pub(super) struct TooMany {
    pub(super) retry_after: Duration,
}

/// Gives the client the token that it is to use from now on. `true` when that changed what is to be stored.
pub(super) fn hand_over(
    client: &mut Client,
    hold: &Hold,
    presented: RegistrationAccessToken,
    occasion: Occasion,
    server: &Server,
) -> Result<(RegistrationAccessToken, bool), TooMany> {
    let now = server.clock.now();
    match hold {
        Hold::Token if server.rules.rotate_token.rotates(occasion) => {
            let mut salt = [0; 32];
            server.random.fill(&mut salt);
            let salt = URL_SAFE_NO_PAD.encode(salt);
            let successor = presented.successor(&salt);
            let expires_at = now + server.rules.token_overlap;
            client.registration_access_token = Some(successor.hash());
            client.superseded_token = Some(SupersededToken { hash: presented.hash(), salt, expires_at });
            Ok((successor, true))
        }
        Hold::Token => {
            let was_waited_for = client.superseded_token.take().is_some();
            Ok((presented, was_waited_for))
        }
        Hold::SupersededToken => {
            let salt = client.superseded_token.as_ref().map_or("", |token| &token.salt);
            Ok((presented.successor(salt), false))
        }
        Hold::Assertion(assertion) => {
            client.used_assertions.retain(|used| now < used.expires_at);
            if client.used_assertions.len() >= MOST_ASSERTIONS {
                let first = client.used_assertions.iter().map(|used| used.expires_at).min().unwrap_or(now);
                let wait = first.seconds().saturating_sub(now.seconds()).max(1);
                return Err(TooMany { retry_after: Duration::from_secs(wait) });
            }
            client.used_assertions.push(assertion.clone());
            let token = RegistrationAccessToken::generate(server.random.as_ref());
            client.registration_access_token = Some(token.hash());
            client.superseded_token = None;
            Ok((token, true))
        }
    }
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
