//! Clients as they were read last, so that a document need not be read and parsed for every token.
//!
//! What is here proves nothing: whoever takes a client from here asks the database whether its revision is still the same.

use std::sync::Arc;

use enroll_oauth_types::ClientId;
use enroll_store::Client;
use moka::sync::Cache;

/// How much all of them may take, roughly, in bytes.
const MOST: u64 = 16 * 1024 * 1024;

/// Those that were asked for lately or often.
pub(crate) struct KnownClients(Cache<ClientId, Known>);

#[derive(Clone)]
struct Known {
    client: Arc<Client>,
    /// In bytes.
    weight: u32,
}

impl Default for KnownClients {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).weigher(|_, known: &Known| known.weight).build())
    }
}

impl KnownClients {
    /// The client of this identifier as it was read last.
    pub(crate) fn get(&self, id: &ClientId) -> Option<Arc<Client>> {
        self.0.get(id).map(|known| known.client)
    }

    /// Keeps a client that was just read from a document of this length.
    pub(crate) fn keep(&self, client: Arc<Client>, length: usize) {
        // Its strings are a copy of the document's.
        let weight = u32::try_from(size_of::<Client>() + 2 * length).unwrap_or(u32::MAX);
        self.0.insert(client.id.clone(), Known { client, weight });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: usize, revision: u64) -> Arc<Client> {
        let document = format!(
            r#"{{"client_id":"{id}","issued_at":1,"updated_at":1,"enabled":true,"metadata":{{}},"secrets":[],
                "registered_by":{{"kind":"operator"}}}}"#
        );
        Arc::new(Client::from_document(&document, revision).unwrap())
    }

    #[test]
    fn the_room_is_bounded() {
        let known = KnownClients::default();
        for number in 0..1000 {
            known.keep(client(number, 1), 64 * 1024);
        }
        known.0.run_pending_tasks();
        assert!((1..=128).contains(&known.0.entry_count()), "{}", known.0.entry_count());
        assert!(known.0.weighted_size() <= MOST);
    }

    #[test]
    fn one_that_is_kept_again_is_the_later_one() {
        let known = KnownClients::default();
        known.keep(client(1, 1), 10);
        known.keep(client(1, 2), 10);
        assert_eq!(known.get(&ClientId::from("1")).unwrap().revision, 2);
        assert!(known.get(&ClientId::from("2")).is_none());
    }
}
