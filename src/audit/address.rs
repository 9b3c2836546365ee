//! Remote addresses as Vault writes them.

use std::net::{IpAddr, SocketAddr};

/// Reads a plain address, `ip:port` or `[v6]:port` (KMIP entries write those): the address and the port.
///
/// An IPv4-mapped IPv6 address is its IPv4 address. `None` for what a trusted proxy passed on unchecked: Vault logs a
/// forwarded header verbatim, even `not-an-ip`.
#[must_use]
pub fn parse(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address.to_canonical(), None));
    }
    let socket: SocketAddr = text.parse().ok()?;
    Some((socket.ip().to_canonical(), Some(socket.port())))
}
