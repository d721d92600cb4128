//! Addresses to listen on, as people write them: `127.0.0.1:8080`, `[::1]:0`, `localhost:8080`, `8080`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Reads an address; a port alone means loopback.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok(SocketAddr::new(loopback, port));
    }
    text.parse().map_err(|_| "an address looks like 127.0.0.1:8080, localhost:8080 or 8080".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse_address;

    #[test]
    fn a_port_alone_means_loopback() {
        assert_eq!(parse_address("0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(parse_address("localhost:8080").unwrap().to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn an_address_without_a_port_is_refused() {
        assert!(parse_address("127.0.0.1").is_err());
    }
}
