//! How many connections each source may have, so that none shuts out the others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;

use super::source::is_proxy;
use crate::config::Network;

/// What a source over its limit reads.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\n\
    content-type: application/json\r\ncache-control: no-store\r\nretry-after: 10\r\n\
    content-length: 104\r\nconnection: close\r\n\r\n\
    {\"error\":\"temporarily_unavailable\",\"error_description\":\"too many connections from your address at once\"}";

/// Counts the open connections by source.
#[derive(Clone)]
pub(super) struct Sources {
    most: usize,
    /// Each hands on what many send.
    proxies: Arc<[Network]>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection of a source; dropping it makes room.
pub(super) struct Place {
    /// `None` where it is not counted.
    source: Option<IpAddr>,
    sources: Sources,
}

impl Sources {
    pub(super) fn new(most: usize, proxies: &[Network]) -> Self {
        Self { most, proxies: proxies.into(), open: Arc::default() }
    }

    /// A place for one more connection, unless the source has as many as it may.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        if is_proxy(address, &self.proxies) {
            return Some(Place { source: None, sources: self.clone() });
        }
        let source = source_of(address);
        let mut open = self.lock();
        let count = open.entry(source).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { source: Some(source), sources: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(source) = &self.source else { return };
        let mut open = self.sources.lock();
        match open.get_mut(source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(source);
            }
        }
    }
}

/// An IPv4 address, or the network of 64 bits that an IPv6 customer has to itself.
fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
    }
}

/// Says why, as far as the socket takes it at once, and closes.
pub(super) fn turn_away(stream: &TcpStream) {
    let _best_effort = stream.try_write(TOO_MANY);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_has_as_many_places_as_it_may_and_others_have_theirs() {
        let sources = Sources::new(2, &[]);
        let one = sources.enter(ip("192.0.2.1"));
        let two = sources.enter(ip("::ffff:192.0.2.1"));
        assert!(one.is_some() && two.is_some());
        assert!(sources.enter(ip("192.0.2.1")).is_none());
        assert!(sources.enter(ip("192.0.2.2")).is_some());
        drop(one);
        assert!(sources.enter(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_64_bits_is_one_source() {
        let sources = Sources::new(1, &[]);
        let _place = sources.enter(ip("2001:db8::1"));
        assert!(sources.enter(ip("2001:db8::ffff:1")).is_none());
        assert!(sources.enter(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn a_proxy_of_ours_has_as_many_as_there_are() {
        let sources = Sources::new(1, &[Network::try_from("192.0.2.0/24".to_owned()).unwrap()]);
        let places: Vec<_> = (0..3).map(|_| sources.enter(ip("192.0.2.1"))).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(sources.lock().is_empty());
    }

    #[test]
    fn nothing_is_kept_of_sources_that_left() {
        let sources = Sources::new(1, &[]);
        drop(sources.enter(ip("192.0.2.1")));
        assert!(sources.lock().is_empty());
    }

    #[test]
    fn the_answer_says_its_own_length() {
        let text = std::str::from_utf8(TOO_MANY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
