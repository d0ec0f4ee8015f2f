//! Clients that were registered elsewhere, or by an earlier version: they come in through the same pipeline.

use enroll_access::Caller;
use enroll_oauth_types::Rejection;
use enroll_store::Client;

use crate::registration::Assembled;
use crate::{Note, Registrar, Registration, RegistrationError};

impl Registrar {
    /// The client as this registrar would register it, under its own identifier and with its own secrets and token; and
    /// what the steps decided otherwise than it says. Stores nothing.
    ///
    /// A client that needs a secret and comes without one is refused, since nobody would get to see a new one.
    pub async fn readmit(
        &self,
        client: &Client,
        caller: &Caller,
    ) -> Result<(Client, Vec<Note>), RegistrationError> {
        client.id.check().map_err(|problem| Rejection::metadata("client_id", problem))?;
        let assembled = Assembled::new(&client.metadata, caller, Some(client), &self.server);
        let mut registration = Registration::new(&client.metadata, &assembled, caller, &self.server);
        registration.current = Some(client);
        self.pipeline.run(&mut registration).await?;
        if registration.issued.client_secret.is_some() {
            let problem = "is missing, and this client authenticates with one";
            return Err(Rejection::metadata("client_secret", problem).into());
        }
        let Registration { client: Client { metadata, secrets, .. }, notes, .. } = registration;
        Ok((Client { metadata, secrets, ..client.clone() }, notes))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use enroll_access::{Gate, policy};
    use enroll_oauth_types::{Capabilities, ClientMetadata, ReadingRules};
    use enroll_store::MemoryStore;
    use serde_json::{Value, json};

    use super::*;

    fn registrar() -> Registrar {
        Registrar::builder("https://id.example/register")
            .clients(Arc::new(MemoryStore::default()))
            .capabilities(Capabilities::code_and_client_credentials())
            .gate(Gate::require(policy::open()))
            .build()
            .unwrap()
    }

    fn metadata(body: &Value) -> ClientMetadata {
        ClientMetadata::parse(body.to_string().as_bytes(), &ReadingRules::default()).unwrap()
    }

    async fn client() -> Client {
        let body = json!({ "redirect_uris": ["https://app.example/cb"] });
        registrar().register(&metadata(&body), &Caller::operator("test")).await.unwrap().client
    }

    #[tokio::test]
    async fn a_registered_client_is_readmitted_as_it_is() {
        let client = client().await;
        let (readmitted, notes) = registrar().readmit(&client, &Caller::operator("test")).await.unwrap();
        assert_eq!((readmitted, notes), (client, Vec::new()));
    }

    #[tokio::test]
    async fn what_could_not_register_is_not_readmitted() {
        let good = client().await;
        let script = json!({ "redirect_uris": ["javascript:alert(1)"] });
        for (bad, member) in [
            (Client { metadata: metadata(&script), ..good.clone() }, "redirect_uris[0]"),
            (Client { metadata: ClientMetadata::default(), ..good.clone() }, "redirect_uris"),
            (Client { id: "a\nb".into(), ..good.clone() }, "client_id"),
            (Client { secrets: Vec::new(), ..good.clone() }, "client_secret"),
        ] {
            let error = registrar().readmit(&bad, &Caller::operator("test")).await.unwrap_err();
            assert!(error.to_string().starts_with(&format!("{member}:")), "{error}");
        }
    }
}
