//! The first and the last line of an export.

use enroll_oauth_types::{SealingKey, Timestamp};
use serde::{Deserialize, Serialize};

/// The form of the lines between. A later version that changes what they mean counts it up.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::commands) struct Header {
    /// What was exported: `clients`, `records`.
    pub(in crate::commands) enroll_export: String,
    pub(super) version: u32,
    pub(super) exported_at: Timestamp,
    /// Which sealing key the lines need, in a form that gives it away to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::commands) sealing_key: Option<String>,
}

impl Header {
    pub(in crate::commands) fn new(what: &str, now: Timestamp, key: Option<&SealingKey>) -> Self {
        let sealing_key = key.map(mark);
        Self { enroll_export: what.to_owned(), version: VERSION, exported_at: now, sealing_key }
    }

    /// The first line, when it is one of an export.
    pub(super) fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// What keeps this version from reading what follows.
    pub(super) fn problem(&self, expected: &str) -> Option<String> {
        let Self { enroll_export: what, version, .. } = self;
        if what != expected {
            return Some(format!("it is an export of {what}: `enroll {what} import` reads it"));
        }
        (*version != VERSION)
            .then(|| format!("it has the form {version}, this version of the program reads {VERSION}"))
    }
}

/// Tells two keys apart.
pub(super) fn mark(key: &SealingKey) -> String {
    key.derived("which key it is", "export").chars().take(22).collect()
}

/// The last line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Footer {
    /// What was exported.
    pub(super) enroll_export_end: String,
    /// How many lines are between the first and this one.
    pub(super) lines: u64,
}

impl Footer {
    /// The line, when it is the last one of an export.
    pub(super) fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SystemRandom;

    use super::*;

    #[test]
    fn a_header_says_which_key_it_needs_and_not_the_key() {
        let (one, other) = (SealingKey::generate(&SystemRandom), SealingKey::generate(&SystemRandom));
        let line = serde_json::to_string(&Header::new("clients", Timestamp(1), Some(&one))).unwrap();
        let header = Header::read(&line).unwrap();
        assert_eq!(header.sealing_key, Some(mark(&one)));
        assert_ne!(mark(&one), mark(&other));
        assert!(!line.contains(one.expose()) && !one.expose().contains(&mark(&one)));
    }

    #[test]
    fn what_is_something_else_or_newer_is_told() {
        let header = Header::new("records", Timestamp(1), None);
        assert_eq!(header.problem("records"), None);
        assert!(header.problem("clients").unwrap().contains("`enroll records import`"));
        assert!(Header { version: 2, ..header }.problem("records").unwrap().contains("form 2"));
        assert!(Header::read(r#"{"client_id":"a"}"#).is_none() && Footer::read("{}").is_none());
    }
}
