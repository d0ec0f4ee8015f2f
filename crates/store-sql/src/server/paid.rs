//! Units that are paid for: of those that pay with the same, one batch is under way at a time, and the others gather meanwhile.
//! At the row that they pay with they would wait for each other all the same, each with a connection and a transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

use super::links::Links;
use super::shape::Shape;
use super::writer::{Job, write_batches};

/// How many batches are under way at the same time, each paid with something else.
pub(super) const BATCHES: usize = 8;

/// How many units may gather.
const GATHERED: usize = 1024;

/// Writes what comes, until nothing comes any more and all is written.
pub(super) async fn write_all(links: Arc<Links>, mut queue: mpsc::Receiver<Job>) {
    // What gathers while a batch that is paid with the same is under way; it has an entry for as long.
    let mut gathered: HashMap<String, Vec<Job>> = HashMap::new();
    let mut payments: HashMap<Id, String> = HashMap::new();
    let mut under_way = JoinSet::new();
    let mut is_open = true;
    while is_open || !under_way.is_empty() {
        let has_room = under_way.len() < BATCHES && gathered.values().map(Vec::len).sum::<usize>() < GATHERED;
        tokio::select! {
            job = queue.recv(), if is_open && has_room => {
                let Some(job) = job else {
                    is_open = false;
                    continue;
                };
                match gathered.entry(Shape::of(&job.unit).and_then(|shape| shape.payment()).unwrap_or_default()) {
                    Entry::Occupied(mut others) => others.get_mut().push(job),
                    Entry::Vacant(place) => {
                        let batch = under_way.spawn(write_batches(links.clone(), vec![job]));
                        payments.insert(batch.id(), place.key().clone());
                        place.insert(Vec::new());
                    }
                }
            }
            Some(ended) = under_way.join_next_with_id() => {
                // A batch that panicked has been reported by itself, and its callers hear that nobody answers.
                let id = ended.map_or_else(|panic| panic.id(), |(id, ())| id);
                let Some(payment) = payments.remove(&id) else { continue };
                match gathered.remove(&payment) {
                    Some(jobs) if !jobs.is_empty() => {
                        let batch = under_way.spawn(write_batches(links.clone(), jobs));
                        payments.insert(batch.id(), payment.clone());
                        gathered.insert(payment, Vec::new());
                    }
                    _ => {}
                }
            }
        }
    }
}
