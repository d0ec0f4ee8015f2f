//! `client_secret`: when it needs one.
//!
//! Runs after every step that registers an algorithm. RFC 7591 §3.2.1, OpenID Connect Core §10.1.

use std::time::Duration;

use enroll_access::{Credential, Terms};
use enroll_oauth_types::{Algorithm, AuthMethod, ClientMetadata, ClientSecret, Rejection, Timestamp};
use enroll_store::{Client, StoredSecret};

use crate::error::TooMany;
use crate::{Registration, Server, StepResult};

/// Makes a secret for a client that authenticates with one, or shares an algorithm with the server that needs one.
/// An update keeps the secrets that are there as long as they are needed, and brings another one in the last days of
/// one that ends.
pub fn client_secret(r: &mut Registration<'_>) -> StepResult {
    if !needs_secret(&r.client.metadata) {
        return Ok(());
    }
    let mut is_renewal = false;
    if let Some(current) = r.current
        && let Some(newest) = current.secrets.last()
    {
        r.client.secrets.clone_from(&current.secrets);
        // Nobody but the client itself would see the new one.
        let is_owner = r.caller.credential == Credential::RegistrationAccessToken;
        let must_be_sealed = shares_key(&r.client.metadata) && r.server.sealing_key.is_some();
        let is_readable = newest.sealed.is_some() || !must_be_sealed;
        if is_readable && !(is_owner && is_ending(newest, r.server)) {
            return Ok(());
        }
        is_renewal = is_readable;
        if !is_readable {
            end_after_overlap(&mut r.client, r.server);
        }
    }
    let secret = r.next_secret.take();
    match another_secret(&mut r.client, secret, &r.caller.terms, r.server) {
        Ok(secret) => r.issued.client_secret = Some(secret),
        Err(TooMany { .. }) if is_renewal => {} // the next update brings it, once another has ended
        Err(TooMany { .. }) => {
            let problem = "too many are in use for another; wait until one has ended";
            return Err(Rejection::metadata("client_secret", problem).into());
        }
    }
    Ok(())
}

/// The most secrets that work at the same time: enough to change over step by step, and few enough to look through.
const MOST_SECRETS: usize = 5;

/// The secrets that the client has end when the overlap does, if not sooner.
pub(crate) fn end_after_overlap(client: &mut Client, server: &Server) {
    let overlap = server.clock.now() + server.rules.secret_overlap;
    for own in &mut client.secrets {
        own.expires_at = Some(own.expires_at.map_or(overlap, |end| end.min(overlap)));
    }
}

/// Gives the client another secret, this one or any, beside those that have not ended.
pub(crate) fn another_secret(
    client: &mut Client,
    secret: Option<ClientSecret>,
    terms: &Terms,
    server: &Server,
) -> Result<ClientSecret, TooMany> {
    let now = server.clock.now();
    let secret = secret.unwrap_or_else(|| ClientSecret::generate(server.random.as_ref()));
    client.secrets.retain(|own| own.works(now));
    if client.secrets.len() >= MOST_SECRETS {
        return Err(TooMany::until(client.secrets.iter().filter_map(|own| own.expires_at), now));
    }
    let expires_at = terms.secret_lifetime.map(|lifetime| now + Duration::from_secs(lifetime.get().into()));
    let sealed = match &server.sealing_key {
        Some(key) if shares_key(&client.metadata) => Some(key.seal(&secret, &client.id)),
        _ => None,
    };
    client.secrets.push(StoredSecret { hash: secret.hash(), sealed, issued_at: now, expires_at });
    Ok(secret)
}

/// Whether a secret is in its last days, or over.
fn is_ending(secret: &StoredSecret, server: &Server) -> bool {
    let Some(Timestamp(end)) = secret.expires_at else { return false };
    let lifetime = end.saturating_sub(secret.issued_at.seconds());
    let window = server.rules.secret_renewal.as_secs().min(lifetime / 4);
    server.clock.now().seconds() >= end.saturating_sub(window)
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

    /// RFC 7592 §2.2: the server may give another secret in answer to an update.
    #[test]
    fn a_secret_in_its_last_days_is_renewed_by_an_update_of_its_owner() {
        let terms = || Terms { secret_lifetime: Seconds::new(1_000_000), ..Terms::default() };
        let client = Trial::new().on(terms()).register(&app(json!({}))).unwrap().client;
        for (left, renewed) in [(1_000_000, false), (250_001, false), (250_000, true), (1, true), (0, true)] {
            let mut old = client.clone();
            old.secrets[0].issued_at = Timestamp(1_800_000_000 - 1_000_000 + left);
            old.secrets[0].expires_at = Some(Timestamp(1_800_000_000 + left));
            let by_owner =
                Trial::new().on(terms()).owner().updating(old.clone()).register(&app(json!({}))).unwrap();
            assert_eq!(by_owner.issued.client_secret.is_some(), renewed, "{left} seconds left");
            // The old one works to its end, and no longer.
            let still = by_owner.client.secrets.iter().any(|own| *own == old.secrets[0]);
            assert_eq!(still, left > 0, "{left} seconds left");
            let by_operator =
                Trial::new().on(terms()).updating(old.clone()).register(&app(json!({}))).unwrap();
            assert_eq!(by_operator.client.secrets, old.secrets);
        }
    }

    /// RFC 7592 §2.2: a client that has all the secrets it may have can still change the rest.
    #[test]
    fn a_renewal_that_there_is_no_room_for_waits_and_the_update_does_not() {
        let terms = || Terms { secret_lifetime: Seconds::new(80_000), ..Terms::default() };
        let mut client = Trial::new().on(terms()).register(&app(json!({}))).unwrap().client;
        client.secrets[0].issued_at = Timestamp(1_800_000_000 - 79_000);
        client.secrets[0].expires_at = Some(Timestamp(1_800_000_000 + 1_000));
        client.secrets = vec![client.secrets[0].clone(); 5];
        let update = Trial::new().on(terms()).owner().updating(client.clone());
        let updated = update.register(&app(json!({ "client_name": "New" }))).unwrap();
        assert_eq!(updated.client.secrets, client.secrets);
        assert!(updated.issued.client_secret.is_none());
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
