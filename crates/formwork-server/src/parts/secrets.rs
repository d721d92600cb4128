//! What `secret("X")` gives, read once at the start and told to nobody.

use crate::config::Secrets;
use formwork_language::eval::Host;
use std::fmt;
use std::sync::Arc;

/// The secrets that a document reads. Shown nowhere: `Debug` gives the names alone.
#[derive(Clone)]
pub(crate) struct SecretValues(Vec<(Arc<str>, Arc<str>)>);

impl fmt::Debug for SecretValues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The names of secrets that are not there.
#[derive(Debug, thiserror::Error)]
#[error("the environment does not have what the document's `secret(…)` reads: {}", .0.join(", "))]
pub struct MissingSecrets(pub(crate) Vec<String>);

impl SecretValues {
    /// Reads them.
    pub(crate) fn read(from: Secrets, names: &[Arc<str>]) -> Result<Self, MissingSecrets> {
        let mut values = Vec::with_capacity(names.len());
        let mut missing = Vec::new();
        for name in names {
            match from.value(name) {
                Some(value) => values.push((Arc::clone(name), value.into())),
                None => missing.push(name.to_string()),
            }
        }
        if missing.is_empty() { Ok(Self(values)) } else { Err(MissingSecrets(missing)) }
    }
}

impl SecretValues {
    /// What a secret says.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<str>> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| Arc::clone(value))
    }
}

/// The host of headers: they see the time and the secrets, and draw no lots.
pub(super) struct HeaderHost<'s> {
    /// Microseconds since the epoch.
    pub(super) now: i64,
    /// The secrets.
    pub(super) secrets: &'s SecretValues,
}

impl Host for HeaderHost<'_> {
    fn now(&self) -> i64 {
        self.now
    }

    fn random(&mut self, buffer: &mut [u8]) {
        // Without randomness there is no header: the evaluation of what drew it is refused elsewhere.
        let _ = crate::random::fill(buffer);
    }

    fn uuid(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.random(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        bytes
    }

    fn secret(&self, name: &str) -> Option<Arc<str>> {
        self.secrets.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_tests_a_secret_is_known_and_no_text_shows_it() {
        let secrets = SecretValues::read(Secrets::Test, &["PROVIDER_KEY".into()]).expect("there");
        let host = HeaderHost { now: 0, secrets: &secrets };
        assert_eq!(host.secret("PROVIDER_KEY").as_deref(), Some("test-PROVIDER_KEY"));
        assert_eq!(host.secret("OTHER"), None);
        assert_eq!(format!("{secrets:?}"), "[\"PROVIDER_KEY\"]");
    }

    #[test]
    fn every_missing_secret_is_named() {
        let names = ["FORMWORK_TEST_NOT_THERE".into(), "FORMWORK_TEST_NOR_THIS".into()];
        let error = SecretValues::read(Secrets::Environment, &names).expect_err("missing").to_string();
        assert!(error.contains("FORMWORK_TEST_NOT_THERE, FORMWORK_TEST_NOR_THIS"), "{error}");
    }
}
