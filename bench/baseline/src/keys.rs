//! Who calls: the table of API keys, kept as SHA-256 hashes, and the roles behind them.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a caller may do; section 9 of the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Member,
    Admin,
}

/// The owner of a key.
pub(crate) struct Caller {
    pub(crate) id: String,
    roles: Vec<Role>,
}

impl Caller {
    /// Fails with 403 unless the caller has one of the roles.
    pub(crate) fn require(&self, roles: &[Role]) -> Result<(), Problem> {
        if self.roles.iter().any(|role| roles.contains(role)) {
            return Ok(());
        }
        Err(Problem::new(403, "forbidden", "Your role may not do this."))
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.roles.contains(&Role::Admin)
    }
}

/// All keys in memory; looked up by hash, so that the time of a look-up tells nothing about a key.
pub(crate) struct Keys(HashMap<[u8; 32], Caller>);

impl Keys {
    /// A table of one key, of one member.
    pub(crate) fn of_member(key: &str) -> Self {
        let caller = Caller { id: "member".to_owned(), roles: vec![Role::Member] };
        Self(HashMap::from([(Sha256::digest(key.as_bytes()).into(), caller)]))
    }

    /// The caller of a request, or 401.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<&Caller, Problem> {
        headers
            .get(API_KEY)
            .and_then(|key| self.0.get::<[u8; 32]>(&Sha256::digest(key.as_bytes()).into()))
            .ok_or_else(|| Problem::new(401, "unauthenticated", "Send a valid key in X-API-Key."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_opens() {
        let keys = Keys::of_member("secret");
        let with = |key: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(API_KEY, axum::http::HeaderValue::from_static(key));
            headers
        };
        assert_eq!(keys.authenticate(&with("secret")).map(|caller| caller.id.as_str()).ok(), Some("member"));
        assert!(keys.authenticate(&with("Secret")).is_err());
        assert!(keys.authenticate(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_member_is_no_admin() {
        let keys = Keys::of_member("secret");
        let caller = keys.0.values().next().unwrap();
        assert!(caller.require(&[Role::Member, Role::Admin]).is_ok());
        assert!(caller.require(&[Role::Admin]).is_err());
        assert!(!caller.is_admin());
    }
}
