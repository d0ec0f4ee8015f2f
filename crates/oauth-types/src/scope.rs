//! `scope`: what a client may ask for. RFC 6749 §3.3.

/// A list of scope values, as it was sent. RFC 7591 §2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// The text as it stands in JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each value once, in the order of first mention.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        let mut seen = Vec::new();
        self.0.split(' ').filter(move |value| {
            let first = !value.is_empty() && !seen.contains(value);
            if first {
                seen.push(*value);
            }
            first
        })
    }

    /// Whether `value` is one of the list.
    pub fn contains(&self, value: &str) -> bool {
        self.0.split(' ').any(|own| own == value)
    }

    /// Whether `value` is a scope token: `%x21 / %x23-5B / %x5D-7E`, at least one. RFC 6749 §3.3.
    pub fn is_token(value: &str) -> bool {
        !value.is_empty() && value.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
    }
}

text_as_sent!(Scope);
described!(Scope, { "type": "string", "examples": ["openid profile"] });

impl<'a> FromIterator<&'a str> for Scope {
    fn from_iter<I: IntoIterator<Item = &'a str>>(values: I) -> Self {
        Self(values.into_iter().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 §3.3
    #[test]
    fn values_come_once_and_in_order() {
        let scope = Scope::from("openid  api1 openid profile");
        assert_eq!(scope.values().collect::<Vec<_>>(), ["openid", "api1", "profile"]);
        assert_eq!(scope.values().collect::<Scope>().as_str(), "openid api1 profile");
    }

    /// RFC 6749 §3.3
    #[test]
    fn quotes_backslashes_and_controls_make_no_scope_token() {
        assert!(Scope::is_token("mcp:tools"));
        for bad in ["", "a\"b", "a\\b", "a\tb", "é"] {
            assert!(!Scope::is_token(bad), "{bad:?}");
        }
    }
}
