//! One connection with its settings and its prepared statements, driven by the thread that has it.

use super::address::Address;
use super::errors::Failed;
use super::values::parameter_type;
use crate::statements::{Prepared, quoted};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{ToSql, Type as PgType};
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage, Statement};

/// How much longer than the server's own limit an answer is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// A connection. Its runtime lives on the thread that uses it, so that a statement wakes no other one.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    patience: Patience,
    /// The program's statements by number.
    held: Vec<Option<Statement>>,
    /// Other statements by text.
    others: FxHashMap<String, Statement>,
    /// What is sent ahead of the next statement, in one go with it.
    ahead: Option<&'static str>,
    /// What the beginning of the transaction gave, by which its outcome is asked for.
    mark: RefCell<Option<String>>,
}

/// Times after which the server itself ends something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// A statement.
    pub(crate) statement: Duration,
    /// Waiting for a lock; the transaction is then repeated.
    pub(crate) lock: Duration,
}

/// Parameters of any statement.
pub(crate) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// A runtime for one thread.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

impl Session {
    /// Connects, and brings the session to the settings that every statement relies on.
    pub(crate) fn open(
        runtime: Runtime,
        address: &Address,
        patience: Patience,
        statements: usize,
    ) -> Result<Self, Failed> {
        let client = runtime.block_on(address.connect())?;
        let held = (0..statements).map(|_| None).collect();
        let mut session = Self {
            runtime,
            client,
            patience,
            held,
            others: FxHashMap::default(),
            ahead: None,
            mark: RefCell::default(),
        };
        let path = address.schema().map(|schema| format!("; SET search_path = {}", quoted(schema)));
        session.batch(&format!(
            "SET default_transaction_isolation = 'serializable'; SET synchronous_commit = on; \
             SET TimeZone = 'UTC'; SET standard_conforming_strings = on; SET client_min_messages = 'error'; \
             SET jit = off; SET statement_timeout = {}; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = 60000{}",
            patience.statement.as_millis(),
            patience.lock.as_millis(),
            path.unwrap_or_default()
        ))?;
        Ok(session)
    }

    /// Whether the connection is known to be gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Begins a transaction together with the next statement.
    pub(crate) fn begin(&mut self, with: &'static str) {
        self.ahead = Some(with);
        self.mark.take();
    }

    /// By what the outcome of the present transaction can be asked for.
    pub(crate) fn mark(&self) -> Option<String> {
        self.mark.borrow().clone()
    }

    /// Ends a transaction; nothing is sent when it has not begun.
    pub(crate) fn end(&mut self, with: &str) -> Result<(), Failed> {
        match self.ahead.take() {
            Some(_) => Ok(()),
            None => self.batch(with),
        }
    }

    /// Runs statements without parameters and rows.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Failed> {
        let ahead = self.ahead.take();
        self.wait(ahead, self.client.batch_execute(sql))
    }

    /// Prepares a statement, when it is not yet, and keeps it by its number.
    pub(crate) fn hold(&mut self, number: usize, prepared: &Prepared) -> Result<(), Failed> {
        let is_there = match self.held.get(number) {
            Some(place) => place.is_some(),
            None => self.others.contains_key(&prepared.sql),
        };
        if is_there {
            return Ok(());
        }
        let types: Vec<PgType> = prepared.binds.iter().map(|(_, encode)| parameter_type(encode)).collect();
        let statement = self.prepare(&prepared.sql, &types)?;
        match self.held.get_mut(number) {
            Some(place) => *place = Some(statement),
            // Statements of batches and of the store itself have no number.
            None => {
                self.others.insert(prepared.sql.clone(), statement);
            }
        }
        Ok(())
    }

    /// Prepares a statement of the store's own.
    pub(crate) fn keep(&mut self, sql: &str, types: &[PgType]) -> Result<(), Failed> {
        if !self.others.contains_key(sql) {
            let statement = self.prepare(sql, types)?;
            self.others.insert(sql.to_owned(), statement);
        }
        Ok(())
    }

    /// Gives up a statement without a number that is not to be kept.
    pub(crate) fn forget(&mut self, sql: &str) {
        self.others.remove(sql);
    }

    fn prepare(&mut self, sql: &str, types: &[PgType]) -> Result<Statement, Failed> {
        let ahead = self.ahead.take();
        self.wait(ahead, self.client.prepare_typed(sql, types))
    }

    /// Runs a statement that was prepared and gives rows; `sql` finds one without a number.
    pub(crate) fn rows(
        &mut self,
        number: usize,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Failed> {
        let ahead = self.ahead.take();
        match self.held.get(number).and_then(Option::as_ref).or_else(|| self.others.get(sql)) {
            Some(statement) => self.wait(ahead, self.client.query(statement, parameters)),
            None => self.wait(ahead, self.client.query(sql, parameters)),
        }
    }

    /// Runs a statement that was prepared and gives no rows: how many it touched.
    pub(crate) fn touched(
        &mut self,
        number: usize,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<u64, Failed> {
        let ahead = self.ahead.take();
        match self.held.get(number).and_then(Option::as_ref).or_else(|| self.others.get(sql)) {
            Some(statement) => self.wait(ahead, self.client.execute(statement, parameters)),
            None => self.wait(ahead, self.client.execute(sql, parameters)),
        }
    }

    /// Waits for an answer, and for that of what is sent ahead; both travel together.
    fn wait<T>(
        &self,
        ahead: Option<&str>,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failed> {
        let longest = self.patience.statement + GRACE;
        self.runtime.block_on(async {
            let both = async {
                match ahead {
                    None => answer.await,
                    Some(ahead) => {
                        let (began, answer) = tokio::join!(self.client.simple_query(ahead), answer);
                        let given = began?.into_iter().find_map(|message| match message {
                            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                            _ => None,
                        });
                        *self.mark.borrow_mut() = given;
                        answer
                    }
                }
            };
            match tokio::time::timeout(longest, both).await {
                Ok(answer) => answer.map_err(Failed::Server),
                Err(_) => Err(Failed::Silent),
            }
        })
    }
}
