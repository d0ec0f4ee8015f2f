//! What was fetched, and what could not be, for a while. One fetch at a time for each URL.

use std::time::Duration;

use enroll_oauth_types::Timestamp;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use moka::future::Cache as Moka;
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;

use crate::{Document, FetchError, Limits, Media};

/// What an entry weighs beside its URL and its document, roughly.
const OVERHEAD: usize = 512;

/// What was asked for.
pub(crate) type Key = (Media, String);

/// An answer, and how long it holds.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) answer: Result<Document, FetchError>,
    pub(crate) asked: Timestamp,
    pub(crate) until: Timestamp,
}

impl Entry {
    /// Whether it holds. One from the future, after a clock was put back, does not.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked <= now && now < self.until
    }

    /// Whether it is a document that holds, or did so until less than so long ago.
    fn is_recent(&self, now: Timestamp, age: Duration) -> bool {
        self.answer.is_ok() && self.asked <= now && now < self.until + age
    }

    /// Whether the host was asked less than so long ago.
    pub(crate) fn is_younger(&self, now: Timestamp, age: Duration) -> bool {
        self.asked <= now && now < self.asked + age
    }
}

/// The answers of all hosts, the least recently used ones forgotten first.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    answers: Moka<Key, Entry>,
    keep_while_busy: Duration,
}

impl Cache {
    pub(crate) fn new(limits: &Limits) -> Self {
        let weigher = |key: &Key, entry: &Entry| {
            let document = entry.answer.as_ref().map_or(0, |document| document.bytes.len());
            u32::try_from(OVERHEAD + key.1.len() + document).unwrap_or(u32::MAX)
        };
        let cache = Moka::builder().max_capacity(limits.cache).weigher(weigher);
        let answers = cache.eviction_policy(EvictionPolicy::lru()).build();
        Self { answers, keep_while_busy: limits.keep_while_busy }
    }

    /// The entry, if it is usable; else what `fetch` answers. Whoever asks meanwhile waits for that.
    pub(crate) async fn answer(
        &self,
        key: Key,
        now: Timestamp,
        usable: impl Fn(&Entry) -> bool,
        fetch: impl Future<Output = Entry>,
    ) -> Result<Document, FetchError> {
        if let Some(entry) = self.answers.get(&key).await.filter(&usable) {
            return entry.answer;
        }
        let keep_while_busy = self.keep_while_busy;
        let entry = self.answers.entry(key).and_try_compute_with(|present| async {
            let present = present.map(moka::Entry::into_value);
            if present.as_ref().is_some_and(&usable) {
                return Ok(Op::Nop);
            }
            let fetched = fetch.await;
            match (&fetched.answer, present) {
                // A document that still holds is better than none.
                (Err(_), Some(present)) if present.answer.is_ok() && present.is_fresh(now) => {
                    Ok(Op::Put(Entry { asked: fetched.asked, ..present }))
                }
                // Strangers who keep us busy do not take away what was known.
                (Err(error), Some(present)) if !error.lasts() && present.is_recent(now, keep_while_busy) => {
                    Ok(Op::Put(present))
                }
                (Err(error), _) if !error.lasts() => Err(error.clone()),
                _ => Ok(Op::Put(fetched)),
            }
        });
        let entry = entry.await?;
        self.answers.run_pending_tasks().await; // what is beyond the limit goes now, not some time later
        match entry {
            CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) | CompResult::Unchanged(entry) => {
                entry.into_value().answer
            }
            CompResult::StillNone(_) | CompResult::Removed(_) => unreachable!("an entry is kept or put"),
        }
    }
}

/// For how long a document holds: as its host says (RFC 9111 §5.2.2), within our limits.
pub(crate) fn lifetime(headers: &HeaderMap, limits: &Limits) -> Duration {
    let mut said = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().unwrap_or("no-store").split(',') {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => 0,
                // What cannot be read counts as over (RFC 9111 §4.2.1).
                "max-age" => argument.trim().trim_matches('"').parse::<u32>().unwrap_or(0),
                _ => continue,
            };
            said = Some(said.map_or(seconds, |said: u32| said.min(seconds)));
        }
    }
    let lifetime = said.map_or(limits.keep, |seconds| Duration::from_secs(seconds.into()));
    lifetime.min(limits.keep_at_most).max(limits.keep_at_least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_kept_as_its_host_says_within_limits() {
        let limits = Limits {
            keep_at_least: Duration::from_secs(10),
            keep: Duration::from_mins(5),
            keep_at_most: Duration::from_hours(1),
            ..Limits::default()
        };
        let cases = [
            (&[][..], 300),
            (&["max-age=60"], 60),
            (&["public, Max-Age = \"60\""], 60),
            (&["max-age=60, max-age=50"], 50),
            (&["max-age=60", "no-store"], 10),
            (&["no-cache"], 10),
            (&["max-age=5"], 10),
            (&["max-age=86400, immutable"], 3600),
            (&["max-age=-1"], 10),
            (&["max-age=99999999999999999999"], 10),
            (&["private"], 300),
        ];
        for (values, seconds) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, http::HeaderValue::from_static(value));
            }
            assert_eq!(lifetime(&headers, &limits), Duration::from_secs(seconds), "{values:?}");
        }
    }
}
