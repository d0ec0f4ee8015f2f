//! Client metadata: every registered member once.
//!
//! To add a member: a line in the table below, its rule in the step that owns it, a case in the registration
//! crate's `tests/it/cases/`. Request, stored document and response are all made of this one struct.

mod extensions;
mod localized;
mod member;
mod parse;
mod redirect_uri;
mod schema;
mod strict_json;
mod update;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

pub use extensions::Extensions;
pub use localized::Localized;
pub use member::JsonObject;
pub use parse::ReadingRules;
pub use redirect_uri::{RedirectRules, RedirectUri};
pub use update::UpdateRequest;

use crate::{
    AccessTokenType, Algorithm, ApplicationType, AuthMethod, GrantType, Jwks, RefreshTokenExpiration,
    RefreshTokenUsage, Rejection, ResponseType, Scope, Seconds, SubjectType, Uri,
};
use member::{At, Member};
use schema::MemberSchema;

macro_rules! client_metadata {
    (
        members { $($(#[doc = $doc:literal])* $name:ident: $type:ty,)* }
        declarations { $($(#[doc = $declared_doc:literal])* $declared:ident: $declared_type:ty,)* }
    ) => {
        /// What a client says of itself, and what the server made of it. RFC 7591 §2.
        ///
        /// A member that is not set is `None`; nothing here is judged beyond its JSON type. Strings are kept as
        /// they were sent.
        ///
        /// ```
        /// use enroll_oauth_types::{ClientMetadata, ReadingRules};
        ///
        /// let body = r#"{"redirect_uris":["https://app.example/cb"],"client_name":"App","client_name#ja":"アプリ"}"#;
        /// let metadata = ClientMetadata::parse(body.as_bytes(), &ReadingRules::default())?;
        /// assert_eq!(metadata.redirect_uris.unwrap()[0].as_str(), "https://app.example/cb");
        /// assert_eq!(metadata.client_name.unwrap().tagged("ja").unwrap(), "アプリ");
        /// # Ok::<(), enroll_oauth_types::Rejection>(())
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct ClientMetadata {
            $($(#[doc = $doc])* pub $name: Option<$type>,)*
            $($(#[doc = $declared_doc])* pub $declared: Option<$declared_type>,)*
            /// Members that no standard we know names, in their order. They are stored apart and come back as sent.
            pub extensions: Extensions,
        }

        impl ClientMetadata {
            /// The name of every member, in the order of the response.
            pub const MEMBERS: &'static [&'static str] =
                &[$(stringify!($name),)* $(stringify!($declared),)*];

            /// The members that are stored and returned, and change nothing else.
            pub const DECLARATIONS: &'static [&'static str] = &[$(stringify!($declared),)*];

            /// Reads one member; `false` when there is none of this name, or it takes no language tag.
            fn read_member(
                &mut self, base: &str, tag: Option<&str>, json: &RawValue, at: At<'_>,
            ) -> Result<bool, Rejection> {
                match base {
                    $(stringify!($name) if <$type>::fits(tag) => <$type>::read_into(&mut self.$name, tag, json, at)?,)*
                    $(stringify!($declared) if <$declared_type>::fits(tag) =>
                        <$declared_type>::read_into(&mut self.$declared, tag, json, at)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// What each member looks like in JSON, in the order of the response.
            fn member_schemas() -> Vec<MemberSchema> {
                vec![
                    $(MemberSchema::of::<$type>(stringify!($name), concat!($($doc),*)),)*
                    $(MemberSchema::of::<$declared_type>(stringify!($declared), concat!($($declared_doc),*)),)*
                ]
            }

            /// Writes every member that is set into a JSON object, all but `extensions`.
            pub fn write_members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $(if let Some(value) = &self.$name { value.write(stringify!($name), map)?; })*
                $(if let Some(value) = &self.$declared { value.write(stringify!($declared), map)?; })*
                Ok(())
            }

            /// This metadata with every member that `over` sets replaced by that one's; names people see are replaced
            /// language by language.
            #[must_use]
            pub fn overlaid_by(mut self, over: &Self) -> Self {
                $(if let Some(value) = &over.$name { value.clone().overlay(&mut self.$name); })*
                $(if let Some(value) = &over.$declared { value.clone().overlay(&mut self.$declared); })*
                self.extensions.overlay(&over.extensions);
                self
            }
        }
    };
}

client_metadata! {
    members {
        // RFC 7591 §2
        /// Where the user's browser may be sent back to.
        redirect_uris: Vec<RedirectUri>,
        /// How the client authenticates at the token endpoint and its like.
        token_endpoint_auth_method: AuthMethod,
        /// How the client gets tokens.
        grant_types: Vec<GrantType>,
        /// What it asks of the authorization endpoint.
        response_types: Vec<ResponseType>,
        /// The name people see.
        client_name: Localized<String>,
        /// Its home page.
        client_uri: Localized<Uri>,
        /// Its picture.
        logo_uri: Localized<Uri>,
        /// What it may ask for.
        scope: Scope,
        /// How to reach who is responsible.
        contacts: Vec<String>,
        /// Its terms of service.
        tos_uri: Localized<Uri>,
        /// Its privacy policy.
        policy_uri: Localized<Uri>,
        /// Where its public keys are.
        jwks_uri: Uri,
        /// Its public keys.
        jwks: Jwks,
        /// The software, the same for each of its instances and versions.
        software_id: String,
        /// The version of the software.
        software_version: String,
        /// A signed statement about the software. RFC 7591 §2.3.
        software_statement: String,

        // OpenID Connect Dynamic Client Registration 1.0 §2
        /// `web` or `native`: which redirect URIs are safe.
        application_type: ApplicationType,
        /// A document that lists the redirect URIs which share pairwise subjects.
        sector_identifier_uri: Uri,
        /// Whether each sector sees a subject of its own.
        subject_type: SubjectType,
        /// How ID tokens are signed.
        id_token_signed_response_alg: Algorithm,
        /// How the key of an encrypted ID token is wrapped.
        id_token_encrypted_response_alg: Algorithm,
        /// How the content of an encrypted ID token is encrypted.
        id_token_encrypted_response_enc: Algorithm,
        /// How `UserInfo` responses are signed.
        userinfo_signed_response_alg: Algorithm,
        /// How the key of an encrypted `UserInfo` response is wrapped.
        userinfo_encrypted_response_alg: Algorithm,
        /// How the content of an encrypted `UserInfo` response is encrypted.
        userinfo_encrypted_response_enc: Algorithm,
        /// How request objects are signed.
        request_object_signing_alg: Algorithm,
        /// How the key of an encrypted request object may be wrapped.
        request_object_encryption_alg: Algorithm,
        /// How the content of a request object may be encrypted.
        request_object_encryption_enc: Algorithm,
        /// How client assertions are signed.
        token_endpoint_auth_signing_alg: Algorithm,
        /// How old a login may be, in seconds.
        default_max_age: Seconds,
        /// Whether ID tokens always tell when the user logged in.
        require_auth_time: bool,
        /// The authentication contexts asked for by default, the best first.
        default_acr_values: Vec<String>,
        /// Where a third party can start a login.
        initiate_login_uri: Uri,
        /// Where request objects may be fetched from.
        request_uris: Vec<Uri>,
        /// The response modes it uses.
        response_modes: Vec<String>,

        // OpenID Connect RP-Initiated, Front-Channel and Back-Channel Logout 1.0
        /// Where the browser may be sent after logout.
        post_logout_redirect_uris: Vec<RedirectUri>,
        /// What the browser loads at logout.
        frontchannel_logout_uri: Uri,
        /// Whether that needs `iss` and `sid`.
        frontchannel_logout_session_required: bool,
        /// What the server calls at logout.
        backchannel_logout_uri: Uri,
        /// Whether that needs `sid`.
        backchannel_logout_session_required: bool,

        // RFC 8705, FAPI 2.0 §5.2.2.1.1
        /// Whether access tokens are bound to the client's certificate.
        tls_client_certificate_bound_access_tokens: bool,
        /// The subject name of its certificate.
        tls_client_auth_subject_dn: String,
        /// The DNS name in its certificate.
        tls_client_auth_san_dns: String,
        /// The URI in its certificate.
        tls_client_auth_san_uri: String,
        /// The IP address in its certificate.
        tls_client_auth_san_ip: String,
        /// The e-mail address in its certificate.
        tls_client_auth_san_email: String,
        /// Whether it uses the mutual-TLS endpoints even where it need not.
        use_mtls_endpoint_aliases: bool,

        // RFC 9101 §10.5, RFC 9126 §6, RFC 9449 §5.2, RFC 9396 §10
        /// Whether every authorization request is a signed request object.
        require_signed_request_object: bool,
        /// Whether every authorization request is pushed first.
        require_pushed_authorization_requests: bool,
        /// Whether access tokens are bound to a `DPoP` key.
        dpop_bound_access_tokens: bool,
        /// The types of authorization details it uses.
        authorization_details_types: Vec<String>,

        // RFC 9701 §6, JARM §3
        /// How introspection responses are signed.
        introspection_signed_response_alg: Algorithm,
        /// How the key of an encrypted introspection response is wrapped.
        introspection_encrypted_response_alg: Algorithm,
        /// How the content of an encrypted introspection response is encrypted.
        introspection_encrypted_response_enc: Algorithm,
        /// How authorization responses are signed.
        authorization_signed_response_alg: Algorithm,
        /// How the key of an encrypted authorization response is wrapped.
        authorization_encrypted_response_alg: Algorithm,
        /// How the content of an encrypted authorization response is encrypted.
        authorization_encrypted_response_enc: Algorithm,

        // OpenID Connect Client-Initiated Backchannel Authentication §4
        /// `poll`, `ping` or `push`.
        backchannel_token_delivery_mode: String,
        /// Where the client is told.
        backchannel_client_notification_endpoint: Uri,
        /// How backchannel authentication requests are signed.
        backchannel_authentication_request_signing_alg: Algorithm,
        /// Whether it sends user codes.
        backchannel_user_code_parameter: bool,

        // Extension members: lifetimes, in seconds, and what the user is shown
        /// The end of a chain of refresh tokens, counted from the first; 0 with `Sliding` is no such end.
        absolute_refresh_token_lifetime: Seconds,
        /// How far each use of a refresh token extends it.
        sliding_refresh_token_lifetime: Seconds,
        /// `Absolute` or `Sliding`.
        refresh_token_expiration: RefreshTokenExpiration,
        /// `OneTimeOnly` or `ReUse`.
        refresh_token_usage: RefreshTokenUsage,
        /// Whether claims are gathered anew at refresh.
        update_access_token_claims_on_refresh: bool,
        /// How long an access token lives.
        access_token_lifetime: Seconds,
        /// `Jwt` or `Reference`.
        access_token_type: AccessTokenType,
        /// How long an ID token lives.
        identity_token_lifetime: Seconds,
        /// The algorithms that ID tokens may be signed with; empty is the server's choice.
        allowed_identity_token_signing_algorithms: Vec<Algorithm>,
        /// How long an authorization code lives.
        authorization_code_lifetime: Seconds,
        /// Whether the user is asked.
        require_consent: bool,
        /// Whether the answer may be remembered.
        allow_remember_consent: bool,
        /// How long it is remembered.
        consent_lifetime: Seconds,
        /// The web origins whose scripts may call.
        allowed_cors_origins: Vec<Uri>,
        /// Whether the client must authenticate.
        require_client_secret: bool,
        /// Whether the user may log in with a password here.
        enable_local_login: bool,
        /// The identity providers its users may come from; empty is all.
        identity_provider_restrictions: Vec<String>,
        /// Whether its tokens end with the user's session.
        coordinate_lifetime_with_user_session: bool,
    }
    declarations {
        /// UMA 2.0 Grant §2.
        claims_redirect_uris: Vec<Uri>,
        /// ETSI GS NFV-SEC 022.
        nfv_token_signed_response_alg: Algorithm,
        /// ETSI GS NFV-SEC 022.
        nfv_token_encrypted_response_alg: Algorithm,
        /// ETSI GS NFV-SEC 022.
        nfv_token_encrypted_response_enc: Algorithm,
        /// OpenID Federation §5.1.2.
        client_registration_types: Vec<String>,
        /// OpenID Federation §5.2.1.
        signed_jwks_uri: Uri,
        /// OpenID Federation §5.2.2.
        organization_name: Localized<String>,
        /// OpenID Federation §5.2.2.
        description: Localized<String>,
        /// OpenID Federation §5.2.2.
        keywords: Vec<String>,
        /// OpenID Federation §5.2.2.
        information_uri: Localized<Uri>,
        /// OpenID Federation §5.2.2.
        organization_uri: Localized<Uri>,
        /// OpenID4VP §5.1.
        encrypted_response_enc_values_supported: Vec<String>,
        /// OpenID4VP §11.1.
        vp_formats_supported: JsonObject,
        /// OpenID4VCI.
        credential_offer_endpoint: Uri,
    }
}

impl Serialize for ClientMetadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write_members(&mut map)?;
        map.end()
    }
}

#[cfg(test)]
mod tests;
