//! Clients as they were read last, so that a document need not be read and parsed for every token.
//!
//! What is here proves nothing: whoever takes a client from here asks the database whether its revision is still the same.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use enroll_oauth_types::ClientId;
use enroll_store::Client;

/// How much all of them may take, roughly, in bytes.
const MOST: usize = 16 * 1024 * 1024;

/// Those that were asked for lately. Each half holds half of what may be kept; when the young one is full it becomes the
/// old one, and who was in that is forgotten but for those that were asked for meanwhile.
#[derive(Default)]
pub(crate) struct KnownClients(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<ClientId, Known>,
    old: HashMap<ClientId, Known>,
    /// Of the young ones, in bytes.
    weight: usize,
}

struct Known {
    client: Arc<Client>,
    weight: usize,
}

impl KnownClients {
    /// The client of this identifier as it was read last.
    pub(crate) fn get(&self, id: &ClientId) -> Option<Arc<Client>> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = halves.young.get(id) {
            return Some(known.client.clone());
        }
        let known = halves.old.remove(id)?;
        let client = known.client.clone();
        halves.keep(known);
        Some(client)
    }

    /// Keeps a client that was just read from a document of this length.
    pub(crate) fn keep(&self, client: Arc<Client>, length: usize) {
        // Its strings are a copy of the document's.
        let weight = size_of::<Client>() + 2 * length;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(Known { client, weight });
    }
}

impl Halves {
    fn keep(&mut self, known: Known) {
        if self.weight + known.weight > MOST / 2 {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += known.weight;
        if let Some(before) = self.young.insert(known.client.id.clone(), known) {
            self.weight -= before.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: usize) -> Arc<Client> {
        let document = format!(
            r#"{{"client_id":"{id}","issued_at":1,"updated_at":1,"enabled":true,"metadata":{{}},"secrets":[],
                "registered_by":{{"kind":"operator"}}}}"#
        );
        Arc::new(Client::from_document(&document, 1).unwrap())
    }

    fn id(number: usize) -> ClientId {
        ClientId::from(number.to_string().as_str())
    }

    #[test]
    fn the_room_is_bounded_and_who_is_asked_for_stays() {
        let known = KnownClients::default();
        let length = MOST / 64;
        for number in 0..1000 {
            known.keep(client(number), length);
            assert!(known.get(&id(0)).is_some(), "asked for each time");
        }
        let halves = known.0.lock().unwrap();
        let kept = halves.young.len() + halves.old.len();
        assert!(kept <= 32 && halves.weight <= MOST / 2, "{kept} {}", halves.weight);
        assert!(!halves.young.contains_key(&id(1)) && !halves.old.contains_key(&id(1)));
    }

    #[test]
    fn one_that_is_kept_again_counts_once_and_is_the_later_one() {
        let known = KnownClients::default();
        for _ in 0..1000 {
            known.keep(client(1), MOST / 16);
        }
        known.keep(Arc::new(Client { revision: 2, ..Client::clone(&client(1)) }), 10);
        assert_eq!(known.get(&id(1)).unwrap().revision, 2);
        assert_eq!(known.0.lock().unwrap().weight, size_of::<Client>() + 20);
    }
}
