//! Every client comes back as it went in, whatever its members; and so does one that takes the place of another.

use enroll_oauth_types::{ClientId, ClientMetadata, ReadingRules, SecretHash, Timestamp};
use enroll_store::{
    Client, ClientReader as _, ClientStore as _, RegisteredBy, StoredSecret, SupersededToken,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::fresh;
use crate::identityserver::catalogue::Catalogue;
use crate::identityserver::rows::Rows;

/// What strings members have: values that mean something, and others.
const TEXTS: &[&str] = &[
    "none",
    "client_secret_basic",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "web",
    "native",
    "public",
    "pairwise",
    "RS256",
    "ES256",
    "HS256",
    "Jwt",
    "Reference",
    "OneTimeOnly",
    "ReUse",
    "Absolute",
    "Sliding",
    "https://app.example/cb",
    "http://127.0.0.1/cb",
    "com.example.app:/cb",
    "urn:example:own",
    "Ünï 𝄞 '\"\\ %_;--",
];

const GRANTS: &[&str] = &[
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    "hybrid",
    "urn:example:own",
    "urn:ietf:params:oauth:grant-type:device_code",
];

const RESPONSE_TYPES: &[&str] =
    &["code", "id_token", "token id_token", "code token", "code id_token token", "none"];

const SCOPES: &[&str] = &[
    "openid",
    "openid profile",
    "offline_access",
    "api1 offline_access openid",
    "api1 api1  openid",
    "mcp:tools",
];

/// A value that this member can have.
fn value(name: &'static str, schema: &Value) -> BoxedStrategy<Value> {
    let texts =
        |pool: &'static [&'static str]| prop::collection::vec(select(pool), 0..4).prop_map(|own| json!(own));
    match (name, schema["type"].as_str()) {
        ("grant_types", _) => texts(GRANTS).boxed(),
        ("response_types", _) => texts(RESPONSE_TYPES).boxed(),
        ("scope", _) => select(SCOPES).prop_map(|own| json!(own)).boxed(),
        ("jwks", _) => jwks().boxed(),
        (_, Some("boolean")) => any::<bool>().prop_map(|own| json!(own)).boxed(),
        (_, Some("integer")) => {
            select(&[0, 1, 300, 3600, 1_296_000, 2_592_000, i32::MAX][..]).prop_map(|own| json!(own)).boxed()
        }
        (_, Some("array")) => texts(TEXTS).boxed(),
        (_, Some("object")) => Just(json!({ "a": [1.50, null, { "b": "c" }] })).boxed(),
        _ => select(TEXTS).prop_map(|own| json!(own)).boxed(),
    }
}

/// Sets of public keys, and what is none.
fn jwks() -> impl Strategy<Value = Value> {
    let key = |kid: &str| json!({ "kty": "EC", "kid": kid, "n": 1.50, "x5c": ["é"] });
    select(vec![
        json!({ "keys": [key("a")] }),
        json!({ "keys": [key("a"), key("b")], "more": true }),
        json!({ "keys": [key("a"), key("a")] }),
        json!({ "keys": [] }),
        json!({ "keys": [1, "a", null, {}] }),
        json!({ "key": 1 }),
    ])
}

fn metadata() -> impl Strategy<Value = ClientMetadata> {
    let schema = ClientMetadata::response_schema();
    let members: Vec<_> = ClientMetadata::MEMBERS
        .iter()
        .map(|name| {
            let value = value(name, &schema["properties"][name]);
            prop::option::weighted(0.4, value).prop_map(|value| (*name, value))
        })
        .collect();
    let tags = prop::collection::vec(
        (
            select(&["client_name", "tos_uri", "description"][..]),
            select(&["ja", "de-CH", "ar"][..]),
            select(TEXTS),
        ),
        0..4,
    );
    let unknown =
        prop::collection::vec((select(&["x_a", "enroll:scope", "client"][..]), select(TEXTS)), 0..3);
    (members, tags, unknown, any::<bool>()).prop_map(|(members, tags, unknown, is_pretty)| {
        let mut body: Map<String, Value> =
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        body.extend(tags.into_iter().map(|(name, tag, text)| (format!("{name}#{tag}"), json!(text))));
        body.extend(unknown.into_iter().map(|(name, text)| (name.to_owned(), json!(text))));
        let body = Value::Object(body);
        let body = if is_pretty { format!("{body:#}") } else { body.to_string() };
        ClientMetadata::parse(body.as_bytes(), &ReadingRules::default())
            .expect("the members have their types")
    })
}

fn secret() -> impl Strategy<Value = StoredSecret> {
    let end = select(
        &[None, Some(Timestamp(0)), Some(Timestamp(1_900_000_000)), Some(Timestamp(u64::MAX >> 1))][..],
    );
    let sealed = prop::option::of(Just("AAECAwQFBgcICQoLDA0ODw".parse().expect("it is base64url")));
    (select(&["a", "b", "c"][..]), end, sealed).prop_map(|(name, expires_at, sealed)| StoredSecret {
        hash: SecretHash::of(name),
        sealed,
        issued_at: Timestamp(1_800_000_000),
        expires_at,
    })
}

fn client() -> impl Strategy<Value = Client> {
    let times = select(&[(1, 1), (1_800_000_000, 1_800_000_009), (0, u64::MAX >> 1)][..]);
    let by = select(&["anonymous", "operator", "initial_access_token"][..]);
    let secrets = prop::collection::vec(secret(), 0..4);
    (metadata(), secrets, times, by, any::<bool>(), any::<bool>()).prop_map(
        |(metadata, secrets, (issued_at, updated_at), by, enabled, is_managed)| Client {
            id: ClientId::from("a"),
            issued_at: Timestamp(issued_at),
            updated_at: Timestamp(updated_at),
            revision: 1,
            enabled,
            registered_by: RegisteredBy {
                kind: by.to_owned(),
                policy: "default".to_owned(),
                issuer: is_managed.then(|| "https://id.example".to_owned()),
                subject: None,
            },
            metadata,
            secrets,
            registration_access_token: is_managed.then(|| SecretHash::of("token")),
            superseded_tokens: is_managed
                .then(|| SupersededToken {
                    hash: SecretHash::of("before"),
                    salt: None,
                    expires_at: Timestamp(1),
                })
                .into_iter()
                .collect(),
            used_assertions: Vec::new(),
        },
    )
}

fn catalogue(script: &str) -> Catalogue {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (store, _folder) = fresh::empty(script).await;
        let dialect = store.catalogue.engine;
        let rows = store.database.fetch(dialect.catalogue(), [], u32::MAX).await.unwrap();
        Catalogue::read(dialect, rows).unwrap()
    })
}

/// With numbers, as an engine gives them.
fn stored(mut rows: Rows) -> Rows {
    rows.id = 1;
    rows.secrets.iter_mut().zip(1..).for_each(|(row, id)| row.id = id);
    rows
}

#[test]
fn a_client_makes_the_rows_that_make_it() {
    for script in [fresh::CURRENT, fresh::OLDER] {
        let catalogue = catalogue(script);
        proptest!(ProptestConfig::with_cases(500), |(one in client(), other in client())| {
            let rows = stored(Rows::of(&one, &catalogue).unwrap());
            prop_assert_eq!(&rows.client().unwrap(), &one);
            let changed = rows.changed(&one, &other, &catalogue).unwrap();
            let expected = Client { revision: 2, ..other };
            prop_assert_eq!(changed.client().unwrap(), expected);
        });
    }
}

#[test]
fn a_client_comes_back_from_the_database_as_it_went_in_and_so_does_one_in_its_place() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for script in [fresh::CURRENT, fresh::OLDER] {
        proptest!(ProptestConfig::with_cases(24), |(one in client(), other in client(), third in client())| {
            runtime.block_on(async {
                let (store, _folder) = fresh::empty(script).await;
                store.insert(&one, None).await.unwrap();
                assert_eq!(store.client(&one.id).await.unwrap().as_deref(), Some(&one));
                for (client, revision) in [(&other, 1), (&third, 2), (&one, 3)] {
                    store.replace(&Client { revision, ..client.clone() }).await.unwrap();
                    let expected = Client { revision: revision + 1, ..client.clone() };
                    assert_eq!(store.client(&one.id).await.unwrap().as_deref(), Some(&expected));
                }
            });
        });
    }
}
