//! Keys as the store has them now: what this node remembers is trusted only while the other nodes are heard.
//!
//! The link of the store tells that somebody made or revoked a key, and that it is up; where either leaves a doubt the
//! keys are read again before one is taken. Source: docs/decisions/0128.

use crate::problems::{Problem, UNAVAILABLE};
use crate::shared::Shared;
use formwork_engine::StoreError;
use std::time::Instant;

impl Shared {
    /// Has the keys in memory be those of the store. Where no other node changes them they always are.
    pub(super) async fn keys_as_they_are(&self) -> Result<(), Problem> {
        if self.are_keys_known() {
            return Ok(());
        }
        let asked = Instant::now();
        let _alone = self.key_changes.lock().await;
        // Who waited meanwhile shares what was read behind its question.
        if self.are_keys_known() || self.keys.were_read_since(asked) {
            return Ok(());
        }
        self.read_keys().await.map_err(|_| Problem::of(&UNAVAILABLE))
    }

    fn are_keys_known(&self) -> bool {
        let commits = self.store.commits();
        !self.store.is_shared()
            || (commits.are_heard() && !commits.have_touched(&[commits.keys()], self.keys.number()))
    }

    /// Reads the keys; who calls holds `key_changes`.
    pub(crate) async fn read_keys(&self) -> Result<(), StoreError> {
        let (began, number) = (Instant::now(), self.store.commits().number());
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || store.load_keys()).await;
        let keys = read.map_err(|error| StoreError::Internal(error.to_string()))??;
        self.keys.refresh(&keys);
        self.keys.note_read(number, began);
        Ok(())
    }
}
