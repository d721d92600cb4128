//! What a server is started with.

use crate::edge::Origins;
use crate::tls::TlsFiles;
use formwork_language::program::TokenRule;
use formwork_store::VariablesKey;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
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
    /// Where the rows are, when not in that folder: `postgres://user@host/database`.
    pub database: Option<String>,
    /// The schema of that database to use instead of the usual one; for tests.
    pub schema: Option<String>,
    /// Whether what is acknowledged is on disk; only systems that are thrown away, such as a test's, go without.
    pub durable: bool,
    /// Which clock `now()` reads.
    pub clock: ClockChoice,
    /// Where external components are reached instead of where the document says.
    pub upstreams: Vec<UpstreamAddress>,
    /// What `secret("X")` gives.
    pub secrets: Secrets,
    /// What states between two parts are sealed with. Without it a data folder makes a key of its own, and in a database
    /// that nodes share states are not sealed.
    pub variables_key: Option<VariablesKey>,
    /// Of which issuer bearer tokens are taken, where the document leaves it open or another one is meant.
    pub token_source: TokenSource,
    /// Whose pages may call from browsers; it goes before what the document says.
    pub origins: Origins,
    /// What the public listener speaks TLS with; without it, plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Certificates as PEM of those who vouch for upstreams, beside those that this machine trusts.
    pub upstream_authorities: Option<PathBuf>,
    /// What `GET /openapi.json` answers; without it there is nothing at that path.
    pub description: Option<Arc<str>>,
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
            database: None,
            schema: None,
            durable: true,
            clock: ClockChoice::System,
            upstreams: Vec::new(),
            secrets: Secrets::Environment,
            variables_key: None,
            token_source: TokenSource::default(),
            origins: Origins::default(),
            tls: None,
            upstream_authorities: None,
            description: None,
        }
    }
}

/// Where an external component of section 3 is reached instead of where the document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAddress {
    /// The component's name as the document writes it.
    pub component: String,
    /// `http://HOST[:PORT][/BASE]`, or the same with `https`.
    pub base: String,
}

impl std::str::FromStr for UpstreamAddress {
    type Err = String;

    /// Reads `Component name=http://127.0.0.1:9000`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (component, base) =
            text.split_once('=').ok_or("write it as `Component name=http://host:port`")?;
        let (component, base) = (component.trim(), base.trim().trim_end_matches('/'));
        if component.is_empty() {
            return Err("the component has no name".to_owned());
        }
        let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        if host.is_none_or(str::is_empty) || base.contains(char::is_whitespace) {
            return Err(format!("`{base}` is no address such as `http://127.0.0.1:9000`"));
        }
        Ok(Self { component: component.to_owned(), base: base.to_owned() })
    }
}

/// What an operator says of bearer tokens; it goes before what the document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSource {
    /// Who makes them (`iss`).
    pub issuer: Option<String>,
    /// The address of the issuer's public keys.
    pub key_set: Option<String>,
    /// Whom they are for (`aud`).
    pub audience: Option<String>,
}

impl TokenSource {
    /// The document's rules with what is said here. Of several issuers each keeps its own.
    pub fn complete(&self, rules: &[TokenRule]) -> Vec<TokenRule> {
        let mut rules = rules.to_vec();
        if let [rule] = rules.as_mut_slice() {
            let said = |own: &Option<String>, written: &mut Option<Arc<str>>| {
                if let Some(own) = own {
                    *written = Some(own.as_str().into());
                }
            };
            said(&self.issuer, &mut rule.issuer);
            said(&self.key_set, &mut rule.key_set);
            said(&self.audience, &mut rule.audience);
        }
        rules
    }
}

/// What `secret("X")` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Secrets {
    /// The environment variable of that name.
    #[default]
    Environment,
    /// `test-X`: so that flows can play external components.
    Test,
}

impl Secrets {
    /// What a secret says, when it is there.
    pub(crate) fn value(self, name: &str) -> Option<String> {
        match self {
            Self::Environment => std::env::var(name).ok().filter(|value| !value.is_empty()),
            Self::Test => Some(format!("test-{name}")),
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
    /// The same from another instant on, in microseconds since the epoch.
    TestFrom(i64),
}

/// What a caller may take up. Source: conventions *Security*; the numbers are choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body; more are `413`. 1 MiB by default.
    pub body_bytes: usize,
    /// Bytes of all header names and values; more are `431`. 16 KiB by default.
    pub header_bytes: usize,
    /// Bytes of a request's target, path and query together; more are `414`. 8 KiB by default.
    pub target_bytes: usize,
    /// Bytes of the bodies of all requests under way; what does not fit is `503 overloaded`. 64 MiB by default.
    pub bodies: usize,
    /// Bytes of all answers that are not read to their end; while they are as many, requests are `503 overloaded`. 256 MiB by
    /// default.
    pub answers: usize,
    /// How long a request may take, from its header to its answer; whose answer is not read by then, and for as long as
    /// a header may take, is cut off. 60 s by default.
    pub request: Duration,
    /// How long a header, and then a body, may take to arrive. 10 s by default.
    pub read: Duration,
    /// How long a drain waits for requests under way. 10 s by default.
    pub drain: Duration,
    /// Connections held at once on each listener; further ones wait. 4,096 by default.
    pub connections: usize,
    /// Requests worked on at once; further ones are `503 overloaded`. 1,024 by default.
    pub requests: usize,
    /// Proofs that do not hold, from one address in a minute; further ones are `429 too_many_failures`. 100 by default.
    pub failed_proofs: u32,
    /// How long other nodes wait for this one after its last sign of life before they carry its operations on. 15 s by
    /// default.
    pub lease: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            header_bytes: 16 * 1024,
            target_bytes: 8 * 1024,
            bodies: 64 * 1024 * 1024,
            answers: 256 * 1024 * 1024,
            request: Duration::from_secs(60),
            read: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            connections: 4096,
            requests: 1024,
            failed_proofs: 100,
            lease: Duration::from_secs(15),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_component_and_an_address() {
        let read: Result<UpstreamAddress, _> = "Payment provider = http://127.0.0.1:9000/".parse();
        let wanted = ("Payment provider".to_owned(), "http://127.0.0.1:9000".to_owned());
        assert_eq!(read.map(|read| (read.component, read.base)), Ok(wanted));
        for wrong in
            ["Payment provider", "=http://localhost", "Bank=localhost:1", "Bank=http://", "Bank=http://a b"]
        {
            assert!(wrong.parse::<UpstreamAddress>().is_err(), "{wrong}");
        }
    }
}
