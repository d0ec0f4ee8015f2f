//! What a client is found by in an index.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long an identifier may be to be its own key, in bytes; as long as the column where that has a length.
const LONGEST: usize = 64;

/// The key of the client with this identifier: the identifier itself while it is short, else `#` and its SHA-256 in base64url, since no
/// index takes identifiers of several kilobytes. No two identifiers have the same key: one that begins with `#` is hashed as
/// well, and so is one with a character that not every engine takes, which finds nobody that way.
pub(crate) fn client_key(id: &str) -> Cow<'_, str> {
    if id.len() <= LONGEST && !id.starts_with('#') && !id.contains('\0') {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("#{}", URL_SAFE_NO_PAD.encode(digest(&SHA256, id.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_identifier_is_its_own_key() {
        for id in ["", "a", "https://app.example/client.json", &"é".repeat(32)] {
            assert_eq!(client_key(id), id);
        }
    }

    #[test]
    fn a_key_is_short_and_nobody_elses() {
        let long = "a".repeat(65);
        let (longer, taken) = ("a".repeat(8192), client_key(&long));
        let keys = [long.as_str(), &longer, &taken, "#", "a\0"].map(client_key);
        for (number, key) in keys.iter().enumerate() {
            assert!(key.len() <= LONGEST && key.starts_with('#'), "{key}");
            assert!(keys[..number].iter().all(|other| other != key), "{key}");
        }
    }
}
