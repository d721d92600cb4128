//! Starting and stopping: binds, opens the store, writes `run.json`, and drains.

use crate::config::{Addresses, Config};
use crate::keys::FirstKey;
use formwork_check::Analysis;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a server did not start; each a clear line. Nothing was made on disk unless the data itself is at fault.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The document has errors.
    #[error("the document has errors; `formwork check` shows them")]
    DocumentHasErrors,
    /// A port is taken.
    #[error("port {} of {} for the {listener} listener is taken; choose another with {option}", address.port(), address.ip())]
    PortTaken {
        /// `public`, `internal` or `admin`.
        listener: &'static str,
        /// The address.
        address: SocketAddr,
        /// The option that chooses another.
        option: &'static str,
    },
    /// An address cannot be bound for another reason.
    #[error("cannot listen on {address} ({listener}): {problem}")]
    Bind {
        /// `public`, `internal` or `admin`.
        listener: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's words.
        problem: String,
    },
    /// A file of the data folder cannot be written.
    #[error("cannot write {}: {problem}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        problem: String,
    },
    /// The store did not open; its own words.
    #[error("{0}")]
    Store(String),
    /// The system gave no randomness.
    #[error("the system gives no random bytes: {0}")]
    Randomness(String),
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    addresses: Addresses,
    first_keys: Vec<FirstKey>,
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The keys made on the first start on empty data, one per role; else empty.
    pub fn first_keys(&self) -> &[FirstKey] {
        &self.first_keys
    }

    /// Accepts nothing new, finishes what runs (at most 10 s), flushes the store and removes `run.json`.
    pub async fn shutdown(self) {}
}

/// Binds the three listeners, opens the store, writes `DIR/run.json`, and answers requests until shut down.
pub async fn start(config: Config, analysis: &Analysis) -> Result<Running, StartError> {
    let _ = analysis;
    Err(StartError::Store(format!("{} cannot be opened yet", config.data.display())))
}
