//! On what terms a caller registers: defaults for what it leaves out, limits for what it asks.

use std::sync::{Arc, LazyLock};

use enroll_oauth_types::{ClientMetadata, Scope, Seconds};
use enroll_store::Storage;

/// What a policy grants whoever it lets in.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The name of the policy, for logs and reports.
    pub name: String,
    /// Metadata that a registration starts from; what the client sends is laid over it.
    pub template: ClientMetadata,
    /// The scopes that may be registered; `None` is every scope that the server knows.
    pub allowed_scopes: Option<Vec<String>>,
    /// The scopes of a client that asks for none; `None` is every scope that may be registered.
    pub default_scopes: Option<Vec<String>>,
    /// How long things may live.
    pub ceilings: Ceilings,
    /// The privileged members that take effect.
    pub privileges: Privileges,
    /// How long a client secret lives; `None` is for ever. `client_secret_expires_at`, RFC 7591 §3.2.1.
    pub secret_lifetime: Option<Seconds>,
    /// Where its registrations are kept, but for those that take a use of a token: these are stored.
    pub storage: Storage,
}

macro_rules! ceilings {
    ($($member:ident),* $(,)?) => {
        /// The longest lifetime that each member may ask for; `None` is no limit.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Ceilings {
            $(#[doc = concat!("For `", stringify!($member), "`.")] pub $member: Option<Seconds>,)*
        }

        impl Ceilings {
            /// The members that can be limited.
            pub const MEMBERS: &'static [&'static str] = &[$(stringify!($member)),*];

            /// The limit of one of them, by its name.
            pub fn get_mut(&mut self, member: &str) -> Option<&mut Option<Seconds>> {
                match member {
                    $(stringify!($member) => Some(&mut self.$member),)*
                    _ => None,
                }
            }

            /// No more than a client has already.
            fn lowered_to(&mut self, metadata: &ClientMetadata) {
                $(self.$member = metadata.$member.filter(|own| own.get() > 0).or(self.$member);)*
            }
        }
    };
}

ceilings! {
    access_token_lifetime,
    identity_token_lifetime,
    authorization_code_lifetime,
    absolute_refresh_token_lifetime,
    sliding_refresh_token_lifetime,
    consent_lifetime,
}

/// The members that change what users are asked, whom they trust, or how long they stay logged in, and so need a
/// policy's leave. `client_name` needs it for names that are protected, and for no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Privileges {
    /// None takes effect.
    #[default]
    None,
    /// Those of these names do.
    Members(Vec<String>),
    /// All do.
    All,
}

impl Privileges {
    /// The members that are privileged.
    pub const MEMBERS: [&'static str; 6] = [
        "require_consent",
        "allow_remember_consent",
        "enable_local_login",
        "identity_provider_restrictions",
        "coordinate_lifetime_with_user_session",
        "client_name",
    ];

    /// Whether this member takes effect.
    pub fn include(&self, member: &str) -> bool {
        match self {
            Self::None => false,
            Self::Members(members) => members.iter().any(|own| own == member),
            Self::All => true,
        }
    }
}

impl Default for Terms {
    /// Every scope of the server, no privileged member, and lifetimes of at most ten minutes for codes (RFC 6749
    /// §4.1.2), a day for access and ID tokens, a year for refresh tokens.
    fn default() -> Self {
        let at_most = Seconds::new;
        Self {
            name: "default".to_owned(),
            template: ClientMetadata::default(),
            allowed_scopes: None,
            default_scopes: None,
            ceilings: Ceilings {
                access_token_lifetime: at_most(86_400),
                identity_token_lifetime: at_most(86_400),
                authorization_code_lifetime: at_most(600),
                absolute_refresh_token_lifetime: at_most(31_536_000),
                sliding_refresh_token_lifetime: at_most(31_536_000),
                consent_lifetime: None,
            },
            privileges: Privileges::None,
            secret_lifetime: None,
            storage: Storage::Stored,
        }
    }
}

impl Terms {
    /// The same for a client that somebody with more leave registered: its scopes and its lifetimes are the most that it may
    /// have, and privileged members stay as they are.
    #[must_use]
    pub(crate) fn within(mut self, metadata: &ClientMetadata) -> Self {
        self.privileges = Privileges::None;
        self.template = ClientMetadata::default();
        self.ceilings.lowered_to(metadata);
        let own = metadata.scope.iter().flat_map(Scope::values).map(str::to_owned);
        self.allowed_scopes = Some(own.collect());
        self.default_scopes.clone_from(&self.allowed_scopes);
        self
    }

    /// The default terms, made once and shared.
    pub fn shared_default() -> Arc<Self> {
        static DEFAULT: LazyLock<Arc<Terms>> = LazyLock::new(Arc::default);
        DEFAULT.clone()
    }

    /// No limits: for the operator, and for trying things.
    pub fn unrestricted() -> Self {
        Self {
            name: "unrestricted".to_owned(),
            ceilings: Ceilings::default(),
            privileges: Privileges::All,
            ..Self::default()
        }
    }
}
