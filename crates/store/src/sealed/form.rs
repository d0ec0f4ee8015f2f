//! How a registration stands in its `client_id`:
//!
//! ```text
//! enr_dcr_ | name of the key, 8 | salt, 22 | what was registered, shortened and sealed
//! ```
//!
//! all of it in base64url, so that URLs, forms and headers hold it without a change. It is sealed with AES-256-GCM under a
//! key made of the named one and the salt, so that no key seals twice. Its client secret and its registration access token
//! are made of that key and the whole identifier. RFC 7591 Appendix A.5.2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enroll_oauth_types::{
    ClientId, ClientMetadata, ClientSecret, Extensions, Random, RegistrationAccessToken, SealedSecret,
    SealingKey, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::phrases::{lengthened, shortened};
use super::{Opened, Storage};
use crate::{Client, RegisteredBy, StoredSecret};

/// What every identifier of this form begins with.
pub(crate) const PREFIX: &str = "enr_dcr_";

/// How long the name of a key is, and the salt.
const NAME: usize = 8;
const SALT: usize = 22;

/// What the key is made for, and what is sealed under it. Another form gets another one.
const PURPOSE: &str = "registration, first form";

/// What is sealed. Its names are short, since it stands in every request.
#[derive(Serialize, Deserialize)]
struct Form<By, Metadata, Unknown> {
    /// When it was registered.
    #[serde(rename = "t")]
    issued_at: Timestamp,
    /// By whom.
    #[serde(rename = "b")]
    registered_by: By,
    #[serde(rename = "m")]
    metadata: Metadata,
    #[serde(rename = "x", default = "none", skip_serializing_if = "Option::is_none")]
    extensions: Option<Unknown>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    /// Whether it has a registration access token.
    #[serde(rename = "a", default, skip_serializing_if = "is_false")]
    manages_itself: bool,
    /// Whether a row is written once somebody has authorized it.
    #[serde(rename = "p", default, skip_serializing_if = "is_false")]
    is_provisional: bool,
}

/// What is known of its secret beside the secret.
#[derive(Serialize, Deserialize)]
struct Secret {
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Whether the server has to read it again.
    #[serde(rename = "r", default, skip_serializing_if = "is_false")]
    is_shared: bool,
}

fn none<T>() -> Option<T> {
    None
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_false(value: &bool) -> bool {
    !value
}

/// An identifier in its parts; nothing of them is verified.
pub(super) struct Parts<'a> {
    /// The name of the key.
    pub(super) key: &'a str,
    salt: &'a str,
    sealed: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` for what is no identifier of this form, or longer than any.
    pub(super) fn of(id: &'a ClientId) -> Option<Self> {
        let id = id.as_str();
        let rest = id.strip_prefix(PREFIX).filter(|_| id.len() <= ClientId::LONGEST)?;
        let (key, rest) = rest.split_at_checked(NAME)?;
        let (salt, sealed) = rest.split_at_checked(SALT)?;
        Some(Self { key, salt, sealed })
    }
}

/// A new name for a key.
pub(super) fn new_name(random: &dyn Random) -> String {
    let mut bytes = [0; NAME / 4 * 3];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A client as it is when it was sealed, and the secrets that its owner is shown.
#[derive(Debug)]
pub struct Sealed {
    /// The client, as every reader will see it.
    pub client: Client,
    /// `client_secret`, if it has one.
    pub client_secret: Option<ClientSecret>,
    /// `registration_access_token`, if it has one.
    pub registration_access_token: Option<RegistrationAccessToken>,
}

/// There is more to a registration than an identifier can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it makes a client_id of {length} characters, and {} is the most", ClientId::LONGEST)]
pub struct TooLong {
    /// How long the identifier would be.
    pub length: usize,
}

/// The key under which identifiers are sealed, and the one that seals secrets which must be read again.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) name: &'a str,
    pub(super) key: &'a SealingKey,
    pub(super) master: &'a SealingKey,
}

impl Keys<'_> {
    /// The client under an identifier that holds all of it, with secrets that belong to that.
    pub(super) fn seal(
        self,
        client: &Client,
        storage: Storage,
        random: &dyn Random,
    ) -> Result<Sealed, TooLong> {
        let extensions = &client.metadata.extensions;
        let form = Form {
            issued_at: client.issued_at,
            registered_by: &client.registered_by,
            metadata: &client.metadata,
            extensions: (!extensions.is_empty()).then_some(extensions),
            secret: client
                .secrets
                .last()
                .map(|secret| Secret { expires_at: secret.expires_at, is_shared: secret.sealed.is_some() }),
            manages_itself: client.registration_access_token.is_some(),
            is_provisional: storage == Storage::Provisional,
        };
        let text = serde_json::to_string(&form).expect("a client is made of JSON");
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let key = self.key.subkey(&salt, PURPOSE);
        let id = format!("{PREFIX}{}{salt}{}", self.name, key.seal_text(&shortened(&text), PURPOSE));
        if id.len() > ClientId::LONGEST {
            return Err(TooLong { length: id.len() });
        }
        let id = ClientId::from(id.as_str());
        let Opened { client, .. } = self.read(&id, &key, &text).expect("what was just written is read");
        let client_secret = client.secrets.first().map(|_| secret(&key, &id));
        let registration_access_token = client.registration_access_token.map(|_| token(&key, &id));
        Ok(Sealed { client, client_secret, registration_access_token })
    }

    /// The client that an identifier holds; `None` when it was sealed under another key, or changed.
    pub(super) fn open(self, id: &ClientId, parts: &Parts<'_>) -> Option<Opened> {
        let (key, short) = self.unseal(parts)?;
        self.read(id, &key, &lengthened(&short))
    }

    /// Its own key, and what was sealed under that.
    pub(super) fn unseal(self, parts: &Parts<'_>) -> Option<(SealingKey, String)> {
        let sealed: SealedSecret = parts.sealed.parse().ok()?;
        let key = self.key.subkey(parts.salt, PURPOSE);
        let short = key.open_text(&sealed, PURPOSE)?;
        Some((key, short))
    }

    fn read(self, id: &ClientId, key: &SealingKey, text: &str) -> Option<Opened> {
        let form: Form<RegisteredBy, ClientMetadata, Extensions> = serde_json::from_str(text).ok()?;
        let mut metadata = form.metadata;
        metadata.extensions = form.extensions.unwrap_or_default();
        let secrets = form.secret.map(|own| {
            let secret = secret(key, id);
            StoredSecret {
                hash: secret.hash(),
                sealed: own.is_shared.then(|| self.master.seal(&secret, id)),
                issued_at: form.issued_at,
                expires_at: own.expires_at,
            }
        });
        let client = Client {
            revision: 0,
            metadata,
            secrets: secrets.into_iter().collect(),
            registration_access_token: form.manages_itself.then(|| token(key, id).hash()),
            ..Client::new(id.clone(), form.issued_at, form.registered_by)
        };
        let storage = if form.is_provisional { Storage::Provisional } else { Storage::Stateless };
        Some(Opened { client, storage, ended_at: None })
    }
}

fn secret(key: &SealingKey, id: &ClientId) -> ClientSecret {
    ClientSecret::derived(key, id.as_str())
}

fn token(key: &SealingKey, id: &ClientId) -> RegistrationAccessToken {
    RegistrationAccessToken::derived(key, id.as_str())
}

#[cfg(test)]
mod tests {
    use enroll_oauth_types::SystemRandom;
    use serde_json::{Value, json};

    use super::*;
    use crate::conformance::sample::client_of;

    fn key() -> SealingKey {
        SealingKey::generate(&SystemRandom)
    }

    fn keys<'a>(key: &'a SealingKey, master: &'a SealingKey) -> Keys<'a> {
        Keys { name: "AbCdEf-_", key, master }
    }

    fn open(keys: Keys<'_>, id: &str) -> Option<Opened> {
        let id = ClientId::from(id);
        keys.open(&id, &Parts::of(&id)?)
    }

    fn app() -> Value {
        json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "App" })
    }

    #[test]
    fn what_is_opened_is_what_was_sealed() {
        let (key, master) = (key(), key());
        for storage in [Storage::Provisional, Storage::Stateless] {
            let sealed = keys(&key, &master).seal(&client_of(&app()), storage, &SystemRandom).unwrap();
            let opened = open(keys(&key, &master), sealed.client.id.as_str()).unwrap();
            assert_eq!(opened.storage, storage);
            assert_eq!(opened.client.metadata, client_of(&app()).metadata);
            assert_eq!(opened.client.secrets[0].hash, sealed.client_secret.unwrap().hash());
            assert_eq!(
                opened.client.registration_access_token,
                Some(sealed.registration_access_token.unwrap().hash())
            );
            assert!(opened.client.is_sealed() && opened.client.enabled);
        }
    }

    /// OpenID Connect Core §10.1
    #[test]
    fn a_secret_that_must_be_read_again_is() {
        let (key, master) = (key(), key());
        let sealed = keys(&key, &master).seal(&client_of(&app()), Storage::Stateless, &SystemRandom).unwrap();
        let Opened { client, .. } = open(keys(&key, &master), sealed.client.id.as_str()).unwrap();
        let again = master.open(client.secrets[0].sealed.as_ref().unwrap(), &client.id).unwrap();
        assert_eq!(again.expose(), sealed.client_secret.unwrap().expose());
        let mut basic = client_of(&app());
        basic.secrets[0].sealed = None;
        let sealed = keys(&key, &master).seal(&basic, Storage::Stateless, &SystemRandom).unwrap();
        assert_eq!(sealed.client.secrets[0].sealed, None);
    }

    #[test]
    fn a_client_without_secret_and_token_has_neither() {
        let (key, master) = (key(), key());
        let mut public = client_of(&app());
        public.secrets.clear();
        public.registration_access_token = None;
        let sealed = keys(&key, &master).seal(&public, Storage::Stateless, &SystemRandom).unwrap();
        assert!(sealed.client_secret.is_none() && sealed.registration_access_token.is_none());
        assert!(sealed.client.secrets.is_empty() && sealed.client.registration_access_token.is_none());
    }

    #[test]
    fn a_changed_character_a_cut_an_addition_and_another_key_open_nothing() {
        let (key, master, other) = (key(), key(), key());
        let sealed = keys(&key, &master).seal(&client_of(&app()), Storage::Stateless, &SystemRandom).unwrap();
        let id = sealed.client.id.as_str();
        assert!(open(keys(&key, &master), id).is_some());
        assert!(open(keys(&other, &master), id).is_none());
        for position in 0..id.len() {
            assert!(open(keys(&key, &master), &id[..position]).is_none(), "cut at {position}");
            // The name of the key is what the key is looked up by.
            if (PREFIX.len()..PREFIX.len() + NAME).contains(&position) {
                continue;
            }
            for character in ["A", "B", "g", "w", "_", "-", "=", " ", "é", "\0"] {
                let changed = format!("{}{character}{}", &id[..position], &id[position + 1..]);
                assert!(
                    changed == id || open(keys(&key, &master), &changed).is_none(),
                    "{position} {character:?}"
                );
            }
        }
        for more in ["A", "=", "==", "\n", " ", "AAAA"] {
            assert!(open(keys(&key, &master), &format!("{id}{more}")).is_none(), "{more:?}");
        }
    }

    #[test]
    fn whatever_somebody_makes_up_opens_nothing() {
        let (key, master) = (key(), key());
        for length in 0..2000 {
            let mut bytes = vec![0; length];
            SystemRandom.fill(&mut bytes);
            let made_up = URL_SAFE_NO_PAD.encode(&bytes);
            for rest in [made_up, String::from_utf8_lossy(&bytes).into_owned()] {
                assert!(open(keys(&key, &master), &format!("{PREFIX}AbCdEf-_{rest}")).is_none(), "{rest}");
                assert!(open(keys(&key, &master), &format!("{PREFIX}{rest}")).is_none(), "{rest}");
            }
        }
    }

    #[test]
    fn what_is_sealed_for_one_is_another_each_time() {
        let (key, master) = (key(), key());
        let client = client_of(&app());
        let seal = || keys(&key, &master).seal(&client, Storage::Stateless, &SystemRandom).unwrap();
        let (one, other) = (seal(), seal());
        assert_ne!(one.client.id.brief(), other.client.id.brief());
        assert_ne!(one.client.secrets[0].hash, other.client.secrets[0].hash);
    }

    #[test]
    fn an_identifier_of_the_longest_length_is_made_and_a_longer_one_is_not() {
        let (key, master) = (key(), key());
        let of_length = |length: usize| {
            let metadata = json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "é".repeat(length / 2) + &"a".repeat(length % 2) });
            keys(&key, &master).seal(&client_of(&metadata), Storage::Stateless, &SystemRandom)
        };
        let first = (1..4096).find(|length| of_length(*length).is_err()).unwrap();
        let longest = of_length(first - 1).unwrap().client.id;
        // Four characters hold three bytes.
        assert!((ClientId::LONGEST - 3..=ClientId::LONGEST).contains(&longest.as_str().len()));
        assert!(longest.check().is_ok() && open(keys(&key, &master), longest.as_str()).is_some());
        let TooLong { length } = of_length(first).unwrap_err();
        assert!((ClientId::LONGEST + 1..ClientId::LONGEST + 4).contains(&length), "{length}");
    }

    /// What usual clients register, and how long their identifiers are: docs/guide.md says so.
    #[test]
    fn usual_identifiers_are_some_hundred_characters_long() {
        let by_default = json!({
            "redirect_uris": ["http://127.0.0.1:33418", "https://vscode.dev/redirect"],
            "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"], "client_name": "An editor", "client_uri": "https://editor.example",
            "scope": "openid profile email offline_access", "application_type": "native",
        });
        let (key, master) = (key(), key());
        let mut client = client_of(&by_default);
        client.secrets.clear();
        let sealed = keys(&key, &master).seal(&client, Storage::Provisional, &SystemRandom).unwrap();
        let length = sealed.client.id.as_str().len();
        assert!((150..250).contains(&length), "{length}");
    }
}
