//! Names that lead wherever a test says, and elsewhere the next time.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use enroll_outbound::Resolve;

/// What names lead to. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct WebNames(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    /// What each name leads to, one answer after the other; the last one stays.
    answers: HashMap<String, Vec<Vec<IpAddr>>>,
    asked: HashMap<String, usize>,
}

impl WebNames {
    /// The name leads to these addresses.
    pub fn always(&self, name: &str, addresses: &[IpAddr]) {
        self.in_turn(name, &[addresses]);
    }

    /// The name leads to the first of these the first time it is looked up, to the second the second time, and so on;
    /// the last one stays.
    pub fn in_turn(&self, name: &str, answers: &[&[IpAddr]]) {
        let answers = answers.iter().map(|addresses| addresses.to_vec()).collect();
        self.0.lock().expect("no test panics with it").answers.insert(name.to_owned(), answers);
    }

    /// How often the name was looked up.
    pub fn asked(&self, name: &str) -> usize {
        self.0.lock().expect("no test panics with it").asked.get(name).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Resolve for WebNames {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut table = self.0.lock().expect("no test panics with it");
        *table.asked.entry(host.to_owned()).or_default() += 1;
        let Some(answers) = table.answers.get_mut(host) else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        };
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Ok(answer)
    }
}
