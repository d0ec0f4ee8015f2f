//! `client_id`: the name under which the server knows a client. RFC 6749 §2.2.

use serde::Deserialize;

use crate::{Random, Timestamp};

/// A client identifier: printable ASCII, no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// A new, unique identifier: a UUID of version 7, so that identifiers sort by time and an index on them
    /// grows at its end. RFC 9562 §5.7.
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        let millis = now.seconds().saturating_mul(1000);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string())
    }

    /// The identifier as it stands in JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_as_sent!(ClientId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn generated_identifiers_are_unique_and_sort_by_time() {
        let early = ClientId::generate(Timestamp(1_800_000_000), &SystemRandom);
        let late = ClientId::generate(Timestamp(1_800_000_001), &SystemRandom);
        assert!(early < late);
        assert_ne!(early, ClientId::generate(Timestamp(1_800_000_000), &SystemRandom));
        assert_eq!(early.as_str().len(), 36);
    }
}
