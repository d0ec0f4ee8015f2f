//! The vocabulary of OAuth 2.0 and OpenID Connect client registration: every registered member of client
//! metadata, the names and values that belong to it, and the rules that need nothing but the value itself.
//!
//! No input or output happens here, nothing is async, and time and randomness are arguments.

#[macro_use]
mod described;
#[macro_use]
mod open_enum;
#[macro_use]
mod text_as_sent;

mod auth_method;
mod capabilities;
mod client_id;
mod error;
mod grant_type;
mod jwks;
mod metadata;
mod random;
mod response_type;
mod scope;
mod sealing;
mod secret;
mod server_metadata;
mod time;
mod uri;
mod values;

pub use auth_method::AuthMethod;
pub use capabilities::Capabilities;
pub use client_id::ClientId;
pub use error::{ErrorBody, ErrorCode, Rejection};
pub use grant_type::GrantType;
pub use jwks::{Jwk, Jwks};
pub use metadata::{
    ClientMetadata, Extensions, JsonObject, Localized, ReadingRules, RedirectRules, RedirectUri,
    UpdateRequest,
};
pub use random::{Random, SystemRandom};
pub use response_type::ResponseType;
pub use scope::Scope;
pub use sealing::{Pkcs8, SealedSecret, SealingKey};
pub use secret::{
    AuthorizationCode, BrowserToken, ClientSecret, InitialAccessToken, ReferenceToken, RefreshToken,
    RegistrationAccessToken, ResourceSecret, Secret, SecretHash, SecretKind, SessionToken,
};
pub use server_metadata::{AuthorizationServer, ServerMetadata};
pub use time::{Clock, Seconds, SystemClock, Timestamp};
pub use uri::{Problem, Uri, UriParts};
pub use values::{
    AccessTokenType, Algorithm, ApplicationType, RefreshTokenExpiration, RefreshTokenUsage, SubjectType,
};
