//! What somebody else does to the rows: by hand, or with other tools.

use enroll_oauth_types::{AuthMethod, ClientId, ClientMetadata, Timestamp};
use enroll_store::{Client, ClientReader as _, ClientStore as _, Page, StoreError};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{fresh, golden};
use crate::IdentityServerStore;

/// A store with the full client, and its file.
async fn with_a_client() -> (IdentityServerStore, TempDir, Client) {
    let folder = fresh::tables(fresh::CURRENT);
    let (store, client) = (fresh::open(&folder).await, golden::client());
    store.insert(&client, None).await.unwrap();
    (store, folder, client)
}

async fn read(store: &IdentityServerStore, id: &str) -> Client {
    Client::clone(&store.client(&ClientId::from(id)).await.unwrap().unwrap())
}

/// A client of somebody else's: `Clients` as the defaults of the model have it, and these rows.
fn add_by_hand(folder: &TempDir, id: &str, rows: &str) {
    let statements = format!(
        "INSERT INTO Clients (Enabled, ClientId, ProtocolType, RequireClientSecret, ClientName, RequireConsent, \
         AllowRememberConsent, AlwaysIncludeUserClaimsInIdToken, RequirePkce, AllowPlainTextPkce, RequireRequestObject, \
         AllowAccessTokensViaBrowser, RequireDPoP, DPoPValidationMode, DPoPClockSkew, FrontChannelLogoutSessionRequired, \
         BackChannelLogoutSessionRequired, AllowOfflineAccess, IdentityTokenLifetime, AccessTokenLifetime, \
         AuthorizationCodeLifetime, AbsoluteRefreshTokenLifetime, SlidingRefreshTokenLifetime, RefreshTokenUsage, \
         UpdateAccessTokenClaimsOnRefresh, RefreshTokenExpiration, AccessTokenType, EnableLocalLogin, IncludeJwtId, \
         AlwaysSendClientClaims, ClientClaimsPrefix, DeviceCodeLifetime, Created, NonEditable, RequirePushedAuthorization) \
         VALUES (1, '{id}', 'oidc', 1, 'By hand', 0, 1, 0, 1, 0, 0, 0, 0, 0, '00:05:00', 1, 1, 1, 300, 3600, 300, 2592000, \
         1296000, 1, 0, 1, 0, 1, 1, 0, 'client_', 300, '2024-01-02 03:04:05.6789012', 0, 0); {rows}"
    );
    fresh::raw(folder).execute_batch(&statements).unwrap();
}

/// The secret `secret`, as IdentityServer hashes it.
const SHARED: &str = "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=";

const ROWS: &str = "INSERT INTO ClientGrantTypes (GrantType, ClientId) VALUES ('authorization_code', 1), ('delegation', 1); \
    INSERT INTO ClientRedirectUris (RedirectUri, ClientId) VALUES ('http://127.0.0.1/cb', 1); \
    INSERT INTO ClientScopes (Scope, ClientId) VALUES ('openid', 1), ('api1', 1); \
    INSERT INTO ClientClaims (Type, Value, ClientId) VALUES ('role', 'admin', 1); \
    INSERT INTO ClientProperties (Key, Value, ClientId) VALUES ('team', 'red', 1); \
    INSERT INTO ClientSecrets (Description, Value, Type, Created, ClientId) VALUES \
    ('ours', 'K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=', 'SharedSecret', '2024-01-02 03:04:05', 1), \
    ('tls', '0123', 'X509Thumbprint', '2024-01-02 03:04:05', 1), \
    ('sha512', 'YWJj', 'SharedSecret', '2024-01-02 03:04:05', 1);";

#[tokio::test]
async fn a_client_that_was_made_by_hand_is_the_operators() {
    let folder = fresh::tables(fresh::CURRENT);
    add_by_hand(&folder, "by-hand", ROWS);
    let store = fresh::open(&folder).await;
    let client = read(&store, "by-hand").await;
    assert_eq!(
        (client.registered_by.kind.as_str(), client.registered_by.policy.as_str()),
        ("operator", "default")
    );
    assert!(client.enabled && client.registration_access_token.is_none());
    assert_eq!((client.issued_at, client.updated_at), (Timestamp(1_704_164_645), Timestamp(1_704_164_645)));
    assert_eq!(
        serde_json::to_value(&client.metadata).unwrap(),
        json!({
            "client_name": "By hand",
            "redirect_uris": ["http://127.0.0.1/cb"],
            "application_type": "native",
            "grant_types": ["authorization_code", "delegation", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": "openid api1 offline_access",
            "refresh_token_usage": "OneTimeOnly",
            "require_consent": false,
            "frontchannel_logout_session_required": true,
            "backchannel_logout_session_required": true,
        })
    );
    assert_eq!(client.secrets.len(), 1, "a thumbprint and a hash of another length are no secrets here");
    assert_eq!(client.secrets[0].hash, enroll_oauth_types::SecretHash::of("secret"));
    assert_eq!(store.list(Page { after: None, limit: 9 }).await.unwrap(), [client]);
}

#[tokio::test]
async fn a_change_of_a_client_of_somebody_elses_touches_no_more_than_it_says() {
    let folder = fresh::tables(fresh::CURRENT);
    add_by_hand(&folder, "by-hand", ROWS);
    fresh::raw(&folder)
        .execute_batch("UPDATE Clients SET DeviceCodeLifetime = 77, AllowAccessTokensViaBrowser = 1")
        .unwrap();
    let store = fresh::open(&folder).await;
    let before = golden::dump(&store).await;
    let client = read(&store, "by-hand").await;
    store.replace(&Client { enabled: false, ..client.clone() }).await.unwrap();
    let after = golden::dump(&store).await;
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(&before), lines(&after));
    let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).map(|line| line.trim()).collect();
    assert_eq!(gone, ["  Enabled = 1"]);
    assert!(new.contains(&"Enabled = 0") && new.contains(&"Key = enroll:revision"), "{new:?}");
    let again = read(&store, "by-hand").await;
    assert_eq!(again, Client { enabled: false, revision: client.revision + 1, ..client });
}

#[tokio::test]
async fn a_row_that_does_not_belong_where_it_stands_is_not_read_and_stays() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder)
        .execute_batch(
            "INSERT INTO ClientScopes (Scope, ClientId) VALUES ('offline_access', 1), ('', 1); \
             INSERT INTO ClientGrantTypes (GrantType, ClientId) VALUES ('refresh_token', 1), ('', 1); \
             INSERT INTO ClientRedirectUris (RedirectUri, ClientId) VALUES ('', 1);",
        )
        .unwrap();
    assert_eq!(read(&store, client.id.as_str()).await, client);
    store.replace(&Client { metadata: ClientMetadata::default(), ..client.clone() }).await.unwrap();
    let left =
        |query: &str| -> String { fresh::raw(&folder).query_row(query, [], |row| row.get(0)).unwrap() };
    assert_eq!(left("SELECT group_concat(Scope, ',') FROM ClientScopes"), "offline_access,");
    assert_eq!(left("SELECT group_concat(GrantType, ',') FROM ClientGrantTypes"), "refresh_token,");
    assert_eq!(read(&store, client.id.as_str()).await.metadata, ClientMetadata::default());
}

#[tokio::test]
async fn a_deleted_client_of_somebody_elses_leaves_nothing_but_its_identifier() {
    let folder = fresh::tables(fresh::CURRENT);
    add_by_hand(&folder, "by-hand", ROWS);
    let store = fresh::open(&folder).await;
    let client = read(&store, "by-hand").await;
    assert!(matches!(store.insert(&client, None).await, Err(StoreError::Duplicate)));
    assert!(store.delete(&client.id, Timestamp(5)).await.unwrap());
    assert_eq!(golden::dump(&store).await, "enroll_client_ids\n  client_id = by-hand\n  deleted_at = 5\n");
    assert!(matches!(store.insert(&client, None).await, Err(StoreError::Duplicate)));
}

#[tokio::test]
async fn what_is_no_client_of_this_protocol_is_nobody_and_keeps_its_identifier() {
    let folder = fresh::tables(fresh::CURRENT);
    add_by_hand(&folder, "saml", "UPDATE Clients SET ProtocolType = 'saml2p'");
    let store = fresh::open(&folder).await;
    let id = ClientId::from("saml");
    assert_eq!(store.client(&id).await.unwrap(), None);
    assert!(store.list(Page { after: None, limit: 9 }).await.unwrap().is_empty());
    assert!(!store.delete(&id, Timestamp(1)).await.unwrap());
    assert!(matches!(
        store.insert(&Client { id, ..golden::client() }, None).await,
        Err(StoreError::Duplicate)
    ));
}

/// Each edit, and what it makes of the client: a member and its value, absent where that is `null`.
#[tokio::test]
async fn a_column_that_somebody_edits_wins() {
    for (edit, member, value) in [
        ("UPDATE Clients SET AccessTokenLifetime = 42", "access_token_lifetime", json!(42)),
        ("UPDATE Clients SET AccessTokenLifetime = 3600", "access_token_lifetime", Value::Null),
        ("UPDATE Clients SET AccessTokenLifetime = -5", "access_token_lifetime", json!(0)),
        ("UPDATE Clients SET RequireConsent = 1", "require_consent", Value::Null),
        ("UPDATE Clients SET RequireClientSecret = 0", "token_endpoint_auth_method", json!("none")),
        ("UPDATE Clients SET ClientName = 'Other'", "client_name", json!("Other")),
        ("UPDATE Clients SET ClientName = NULL", "client_name", Value::Null),
        ("UPDATE Clients SET LogoUri = ''", "logo_uri", Value::Null),
        (
            "UPDATE Clients SET AllowOfflineAccess = 0",
            "grant_types",
            json!(["authorization_code", "client_credentials"]),
        ),
        ("UPDATE Clients SET RefreshTokenUsage = 0", "refresh_token_usage", Value::Null),
        ("UPDATE Clients SET RefreshTokenUsage = 7", "refresh_token_usage", json!("OneTimeOnly")),
        ("UPDATE Clients SET RefreshTokenExpiration = 7", "refresh_token_expiration", Value::Null),
        ("UPDATE Clients SET AccessTokenType = 7", "access_token_type", json!("Reference")),
        ("UPDATE Clients SET AccessTokenType = 0", "access_token_type", Value::Null),
        (
            "UPDATE Clients SET CoordinateLifetimeWithUserSession = NULL",
            "coordinate_lifetime_with_user_session",
            Value::Null,
        ),
        (
            "UPDATE Clients SET AllowedIdentityTokenSigningAlgorithms = 'RS256, PS256'",
            "allowed_identity_token_signing_algorithms",
            json!(["RS256", "PS256"]),
        ),
        (
            "UPDATE Clients SET AllowedIdentityTokenSigningAlgorithms = ',RS256,, PS256 ,'",
            "allowed_identity_token_signing_algorithms",
            json!(["RS256", "PS256"]),
        ),
        (
            "UPDATE Clients SET AllowedIdentityTokenSigningAlgorithms = ' , '",
            "allowed_identity_token_signing_algorithms",
            Value::Null,
        ),
        (
            "DELETE FROM ClientRedirectUris WHERE Id = 1",
            "redirect_uris",
            json!(["https://app.example/Cb?x=%7e"]),
        ),
        (
            "INSERT INTO ClientRedirectUris (RedirectUri, ClientId) VALUES ('no uri at all', 1)",
            "redirect_uris",
            json!(["https://app.example/cb", "https://app.example/Cb?x=%7e", "no uri at all"]),
        ),
        (
            "INSERT INTO ClientScopes (Scope, ClientId) VALUES ('api2', 1)",
            "scope",
            json!("openid profile api1 api2 offline_access"),
        ),
        ("DELETE FROM ClientGrantTypes WHERE GrantType = 'authorization_code'", "response_types", json!([])),
        ("DELETE FROM ClientGrantTypes", "grant_types", json!(["refresh_token"])),
        ("DELETE FROM ClientSecrets WHERE Type = 'JWK'", "jwks", Value::Null),
        ("DELETE FROM ClientCorsOrigins", "allowed_cors_origins", Value::Null),
    ] {
        let (store, folder, client) = with_a_client().await;
        fresh::raw(&folder).execute_batch(edit).unwrap();
        let edited = read(&store, client.id.as_str()).await;
        let metadata = serde_json::to_value(&edited.metadata).unwrap();
        assert_eq!(metadata.get(member).unwrap_or(&Value::Null), &value, "{edit}");
        if edited.metadata != client.metadata {
            assert!(
                matches!(store.replace(&client).await, Err(StoreError::Conflict)),
                "{edit}: it was read before"
            );
        }
        let renamed = Client { registered_by: client.registered_by.clone(), ..edited.clone() };
        store.replace(&renamed).await.unwrap();
        let again = read(&store, client.id.as_str()).await;
        assert_eq!(Client { revision: 0, ..again }, Client { revision: 0, ..edited }, "{edit}");
    }
}

/// Whoever brings the schema to the next version edits nobody.
#[tokio::test]
async fn a_column_that_a_later_version_brings_changes_no_client_until_somebody_edits_it() {
    let folder = fresh::tables(fresh::OLDER);
    let client = golden::client();
    assert_eq!(client.metadata.dpop_bound_access_tokens, Some(true));
    fresh::open(&folder).await.insert(&client, None).await.unwrap();
    for column in [
        "RequireDPoP INTEGER NOT NULL DEFAULT 0",
        "RequirePushedAuthorization INTEGER NOT NULL DEFAULT 0",
        "InitiateLoginUri TEXT NULL",
        "CoordinateLifetimeWithUserSession INTEGER NULL",
    ] {
        fresh::raw(&folder).execute_batch(&format!("ALTER TABLE Clients ADD COLUMN {column}")).unwrap();
    }
    let store = fresh::open(&folder).await;
    assert_eq!(read(&store, client.id.as_str()).await, client);
    store.replace(&Client { enabled: false, ..client.clone() }).await.unwrap();
    let disabled = Client { enabled: false, revision: 2, ..client.clone() };
    assert_eq!(read(&store, client.id.as_str()).await, disabled);
    let edit = "UPDATE Clients SET RequireDPoP = 1, InitiateLoginUri = 'https://app.example/edited'";
    fresh::raw(&folder).execute_batch(edit).unwrap();
    let edited = read(&store, client.id.as_str()).await.metadata;
    assert_eq!(
        edited.initiate_login_uri.map(|uri| uri.to_string()).as_deref(),
        Some("https://app.example/edited")
    );
    let freed = ClientMetadata { dpop_bound_access_tokens: None, ..client.metadata };
    let current = read(&store, client.id.as_str()).await;
    store.replace(&Client { metadata: freed.clone(), ..current }).await.unwrap();
    assert_eq!(read(&store, client.id.as_str()).await.metadata, freed);
}

#[tokio::test]
async fn a_name_in_other_languages_stays_when_the_one_without_is_edited() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder).execute_batch("UPDATE Clients SET ClientName = 'Other'").unwrap();
    let names = read(&store, client.id.as_str()).await.metadata.client_name.unwrap();
    assert_eq!(names.untagged().map(String::as_str), Some("Other"));
    assert_eq!(names.tagged("ja").map(String::as_str), Some("アプリ"));
}

#[tokio::test]
async fn a_client_that_somebody_disables_between_a_look_and_a_change_stays_disabled() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder).execute_batch("UPDATE Clients SET Enabled = 0").unwrap();
    assert!(matches!(store.replace(&client).await, Err(StoreError::Conflict)));
    assert!(!read(&store, client.id.as_str()).await.enabled);
}

#[tokio::test]
async fn a_change_of_the_time_alone_is_a_change() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder).execute_batch("UPDATE Clients SET Updated = '2027-02-01 00:00:00.5'").unwrap();
    assert!(matches!(store.replace(&client).await, Err(StoreError::Conflict)));
    let edited = read(&store, client.id.as_str()).await;
    assert_eq!(edited.updated_at, Timestamp(1_801_440_000));
    store.replace(&edited).await.unwrap();
}

#[tokio::test]
async fn a_secret_of_somebody_elses_works_by_its_end_and_a_change_loses_none() {
    let (store, folder, client) = with_a_client().await;
    let secrets = format!(
        "DELETE FROM ClientSecrets WHERE Type = 'SharedSecret'; \
         INSERT INTO ClientSecrets (Description, Value, Type, Expiration, Created, ClientId) VALUES \
         ('mine', '{SHARED}', 'SharedSecret', '2026-01-02 03:04:05', '2024-01-02 03:04:05', 1), \
         ('cert', 'MII', 'X509CertificateBase64', NULL, '2024-01-02 03:04:05', 1), \
         ('ending', '{{\"kty\":\"EC\"}}', 'JWK', '2030-01-02 03:04:05', '2024-01-02 03:04:05', 1), \
         ('bad', 'not a key', 'JWK', NULL, '2024-01-02 03:04:05', 1);"
    );
    fresh::raw(&folder).execute_batch(&secrets).unwrap();
    let edited = read(&store, client.id.as_str()).await;
    assert_eq!(edited.secrets.len(), 1);
    assert_eq!(edited.secrets[0].expires_at, Some(Timestamp(1_767_323_045)));
    assert_eq!(edited.metadata.jwks, client.metadata.jwks, "a key that ends, or is none, is not used");
    let mut changed = edited.clone();
    changed.secrets[0].expires_at = Some(Timestamp(1_767_323_000));
    changed.metadata.jwks = None;
    store.replace(&changed).await.unwrap();
    let left: Vec<String> = {
        let raw = fresh::raw(&folder);
        let mut statement = raw
            .prepare("SELECT Description || ' ' || coalesce(Expiration, '-') FROM ClientSecrets ORDER BY Id")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(left, ["mine 2026-01-02 03:03:20", "cert -", "ending 2030-01-02 03:04:05", "bad -"]);
}

#[tokio::test]
async fn a_sealed_secret_stays_readable_when_its_end_is_edited_and_is_gone_with_its_row() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder)
        .execute_batch(
            "UPDATE ClientSecrets SET Expiration = '2027-01-15 10:00:00' WHERE Expiration IS NULL AND Id = 2",
        )
        .unwrap();
    let edited = read(&store, client.id.as_str()).await;
    assert_eq!(edited.secrets[1].sealed, client.secrets[1].sealed);
    assert_eq!(edited.secrets[1].expires_at, Some(Timestamp(1_800_007_200)));
    fresh::raw(&folder).execute_batch("DELETE FROM ClientSecrets WHERE Id = 2").unwrap();
    assert_eq!(read(&store, client.id.as_str()).await.secrets, client.secrets[..1]);
}

/// Nobody can make a client unreadable, or another one, by what stands in a property.
#[tokio::test]
async fn a_property_that_makes_no_sense_says_nothing() {
    for value in ["", "{", "7", "[1]", "{\"kind\":1}", "null", "\"\u{0}\"", "\"other\""] {
        for key in [
            "registered_by",
            "secrets",
            "contacts",
            "client_id",
            "metadata",
            "extensions",
            "software_id:x",
            "",
            "made_up",
        ] {
            let (store, folder, client) = with_a_client().await;
            fresh::raw(&folder)
                .execute("INSERT INTO ClientProperties (Key, Value, ClientId) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET Value = excluded.Value", (format!("enroll:{key}"), value))
                .unwrap();
            let read = read(&store, client.id.as_str()).await;
            assert_eq!((&read.id, read.issued_at), (&client.id, client.issued_at));
            assert_eq!(read.secrets.len(), client.secrets.len());
            assert_eq!(read.registration_access_token, client.registration_access_token);
        }
    }
}

#[tokio::test]
async fn without_its_properties_a_client_is_the_operators() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder).execute_batch("DELETE FROM ClientProperties").unwrap();
    let read = read(&store, client.id.as_str()).await;
    assert_eq!(read.registered_by.kind, "operator");
    assert_eq!(read.registration_access_token, None);
    assert_eq!(read.metadata.token_endpoint_auth_method, Some(AuthMethod::ClientSecretBasic));
    assert_eq!(read.metadata.redirect_uris, client.metadata.redirect_uris);
}

#[tokio::test]
async fn a_copy_of_a_client_is_the_operators_and_can_be_changed() {
    let (store, folder, client) = with_a_client().await;
    let columns: Vec<String> = {
        let raw = fresh::raw(&folder);
        let mut statement = raw.prepare("SELECT name FROM pragma_table_info('Clients')").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let others =
        columns.into_iter().filter(|name| name != "Id" && name != "ClientId").collect::<Vec<_>>().join(", ");
    fresh::raw(&folder)
        .execute_batch(&format!(
            "INSERT INTO Clients (ClientId, {others}) SELECT 'copy', {others} FROM Clients; \
             INSERT INTO ClientProperties (Key, Value, ClientId) SELECT Key, Value, 2 FROM ClientProperties;"
        ))
        .unwrap();
    let copy = read(&store, "copy").await;
    assert_eq!((copy.registered_by.kind.as_str(), copy.registration_access_token), ("operator", None));
    assert!(copy.superseded_tokens.is_empty() && copy.used_assertions.is_empty());
    store.replace(&Client { enabled: false, ..copy.clone() }).await.unwrap();
    let again = read(&store, "copy").await;
    assert_eq!(again, Client { enabled: false, revision: copy.revision + 1, ..copy });
    assert_eq!(read(&store, client.id.as_str()).await, client);
}

#[tokio::test]
async fn rows_of_any_content_can_be_read() {
    let (store, folder, client) = with_a_client().await;
    fresh::raw(&folder)
        .execute_batch(
            "UPDATE Clients SET Created = 'yesterday', Updated = '', ConsentLifetime = 'x', Enabled = 'yes', \
             IdentityTokenLifetime = 99999999999, UserSsoLifetime = -1; \
             UPDATE ClientRedirectUris SET RedirectUri = '' WHERE Id = 1; \
             UPDATE ClientSecrets SET Expiration = 'never', Created = 'x' WHERE Id = 1;",
        )
        .unwrap();
    let read = read(&store, client.id.as_str()).await;
    assert!(!read.enabled, "what is no flag is not set");
    assert_eq!(read.secrets[0].expires_at, Some(Timestamp(0)), "an end that nobody can read has come");
    assert_eq!(read.metadata.redirect_uris.as_ref().map(Vec::len), Some(1));
    store.replace(&read).await.unwrap();
}
