//! How much of everything a fetch may use.

use std::time::Duration;

/// What bounds each fetch, all fetches to one host, and what is remembered of them.
///
/// Fetches are counted by the kind of document: so many of each. Else strangers' pictures would keep the keys of a client
/// from being fetched that share a host with them.
///
/// ```
/// use std::time::Duration;
/// use enroll_outbound::Limits;
///
/// let patient = Limits { total: Duration::from_secs(10), ..Limits::default() };
/// assert_eq!(patient.body, 64 * 1024);
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// For one fetch from its beginning to the last byte, looking up the name included.
    pub total: Duration,
    /// For making a connection, TLS included.
    pub connect: Duration,
    /// The longest document, in bytes.
    pub body: usize,
    /// Fetches under way to all hosts together, of one kind.
    pub at_once: usize,
    /// Fetches under way to one host, of one kind.
    pub per_host_at_once: u32,
    /// Fetches to one host in a minute, of one kind.
    pub per_host_per_minute: u32,
    /// Fetches to one address in a minute, of one kind, whatever the names that lead to it. More than for a host, since many
    /// hosts of strangers share an address at those who serve them.
    pub per_address_per_minute: u32,
    /// What the cache may hold, in bytes.
    pub cache: u64,
    /// For how long a document is kept at least, whatever its host says: a client that comes back at once must not
    /// cause a second fetch.
    pub keep_at_least: Duration,
    /// For how long a document is kept whose host says nothing about it.
    pub keep: Duration,
    /// For how long a document is kept at most, whatever its host says.
    pub keep_at_most: Duration,
    /// For how long after it has run out a document is still used when its host was asked too often, or too much is under
    /// way, to ask for it again.
    pub keep_while_busy: Duration,
    /// For how long a failure is remembered.
    pub keep_failure: Duration,
    /// How old a remembered answer has to be before [`Outbound::refetch`](crate::Outbound::refetch) asks again.
    pub refetch_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(5),
            connect: Duration::from_secs(3),
            body: 64 * 1024,
            at_once: 128,
            per_host_at_once: 4,
            per_host_per_minute: 30,
            per_address_per_minute: 300,
            cache: 16 * 1024 * 1024,
            keep_at_least: Duration::from_secs(10),
            keep: Duration::from_mins(5),
            keep_at_most: Duration::from_hours(1),
            keep_while_busy: Duration::from_hours(1),
            keep_failure: Duration::from_secs(30),
            refetch_after: Duration::from_secs(30),
        }
    }
}
