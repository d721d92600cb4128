//! Earlier releases of the document whose operations are carried on: each part of one says which program it runs under,
//! and runs with that program's own statements, as long as the tables still are what they need.
//!
//! Source: language reference, *What running means*, parts; docs/decisions/0157-carried-on-under-its-release.md.

use formwork_engine::Call;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What calls of earlier releases run with, by what their parts call the program.
#[derive(Debug)]
pub(crate) struct Releases<S>(Mutex<FxHashMap<Arc<str>, Arc<S>>>);

impl<S> Default for Releases<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S> Releases<S> {
    /// Takes one up.
    pub(crate) fn add(&self, name: &str, release: S) {
        self.0.lock().insert(name.into(), Arc::new(release));
    }

    /// What a call runs with that is not of the present release.
    pub(crate) fn of(&self, call: &Call) -> Option<Arc<S>> {
        let part = call.part.as_ref()?;
        self.0.lock().get(&*part.program).cloned()
    }
}
