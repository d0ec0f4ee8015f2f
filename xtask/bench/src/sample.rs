//! Some of the clients that were registered, each as likely as any other, however many there are.

use std::io;
use std::path::Path;

use rand::Rng as _;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};

/// What is needed to read a client. RFC 7592 §2.
const NEEDED: [&str; 2] = ["registration_client_uri", "registration_access_token"];

/// A sample that is uniform at any time, by Vitter's algorithm R.
#[derive(Default)]
pub(crate) struct Sample {
    most: usize,
    seen: u64,
    clients: Vec<Vec<u8>>,
}

impl Sample {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// What an earlier run kept; empty where there is no file.
    pub(crate) fn read(path: &Path, most: usize) -> io::Result<Self> {
        if !path.exists() {
            return Ok(Self::new(most));
        }
        let file = std::fs::read(path)?;
        let mut lines = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let first: Value = serde_json::from_slice(lines.next().unwrap_or_default())?;
        let seen = first["seen"].as_u64();
        let seen =
            seen.ok_or_else(|| io::Error::other("the file of the sample does not begin with `seen`"))?;
        Ok(Self { most, seen, clients: lines.map(<[u8]>::to_vec).collect() })
    }

    /// A line for each client, after one that says how many there were to choose from.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = json!({ "seen": self.seen }).to_string().into_bytes();
        for client in &self.clients {
            file.push(b'\n');
            file.extend_from_slice(client);
        }
        std::fs::write(path, file)
    }

    /// Keeps one more client information response, in the place of another, or does not.
    pub(crate) fn offer(&mut self, information: &[u8]) -> io::Result<()> {
        let place = match self.clients.len() < self.most {
            true => self.clients.len(),
            false => usize::try_from(rand::rng().random_range(0..=self.seen)).unwrap_or(usize::MAX),
        };
        self.seen += 1;
        if place >= self.most {
            return Ok(());
        }
        let information: Value = serde_json::from_slice(information)?;
        let needed = NEEDED.map(|name| (name.to_owned(), information[name].clone()));
        let client = Value::Object(needed.into_iter().collect()).to_string().into_bytes();
        match self.clients.get_mut(place) {
            Some(kept) => *kept = client,
            None => self.clients.push(client),
        }
        Ok(())
    }

    /// The clients, shuffled.
    pub(crate) fn shuffled(mut self) -> Vec<Vec<u8>> {
        self.clients.shuffle(&mut rand::rng());
        self.clients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn information(number: u64) -> Vec<u8> {
        let uri = format!("http://127.0.0.1:1/connect/dcr/{number}");
        json!({ "client_id": number, "registration_client_uri": uri, "registration_access_token": "t" })
            .to_string()
            .into_bytes()
    }

    fn number(client: &[u8]) -> u64 {
        let uri = serde_json::from_slice::<Value>(client).unwrap()["registration_client_uri"].to_string();
        uri.rsplit('/').next().unwrap().trim_end_matches('"').parse().unwrap()
    }

    #[test]
    fn every_client_is_as_likely_to_stay() {
        let mut sample = Sample::new(1000);
        for number in 0..10_000 {
            sample.offer(&information(number)).unwrap();
        }
        let early = sample.shuffled().iter().filter(|client| number(client) < 5000).count();
        // Half of a thousand; eight standard deviations off would be chance once in 10^15 runs.
        assert!((374..=626).contains(&early), "{early}");
    }

    #[test]
    fn a_later_run_goes_on_where_an_earlier_one_ended() {
        let path = std::env::temp_dir().join(format!("enroll-bench-sample-{}", std::process::id()));
        let mut sample = Sample::read(&path, 3).unwrap();
        for number in 0..5 {
            sample.offer(&information(number)).unwrap();
        }
        sample.write(&path).unwrap();
        let sample = Sample::read(&path, 3).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((sample.seen, sample.clients.len()), (5, 3));
        let request = String::from_utf8(sample.shuffled().swap_remove(0)).unwrap();
        assert!(request.contains("registration_access_token") && !request.contains("client_id"), "{request}");
    }
}
