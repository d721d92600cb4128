//! The writer without a thread: a [`Driver`] says when it works on what is queued.

use super::connection::{Deadline, Statements};
use super::inspector::Tables;
use super::writer::{Group, Writing};
use crate::driver::{Driver, Fate};
use formwork_engine::IdSource;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A writer that works when it is told.
pub(super) struct Driven {
    driver: Option<Arc<dyn Driver>>,
    /// Absent when the store is closed.
    working: Mutex<Option<Working>>,
    /// Whether a turn has been asked for.
    begun: AtomicBool,
}

struct Working {
    // Statements that are cached go before the connection that they are of, and the lock of the folder goes last.
    connection: Connection,
    deadline: Arc<Deadline>,
    ids: IdSource,
    tables: Tables,
    writing: Writing,
}

impl Driven {
    /// A writer on an open connection.
    pub(super) fn new(writing: Writing, connection: Connection, deadline: Arc<Deadline>) -> Self {
        connection.set_prepared_statement_cache_capacity(writing.statements() + 64);
        let driver = writing.options.driver.clone();
        let tables = Tables::new(&writing.shared.program);
        let ids = IdSource::new();
        let working = Mutex::new(Some(Working { connection, deadline, ids, tables, writing }));
        Self { driver, working, begun: AtomicBool::new(false) }
    }

    /// Asks for a turn, unless one has been asked for. A store that is dropped meanwhile loses what is queued.
    pub(super) fn begin(self: &Arc<Self>) {
        let Some(driver) = &self.driver else { return };
        if self.begun.swap(true, Ordering::AcqRel) {
            return;
        }
        let (own, turn) = (Arc::downgrade(self), driver.turn());
        tokio::spawn(async move {
            let fate = turn.await;
            if let Some(own) = own.upgrade() {
                own.begun.store(false, Ordering::Release);
                own.work(fate);
            }
        });
    }

    /// An answer takes its time.
    pub(super) async fn way_back(&self) {
        if let Some(driver) = &self.driver {
            driver.way_back().await;
        }
    }

    /// Works on all that is queued, and closes.
    pub(super) fn close(&self) {
        self.work(Fate::Commits);
        *self.working.lock() = None;
    }

    fn work(&self, fate: Fate) {
        let mut working = self.working.lock();
        let Some(Working { connection, deadline, ids, tables, writing }) = working.as_mut() else {
            return;
        };
        while let Ok(first) = writing.messages.try_recv() {
            let (statements, owed, tables) = (Statements::Cached, Vec::new(), Some(&*tables));
            let touched = Default::default();
            Group { connection, statements, writing, deadline, ids, owed, fate, tables, touched }.run(first);
        }
    }
}
