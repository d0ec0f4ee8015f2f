//! The columns of `Clients`, and what each says of a client.
//!
//! A member that a client leaves out has its effect all the same, and the column says that effect: whoever else reads the row
//! knows nothing of members that are absent.

use enroll_oauth_types::{
    AccessTokenType, Algorithm, AuthMethod, GrantType, Localized, RedirectUri, RefreshTokenExpiration,
    RefreshTokenUsage, Seconds, Timestamp, Uri,
};
use enroll_store::Client;

/// What a column holds, whichever type an engine has for it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Held {
    Nothing,
    Flag(bool),
    Number(i64),
    Text(String),
    Moment(Timestamp),
}

/// What a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Number,
    Text,
    /// A date and a time, in UTC.
    Moment,
    /// A length of time. None is ever read.
    Span,
}

/// A column of `Clients`.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) says: Says,
    /// The member that is named when a value does not fit.
    pub(super) member: &'static str,
    /// How many characters fit, where the catalogue does not say.
    pub(super) longest: Option<usize>,
    /// Whether every version of the schema has it.
    pub(super) is_old: bool,
}

/// What a column says of a client.
pub(super) enum Says {
    /// Both ways.
    Flag(fn(&Client) -> bool, fn(&mut Client, bool)),
    /// Both ways; whole numbers, seconds mostly.
    Number(fn(&Client) -> Option<i64>, fn(&mut Client, Option<i64>)),
    /// Both ways; a flag that may be absent.
    Choice(fn(&Client) -> Option<bool>, fn(&mut Client, Option<bool>)),
    /// Both ways.
    Text(fn(&Client) -> Option<String>, fn(&mut Client, Option<String>)),
    /// Both ways.
    Moment(fn(&Client) -> Option<Timestamp>, fn(&mut Client, Option<Timestamp>)),
    /// It follows from other members, and is only written.
    Follows(fn(&Client) -> bool),
    /// A new client has this; afterwards it is whoever else's who edits it.
    At(Start),
}

/// What a new client has in a column that no member is behind.
#[derive(Clone, Copy)]
pub(super) enum Start {
    Nothing,
    Flag(bool),
    Number(i64),
    Text(&'static str),
}

/// One is another by its name.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Column {
    /// What it holds for this client; nothing more for a column that only a new client is given.
    pub(super) fn of(&self, client: &Client) -> Option<Held> {
        Some(match self.says {
            Says::Flag(get, _) | Says::Follows(get) => Held::Flag(get(client)),
            Says::Number(get, _) => get(client).map_or(Held::Nothing, Held::Number),
            Says::Choice(get, _) => get(client).map_or(Held::Nothing, Held::Flag),
            Says::Text(get, _) => get(client).map_or(Held::Nothing, Held::Text),
            Says::Moment(get, _) => get(client).map_or(Held::Nothing, |time| Held::Moment(time.min(LATEST))),
            Says::At(_) => return None,
        })
    }

    /// What it holds for a new client.
    pub(super) fn of_new(&self, client: &Client) -> Held {
        match self.says {
            Says::At(Start::Nothing) => Held::Nothing,
            Says::At(Start::Flag(on)) => Held::Flag(on),
            Says::At(Start::Number(number)) => Held::Number(number),
            Says::At(Start::Text(text)) => Held::Text(text.to_owned()),
            _ => self.of(client).unwrap_or(Held::Nothing),
        }
    }

    /// Makes the client what the column says.
    pub(super) fn tell(&self, client: &mut Client, held: &Held) {
        match (&self.says, held) {
            (Says::Flag(_, set), Held::Flag(on)) => set(client, *on),
            (Says::Number(_, set), Held::Number(number)) => set(client, Some(*number)),
            (Says::Number(_, set), Held::Nothing) => set(client, None),
            (Says::Choice(_, set), Held::Flag(on)) => set(client, Some(*on)),
            (Says::Choice(_, set), Held::Nothing) => set(client, None),
            (Says::Text(_, set), Held::Text(text)) => set(client, Some(text.clone())),
            (Says::Text(_, set), Held::Nothing) => set(client, None),
            (Says::Moment(_, set), Held::Moment(time)) => set(client, Some(*time)),
            (Says::Moment(_, set), Held::Nothing) => set(client, None),
            _ => {}
        }
    }

    /// Whether the client is what it says by this column.
    pub(super) fn is_read(&self) -> bool {
        !matches!(self.says, Says::Follows(_) | Says::At(_))
    }

    const fn new(name: &'static str, kind: Kind, member: &'static str, says: Says) -> Self {
        Self { name, kind, says, member, longest: None, is_old: true }
    }

    const fn at(name: &'static str, kind: Kind, start: Start) -> Self {
        Self::new(name, kind, "", Says::At(start))
    }

    const fn up_to(self, longest: usize) -> Self {
        Self { longest: Some(longest), ..self }
    }

    /// Older versions of the schema lack it.
    const fn newer(self) -> Self {
        Self { is_old: false, ..self }
    }
}

/// The end of the year 9999, beyond which no engine counts.
pub(super) const LATEST: Timestamp = Timestamp(253_402_300_799);

/// The values of the enumerations, which the rows hold as numbers.
const JWT: i64 = 0;
const REFERENCE: i64 = 1;
const RE_USE: i64 = 0;
const ONE_TIME_ONLY: i64 = 1;
const SLIDING: i64 = 0;
const ABSOLUTE: i64 = 1;
/// The age of a `DPoP` proof is told by its `iat`.
const BY_IAT: i64 = 1;

/// A member that is true or false, and what it is when it is left out.
macro_rules! flag {
    ($name:literal, $member:ident, $default:literal) => {
        Column::new(
            $name,
            Kind::Flag,
            stringify!($member),
            Says::Flag(
                |client| client.metadata.$member.unwrap_or($default),
                |client, on| client.metadata.$member = (on != $default).then_some(on),
            ),
        )
    };
}

/// A member in seconds, and what it is when it is left out.
macro_rules! lifetime {
    ($name:literal, $member:ident, $default:literal) => {
        Column::new(
            $name,
            Kind::Number,
            stringify!($member),
            Says::Number(
                |client| Some(client.metadata.$member.map_or($default, |own| i64::from(own.get()))),
                |client, held| {
                    client.metadata.$member = held.filter(|held| *held != $default).map(seconds);
                },
            ),
        )
    };
}

/// A member in seconds that may be left out.
macro_rules! optional_lifetime {
    ($name:literal, $member:ident) => {
        Column::new(
            $name,
            Kind::Number,
            stringify!($member),
            Says::Number(
                |client| client.metadata.$member.map(|own| i64::from(own.get())),
                |client, held| client.metadata.$member = held.map(seconds),
            ),
        )
    };
}

/// A member that may be said in several languages; the column says it in none.
macro_rules! localized {
    ($name:literal, $member:ident) => {
        Column::new(
            $name,
            Kind::Text,
            stringify!($member),
            Says::Text(
                |client| client.metadata.$member.as_ref()?.untagged().map(ToString::to_string),
                |client, held| {
                    let value = held.map(|text| text.as_str().into());
                    client.metadata.$member = with_untagged(client.metadata.$member.as_ref(), value);
                },
            ),
        )
    };
}

macro_rules! uri {
    ($name:literal, $member:ident) => {
        Column::new(
            $name,
            Kind::Text,
            stringify!($member),
            Says::Text(
                |client| client.metadata.$member.as_ref().map(ToString::to_string),
                |client, held| client.metadata.$member = held.map(|text| Uri::from(text.as_str())),
            ),
        )
        .up_to(2000)
    };
}

/// Every column but `Id` and `ClientId`. What others follow from comes first.
pub(super) static COLUMNS: &[Column] = &[
    Column::new(
        "Enabled",
        Kind::Flag,
        "enabled",
        Says::Flag(|client| client.enabled, |client, on| client.enabled = on),
    ),
    Column::at("ProtocolType", Kind::Text, Start::Text("oidc")),
    Column::new(
        "RequireClientSecret",
        Kind::Flag,
        "token_endpoint_auth_method",
        Says::Flag(authenticates, |client, on| {
            client.metadata.require_client_secret = None;
            client.metadata.token_endpoint_auth_method =
                Some(if on { method_by_secrets(client) } else { AuthMethod::None });
        }),
    ),
    localized!("ClientName", client_name).up_to(200),
    localized!("Description", description).up_to(1000),
    localized!("ClientUri", client_uri).up_to(2000),
    localized!("LogoUri", logo_uri).up_to(2000),
    flag!("RequireConsent", require_consent, true),
    Column::new(
        "AllowRememberConsent",
        Kind::Flag,
        "allow_remember_consent",
        Says::Flag(
            |client| client.metadata.allow_remember_consent.unwrap_or(!can_be_anybody(client)),
            |client, on| {
                let default = !can_be_anybody(client);
                client.metadata.allow_remember_consent = (on != default).then_some(on);
            },
        ),
    ),
    Column::at("AlwaysIncludeUserClaimsInIdToken", Kind::Flag, Start::Flag(false)),
    Column::at("RequirePkce", Kind::Flag, Start::Flag(true)),
    Column::at("AllowPlainTextPkce", Kind::Flag, Start::Flag(false)),
    flag!("RequireRequestObject", require_signed_request_object, false),
    Column::new(
        "AllowAccessTokensViaBrowser",
        Kind::Flag,
        "response_types",
        Says::Follows(|client| {
            client.metadata.response_types.iter().flatten().any(|own| own.contains("token"))
        }),
    ),
    flag!("RequireDPoP", dpop_bound_access_tokens, false).newer(),
    Column::at("DPoPValidationMode", Kind::Number, Start::Number(BY_IAT)).newer(),
    Column::at("DPoPClockSkew", Kind::Span, Start::Text("00:05:00")).newer(),
    uri!("FrontChannelLogoutUri", frontchannel_logout_uri),
    flag!("FrontChannelLogoutSessionRequired", frontchannel_logout_session_required, false),
    uri!("BackChannelLogoutUri", backchannel_logout_uri),
    flag!("BackChannelLogoutSessionRequired", backchannel_logout_session_required, false),
    Column::new(
        "AllowOfflineAccess",
        Kind::Flag,
        "grant_types",
        Says::Flag(can_refresh, |client, on| {
            let grants = client.metadata.grant_types.get_or_insert_default();
            grants.retain(|own| *own != GrantType::RefreshToken);
            if on {
                grants.push(GrantType::RefreshToken);
            }
        }),
    ),
    lifetime!("IdentityTokenLifetime", identity_token_lifetime, 300),
    Column::new(
        "AllowedIdentityTokenSigningAlgorithms",
        Kind::Text,
        "allowed_identity_token_signing_algorithms",
        Says::Text(id_token_algorithms, |client, held| {
            let list = held.unwrap_or_default();
            let named = list.split(',').map(str::trim).filter(|own| !own.is_empty());
            let allowed = Some(named.map(Algorithm::from).collect::<Vec<_>>());
            let allowed = allowed.filter(|allowed| !allowed.is_empty());
            let asked = client.metadata.id_token_signed_response_alg.take();
            client.metadata.id_token_signed_response_alg =
                asked.filter(|asked| allowed.as_ref().is_some_and(|allowed| allowed.contains(asked)));
            client.metadata.allowed_identity_token_signing_algorithms = allowed;
        }),
    )
    .up_to(100),
    lifetime!("AccessTokenLifetime", access_token_lifetime, 3600),
    lifetime!("AuthorizationCodeLifetime", authorization_code_lifetime, 300),
    optional_lifetime!("ConsentLifetime", consent_lifetime),
    lifetime!("AbsoluteRefreshTokenLifetime", absolute_refresh_token_lifetime, 2_592_000),
    lifetime!("SlidingRefreshTokenLifetime", sliding_refresh_token_lifetime, 1_296_000),
    Column::new(
        "RefreshTokenUsage",
        Kind::Number,
        "refresh_token_usage",
        Says::Number(
            |client| Some(if refreshes_once(client) { ONE_TIME_ONLY } else { RE_USE }),
            |client, held| {
                // What no version of the schema knows is taken for what is safer.
                let once = held != Some(RE_USE);
                client.metadata.refresh_token_usage = None;
                if refreshes_once(client) != once {
                    let usage = if once { RefreshTokenUsage::OneTimeOnly } else { RefreshTokenUsage::ReUse };
                    client.metadata.refresh_token_usage = Some(usage);
                }
            },
        ),
    ),
    flag!("UpdateAccessTokenClaimsOnRefresh", update_access_token_claims_on_refresh, false),
    Column::new(
        "RefreshTokenExpiration",
        Kind::Number,
        "refresh_token_expiration",
        Says::Number(
            |client| {
                let slides =
                    client.metadata.refresh_token_expiration == Some(RefreshTokenExpiration::Sliding);
                Some(if slides { SLIDING } else { ABSOLUTE })
            },
            |client, held| {
                client.metadata.refresh_token_expiration =
                    (held == Some(SLIDING)).then_some(RefreshTokenExpiration::Sliding);
            },
        ),
    ),
    Column::new(
        "AccessTokenType",
        Kind::Number,
        "access_token_type",
        Says::Number(
            |client| {
                let is_reference = client.metadata.access_token_type == Some(AccessTokenType::Reference);
                Some(if is_reference { REFERENCE } else { JWT })
            },
            |client, held| {
                client.metadata.access_token_type = (held != Some(JWT)).then_some(AccessTokenType::Reference);
            },
        ),
    ),
    flag!("EnableLocalLogin", enable_local_login, true),
    Column::at("IncludeJwtId", Kind::Flag, Start::Flag(true)),
    Column::at("AlwaysSendClientClaims", Kind::Flag, Start::Flag(false)),
    Column::at("ClientClaimsPrefix", Kind::Text, Start::Text("client_")),
    Column::at("PairWiseSubjectSalt", Kind::Text, Start::Nothing),
    uri!("InitiateLoginUri", initiate_login_uri).newer(),
    optional_lifetime!("UserSsoLifetime", default_max_age),
    Column::at("UserCodeType", Kind::Text, Start::Nothing),
    Column::at("DeviceCodeLifetime", Kind::Number, Start::Number(300)),
    Column::at("CibaLifetime", Kind::Number, Start::Nothing).newer(),
    Column::at("PollingInterval", Kind::Number, Start::Nothing).newer(),
    Column::new(
        "CoordinateLifetimeWithUserSession",
        Kind::Flag,
        "coordinate_lifetime_with_user_session",
        Says::Choice(
            |client| client.metadata.coordinate_lifetime_with_user_session,
            |client, held| client.metadata.coordinate_lifetime_with_user_session = held,
        ),
    )
    .newer(),
    Column::new(
        "Created",
        Kind::Moment,
        "client_id_issued_at",
        Says::Moment(
            |client| Some(client.issued_at),
            |client, held| client.issued_at = held.unwrap_or_default(),
        ),
    ),
    Column::new(
        "Updated",
        Kind::Moment,
        "updated_at",
        Says::Moment(
            |client| (client.updated_at != client.issued_at).then_some(client.updated_at),
            |client, held| client.updated_at = held.unwrap_or(client.issued_at),
        ),
    ),
    Column::at("LastAccessed", Kind::Moment, Start::Nothing),
    Column::at("NonEditable", Kind::Flag, Start::Flag(false)),
    Column::at("PushedAuthorizationLifetime", Kind::Number, Start::Nothing).newer(),
    flag!("RequirePushedAuthorization", require_pushed_authorization_requests, false).newer(),
];

/// A number that somebody wrote into a column, as seconds: less than none is none.
fn seconds(held: i64) -> Seconds {
    let held = u32::try_from(held.max(0)).unwrap_or(u32::MAX);
    Seconds::new(held).unwrap_or(Seconds::MAX)
}

/// The same names in their languages, and another without.
fn with_untagged<T: Clone>(own: Option<&Localized<T>>, untagged: Option<T>) -> Option<Localized<T>> {
    let tagged = own.into_iter().flat_map(Localized::iter);
    let tagged = tagged.filter_map(|(tag, value)| Some((Some(tag?.to_owned()), value.clone())));
    let mut all = untagged.map(|value| (None, value)).into_iter().chain(tagged).peekable();
    all.peek().is_some().then(|| all.collect())
}

fn authenticates(client: &Client) -> bool {
    match &client.metadata.token_endpoint_auth_method {
        Some(method) => *method != AuthMethod::None,
        None => client.metadata.require_client_secret != Some(false),
    }
}

/// How a client authenticates of which only its secrets and keys are known.
pub(super) fn method_by_secrets(client: &Client) -> AuthMethod {
    match client.secrets.is_empty() && client.metadata.jwks.is_some() {
        true => AuthMethod::PrivateKeyJwt,
        false => AuthMethod::ClientSecretBasic,
    }
}

/// Any program on a device can pass for a client that has no secret and is called back there. RFC 8252 §8.6.
fn can_be_anybody(client: &Client) -> bool {
    client.metadata.token_endpoint_auth_method == Some(AuthMethod::None)
        && client.metadata.redirect_uris.iter().flatten().any(RedirectUri::is_native_only)
}

pub(super) fn can_refresh(client: &Client) -> bool {
    client.metadata.grant_types.iter().flatten().any(|own| *own == GrantType::RefreshToken)
}

/// RFC 9700 §2.2.2
fn refreshes_once(client: &Client) -> bool {
    match &client.metadata.refresh_token_usage {
        Some(usage) => *usage != RefreshTokenUsage::ReUse,
        None => client.metadata.token_endpoint_auth_method == Some(AuthMethod::None),
    }
}

/// What ID tokens may be signed with: the list, or the one that the client registered. One that needs the client's secret
/// means nothing to whoever else reads the row.
fn id_token_algorithms(client: &Client) -> Option<String> {
    let listed = client.metadata.allowed_identity_token_signing_algorithms.as_deref().unwrap_or_default();
    let asked = client.metadata.id_token_signed_response_alg.as_slice();
    let algorithms = if listed.is_empty() { asked } else { listed };
    let algorithms = algorithms.iter().filter(|own| !own.is_symmetric() && !own.is_none());
    let algorithms: Vec<_> = algorithms.map(Algorithm::as_str).collect();
    (!algorithms.is_empty()).then(|| algorithms.join(","))
}
