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
    /// A picture that people are shown: PNG, JPEG, GIF or WebP. SVG is none of these: it can hold scripts and lead to other
    /// hosts. The content must be of the kind that the type says, since browsers guess. RFC 7591 §5 (`logo_uri`).
    Image,
}

impl Media {
    /// What the request says of it, in `Accept`.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JwkSet => "application/jwk-set+json, application/json",
            Self::Image => "image/png, image/jpeg, image/webp, image/gif",
        }
    }

    /// The content types in words.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JwkSet => "application/jwk-set+json or application/json",
            Self::Image => "image/png, image/jpeg, image/webp or image/gif, and its content what that says",
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
        let good = match (self, essence.split_once('/')?) {
            (Self::Json, ("application", subtype)) => {
                subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
            }
            (Self::JwkSet, ("application", subtype)) => matches!(subtype, "json" | "jwk-set+json"),
            (Self::Image, ("image", subtype)) => matches!(subtype, "png" | "jpeg" | "gif" | "webp"),
            _ => false,
        };
        good.then_some(essence)
    }

    /// Whether the content begins as a document of this type does. What text is, its reader finds out.
    pub(crate) fn begins_like(essence: &str, content: &[u8]) -> bool {
        match essence {
            "image/png" => content.starts_with(b"\x89PNG\r\n\x1a\n"),
            "image/jpeg" => content.starts_with(b"\xff\xd8\xff"),
            "image/gif" => content.starts_with(b"GIF87a") || content.starts_with(b"GIF89a"),
            "image/webp" => content.starts_with(b"RIFF") && content.get(8..12) == Some(&b"WEBP"[..]),
            _ => true,
        }
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
    fn a_picture_is_of_a_kind_that_does_nothing_but_show() {
        let is_one = |value| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(value))]);
            Media::Image.essence(&headers).is_some()
        };
        assert!(
            is_one("image/png") && is_one("IMAGE/JPEG; q=1") && is_one("image/webp") && is_one("image/gif")
        );
        for bad in ["image/svg+xml", "image/*", "text/html", "application/png", "image/", "png"] {
            assert!(!is_one(bad), "{bad}");
        }
    }

    #[test]
    fn a_picture_is_what_it_says_it_is() {
        for (essence, good) in [
            ("image/png", &b"\x89PNG\r\n\x1a\n..."[..]),
            ("image/jpeg", b"\xff\xd8\xff\xe0..."),
            ("image/gif", b"GIF89a..."),
            ("image/webp", b"RIFF\0\0\0\0WEBPVP8 "),
        ] {
            assert!(Media::begins_like(essence, good), "{essence}");
            for bad in [&b"<svg onload=alert(1)>"[..], b"", b"RIFF\0\0\0\0WAVE"] {
                assert!(!Media::begins_like(essence, bad), "{essence}");
            }
        }
        assert!(Media::begins_like("application/json", b"anything"));
    }

    #[test]
    fn two_content_types_are_none() {
        assert_eq!(essence(&["application/json", "text/html"]), None);
    }
}
