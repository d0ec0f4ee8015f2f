//! `client_id`: the name under which the server knows a client. RFC 6749 §2.2.

use serde::Deserialize;

use crate::{Problem, Random};

/// A client identifier: printable ASCII, no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// A new, unique identifier: a UUID of version 7, so that identifiers sort by time and an index on them
    /// grows at its end. `unix_millis` are milliseconds since 1970-01-01T00:00:00Z. RFC 9562 §5.7.
    pub fn generate(unix_millis: u64, random: &dyn Random) -> Self {
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &bytes).into_uuid().to_string())
    }

    /// The longest identifier, in characters. In a token that names it once or twice, in a `Basic` header and in the URL of
    /// an authorization request it leaves room below the 8 KiB that web servers and proxies take of a line.
    pub const LONGEST: usize = 2048;

    /// What a log shows of it, in characters.
    const BRIEF: usize = 48;

    /// Whether an identifier that somebody else made can be used here: printable ASCII, and no URL, which would be a
    /// metadata document. RFC 6749 Appendix A.1.
    pub fn check(&self) -> Result<(), Problem> {
        if self.0.is_empty() || self.0.len() > Self::LONGEST {
            return Err(format!("must have from 1 to {} characters", Self::LONGEST).into());
        }
        if !self.0.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err("must be printable ASCII".into());
        }
        let is_url = self.0.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
        if is_url { Err("must not be a URL".into()) } else { Ok(()) }
    }

    /// The identifier, or, of a long one, its start, which tells it from others: for logs and for people.
    pub fn brief(&self) -> &str {
        let end = self.0.char_indices().nth(Self::BRIEF).map(|(end, _)| end);
        end.map_or(&self.0, |end| &self.0[..end])
    }

    /// The identifier as it stands in JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_as_sent!(ClientId);
described!(ClientId, { "type": "string", "minLength": 1 });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn generated_identifiers_are_unique_and_sort_by_time() {
        let early = ClientId::generate(1_800_000_000_000, &SystemRandom);
        let late = ClientId::generate(1_800_000_000_001, &SystemRandom);
        assert!(early < late);
        assert_ne!(early, ClientId::generate(1_800_000_000_000, &SystemRandom));
        assert_eq!(early.as_str().len(), 36);
        assert!(early.check().is_ok());
    }

    #[test]
    fn a_long_identifier_is_shown_in_brief() {
        let generated = ClientId::generate(1_800_000_000_000, &SystemRandom);
        assert_eq!(generated.brief(), generated.as_str());
        let long = ClientId::from("x".repeat(2048).as_str());
        assert_eq!(long.brief(), "x".repeat(48));
        assert_eq!(ClientId::from("é".repeat(49).as_str()).brief(), "é".repeat(48));
    }

    /// RFC 6749 Appendix A.1
    #[test]
    fn an_identifier_from_elsewhere_is_printable_and_no_url() {
        for good in ["a", "my client", "a/b?c#d", &"x".repeat(2048)] {
            assert!(ClientId::from(good).check().is_ok(), "{good}");
        }
        for bad in ["", "é", "a\nb", "\u{1b}", "https://a.example/c", "HTTPS://a", &"x".repeat(2049)] {
            assert!(ClientId::from(bad).check().is_err(), "{bad}");
        }
    }
}
