//! The body of a request to an endpoint that clients call: a form. RFC 6749 §3.2, Appendix B.

use std::collections::HashSet;

use http::{HeaderMap, header};

use crate::ProtocolError;

/// The parameters of a request. What is empty counts as left out, and what is not known is ignored. RFC 6749 §3.1.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The parameters that may be sent several times. RFC 8707 §2.
    const REPEATABLE: [&str; 2] = ["resource", "audience"];

    /// Reads a form; a parameter that is sent twice is refused, since two readers could take different ones.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ProtocolError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let problem = "Content-Type: must be application/x-www-form-urlencoded";
            return Err(ProtocolError::invalid_request(problem));
        }
        let sent = url::form_urlencoded::parse(body).into_owned();
        let parameters: Vec<(String, String)> = sent.filter(|(_, value)| !value.is_empty()).collect();
        let mut seen = HashSet::new();
        for (name, _) in &parameters {
            if !seen.insert(name) && !Self::REPEATABLE.contains(&name.as_str()) {
                return Err(ProtocolError::invalid_request(format!("{name}: must be sent once")));
            }
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter, if it was sent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Each value of a parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(content_type: &'static str, body: &str) -> Result<Form, ProtocolError> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Form::read(&headers, body.as_bytes())
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    /// RFC 6749 §3.1
    #[test]
    fn what_is_empty_is_left_out_and_what_is_unknown_is_ignored() {
        let form = read("application/x-www-form-urlencoded; charset=UTF-8", "a=1&b=&c=x+y%2B&&d").unwrap();
        assert_eq!((form.get("a"), form.get("b"), form.get("d")), (Some("1"), None, None));
        assert_eq!(form.get("c"), Some("x y+"));
        assert!(read(FORM, "b=&b=1").is_ok());
    }

    /// RFC 6749 §3.2, RFC 8707 §2
    #[test]
    fn a_parameter_is_sent_once_but_for_resources() {
        assert!(read(FORM, "scope=a&scope=a").unwrap_err().to_string().contains("scope"));
        let form = read(FORM, "resource=a&resource=b").unwrap();
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn another_media_type_is_no_form() {
        for media_type in ["application/json", "text/plain", ""] {
            assert!(read(media_type, "a=1").is_err(), "{media_type}");
        }
    }
}
