//! The public keys of an issuer (JWKS): fetched when they are first needed, again when a token names one that is not
//! known or when they have grown old, and never more often than once in a minute.
//!
//! Source: RFC 7517, section 5; conventions, *Security*.

use crate::log;
use crate::parts::{Connector, Reach, connector};
use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Duration;

/// How long the keys may take to arrive.
const WAITING: Duration = Duration::from_secs(5);
/// The longest set of keys that is read, in bytes.
const LONGEST: usize = 256 * 1024;
/// The shortest time between two fetches, in microseconds: unknown keys must not become requests to the issuer.
const FLOOR: i64 = 60_000_000;
/// The same while none has ever succeeded.
const FIRST_FLOOR: i64 = 1_000_000;
/// How old keys may get before they are fetched again, in microseconds; one that the issuer takes back holds no longer.
const OLD: i64 = 600_000_000;
/// How old they may get while the issuer cannot be reached.
const TOO_OLD: i64 = 24 * 3_600_000_000;

/// Whether keys may come from there: over TLS, or from this machine.
pub(crate) fn is_key_address(address: &str) -> bool {
    let Ok(address) = address.parse::<Uri>() else { return false };
    let Some(host) = address.host() else { return false };
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    match address.scheme_str() {
        Some("https") => true,
        Some("http") => is_local,
        _ => false,
    }
}

/// The keys behind an address.
pub(crate) struct KeySet {
    address: Uri,
    client: Client<Connector, Full<Bytes>>,
    held: RwLock<Held>,
    /// Held by whoever fetches; nobody else waits for it but who needs a key that is not known.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    keys: Option<Arc<JwkSet>>,
    /// When they were fetched, and when that was last tried.
    fetched: i64,
    tried: Option<i64>,
}

impl Held {
    fn has(&self, id: Option<&str>) -> bool {
        self.key(id).is_some()
    }

    fn key(&self, id: Option<&str>) -> Option<&Jwk> {
        let keys = &self.keys.as_ref()?.keys;
        match id {
            Some(id) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(id)),
            // A token without an id means the only key that there is.
            None if keys.len() == 1 => keys.first(),
            None => None,
        }
    }

    /// Whether it may be fetched again; who waited for a fetch began before it.
    fn is_due(&self, now: i64) -> bool {
        let floor = if self.keys.is_some() { FLOOR } else { FIRST_FLOOR };
        self.tried.is_none_or(|tried| now.abs_diff(tried) >= floor.unsigned_abs())
    }

    fn is_fresh(&self, now: i64, age: i64) -> bool {
        self.keys.is_some() && now - self.fetched < age
    }
}

impl KeySet {
    /// The keys behind an address: `https`, or `http` on this machine.
    pub(crate) fn new(address: &str) -> Option<Self> {
        let address: Uri = is_key_address(address).then(|| address.parse().ok())??;
        let secure = address.scheme_str() == Some("https");
        let client =
            Client::builder(TokioExecutor::new()).build(connector(secure, Vec::new(), Reach::Anywhere));
        Some(Self { address, client, held: Default::default(), fetching: Default::default() })
    }

    /// The key with this id; absent when the issuer has none. `now` is in microseconds.
    ///
    /// # Errors
    ///
    /// When the issuer cannot be reached and nothing that it said is young enough.
    pub(crate) async fn find(&self, id: Option<&str>, now: i64) -> Result<Option<Arc<Jwk>>, &'static str> {
        if let Some(settled) = self.settled(id, now) {
            return settled;
        }
        if self.fetching.try_lock().is_err()
            && let Some(known) = self.known(id, now)
        {
            return Ok(Some(known));
        }
        // One request fetches for all that wait here.
        let _alone = self.fetching.lock().await;
        if let Some(settled) = self.settled(id, now) {
            return settled;
        }
        let fetched = self.fetch().await;
        {
            let mut held = self.held.write();
            held.tried = Some(now);
            match fetched {
                Ok(keys) => {
                    held.keys = Some(Arc::new(keys));
                    held.fetched = now;
                }
                Err(cause) => log::fault("token_keys_away", "", &self.address.to_string(), &cause),
            }
        }
        self.as_held(id, now)
    }

    /// What needs no fetch: the key is known and young, or it is too early to ask again.
    fn settled(&self, id: Option<&str>, now: i64) -> Option<Result<Option<Arc<Jwk>>, &'static str>> {
        let held = self.held.read();
        let is_settled = (held.has(id) && held.is_fresh(now, OLD)) || !held.is_due(now);
        drop(held);
        is_settled.then(|| self.as_held(id, now))
    }

    fn as_held(&self, id: Option<&str>, now: i64) -> Result<Option<Arc<Jwk>>, &'static str> {
        let held = self.held.read();
        match held.is_fresh(now, TOO_OLD) {
            true => Ok(held.key(id).cloned().map(Arc::new)),
            false => Err("the keys of the issuer of tokens cannot be fetched"),
        }
    }

    fn known(&self, id: Option<&str>, now: i64) -> Option<Arc<Jwk>> {
        self.as_held(id, now).ok().flatten()
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let host = self.address.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(self.address.clone())
            .header(HOST, host)
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .header(USER_AGENT, "formwork")
            .body(Full::default())
            .map_err(|error| error.to_string())?;
        let fetched = async {
            let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
            // Redirects are not followed: the address is the document's.
            if answer.status() != http::StatusCode::OK {
                return Err(format!("it answered {}", answer.status().as_u16()));
            }
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            body.map(|body| body.to_bytes()).map_err(|error| error.to_string())
        };
        let body =
            tokio::time::timeout(WAITING, fetched).await.map_err(|_| "it took too long".to_owned())??;
        let keys: JwkSet = serde_json::from_slice(&body).map_err(|_| "its keys cannot be read".to_owned())?;
        if keys.keys.is_empty() { Err("it has no keys".to_owned()) } else { Ok(keys) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for good in
            ["https://id.example/keys", "http://127.0.0.1:9/keys", "http://localhost:9/", "http://[::1]:9/"]
        {
            assert!(KeySet::new(good).is_some(), "{good}");
        }
        for bad in ["http://id.example/keys", "ftp://id.example/", "/keys", "", "http://127.0.0.1.example/"] {
            assert!(KeySet::new(bad).is_none(), "{bad}");
        }
    }
}
