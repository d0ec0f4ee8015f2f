//! Where a request came from: the other end of its connection, or, where that is a proxy of ours, whomever it names. The
//! header can be written by anybody, so only what a proxy of ours added to it counts.

use std::net::IpAddr;

use http::HeaderMap;

use crate::config::Network;

/// Each proxy adds the address that it was called from, at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Whether a proxy of ours has this address.
pub(super) fn is_proxy(address: IpAddr, proxies: &[Network]) -> bool {
    proxies.iter().any(|network| network.contains(address))
}

/// The last address that is none of our proxies.
pub(super) fn source(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    let mut nearest = peer;
    for named in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_proxy(nearest, proxies) {
            break;
        }
        // Whatever stands further on was handed on by somebody who does not keep to this.
        let Some(named) = address(named.trim()) else { break };
        nearest = named;
    }
    nearest
}

/// Whether this looks like a proxy that nobody named to us: it is near, and speaks for somebody else.
pub(super) fn seems_a_proxy(peer: IpAddr, headers: &HeaderMap) -> bool {
    let is_near = match peer.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    };
    is_near && headers.contains_key(FORWARDED_FOR)
}

/// With a port, as some proxies write it, or without.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().ok().map(|socket: std::net::SocketAddr| socket.ip());
    text.parse().ok().or_else(with_port).or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn told(peer: &str, lines: &[&str]) -> String {
        let proxies = ["10.0.0.0/8", "fd00::/8"].map(|text| Network::try_from(text.to_owned()).unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        source(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        assert_eq!(told("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(told("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(told("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(told("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_caller_wrote_itself_does_not_count() {
        assert_eq!(told("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(told("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(told("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(told("10.0.0.1", &["10.9.9.9, 198.51.100.7, fd00::2"]), "198.51.100.7");
    }

    #[test]
    fn a_chain_that_breaks_off_ends_at_the_last_that_is_known() {
        assert_eq!(told("10.0.0.1", &["198.51.100.7, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(told("10.0.0.1", &["198.51.100.7, \u{fc}"]), "10.0.0.1");
        assert_eq!(told("10.0.0.1", &[""]), "10.0.0.1");
    }

    #[test]
    fn whoever_is_near_and_speaks_for_others_seems_a_proxy() {
        let seems = |peer: &str, headers: &HeaderMap| seems_a_proxy(peer.parse().unwrap(), headers);
        let mut headers = HeaderMap::new();
        assert!(!seems("10.0.0.1", &headers));
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        for near in ["127.0.0.1", "::1", "10.0.0.1", "172.17.0.1", "::ffff:192.168.0.1", "fd00::1", "fe80::1"]
        {
            assert!(seems(near, &headers), "{near}");
        }
        for far in ["192.0.2.1", "172.32.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(!seems(far, &headers), "{far}");
        }
    }

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        assert_eq!(told("10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(told("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(told("10.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
    }
}
