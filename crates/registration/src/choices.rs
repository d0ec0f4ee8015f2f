//! What a client can do, of which the server chooses what it will do: OpenID Connect Relying Party Metadata Choices 1.0.
//!
//! A client that lists what it supports (`id_token_signing_alg_values_supported`) need not know what the server supports.
//! From each list one value is chosen before the first step, which then finds the single member as if it had been sent. The
//! lists themselves are not registered.

use std::borrow::Cow;

use enroll_oauth_types::{
    Algorithm, AuthMethod, Capabilities, ClientMetadata, GrantType, Jwk, Rejection, SubjectType,
};

use crate::{Note, Server};

/// One list, and the member whose value is chosen from it.
struct Choice {
    list: &'static str,
    member: &'static str,
    get: fn(&ClientMetadata) -> Option<&str>,
    set: fn(&mut ClientMetadata, &str),
    supports: fn(&Capabilities, &str) -> bool,
    suits: fn(&ClientMetadata, &str) -> bool,
    /// Whether the client cannot do without: the answer always has one, or its default.
    needed: bool,
}

macro_rules! choices {
    ($($list:ident => $member:ident: $type:ty, $supports:expr, $suits:expr, needed: $needed:literal;)*) => {
        const CHOICES: &[Choice] = &[$(Choice {
            list: stringify!($list),
            member: stringify!($member),
            get: |metadata| metadata.$member.as_ref().map(<$type>::as_str),
            set: |metadata, value| metadata.$member = Some(<$type>::from(value)),
            supports: $supports,
            suits: $suits,
            needed: $needed,
        }),*];
    };
}

/// Whether a list of capabilities holds a value.
macro_rules! among {
    ($field:ident) => {
        |capabilities, value| capabilities.$field.iter().any(|own| own.as_str() == value)
    };
}

// What others depend on comes first: a method before its algorithm, `alg` before `enc`.
choices! {
    subject_types_supported => subject_type: SubjectType, among!(subject_types), any, needed: true;
    token_endpoint_auth_methods_supported => token_endpoint_auth_method: AuthMethod,
        among!(token_endpoint_auth_methods), has_means, needed: true;
    token_endpoint_auth_signing_alg_values_supported => token_endpoint_auth_signing_alg: Algorithm,
        among!(token_endpoint_auth_signing_algs), signs_assertions, needed: false;
    id_token_signing_alg_values_supported => id_token_signed_response_alg: Algorithm,
        among!(id_token_signing_algs), has_secret_for, needed: true;
    id_token_encryption_alg_values_supported => id_token_encrypted_response_alg: Algorithm,
        among!(encryption_algs), decrypts, needed: false;
    id_token_encryption_enc_values_supported => id_token_encrypted_response_enc: Algorithm,
        among!(encryption_encs), |m, _| m.id_token_encrypted_response_alg.is_some(), needed: false;
    userinfo_signing_alg_values_supported => userinfo_signed_response_alg: Algorithm,
        among!(userinfo_signing_algs), has_secret_for, needed: false;
    userinfo_encryption_alg_values_supported => userinfo_encrypted_response_alg: Algorithm,
        among!(encryption_algs), decrypts, needed: false;
    userinfo_encryption_enc_values_supported => userinfo_encrypted_response_enc: Algorithm,
        among!(encryption_encs), |m, _| m.userinfo_encrypted_response_alg.is_some(), needed: false;
    request_object_signing_alg_values_supported => request_object_signing_alg: Algorithm,
        among!(request_object_signing_algs), signs, needed: false;
    request_object_encryption_alg_values_supported => request_object_encryption_alg: Algorithm,
        among!(request_object_encryption_algs), has_secret_for, needed: false;
    request_object_encryption_enc_values_supported => request_object_encryption_enc: Algorithm,
        among!(request_object_encryption_encs), |m, _| m.request_object_encryption_alg.is_some(), needed: false;
    introspection_signing_alg_values_supported => introspection_signed_response_alg: Algorithm,
        among!(introspection_signing_algs), has_secret_for, needed: false;
    introspection_encryption_alg_values_supported => introspection_encrypted_response_alg: Algorithm,
        among!(encryption_algs), decrypts, needed: false;
    introspection_encryption_enc_values_supported => introspection_encrypted_response_enc: Algorithm,
        among!(encryption_encs), |m, _| m.introspection_encrypted_response_alg.is_some(), needed: false;
    authorization_signing_alg_values_supported => authorization_signed_response_alg: Algorithm,
        among!(authorization_signing_algs), has_secret_for, needed: false;
    authorization_encryption_alg_values_supported => authorization_encrypted_response_alg: Algorithm,
        among!(encryption_algs), decrypts, needed: false;
    authorization_encryption_enc_values_supported => authorization_encrypted_response_enc: Algorithm,
        among!(encryption_encs), |m, _| m.authorization_encrypted_response_alg.is_some(), needed: false;
    backchannel_authentication_request_signing_alg_values_supported => backchannel_authentication_request_signing_alg: Algorithm,
        among!(request_object_signing_algs), |m, value| has_grant(m, &GrantType::Ciba) && signs(m, value), needed: false;
}

fn any(_: &ClientMetadata, _: &str) -> bool {
    true
}

fn has_grant(metadata: &ClientMetadata, grant: &GrantType) -> bool {
    metadata.grant_types.iter().flatten().any(|own| own == grant)
}

/// Whether the client brings what the method needs.
fn has_means(metadata: &ClientMetadata, method: &str) -> bool {
    let names = [
        &metadata.tls_client_auth_subject_dn,
        &metadata.tls_client_auth_san_dns,
        &metadata.tls_client_auth_san_uri,
        &metadata.tls_client_auth_san_ip,
        &metadata.tls_client_auth_san_email,
    ];
    let confidential = [GrantType::ClientCredentials, GrantType::JwtBearer, GrantType::Ciba];
    let method = AuthMethod::from(method);
    let agrees =
        metadata.require_client_secret.is_none_or(|required| required != (method == AuthMethod::None));
    agrees
        && match method {
            AuthMethod::PrivateKeyJwt => has_key(metadata, Jwk::can_sign),
            AuthMethod::SelfSignedTlsClientAuth => {
                has_key(metadata, |key| key.is_usable() && !key.x5c.is_empty())
            }
            AuthMethod::TlsClientAuth => names.iter().any(|name| name.is_some()),
            AuthMethod::None => !confidential.iter().any(|grant| has_grant(metadata, grant)),
            _ => true,
        }
}

/// Whether the client would have the secret that the algorithm needs, if it needs one. OpenID Connect Core §10.1.
fn has_secret_for(metadata: &ClientMetadata, algorithm: &str) -> bool {
    !Algorithm::from(algorithm).is_symmetric()
        || metadata.token_endpoint_auth_method != Some(AuthMethod::None)
}

/// Whether the client has a key that signs by this algorithm, as far as its keys are here to see.
fn signs(metadata: &ClientMetadata, algorithm: &str) -> bool {
    match Algorithm::from(algorithm) {
        own if own.is_symmetric() => has_secret_for(metadata, algorithm),
        own => has_key(metadata, |key| key.can_sign_with(&own)),
    }
}

fn signs_assertions(metadata: &ClientMetadata, algorithm: &str) -> bool {
    match &metadata.token_endpoint_auth_method {
        Some(AuthMethod::PrivateKeyJwt) => {
            !Algorithm::from(algorithm).is_symmetric() && signs(metadata, algorithm)
        }
        Some(AuthMethod::ClientSecretJwt) => Algorithm::from(algorithm).is_symmetric(),
        _ => false,
    }
}

fn decrypts(metadata: &ClientMetadata, algorithm: &str) -> bool {
    match Algorithm::from(algorithm) {
        own if own.is_symmetric() => has_secret_for(metadata, algorithm),
        own => has_key(metadata, |key| key.can_encrypt_with(&own)),
    }
}

fn has_key(metadata: &ClientMetadata, test: impl Fn(&Jwk) -> bool) -> bool {
    let here = metadata.jwks.as_ref().and_then(|jwks| jwks.keys().ok());
    here.map_or(metadata.jwks_uri.is_some(), |keys| keys.iter().any(test))
}

/// The names of the lists, and of the member whose value each offers.
pub(crate) fn lists() -> impl Iterator<Item = (&'static str, &'static str)> {
    CHOICES.iter().map(|choice| (choice.list, choice.member))
}

/// Whether this is the name of such a list.
pub(crate) fn is_list(name: &str) -> bool {
    lists().any(|(list, _)| list == name)
}

/// What came of the lists of a request, for the step that tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) notes: Vec<Note>,
    pub(crate) refusal: Option<Rejection>,
}

/// The request with a value from each of its lists, and without the lists.
pub(crate) fn choose<'a>(
    request: Cow<'a, ClientMetadata>,
    server: &Server,
) -> (Cow<'a, ClientMetadata>, Chosen) {
    let mut chosen = Chosen::default();
    if !request.extensions.names().any(is_list) {
        return (request, chosen);
    }
    let mut request = request.into_owned();
    for choice in CHOICES {
        let Some(list) = request.extensions.get(choice.list).map(str::to_owned) else { continue };
        match choice.of(&request, &list, server) {
            Ok(None) => {}
            Ok(Some(Pick::Value(value))) => {
                (choice.set)(&mut request, &value);
                let text = format!("{value}: the first of {} that this server supports", choice.list);
                chosen.notes.push(Note { member: choice.member.into(), text: text.into() });
            }
            Ok(Some(Pick::Nothing)) => {
                let text = format!("left open: nothing in {} serves here", choice.list);
                chosen.notes.push(Note { member: choice.member.into(), text: text.into() });
            }
            Err(rejection) => {
                chosen.refusal.get_or_insert(rejection);
            }
        }
    }
    request.extensions.retain(|name| !is_list(name));
    (Cow::Owned(request), chosen)
}

/// What a list leads to.
enum Pick {
    Value(String),
    Nothing,
}

impl Choice {
    /// `None` when the list says nothing, or the client says which of its values it wants.
    fn of(&self, request: &ClientMetadata, list: &str, server: &Server) -> Result<Option<Pick>, Rejection> {
        if matches!(list, "null" | "\"\"" | "[]") {
            return Ok(None);
        }
        let values: Vec<String> = serde_json::from_str(list)
            .map_err(|_| Rejection::metadata(self.list, "must be an array of strings"))?;
        if let Some(own) = (self.get)(request) {
            return match values.iter().any(|value| value == own) {
                true => Ok(None),
                false => Err(Rejection::metadata(self.member, format!("must be one of {}", self.list))),
            };
        }
        let fits =
            |value: &&String| (self.supports)(&server.capabilities, value) && (self.suits)(request, value);
        match values.iter().find(fits) {
            Some(value) => Ok(Some(Pick::Value(value.clone()))),
            None if self.needed || !server.rules.substitute => {
                let problem =
                    "must hold a value that this server supports and that the rest of the request allows";
                Err(Rejection::metadata(self.list, problem))
            }
            None => Ok(Some(Pick::Nothing)),
        }
    }
}
