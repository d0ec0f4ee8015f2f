//! What a column does not hold is refused, and named.

use enroll_oauth_types::{ClientId, ClientMetadata, Rejection};
use enroll_store::{Client, ClientReader as _, ClientStore as _, StoreError};
use serde_json::{Value, json};

use super::{fresh, golden};
use crate::IdentityServerStore;

fn client(metadata: &Value) -> Client {
    let metadata = serde_json::from_str(&metadata.to_string()).unwrap();
    Client { metadata, ..golden::client() }
}

async fn refusal(store: &IdentityServerStore, client: &Client) -> Rejection {
    match store.insert(client, None).await {
        Err(StoreError::Refused(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

/// A text of so many characters, each of four bytes, or two units of UTF-16.
fn wide(length: usize) -> String {
    "𝄞".repeat(length)
}

#[tokio::test]
async fn a_value_may_be_as_long_as_its_column_in_characters_and_not_one_longer() {
    for (member, named, longest) in [
        ("client_name", "client_name", 200),
        ("description", "description", 1000),
        ("client_uri", "client_uri", 2000),
        ("logo_uri", "logo_uri", 2000),
        ("frontchannel_logout_uri", "frontchannel_logout_uri", 2000),
        ("backchannel_logout_uri", "backchannel_logout_uri", 2000),
        ("initiate_login_uri", "initiate_login_uri", 2000),
        ("scope", "scope", 200),
        ("grant_types", "grant_types[1]", 250),
        ("redirect_uris", "redirect_uris[1]", 400),
        ("post_logout_redirect_uris", "post_logout_redirect_uris[1]", 400),
        ("allowed_cors_origins", "allowed_cors_origins[1]", 150),
        ("identity_provider_restrictions", "identity_provider_restrictions[1]", 200),
    ] {
        let of = |length: usize| {
            let is_list = named != member;
            let value =
                if is_list { json!(["https://app.example/", wide(length)]) } else { json!(wide(length)) };
            client(&json!({ member: value }))
        };
        let (store, _folder) = fresh::empty(fresh::CURRENT).await;
        let refusal = refusal(&store, &of(longest + 1)).await;
        assert_eq!((refusal.code.as_str(), refusal.member.as_ref()), ("invalid_client_metadata", named));
        assert!(refusal.problem.contains(&longest.to_string()), "{refusal}");
        assert!(golden::dump(&store).await.is_empty(), "a refusal leaves nothing");
        let fits = of(longest);
        store.insert(&fits, None).await.unwrap();
        assert_eq!(store.client(&fits.id).await.unwrap().as_deref(), Some(&fits), "{member}");
    }
}

#[tokio::test]
async fn a_key_an_identifier_and_a_list_of_algorithms_have_their_length_too() {
    let (store, _folder) = fresh::empty(fresh::CURRENT).await;
    // The text of the key has 11 characters around the value.
    let jwks =
        |length: usize| json!({ "jwks": { "keys": [{ "kty": "EC" }, { "x": "x".repeat(length - 8) }] } });
    assert_eq!(refusal(&store, &client(&jwks(4001))).await.member, "jwks.keys[1]");
    let algorithms = json!({ "allowed_identity_token_signing_algorithms": vec!["ES256"; 17] });
    let refused = refusal(&store, &client(&algorithms)).await;
    assert_eq!(refused.member, "allowed_identity_token_signing_algorithms");
    let long = Client { id: ClientId::from("x".repeat(201).as_str()), ..golden::client() };
    assert_eq!(refusal(&store, &long).await.member, "client_id");
    assert_eq!(store.client(&long.id).await.unwrap(), None);
    let fits = Client { id: ClientId::from("x".repeat(200).as_str()), ..client(&jwks(4000)) };
    store.insert(&fits, None).await.unwrap();
    assert_eq!(store.client(&fits.id).await.unwrap().as_deref(), Some(&fits));
    let tag = format!("client_name#x-{}", ["abcdefgh"; 30].join("-"));
    assert!(
        refusal(&store, &client(&json!({ tag.as_str(): "x" }))).await.member.starts_with("client_name#x-")
    );
    assert_eq!(refusal(&store, &client(&json!({ "client_name": "a\0b" }))).await.member, "client_name");
}

/// Values of properties are split, and come back whole, by whatever the parts end in.
#[tokio::test]
async fn what_has_no_column_may_be_of_any_length() {
    for length in [1996, 1997, 1998, 1999, 2000, 3997, 3998, 3999, 20_000] {
        let (store, _folder) = fresh::empty(fresh::CURRENT).await;
        let long = client(&json!({ "software_id": wide(length), "contacts": ["a"] }));
        store.insert(&long, None).await.unwrap();
        assert_eq!(store.client(&long.id).await.unwrap().as_deref(), Some(&long));
    }
}

#[tokio::test]
async fn four_hundred_redirect_uris_come_back_in_their_order() {
    let (store, _folder) = fresh::empty(fresh::CURRENT).await;
    let uris = |range: std::ops::Range<usize>| {
        let uris: Vec<_> = range.rev().map(|number| format!("https://app.example/{number}")).collect();
        client(&json!({ "redirect_uris": uris }))
    };
    let first = uris(0..400);
    store.insert(&first, None).await.unwrap();
    assert_eq!(store.client(&first.id).await.unwrap().as_deref(), Some(&first));
    let second = uris(200..600);
    store.replace(&second).await.unwrap();
    assert_eq!(store.client(&first.id).await.unwrap().as_deref(), Some(&Client { revision: 2, ..second }));
}

#[tokio::test]
async fn what_is_too_long_already_is_no_reason_to_refuse_a_change() {
    let (store, folder) = fresh::empty(fresh::CURRENT).await;
    let with_a_key =
        json!({ "redirect_uris": ["https://app.example/"], "jwks": { "keys": [{ "kty": "EC" }] } });
    store.insert(&client(&with_a_key), None).await.unwrap();
    let long = format!("https://app.example/{}", "x".repeat(500));
    fresh::raw(&folder).execute("UPDATE ClientRedirectUris SET RedirectUri = ?", [&long]).unwrap();
    let key = json!({ "kty": "EC", "x": "x".repeat(5000) }).to_string();
    fresh::raw(&folder).execute("UPDATE ClientSecrets SET Value = ? WHERE Type = 'JWK'", [key]).unwrap();
    let read = store.client(&golden::client().id).await.unwrap().unwrap();
    store.replace(&Client { enabled: false, ..Client::clone(&read) }).await.unwrap();
    let mut longer = Client::clone(&store.client(&read.id).await.unwrap().unwrap());
    assert!(!longer.enabled);
    longer.metadata =
        ClientMetadata { redirect_uris: Some(vec![format!("{long}x").as_str().into()]), ..longer.metadata };
    assert!(matches!(store.replace(&longer).await, Err(StoreError::Refused(_))));
}
