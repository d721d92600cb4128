//! How many calls are in progress, by what a limit counts together. A place is given back however a call ends: its
//! holder is dropped when it is answered, when it panics, and when its caller is gone.

use super::decision::Key;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The calls in progress. Never more than the server works on at once.
#[derive(Debug, Default)]
pub(super) struct Progress {
    calls: Arc<Mutex<FxHashMap<Key, u64>>>,
}

/// The places that a call has.
#[derive(Debug, Default)]
pub(super) struct Places {
    calls: Arc<Mutex<FxHashMap<Key, u64>>>,
    keys: Vec<Key>,
}

impl Progress {
    /// Takes a place under each key, or none; the error says which one has none left.
    pub(super) fn enter(&self, wanted: &[(Key, u64)]) -> Result<Places, usize> {
        let mut calls = self.calls.lock();
        let is_full = |(key, most): &(Key, u64)| calls.get(key).is_some_and(|now| now >= most);
        if let Some(full) = wanted.iter().position(is_full) {
            return Err(full);
        }
        for (key, _) in wanted {
            *calls.entry(*key).or_default() += 1;
        }
        let keys = wanted.iter().map(|(key, _)| *key).collect();
        Ok(Places { calls: self.calls.clone(), keys })
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut calls = self.calls.lock();
        for key in &self.keys {
            if let Some(now) = calls.get_mut(key) {
                *now -= 1;
                if *now == 0 {
                    calls.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_nothing_is_left() {
        let progress = Progress::default();
        let first = progress.enter(&[([1; 16], 1), ([2; 16], 2)]).expect("room");
        assert_eq!(progress.enter(&[([2; 16], 2), ([1; 16], 1)]).expect_err("full"), 1);
        let second = progress.enter(&[([2; 16], 2)]).expect("the refused one took nothing");
        drop(first);
        drop(second);
        assert!(progress.calls.lock().is_empty());
    }
}
