//! What an operation keeps between two of its parts, sealed: whoever has the rows alone, as a copy of the database or a
//! backup, reads none of its variables, and cannot give one operation's to another. AES-256-GCM with a nonce of its own
//! for each state; what it is about is authenticated with it. Source: language reference, *What running means*.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use formwork_engine::StoreError;
use std::fmt;

/// The first byte of a state that is sealed. The engine's own formats count from 1.
const SEALED: u8 = 0xE1;
/// The length of a nonce.
const NONCE: usize = 12;

/// The key of a vault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VariablesKey(pub [u8; 32]);

impl fmt::Debug for VariablesKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VariablesKey(…)")
    }
}

/// Seals and opens states; without a key they are kept as they are.
#[derive(Default)]
pub(crate) struct Vault(Option<RandomizedNonceKey>);

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Vault(sealed)" } else { "Vault(open)" })
    }
}

impl Vault {
    pub(crate) fn new(key: Option<VariablesKey>) -> Self {
        // Every key of 32 bytes is one.
        Self(key.and_then(|key| RandomizedNonceKey::new(&AES_256_GCM, &key.0).ok()))
    }

    /// A state as it is kept, bound to what it is of.
    pub(crate) fn seal(&self, of: &[u8], state: &[u8]) -> Result<Vec<u8>, StoreError> {
        let Some(key) = &self.0 else { return Ok(state.to_vec()) };
        let mut text = state.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(of), &mut text)
            .map_err(|_| StoreError::Internal("a state is not sealed".into()))?;
        let mut sealed = Vec::with_capacity(1 + NONCE + text.len());
        sealed.push(SEALED);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// The state of what is kept. What cannot be opened is empty, which no state is: its operation is left, and named,
    /// like one of another release.
    pub(crate) fn open(&self, of: &[u8], kept: Vec<u8>) -> Vec<u8> {
        let Some((&SEALED, rest)) = kept.split_first() else { return kept };
        let (Some(key), Some((nonce, text))) = (&self.0, rest.split_first_chunk::<NONCE>()) else {
            return Vec::new();
        };
        let mut text = text.to_vec();
        key.open_in_place(Nonce::from(nonce), Aad::from(of), &mut text)
            .map(|state| state.to_vec())
            .unwrap_or_default()
    }
}

/// What the state of a delivery is bound to.
pub(crate) fn of_delivery(sequence: i64) -> [u8; 9] {
    let mut of = [0; 9];
    of[0] = b'd';
    of[1..].copy_from_slice(&sequence.to_be_bytes());
    of
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_by_the_same_key_for_the_same_thing_only(
            state in proptest::collection::vec(any::<u8>(), 1..200),
            key: [u8; 32],
            other: [u8; 32],
            at: prop::sample::Index,
        ) {
            prop_assume!(state[0] != SEALED && key != other);
            let vault = Vault::new(Some(VariablesKey(key)));
            let sealed = vault.seal(b"a", &state).expect("sealed");
            prop_assert_eq!(&vault.open(b"a", sealed.clone()), &state);
            prop_assert!(vault.open(b"b", sealed.clone()).is_empty());
            prop_assert!(Vault::new(Some(VariablesKey(other))).open(b"a", sealed.clone()).is_empty());
            prop_assert!(Vault::default().open(b"a", sealed.clone()).is_empty());
            let mut changed = sealed.clone();
            let at = at.index(changed.len() - 1) + 1;
            changed[at] ^= 1;
            prop_assert!(vault.open(b"a", changed).is_empty());
            prop_assert!(vault.open(b"a", sealed[..sealed.len() - 1].to_vec()).is_empty());
        }

        #[test]
        fn what_was_kept_without_a_key_is_read_as_it_is(state in proptest::collection::vec(any::<u8>(), 0..50)) {
            prop_assume!(state.first() != Some(&SEALED));
            let plain = Vault::default();
            prop_assert_eq!(&plain.seal(b"a", &state).expect("kept"), &state);
            prop_assert_eq!(&Vault::new(Some(VariablesKey([7; 32]))).open(b"a", state.clone()), &state);
        }
    }

    #[test]
    fn two_states_alike_do_not_look_alike() {
        let vault = Vault::new(Some(VariablesKey([7; 32])));
        let seal = || vault.seal(b"a", b"the same").expect("sealed");
        assert_ne!(seal(), seal());
        assert!(!format!("{:?}", VariablesKey([7; 32])).contains('7'));
    }
}
