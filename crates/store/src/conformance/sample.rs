//! Clients, tokens and records to store.

use enroll_oauth_types::{
    ClientId, ClientMetadata, InitialAccessToken, ReadingRules, SealingKey, SecretHash, SystemRandom,
    Timestamp,
};
use serde_json::{Value, json};

use crate::{
    Belongs, Client, Record, RecordKind, RegisteredBy, StoredSecret, SupersededToken, Token, TokenId,
    TokenKind, UsedAssertion,
};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

/// A client with this metadata and a new identifier.
pub(crate) fn client_of(metadata: &Value) -> Client {
    let body = metadata.to_string();
    let secret = enroll_oauth_types::ClientSecret::generate(&SystemRandom);
    let id = ClientId::generate(NOW.seconds() * 1000, &SystemRandom);
    let sealed = SealingKey::generate(&SystemRandom).seal(&secret, &id);
    Client {
        metadata: ClientMetadata::parse(body.as_bytes(), &ReadingRules::default())
            .expect("the sample is well formed"),
        secrets: vec![StoredSecret {
            hash: secret.hash(),
            sealed: Some(sealed),
            issued_at: NOW,
            expires_at: Some(Timestamp(u64::from(u32::MAX))),
        }],
        registration_access_token: Some(secret.hash()),
        superseded_tokens: vec![SupersededToken {
            hash: SecretHash::of("before"),
            salt: Some("a".to_owned()),
            expires_at: NOW,
        }],
        used_assertions: vec![UsedAssertion { jti: SecretHash::of("1"), expires_at: NOW }],
        ..Client::new(id, NOW, RegisteredBy::kind("anonymous"))
    }
}

/// A client with little to say.
pub(crate) fn client() -> Client {
    client_of(&json!({ "redirect_uris": ["https://app.example/cb"] }))
}

/// A client with members of every JSON type, known and unknown, in several scripts.
pub(crate) fn rich_client() -> Client {
    client_of(&json!({
        "redirect_uris": ["https://APP.example", "http://127.0.0.1/cb?x=%7e"],
        "grant_types": ["authorization_code", "refresh_token", "urn:example:own"],
        "response_types": ["id_token token"],
        "client_name": "Ünïcödé '\"\\ %_;--",
        "client_name#ja": "アプリ",
        "client_name#ar": "تطبيق",
        "contacts": [],
        "jwks": { "keys": [{ "kty": "EC", "n": 1.50, "big": 18_446_744_073_709_551_615_u64 }] },
        "require_consent": false,
        "default_max_age": 0,
        "x_unknown": { "b": [1.0, null, "𝄞"], "a": true },
    }))
}

/// A token of so many uses.
pub(crate) fn token(uses_left: Option<u32>) -> Token {
    let data = serde_json::value::to_raw_value(&json!({ "label": "ünï" })).expect("the sample is JSON");
    Token {
        id: TokenId::generate(NOW, &SystemRandom),
        kind: TokenKind::InitialAccessToken,
        hash: InitialAccessToken::generate(&SystemRandom).hash(),
        issued_at: NOW,
        expires_at: None,
        uses_left,
        data,
    }
}

/// A record without end, with a new key.
pub(crate) fn record(kind: RecordKind, belongs_to: Belongs) -> Record {
    Record {
        kind,
        key: InitialAccessToken::generate(&SystemRandom).hash(),
        revision: 1,
        belongs_to,
        issued_at: NOW,
        expires_at: None,
        document: serde_json::value::to_raw_value(&json!({ "label": "ünï" })).expect("the sample is JSON"),
    }
}
