//! `client_secret`: when it needs one.
//!
//! Runs after every step that registers an algorithm. RFC 7591 §3.2.1, OpenID Connect Core §10.1.

use std::time::Duration;

use enroll_oauth_types::{Algorithm, AuthMethod, ClientMetadata, ClientSecret};
use enroll_store::StoredSecret;

use crate::{Registration, StepResult};

/// Makes a secret for a client that authenticates with one, or shares an algorithm with the server that needs one.
/// An update keeps the secrets that are there as long as they are needed.
pub fn client_secret(r: &mut Registration<'_>) -> StepResult {
    if !needs_secret(&r.client.metadata) {
        return Ok(());
    }
    let shares_key = shares_key(&r.client.metadata);
    if let Some(current) = r.current
        && current.secrets.last().is_some_and(|secret| secret.sealed.is_some() || !shares_key)
    {
        r.client.secrets.clone_from(&current.secrets);
        return Ok(());
    }
    let secret = ClientSecret::generate(r.server.random.as_ref());
    let issued_at = r.server.clock.now();
    let lifetime = r.terms().secret_lifetime;
    let expires_at = lifetime.map(|lifetime| issued_at + Duration::from_secs(lifetime.get().into()));
    let sealed = match &r.server.sealing_key {
        Some(key) if shares_key => Some(key.seal(&secret, &r.client.id)),
        _ => None,
    };
    r.client.secrets.push(StoredSecret { hash: secret.hash(), sealed, issued_at, expires_at });
    r.issued.client_secret = Some(secret);
    Ok(())
}

fn needs_secret(metadata: &ClientMetadata) -> bool {
    metadata.token_endpoint_auth_method.as_ref().is_some_and(AuthMethod::uses_secret) || shares_key(metadata)
}

/// Whether the server computes with the secret itself, so that a hash of it is not enough.
fn shares_key(metadata: &ClientMetadata) -> bool {
    let algorithms = [
        &metadata.id_token_signed_response_alg,
        &metadata.id_token_encrypted_response_alg,
        &metadata.userinfo_signed_response_alg,
        &metadata.userinfo_encrypted_response_alg,
        &metadata.introspection_signed_response_alg,
        &metadata.introspection_encrypted_response_alg,
        &metadata.authorization_signed_response_alg,
        &metadata.authorization_encrypted_response_alg,
        &metadata.request_object_signing_alg,
        &metadata.request_object_encryption_alg,
    ];
    let allowed = metadata.allowed_identity_token_signing_algorithms.iter().flatten();
    metadata.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt)
        || algorithms.into_iter().flatten().chain(allowed).any(Algorithm::is_symmetric)
}

#[cfg(test)]
mod tests {
    use enroll_access::Terms;
    use enroll_oauth_types::{ClientSecret, Seconds, Timestamp};
    use serde_json::json;

    use crate::steps::trial::{Trial, app, keys};

    /// RFC 7591 §3.2.1
    #[test]
    fn a_secret_is_issued_to_whoever_authenticates_with_it() {
        for (method, expected) in [
            ("client_secret_basic", true),
            ("client_secret_post", true),
            ("client_secret_jwt", true),
            ("none", false),
            ("private_key_jwt", false),
        ] {
            let body = app(json!({ "token_endpoint_auth_method": method, "jwks": keys() }));
            let registered = Trial::new().register(&body).unwrap();
            assert_eq!(registered.issued.client_secret.is_some(), expected, "{method}");
            let hashes: Vec<_> = registered.client.secrets.iter().map(|own| own.hash).collect();
            let issued: Vec<_> = registered.issued.client_secret.iter().map(ClientSecret::hash).collect();
            assert_eq!(hashes, issued, "{method}");
        }
    }

    /// OpenID Connect Core §10.1
    #[test]
    fn a_symmetric_algorithm_needs_a_secret_whatever_the_method() {
        let body = |algorithm: &str| {
            app(json!({
                "token_endpoint_auth_method": "private_key_jwt", "jwks": keys(),
                "request_object_signing_alg": algorithm,
            }))
        };
        assert!(Trial::new().register(&body("HS256")).unwrap().issued.client_secret.is_some());
        assert!(Trial::new().register(&body("ES256")).unwrap().issued.client_secret.is_none());
    }

    /// RFC 7591 §3.2.1: `client_secret_expires_at`
    #[test]
    fn the_policy_says_when_a_secret_ends() {
        assert_eq!(Trial::new().register(&app(json!({}))).unwrap().client.secrets[0].expires_at, None);
        let terms = Terms { secret_lifetime: Seconds::new(60), ..Terms::default() };
        let registered = Trial::new().on(terms).register(&app(json!({}))).unwrap();
        assert_eq!(registered.client.secrets[0].expires_at, Some(Timestamp(1_800_000_060)));
    }

    /// RFC 7592 §2.2
    #[test]
    fn an_update_keeps_the_secret_while_it_is_needed() {
        let client = Trial::new().register(&app(json!({}))).unwrap().client;
        let update = Trial::new().updating(client.clone());
        let updated = update.register(&app(json!({ "client_name": "New" }))).unwrap();
        assert_eq!(updated.client.secrets, client.secrets);
        assert!(updated.issued.client_secret.is_none());
        let public = update.register(&app(json!({ "token_endpoint_auth_method": "none" }))).unwrap().client;
        assert!(public.secrets.is_empty());
        let again = Trial::new().updating(public).register(&app(json!({}))).unwrap();
        assert!(again.issued.client_secret.is_some());
    }

    /// OpenID Connect Core §10.1: the MAC key is the secret itself.
    #[test]
    fn a_secret_that_the_server_computes_with_is_sealed_and_others_are_not() {
        let jwt = json!({ "redirect_uris": ["https://app.example/"], "token_endpoint_auth_method": "client_secret_jwt" });
        let mut trial = Trial::new();
        let key = std::sync::Arc::new(enroll_oauth_types::SealingKey::generate(&*trial.server.random));
        trial.server.sealing_key = Some(key.clone());
        let shared = trial.register(&jwt).unwrap();
        let sealed = shared.client.secrets[0].sealed.as_ref().unwrap();
        let opened = key.open(sealed, &shared.client.id).unwrap();
        assert_eq!(opened.expose(), shared.issued.client_secret.unwrap().expose());
        let basic = trial.register(&app(json!({}))).unwrap();
        assert_eq!(basic.client.secrets[0].sealed, None);
    }
}
