//! Who sends a request: a client by its secret, by a signature, or, if it has neither, by its name. RFC 6749 §2.3,
//! OpenID Connect Core 1.0 §9, RFC 7523 §2.2.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::prelude::BASE64_STANDARD;
use enroll_access::{AssertionError, ClientAssertion, SignedBy};
use enroll_oauth_types::{AuthMethod, ClientId, ClientSecret, SecretHash, Timestamp};
use enroll_store::{Belongs, Client, Record, RecordKind, StoreError, Write};
use http::{HeaderMap, header};
use serde_json::value::RawValue;

use crate::parameters::Parameters;
use crate::{ProtocolError, Provider, Resource};

/// The one value of `client_assertion_type` for JWTs. RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a request shows of its sender, not verified.
struct Presented {
    id: ClientId,
    proof: Proof,
    by_header: bool,
}

impl Presented {
    fn in_header((id, secret): (String, String)) -> Self {
        let proof = Proof::Secret(ClientSecret::presented(secret));
        Self { id: ClientId::from(id.as_str()), proof, by_header: true }
    }
}

enum Proof {
    Secret(ClientSecret),
    Assertion(String),
    Nothing,
}

impl Provider {
    /// The client that sends this request to `endpoint`. One that is not there, or is disabled, is answered as one whose
    /// proof is wrong.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        form: &Parameters,
        endpoint: &str,
    ) -> Result<Arc<Client>, ProtocolError> {
        let shown = presented(headers, form)?;
        let by_header = shown.iter().any(|one| one.by_header);
        // Each is tried until one is right, whether there are such clients or not: the time tells nothing.
        for one in shown {
            if let Some(client) = self.proven(one, endpoint).await? {
                return Ok(client);
            }
        }
        Err(ProtocolError::not_proven(by_header))
    }

    async fn proven(&self, shown: Presented, endpoint: &str) -> Result<Option<Arc<Client>>, ProtocolError> {
        let Presented { id, proof, .. } = shown;
        let is_proven = |client: &Client| match &proof {
            Proof::Secret(secret) => has_secret(client, secret, self.clock.now()),
            Proof::Nothing => method_of(client) == AuthMethod::None,
            Proof::Assertion(_) => false,
        };
        let proven = |client: &Arc<Client>| client.enabled && is_proven(client);
        if let Proof::Assertion(token) = &proof {
            // It works once, so there is no second look.
            let client = self.clients.client(&id).await?.filter(|client| client.enabled);
            let has_signed = self.has_signed(&id, client.as_deref(), token, endpoint).await?;
            return Ok(client.filter(|_| has_signed));
        }
        match self.clients.recent_client(&id).await?.filter(proven) {
            Some(client) => Ok(Some(client)),
            // It may have another secret by now.
            None => Ok(self.clients.client(&id).await?.filter(proven)),
        }
    }

    /// The resource that sends this request, by its identifier and one of its secrets in the `Authorization` header. `None`
    /// is whoever else: one whose secret is wrong goes on as a client that is not there. RFC 7662 §2.1.
    pub(crate) fn resource(
        &self,
        headers: &HeaderMap,
        form: &Parameters,
    ) -> Result<Option<&Resource>, ProtocolError> {
        let shown = presented(headers, form)?;
        Ok(shown.iter().find_map(|one| match one {
            Presented { id, proof: Proof::Secret(secret), by_header: true } => {
                self.catalog.authenticated(id.as_str(), &secret.hash())
            }
            _ => None,
        }))
    }

    /// Whether the client signed this, and it is the first time that it is shown. RFC 7523 §3.
    async fn has_signed(
        &self,
        id: &ClientId,
        client: Option<&Client>,
        token: &str,
        endpoint: &str,
    ) -> Result<bool, ProtocolError> {
        let now = self.clock.now();
        let (client, secrets) = match client.map(method_of) {
            Some(AuthMethod::PrivateKeyJwt) => (client, Vec::new()),
            // Without a secret that can be read there is nothing that it could have signed with.
            Some(AuthMethod::ClientSecretJwt) => {
                let secrets = client.map_or_else(Vec::new, |client| self.opened(client, now));
                (client.filter(|_| !secrets.is_empty()), secrets)
            }
            _ => (None, Vec::new()),
        };
        let [token_endpoint, guessed, guessed_at_root] = &self.token_endpoints();
        let signed = SignedBy {
            client: id,
            metadata: client.map(|client| &client.metadata),
            secrets: &secrets,
            audiences: &[&self.issuer, endpoint, token_endpoint, guessed, guessed_at_root],
        };
        match signed.verify(token, self.outbound.as_ref(), now).await {
            Ok(assertion) => self.is_first_use(id, assertion).await,
            Err(AssertionError::NotSigned) => Ok(false),
            Err(AssertionError::Wrong(problem)) => {
                Err(ProtocolError::InvalidClient { problem, by_header: false })
            }
        }
    }

    /// The secrets that both sides can read.
    fn opened(&self, client: &Client, now: Timestamp) -> Vec<ClientSecret> {
        let working = client.secrets.iter().filter(|own| own.works(now));
        let sealed = working.filter_map(|own| own.sealed.as_ref());
        sealed.filter_map(|sealed| self.sealing_key.open(sealed, &client.id)).collect()
    }

    /// Remembers an assertion until it ends by itself, on every node. RFC 7523 §3, item 7.
    async fn is_first_use(&self, id: &ClientId, assertion: ClientAssertion) -> Result<bool, ProtocolError> {
        let record = Record {
            kind: RecordKind::UsedAssertion,
            // Another client may choose the same `jti`.
            key: SecretHash::of(&format!("{id} {}", URL_SAFE_NO_PAD.encode(assertion.jti.as_bytes()))),
            revision: 1,
            belongs_to: Belongs { client: Some(id.clone()), ..Belongs::default() },
            issued_at: self.clock.now(),
            expires_at: Some(assertion.expires_at),
            document: RawValue::from_string("{}".to_owned()).map_err(ProtocolError::internal)?,
        };
        match self.records.apply(vec![Write::Insert(record)]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Duplicate) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn method_of(client: &Client) -> AuthMethod {
    client.metadata.token_endpoint_auth_method.clone().unwrap_or(AuthMethod::ClientSecretBasic)
}

/// `client_secret_basic` and `client_secret_post` are taken for each other: clients mix them up, and neither is safer.
fn has_secret(client: &Client, secret: &ClientSecret, now: Timestamp) -> bool {
    let hash = secret.hash();
    let sends_it = matches!(method_of(client), AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
    // Each is compared, so that the time tells nothing of which one it is.
    sends_it && client.secrets.iter().filter(|own| own.hash == hash && own.works(now)).count() > 0
}

/// One way to authenticate, and one name; of an `Authorization` header, each way to read it. RFC 6749 §2.3.
fn presented(headers: &HeaderMap, form: &Parameters) -> Result<Vec<Presented>, ProtocolError> {
    let basic = basic(headers)?;
    let (secret, assertion) = (form.get("client_secret"), form.get("client_assertion"));
    if [basic.is_some(), secret.is_some(), assertion.is_some()].into_iter().filter(|shown| *shown).count() > 1
    {
        return Err(ProtocolError::invalid_request(
            "the client must authenticate in one way, not in several",
        ));
    }
    let named = form.get("client_id");
    let agrees = |id: &str| named.is_none_or(|named| named == id);
    let another =
        || ProtocolError::invalid_request("client_id: must be that of the client that authenticates");
    if let Some(readings) = basic {
        let readings = readings.into_iter().filter(|(id, _)| agrees(id));
        let shown: Vec<_> = readings.map(Presented::in_header).collect();
        return if shown.is_empty() { Err(another()) } else { Ok(shown) };
    }
    if let Some(assertion) = assertion {
        if form.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(ProtocolError::invalid_request(format!(
                "client_assertion_type: must be {JWT_BEARER}"
            )));
        }
        let id = ClientAssertion::subject(assertion);
        let id = id.as_deref().or(named).unwrap_or_default();
        if !agrees(id) {
            return Err(another());
        }
        let proof = Proof::Assertion(assertion.to_owned());
        return Ok(vec![Presented { id: ClientId::from(id), proof, by_header: false }]);
    }
    let id = ClientId::from(named.unwrap_or_default());
    let proof =
        secret.map_or(Proof::Nothing, |secret| Proof::Secret(ClientSecret::presented(secret.to_owned())));
    Ok(vec![Presented { id, proof, by_header: false }])
}

/// The name and the secret of `Authorization: Basic`, in each way that they can be meant, the standard's first. RFC 6749
/// §2.3.1.
fn basic(headers: &HeaderMap) -> Result<Option<Vec<(String, String)>>, ProtocolError> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(ProtocolError::invalid_request("send one Authorization header, not several"));
    }
    let malformed = || ProtocolError::not_proven(true);
    let text = first.to_str().map_err(|_| malformed())?;
    let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Ok(None);
    }
    let sent = BASE64_STANDARD.decode(credentials.trim()).map_err(|_| malformed())?;
    let sent = String::from_utf8(sent).map_err(|_| malformed())?;
    let readings = readings(&sent);
    if readings.is_empty() { Err(malformed()) } else { Ok(Some(readings)) }
}

/// Decoded as in a form; as it is, since many clients do not encode; and with colons in the name, which then can only end at
/// the last one.
fn readings(sent: &str) -> Vec<(String, String)> {
    let Some((id, secret)) = sent.split_once(':') else { return Vec::new() };
    let mut readings: Vec<_> = decoded(id).zip(decoded(secret)).into_iter().collect();
    for (id, secret) in [Some((id, secret)), sent.rsplit_once(':')].into_iter().flatten() {
        if !readings.iter().any(|(own_id, own_secret)| own_id == id && own_secret == secret) {
            readings.push((id.to_owned(), secret.to_owned()));
        }
    }
    readings
}

fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read_as_the_standard_has_them_and_then_as_they_are() {
        for (sent, expected) in [
            ("app:secret", &[("app", "secret")][..]),
            ("app:", &[("app", "")]),
            ("a%20p:100%25", &[("a p", "100%"), ("a%20p", "100%25")]),
            ("app:p+w/==rd", &[("app", "p w/==rd"), ("app", "p+w/==rd")]),
            ("app:100%40real", &[("app", "100@real"), ("app", "100%40real")]),
            // Not UTF-8 once it is decoded.
            ("app:%ff", &[("app", "%ff")]),
            ("urn:legacy:s", &[("urn", "legacy:s"), ("urn:legacy", "s")]),
            ("urn%3Alegacy:s", &[("urn:legacy", "s"), ("urn%3Alegacy", "s")]),
            ("nothing", &[]),
        ] {
            let found = readings(sent);
            let found: Vec<_> = found.iter().map(|(id, secret)| (id.as_str(), secret.as_str())).collect();
            assert_eq!(found, expected, "{sent}");
        }
    }
}
