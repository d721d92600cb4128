//! Where fresh systems come from.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

/// Starts systems, each on empty data of its own and with the test clock.
pub trait Launcher {
    /// Starts one; it answers requests when this is done.
    fn launch(&self, wanted: &Wanted) -> impl Future<Output = Result<System, LaunchError>>;
}

/// What a system is started with.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Where its clock starts, in microseconds since the epoch; 2030-01-01T00:00:00Z when absent.
    pub clock: Option<i64>,
    /// Where its external components are reached: the test plays them. `secret("X")` is `test-X`.
    pub upstreams: Vec<(String, SocketAddr)>,
}

/// Ends a system and removes its data.
pub type Stop = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>>>;

/// A running system.
pub struct System {
    /// Where the operations of section 4 answer.
    pub public: SocketAddr,
    /// Where the endpoints of section 5 answer.
    pub internal: SocketAddr,
    /// Where the control plane answers.
    pub admin: SocketAddr,
    /// The control plane's key.
    pub admin_key: String,
    /// Ends it.
    pub stop: Stop,
}

/// Why a system did not start.
#[derive(Debug, thiserror::Error)]
#[error("the system does not start: {0}")]
pub struct LaunchError(pub String);
