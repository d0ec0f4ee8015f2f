//! Who is calling, and is that enough: authenticators make a [`Caller`], a [`Policy`] decides, the [`Gate`] joins
//! them.

mod authenticate;
mod caller;
mod challenge;
mod error;
mod gate;
pub mod policy;
mod retention;
mod terms;

pub use authenticate::{
    AssertionError, Authenticate, BearerJwt, BearerJwtBuilder, BearerJwtError, ClientAssertion,
    InitialAccessTokenData, InitialAccessTokens, IssueError, NewInitialAccessToken, SignedBy, StatementError,
    StatementIssuer, StatementIssuers, Validity, Vouched, bearer_token, issue,
};
pub use caller::{Caller, Credential};
pub use error::AccessError;
pub use gate::Gate;
pub use policy::{Decision, Denial, Policy};
pub use retention::{Reason, Retention, Usage};
pub use terms::{Ceilings, Privileges, Terms};
