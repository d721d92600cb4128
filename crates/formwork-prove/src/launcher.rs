//! Where fresh systems come from.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

/// Starts systems, each on empty data of its own and with the test clock.
pub trait Launcher {
    /// Starts one; it answers requests when this is done.
    fn launch(&self) -> impl Future<Output = Result<System, LaunchError>>;
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
