//! The store as rate limits use it: what was let through is kept with the group commit of a file, and decided under
//! locks where several processes share a database.

use crate::store::Store;
use crate::system::{self, StoredAdmissions};
use formwork_engine::StoreError;
use std::sync::Arc;

/// What decides over locked admissions: given the database's time and what is known under each name, gives what is
/// known from now on where that has changed.
pub type Decide = dyn Fn(i64, Vec<Vec<u8>>) -> Vec<StoredAdmissions> + Send + Sync;

impl Store {
    /// All that still counts at an instant.
    pub fn admissions(&self, now: i64) -> Result<Vec<StoredAdmissions>, StoreError> {
        self.read(move |connection| system::load_admissions(connection, now))
    }

    /// Keeps what `known` gives when its turn comes. On SQLite the turn is taken when this is first polled: what is
    /// written after that is not on disk before it.
    pub async fn keep_admissions(
        &self,
        known: impl Fn() -> Vec<StoredAdmissions> + Send + Sync + 'static,
    ) -> Result<(), StoreError> {
        self.write(move |connection| system::put_admissions(connection, &known()).map(|()| true)).await?;
        Ok(())
    }

    /// Decides over the admissions under names, which come sorted and each once; nobody else does so at that time. May
    /// be called more than once, of which the last counts.
    pub async fn decide_admissions(&self, names: Vec<String>, decide: Arc<Decide>) -> Result<(), StoreError> {
        self.write(move |connection| {
            let (present, logs) = system::lock_admissions(connection, &names)?;
            system::put_admissions(connection, &decide(present, logs)).map(|()| true)
        })
        .await?;
        Ok(())
    }
}
