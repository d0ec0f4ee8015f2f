//! The parameters of a request, in its query or its body. RFC 6749 §3.1, §3.2, Appendix B.

use std::collections::HashSet;

use http::{HeaderMap, header};

use crate::ProtocolError;

/// The parameters of a request. What is empty counts as left out, and what is not known is ignored. RFC 6749 §3.1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters that may be sent several times. RFC 8707 §2.
    const REPEATABLE: [&str; 2] = ["resource", "audience"];

    /// Reads parameters as a query or a form has them.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let sent = url::form_urlencoded::parse(text).into_owned();
        Self(sent.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Reads what somebody else wrote. What is not UTF-8 once it is decoded is refused, since a client would get another
    /// `state` back than it sent. RFC 6749 Appendix B.
    pub(crate) fn read(text: &[u8]) -> Result<Self, ProtocolError> {
        match percent_encoding::percent_decode(text).decode_utf8() {
            Ok(_) => Ok(Self::parse(text)),
            Err(_) => Err(ProtocolError::invalid_request("the parameters must be encoded as UTF-8")),
        }
    }

    /// Reads a form.
    pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Self, ProtocolError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let problem = "Content-Type: must be application/x-www-form-urlencoded";
            return Err(ProtocolError::invalid_request(problem));
        }
        Self::read(body)
    }

    /// A parameter that is sent twice is refused, since two readers could take different ones. RFC 6749 §3.1.
    pub(crate) fn each_once(self) -> Result<Self, ProtocolError> {
        match self.doubled() {
            Some(name) => {
                Err(ProtocolError::invalid_request(format!("{}: must be sent once", name.escape_default())))
            }
            None => Ok(self),
        }
    }

    /// The first parameter that was sent twice and must not be.
    pub(crate) fn doubled(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !Self::REPEATABLE.contains(name)).find(|name| !seen.insert(*name))
    }

    /// The value of a parameter, if it was sent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of a parameter that was sent once, and only then.
    pub(crate) fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Each value of a parameter.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The same with another value of one parameter, or without it.
    pub(crate) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.0.retain(|(own, _)| own != name);
        self.0.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    /// As a query.
    pub(crate) fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(content_type: &'static str, body: &str) -> Result<Parameters, ProtocolError> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Parameters::form(&headers, body.as_bytes())?.each_once()
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
        assert_eq!(Parameters::parse(b"a=1&a=2&b=3").only("a"), None);
        assert_eq!(Parameters::parse(b"a=1&a=2&b=3").only("b"), Some("3"));
    }

    /// RFC 6749 Appendix B
    #[test]
    fn what_is_not_utf_8_is_refused_and_not_changed() {
        for text in ["state=%ff%fe", "%c3=%bc", "a=1&b=%C3", "a=%ed%a0%80"] {
            assert!(read(FORM, text).is_err(), "{text}");
            assert!(Parameters::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Parameters::read(b"state=\xff").is_err());
        for text in ["state=%C3%BC%00", "state=100%", "state=%zz", ""] {
            assert!(Parameters::read(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn another_media_type_is_no_form() {
        for media_type in ["application/json", "text/plain", ""] {
            assert!(read(media_type, "a=1").is_err(), "{media_type}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let parameters = Parameters::parse("state=a%26b%3D%20%C3%BC&prompt=login&x".as_bytes());
        let written = parameters.with("prompt", Some("none")).with("x", None).encode();
        assert_eq!(written, "state=a%26b%3D+%C3%BC&prompt=none");
        assert_eq!(Parameters::parse(written.as_bytes()).get("state"), Some("a&b= ü"));
    }
}
