//! The address of the server. Until there is access control, it must be one that only this
//! machine reaches.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::error::CliError;

const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Ports tried for a demonstration, the default one included.
const PORTS_TRIED: u16 = 100;

/// Reads an address; `localhost:8080` is understood too.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
        None => text.to_owned(),
    };
    numeric
        .parse()
        .map_err(|_| "expected an address with a port, such as 127.0.0.1:8080".to_owned())
}

/// Takes the address that was asked for, or else the default one; somebody who just tries the
/// demonstration gets the next free port instead of an error.
pub(super) fn bind(asked: Option<SocketAddr>, demo: bool) -> Result<TcpListener, CliError> {
    let mut address = asked.unwrap_or(DEFAULT);
    if !address.ip().is_loopback() {
        return Err(CliError::NotLoopback { address });
    }
    let last = match asked {
        None if demo => address.port().saturating_add(PORTS_TRIED - 1),
        _ => address.port(),
    };
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return Ok(listener),
            Err(_) if address.port() < last => address.set_port(address.port() + 1),
            Err(source) => return Err(CliError::Listen { address, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::{CliError, address, bind};

    #[test]
    fn addresses_are_numbers_or_this_machine() {
        assert_eq!(address("localhost:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(address("[::1]:80").unwrap().to_string(), "[::1]:80");
        assert!(address("8080").is_err());
        assert!(address("example.com:80").is_err());
    }

    #[test]
    fn an_address_that_others_reach_is_refused() {
        for open_to_others in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            let refused = bind(Some(address(open_to_others).unwrap()), false);
            assert!(matches!(refused, Err(CliError::NotLoopback { .. })));
        }
    }

    #[test]
    fn a_taken_address_that_was_asked_for_is_an_error() {
        let taken = bind(Some(address("127.0.0.1:0").unwrap()), false).unwrap();
        for demo in [false, true] {
            let refused = bind(taken.local_addr().ok(), demo);
            assert!(matches!(refused, Err(CliError::Listen { .. })));
        }
    }
}
