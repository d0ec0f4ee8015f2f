//! `client_id`: what the server calls it.
//!
//! RFC 7591 §3.2.1, RFC 7592 §2.2.

use enroll_oauth_types::ClientId;

use crate::{Registration, StepResult};

/// Makes a new identifier; an update keeps the one that is there.
pub fn client_id(r: &mut Registration<'_>) -> StepResult {
    r.client.id = match r.current {
        Some(current) => current.id.clone(),
        None => ClientId::generate(r.server.clock.unix_millis(), r.server.random.as_ref()),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::trial::{Trial, app};

    /// RFC 7591 §3.2.1
    #[test]
    fn the_server_chooses_the_identifier() {
        let registered = Trial::new().register(&app(json!({ "client_id": "mine" }))).unwrap();
        assert_ne!(registered.client.id.as_str(), "mine");
        assert_eq!(registered.client.id.as_str().len(), 36);
    }

    /// RFC 7592 §2.2
    #[test]
    fn an_update_keeps_the_identifier() {
        let mut client = Trial::new().register(&app(json!({}))).unwrap().client;
        client.id = "first".into();
        let updated = Trial::new().updating(client).register(&app(json!({}))).unwrap();
        assert_eq!(updated.client.id.as_str(), "first");
    }
}
