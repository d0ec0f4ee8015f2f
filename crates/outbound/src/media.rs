//! What kinds of documents are fetched, and the content types that say so.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The kind of document that is asked for. An answer of another content type is refused unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Media {
    /// JSON, under `application/json` or any type that ends in `+json` (RFC 8259 §11, RFC 6839 §3.1).
    Json,
    /// A JWK set, under its own type or `application/json` (RFC 7517 §8.5).
    JwkSet,
}

impl Media {
    /// What the request says of it, in `Accept`.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JwkSet => "application/jwk-set+json, application/json",
        }
    }

    /// The content types in words.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JwkSet => "application/jwk-set+json or application/json",
        }
    }

    /// The content type of an answer without its parameters, if it is one of this kind.
    ///
    /// No `Content-Type`, or two, are none.
    pub(crate) fn essence(self, headers: &HeaderMap) -> Option<String> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let value = values.next()?.to_str().ok()?;
        if values.next().is_some() {
            return None;
        }
        let essence = value.split(';').next()?.trim().to_ascii_lowercase();
        let subtype = essence.strip_prefix("application/")?;
        let good = match self {
            Self::Json => {
                subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
            }
            Self::JwkSet => matches!(subtype, "json" | "jwk-set+json"),
        };
        good.then_some(essence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn essence(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_TYPE, http::HeaderValue::from_static(value));
        }
        Media::Json.essence(&headers)
    }

    #[test]
    fn json_has_several_types() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/jwk-set+json"] {
            assert!(essence(&[good]).is_some(), "{good}");
        }
    }

    #[test]
    fn anything_else_is_not_json() {
        for bad in
            ["text/html", "text/json", "application/jsonp", "application/+json", "image/svg+json", "", ";"]
        {
            assert_eq!(essence(&[bad]), None, "{bad}");
        }
        assert_eq!(essence(&[]), None);
    }

    #[test]
    fn a_jwk_set_has_two_types() {
        let is_one = |value| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(value))]);
            Media::JwkSet.essence(&headers).is_some()
        };
        assert!(is_one("application/json") && is_one("application/jwk-set+json"));
        assert!(!is_one("application/problem+json") && !is_one("text/plain"));
    }

    #[test]
    fn two_content_types_are_none() {
        assert_eq!(essence(&["application/json", "text/html"]), None);
    }
}
