//! A running system as the target: its address, and the keys with which the actors of flows call.

use crate::ProveError;
use crate::flows::Trouble;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A running system.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it answers.
    pub address: SocketAddr,
    /// What stands before every path; empty or `/base`.
    pub base: String,
    /// Its name, for the header *Host*.
    pub host: String,
    /// A key for each actor: by `caller.id`, or by role.
    pub keys: Vec<(String, String)>,
}

impl Target {
    /// Finds a system by its URL, such as `http://127.0.0.1:8080`.
    ///
    /// Errors: another scheme than http, and a name that leads nowhere.
    pub async fn find(url: &str, keys: Vec<(String, String)>) -> Result<Self, ProveError> {
        let wrong = |problem: &str| ProveError::Target { url: url.to_owned(), problem: problem.to_owned() };
        let rest = url.strip_prefix("http://").ok_or_else(|| wrong("only http:// is spoken"))?;
        let (host, base) = match rest.split_once('/') {
            Some((host, base)) => (host, base.trim_end_matches('/')),
            None => (rest, ""),
        };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let named = if has_port { host.to_owned() } else { format!("{host}:80") };
        let mut found = tokio::net::lookup_host(&named).await.map_err(|error| wrong(&error.to_string()))?;
        let address = found.next().ok_or_else(|| wrong("the name leads nowhere"))?;
        let base = if base.is_empty() { String::new() } else { format!("/{base}") };
        Ok(Self { address, base, host: host.to_owned(), keys })
    }

    /// The key of an actor.
    pub(crate) fn key(&self, role: &str, id: &str) -> Result<String, Trouble> {
        let named = |name: &str| self.keys.iter().find(|(known, _)| known == name);
        // A role's key is another caller than the one that the step names.
        let found = named(id).or_else(|| if id == role { named(role) } else { None });
        found.map(|(_, key)| key.clone()).ok_or_else(|| {
            Trouble::NotTestable(format!("there is no key for `{id}`: give one with --key {id}=KEY"))
        })
    }
}

/// The machine's time, in microseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
