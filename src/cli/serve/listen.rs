//! The address of the server. Without encryption it must be one that only this machine reaches.

use std::net::{SocketAddr, TcpListener};

use crate::{
    config::{Configuration, DEFAULT_ADDRESS},
    error::CliError,
};

/// Ports tried for a demonstration, the default one included.
const PORTS_TRIED: u16 = 100;

/// # Errors
/// What is sent over this address could be read on its way.
pub(crate) fn permit(address: SocketAddr, encrypted: bool) -> Result<(), CliError> {
    if encrypted || address.ip().is_loopback() {
        return Ok(());
    }
    Err(CliError::NotLoopback { address })
}

/// Takes the address that was asked for, or else the default one; somebody who just tries the
/// demonstration gets the next free port instead of an error.
pub(super) fn bind(configuration: &Configuration, demo: bool) -> Result<TcpListener, CliError> {
    let settings = &configuration.settings;
    let asked = configuration.is_given("server.listen");
    // In a demonstration everybody is the administrator, so nobody else may come.
    let encrypted = settings.tls.certificate.is_some() && !demo;
    permit(settings.server.listen, encrypted)?;
    take(asked.then_some(settings.server.listen), demo)
}

fn take(asked: Option<SocketAddr>, demo: bool) -> Result<TcpListener, CliError> {
    let mut address = asked.unwrap_or(DEFAULT_ADDRESS);
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

    use super::{CliError, SocketAddr, permit, take};

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_others_reach_needs_encryption() {
        for open_to_others in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            let refused = permit(address(open_to_others), false);
            assert!(matches!(refused, Err(CliError::NotLoopback { .. })));
            assert!(permit(address(open_to_others), true).is_ok());
        }
        assert!(permit(address("[::1]:80"), false).is_ok());
    }

    #[test]
    fn a_taken_address_that_was_asked_for_is_an_error() {
        let taken = take(Some(address("127.0.0.1:0")), false).unwrap();
        for demo in [false, true] {
            let refused = take(taken.local_addr().ok(), demo);
            assert!(matches!(refused, Err(CliError::Listen { .. })));
        }
    }
}
