//! The other end of a connection.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The other end of the connection that a request came by. A proxy in between is the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

impl Peer {
    /// What is counted as one client.
    #[must_use]
    pub fn network(self) -> Network {
        Network::of(self.address.ip())
    }

    /// Whether it is this machine.
    #[must_use]
    pub fn is_local(self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

/// The addresses that one client is taken to have: one of version 4, or the 2⁶⁴ of version 6 that
/// providers hand out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            version_4 => version_4,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IpAddr, Network, Peer};

    fn network(text: &str) -> String {
        let address: IpAddr = text
            .parse()
            .unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into());
        Network::of(address).to_string()
    }

    #[test]
    fn a_client_is_an_address_or_the_half_of_one() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }

    #[test]
    fn this_machine_has_several_names() {
        let local = |address: [u8; 4]| Peer {
            address: (address, 80).into(),
            secure: false,
        };
        assert!(local([127, 0, 0, 9]).is_local());
        assert!(!local([10, 0, 0, 1]).is_local());
        let mapped = std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        let peer = Peer {
            address: (mapped, 80).into(),
            secure: true,
        };
        assert!(peer.is_local());
    }
}
