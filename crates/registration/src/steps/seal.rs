//! All of it in its `client_id`, where the policy wants nothing stored.
//!
//! Runs last, since it seals the client as it will be. RFC 7591 Appendix A.5.2.

use enroll_oauth_types::{ClientId, ClientMetadata, Rejection};
use enroll_store::{Sealed, Storage, TooLong};

use crate::registration::Issued;
use crate::{Registration, RegistrationError, StepResult};

/// Makes an identifier that holds the registration, and a secret and a token that belong to it. A registration that takes a
/// use of a token is stored, in the write that takes it; an update keeps what is there.
pub fn seal(r: &mut Registration<'_>) -> StepResult {
    let storage = r.terms().storage;
    if storage == Storage::Stored || r.caller.pays_with.is_some() || r.current.is_some() {
        return Ok(());
    }
    let keys = r.server.registration_keys.as_ref();
    let sealed = keys.and_then(|keys| keys.seal(&r.client, storage, r.server.random.as_ref()));
    let sealed = sealed.ok_or_else(|| {
        RegistrationError::Internal("there is no key to seal it under that is known to be in use".into())
    })?;
    let Sealed { client, client_secret, registration_access_token } =
        sealed.map_err(|long| too_long(long, &r.client.metadata))?;
    r.client = client;
    r.issued = Issued { client_secret, registration_access_token };
    Ok(())
}

/// Names the member that takes the most room.
fn too_long(TooLong { length }: TooLong, metadata: &ClientMetadata) -> Rejection {
    let written = serde_json::to_value(metadata).unwrap_or_default();
    let known =
        written.as_object().into_iter().flatten().map(|(name, value)| (name, value.to_string().len()));
    let unknown = metadata.extensions.names();
    let unknown = unknown.map(|name| (name.to_owned(), metadata.extensions.get(name).map_or(0, str::len)));
    let all = known.map(|(name, length)| (name.clone(), length)).chain(unknown);
    let member =
        all.max_by_key(|(_, length)| *length).map_or_else(|| "client_id".to_owned(), |(name, _)| name);
    let advice = match member.as_str() {
        "jwks" => "name the keys by `jwks_uri`",
        _ => "shorten it, or leave out what can be left out",
    };
    let most = ClientId::LONGEST;
    let problem = format!(
        "takes the most room in a registration that is kept in its client_id, which would be {length} characters long, and \
         {most} is the most: {advice}"
    );
    Rejection::metadata(member, problem)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use enroll_access::Terms;
    use enroll_oauth_types::{SealingKey, SystemRandom, Timestamp};
    use enroll_store::{MemoryStore, RegistrationKeys, TokenId};
    use serde_json::json;

    use super::*;
    use crate::steps::trial::{Trial, app, keys as client_keys};

    async fn sealing(storage: Storage) -> Trial {
        let master = Arc::new(SealingKey::generate(&SystemRandom));
        let keys = RegistrationKeys::load(master.clone(), Arc::new(MemoryStore::default())).await.unwrap();
        keys.keep_up(Timestamp(1_800_000_000), &SystemRandom).await.unwrap();
        let mut trial = Trial::new().on(Terms { storage, ..Terms::default() });
        trial.server.sealing_key = Some(master);
        trial.server.registration_keys = Some(Arc::new(keys));
        trial
    }

    /// RFC 7591 Appendix A.5.2
    #[tokio::test]
    async fn the_identifier_holds_what_was_registered() {
        for storage in [Storage::Provisional, Storage::Stateless] {
            let trial = sealing(storage).await;
            let registered = trial.register(&app(json!({ "client_name": "App" }))).unwrap();
            let keys = trial.server.registration_keys.as_ref().unwrap();
            let opened = keys.opened(&registered.client.id).await.unwrap().unwrap();
            assert_eq!((&opened.client, opened.storage), (&registered.client, storage));
            let issued = registered.issued;
            let (secret, token) = (issued.client_secret.unwrap(), issued.registration_access_token.unwrap());
            assert!(secret.expose().starts_with("enr_cs_") && token.expose().starts_with("enr_rat_"));
            assert_eq!(opened.client.secrets[0].hash, secret.hash());
            assert_eq!(opened.client.registration_access_token, Some(token.hash()));
        }
    }

    #[tokio::test]
    async fn what_is_stored_by_policy_paid_for_or_there_already_stays_as_it_is() {
        let stored = sealing(Storage::Stored).await;
        assert_eq!(stored.register(&app(json!({}))).unwrap().client.id.as_str().len(), 36);
        let mut trial = sealing(Storage::Stateless).await;
        let sealed = trial.register(&app(json!({}))).unwrap().client;
        assert!(sealed.is_sealed());
        trial.caller.pays_with = Some(TokenId::from("paid"));
        assert_eq!(trial.register(&app(json!({}))).unwrap().client.revision, 1);
        trial.caller.pays_with = None;
        let updated = trial.updating(sealed.clone()).register(&app(json!({ "client_name": "New" }))).unwrap();
        assert_eq!(updated.client.id, sealed.id);
    }

    /// OpenID Connect Core §10.1
    #[tokio::test]
    async fn a_secret_that_both_sides_compute_with_can_be_read_again() {
        let trial = sealing(Storage::Stateless).await;
        let registered =
            trial.register(&app(json!({ "token_endpoint_auth_method": "client_secret_jwt" }))).unwrap();
        let sealed = registered.client.secrets[0].sealed.as_ref().unwrap();
        let opened = trial.server.sealing_key.as_ref().unwrap().open(sealed, &registered.client.id).unwrap();
        assert_eq!(opened.expose(), registered.issued.client_secret.unwrap().expose());
    }

    #[tokio::test]
    async fn what_is_too_long_is_told_with_what_takes_the_most_room() {
        let trial = sealing(Storage::Stateless).await;
        let mut keys = client_keys();
        keys["keys"][0]["x5c"] = json!(["A".repeat(2000)]);
        let refusal = trial.refuses(&app(json!({ "jwks": keys })));
        assert!(
            refusal.starts_with("invalid_client_metadata jwks: ") && refusal.contains("`jwks_uri`"),
            "{refusal}"
        );
        assert!(refusal.contains("and 2048 is the most"), "{refusal}");
        let uris: Vec<_> = (0..40).map(|n| format!("https://app.example/{}/{n}", "a".repeat(30))).collect();
        trial.refuses_about("redirect_uris", &json!({ "redirect_uris": uris }));
    }

    #[test]
    fn without_a_key_such_a_registration_fails() {
        let mut trial = Trial::new().on(Terms { storage: Storage::Stateless, ..Terms::default() });
        trial.pipeline = crate::Pipeline::empty().push("seal", |r: &mut Registration<'_>| match seal(r) {
            Err(RegistrationError::Internal(_)) => Ok(()),
            other => panic!("{other:?}"),
        });
        trial.register(&app(json!({}))).unwrap();
    }
}
