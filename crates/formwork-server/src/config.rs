//! What a server is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

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

/// What a caller may take up. Source: conventions *Security*; the numbers are choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body; more are `413`. 1 MiB by default.
    pub body_bytes: usize,
    /// Bytes of all header names and values; more are `431`. 16 KiB by default.
    pub header_bytes: usize,
    /// How long a header, and then a body, may take to arrive. 10 s by default.
    pub read: Duration,
    /// How long a drain waits for requests under way. 10 s by default.
    pub drain: Duration,
    /// Connections held at once on each listener; further ones wait. 4,096 by default.
    pub connections: usize,
    /// Requests worked on at once; further ones are `503 overloaded`. 1,024 by default.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            header_bytes: 16 * 1024,
            read: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            connections: 4096,
            requests: 1024,
        }
    }
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
