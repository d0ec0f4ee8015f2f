//! Documents at addresses that a client names: whether they are fetched, and how a failure is told.

use std::time::Duration;

use enroll_oauth_types::{Rejection, Uri};
use enroll_outbound::{FetchError, Outbound};

use crate::RegistrationError;

/// What is done about documents at addresses that a client names.
#[derive(Clone, Debug, Default)]
pub enum Remote {
    /// None is fetched. A member that cannot be judged without one is refused.
    #[default]
    Off,
    /// None is fetched, and what they would say is left open: for a dry run that touches no network.
    Unchecked,
    /// They are fetched when they are needed.
    Fetched(Outbound),
}

impl Remote {
    /// What fetches them, if they are fetched.
    pub fn outbound(&self) -> Option<&Outbound> {
        match self {
            Self::Fetched(outbound) => Some(outbound),
            Self::Off | Self::Unchecked => None,
        }
    }
}

/// A document could not be had: the client's fault, or ours when too much is under way.
pub(crate) fn not_fetched(member: &'static str, uri: &Uri, error: FetchError) -> RegistrationError {
    match error {
        FetchError::Busy => RegistrationError::TooOften(Duration::from_secs(1)),
        FetchError::Budget { retry_after } => RegistrationError::TooOften(Duration::from_secs(retry_after)),
        error => {
            tracing::info!("`{uri}` of `{member}` could not be fetched: {error}");
            Rejection::metadata(member, format!("could not be fetched: {error}")).into()
        }
    }
}
