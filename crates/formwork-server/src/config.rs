//! What a server is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Section 4's listener; port 0 picks a free one.
    pub public: SocketAddr,
    /// Section 5's listener.
    pub internal: SocketAddr,
    /// The operator's listener.
    pub admin: SocketAddr,
    /// The folder of the data; made when it does not exist.
    pub data: PathBuf,
    /// Which clock `now()` reads.
    pub clock: ClockChoice,
}

impl Config {
    /// The default addresses (`127.0.0.1`, ports 8080, 8081 and 8082), the system's clock and the given folder.
    pub fn new(data: PathBuf) -> Self {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            public: loopback(8080),
            internal: loopback(8081),
            admin: loopback(8082),
            data,
            clock: ClockChoice::System,
        }
    }
}

/// Which clock the server reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ClockChoice {
    /// The machine's.
    #[default]
    System,
    /// Starts at 2030-01-01T00:00:00Z and moves only by `POST /clock` on the admin listener.
    Test,
}

/// Where the three listeners are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Section 4's.
    pub public: SocketAddr,
    /// Section 5's.
    pub internal: SocketAddr,
    /// The operator's.
    pub admin: SocketAddr,
}
