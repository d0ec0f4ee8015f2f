//! `response_types`: what the authorization endpoint gives back. RFC 7591 §2.

/// A response type: a set of words, whose order means nothing. RFC 6749 §3.1.1.
///
/// Two are equal when their words are; the spelling that was sent is kept.
#[derive(Clone, Debug)]
pub struct ResponseType(String);

impl ResponseType {
    /// The value as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `word` (`code`, `token`, `id_token`) is one of the set.
    pub fn contains(&self, word: &str) -> bool {
        self.words().any(|own| own == word)
    }

    /// Whether tokens come straight from the authorization endpoint, which the implicit grant allows.
    pub fn is_front_channel(&self) -> bool {
        self.contains("token") || self.contains("id_token")
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }

    fn sorted(&self) -> Vec<&str> {
        let mut words: Vec<_> = self.words().collect();
        words.sort_unstable();
        words
    }
}

impl PartialEq for ResponseType {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.sorted() == other.sorted()
    }
}

impl Eq for ResponseType {}

text_as_sent!(ResponseType);
described!(ResponseType, { "type": "string", "examples": ["code"] });

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 §3.1.1
    #[test]
    fn the_order_of_words_means_nothing() {
        assert_eq!(ResponseType::from("token id_token"), ResponseType::from("id_token token"));
        assert_ne!(ResponseType::from("code token"), ResponseType::from("code"));
        assert_eq!(ResponseType::from("id_token token").as_str(), "id_token token");
        for malformed in ["code code", " code", "code ", ""] {
            assert_ne!(ResponseType::from(malformed), ResponseType::from("code"), "{malformed:?}");
        }
    }
}
