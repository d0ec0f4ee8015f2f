//! How long registrations last of which nothing is stored, and which nobody could delete when their time is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use enroll_oauth_types::{Clock, Timestamp};

use crate::Client;

/// How long the registrations of each policy last, by its name. Those of another one last for ever.
pub(super) struct Lifetimes {
    pub(super) by_policy: HashMap<String, Duration>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Lifetimes {
    /// Since when the time of the client is over; `None` while it lasts.
    pub(super) fn ended_at(&self, client: &Client) -> Option<Timestamp> {
        let end = client.issued_at + *self.by_policy.get(&client.registered_by.policy)?;
        (end <= self.clock.now()).then_some(end)
    }
}
