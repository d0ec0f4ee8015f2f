//! How far a client reaches: to public addresses, and further only where somebody said so in so many words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::is_public;

/// Which addresses a client connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public ones.
    Public,
    /// Those, and this machine's own.
    Loopback,
    /// Those, and the ones of private networks.
    Private,
}

impl Reach {
    /// Whether a connection to the address may be made.
    pub(crate) fn includes(self, address: IpAddr) -> bool {
        let beyond = match self {
            Self::Public => false,
            Self::Loopback => address.is_loopback(),
            Self::Private => is_private(address),
        };
        beyond || is_public(address)
    }

    /// Whether this host may be asked without TLS, as far as its name tells.
    pub(crate) fn allows_http(self, host: &str, literal: Option<IpAddr>) -> bool {
        match self {
            Self::Public => false,
            Self::Loopback => literal.map_or(host == "localhost", |address| address.is_loopback()),
            Self::Private => literal.is_none_or(is_private),
        }
    }
}

/// The addresses that organizations and machines give to themselves. Not the link-local ones: there, clouds hand out
/// credentials. RFC 1918, RFC 4193, RFC 6598.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let carriers = Ipv4Addr::new(100, 64, 0, 0).to_bits() >> 22;
            address.is_loopback() || address.is_private() || address.to_bits() >> 22 == carriers
        }
        IpAddr::V6(address) => address == Ipv6Addr::LOCALHOST || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(reach: Reach, address: &str) -> bool {
        reach.includes(address.parse().unwrap())
    }

    #[test]
    fn each_reaches_the_public_and_what_its_name_says() {
        for address in ["8.8.8.8", "2600::1"] {
            for reach in [Reach::Public, Reach::Loopback, Reach::Private] {
                assert!(includes(reach, address), "{reach:?} {address}");
            }
        }
        for address in ["127.0.0.1", "::1"] {
            assert!(!includes(Reach::Public, address), "{address}");
            assert!(includes(Reach::Loopback, address) && includes(Reach::Private, address), "{address}");
        }
        for address in ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255", "fd00::1"] {
            assert!(!includes(Reach::Public, address) && !includes(Reach::Loopback, address), "{address}");
            assert!(includes(Reach::Private, address), "{address}");
        }
    }

    #[test]
    fn nobody_reaches_what_is_neither() {
        for address in [
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "fe80::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ] {
            for reach in [Reach::Public, Reach::Loopback, Reach::Private] {
                assert!(!includes(reach, address), "{reach:?} {address}");
            }
        }
    }
}
