//! What the hosts have been told to answer, and what they were asked.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, watch};

use super::WebAnswer;

/// Shared between a test and the hosts.
#[derive(Debug)]
pub(super) struct Pages {
    answers: Mutex<HashMap<String, WebAnswer>>,
    requests: watch::Sender<HashMap<String, Vec<String>>>,
    released: Semaphore,
    connections: AtomicUsize,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            answers: Mutex::default(),
            requests: watch::Sender::default(),
            released: Semaphore::new(0),
            connections: AtomicUsize::new(0),
        }
    }
}

impl Pages {
    pub(super) fn set(&self, path: &str, answer: WebAnswer) {
        self.answers.lock().expect("no test panics with it").insert(path.to_owned(), answer);
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Notes the request, and returns what to answer.
    pub(super) fn ask(&self, path: &str, request: String) -> Option<WebAnswer> {
        self.requests.send_modify(|requests| requests.entry(path.to_owned()).or_default().push(request));
        self.answers.lock().expect("no test panics with it").get(path).cloned()
    }

    pub(super) fn requests(&self, path: &str) -> Vec<String> {
        self.requests.borrow().get(path).cloned().unwrap_or_default()
    }

    pub(super) async fn requested(&self, path: &str) {
        let mut requests = self.requests.subscribe();
        requests.wait_for(|requests| requests.contains_key(path)).await.expect("the sender is ours");
    }

    pub(super) fn release(&self) {
        self.released.add_permits(1);
    }

    pub(super) async fn released(&self) {
        self.released.acquire().await.expect("it is never closed").forget();
    }
}
