//! The body of a request that changes a registration. RFC 7592 §2.2.

use serde_json::value::RawValue;

use super::member::{At, Member as _};
use crate::{ClientId, ClientMetadata, ClientSecret, ReadingRules, Rejection};

/// What a client sends to have its registration replaced: all of its metadata, and who it is.
///
/// ```
/// use enroll_oauth_types::{ReadingRules, UpdateRequest};
///
/// let body = br#"{ "client_id": "019e", "redirect_uris": ["https://app.example/cb"], "client_name": "New" }"#;
/// let update = UpdateRequest::parse(body, &ReadingRules::default())?;
/// assert_eq!(update.client_id.as_str(), "019e");
/// # Ok::<(), enroll_oauth_types::Rejection>(())
/// ```
#[derive(Debug)]
pub struct UpdateRequest {
    /// `client_id`, which must be the client's own.
    pub client_id: ClientId,
    /// `client_secret`: a client may show the one that it has, and cannot choose one.
    pub client_secret: Option<ClientSecret>,
    /// Everything else. What is left out is not registered any more.
    pub metadata: ClientMetadata,
}

/// What a request must not hold, since the server alone says it.
pub(super) const NEVER_SENT: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

impl UpdateRequest {
    /// Reads the body as [`ClientMetadata::parse`] does. `null` is the same as absent.
    pub fn parse(body: &[u8], rules: &ReadingRules) -> Result<Self, Rejection> {
        let (mut client_id, mut client_secret) = (None, None);
        let metadata = ClientMetadata::parse_with(body, rules, |name, json| {
            let text = |json: &RawValue| String::read(json, At { member: name, index: None });
            match name {
                _ if json.get() == "null" => {}
                "client_id" => client_id = Some(ClientId::from(text(json)?.as_str())),
                "client_secret" => client_secret = Some(ClientSecret::presented(text(json)?)),
                _ if NEVER_SENT.contains(&name) => {
                    let problem = "must be left out: the server alone says it";
                    return Err(Rejection::metadata(name.to_owned(), problem));
                }
                _ => {}
            }
            Ok(())
        })?;
        let missing = || Rejection::metadata("client_id", "is required, and must be that of the client");
        Ok(Self { client_id: client_id.ok_or_else(missing)?, client_secret, metadata })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<UpdateRequest, Rejection> {
        UpdateRequest::parse(body.as_bytes(), &ReadingRules::default())
    }

    /// RFC 7592 §2.2
    #[test]
    fn an_update_says_who_it_is_about_and_nothing_that_the_server_says() {
        let update = parse(r#"{"client_id":"a","client_secret":"b","client_name":"c"}"#).unwrap();
        assert_eq!((update.client_id.as_str(), update.metadata.client_name.is_some()), ("a", true));
        assert_eq!(update.client_secret.unwrap().expose(), "b");
        for (body, member) in [
            ("{}", "client_id"),
            (r#"{"client_id":null}"#, "client_id"),
            (r#"{"client_id":1}"#, "client_id"),
            (r#"{"client_id":"a","client_secret":1}"#, "client_secret"),
            (r#"{"client_id":"a","registration_access_token":"x"}"#, "registration_access_token"),
            (r#"{"client_id":"a","registration_client_uri":"x"}"#, "registration_client_uri"),
            (r#"{"client_id":"a","client_secret_expires_at":0}"#, "client_secret_expires_at"),
            (r#"{"client_id":"a","client_id_issued_at":0}"#, "client_id_issued_at"),
        ] {
            assert_eq!(parse(body).unwrap_err().member, member, "{body}");
        }
    }
}
