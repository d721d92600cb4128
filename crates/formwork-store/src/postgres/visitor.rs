//! A connection of its own to a database that stores may have open: it reads one state of it, and writes nothing.

use super::address::Address;
use super::errors::not_open;
use super::session::{Patience, Session, runtime};
use super::system::OnPostgres;
use crate::error::OpenError;
use std::time::Duration;

/// How long one statement may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Reads beside the stores.
pub(crate) struct Visitor(Session);

impl Visitor {
    /// Connects.
    pub(crate) fn open(url: &str, schema: Option<&str>) -> Result<Self, OpenError> {
        let address = Address::parse(url, schema)?;
        let place = || address.place().to_owned();
        let runtime =
            runtime().map_err(|error| OpenError::Database { place: place(), cause: error.to_string() })?;
        let failed = |failed| not_open(address.place(), &failed);
        let patience = Patience { statement: PATIENCE, lock: PATIENCE };
        let mut session = Session::open(runtime, &address, patience, 0).map_err(failed)?;
        // All that follows sees the same state.
        session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map_err(failed)?;
        Ok(Self(session))
    }

    /// For the stores' own tables.
    pub(crate) fn system(&mut self) -> OnPostgres<'_> {
        OnPostgres::new(&mut self.0)
    }
}
