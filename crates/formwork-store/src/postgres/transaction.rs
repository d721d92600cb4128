//! The engine's [`Transaction`] on a session.

use super::cascades::Cascades;
use super::dialect::UNLESS_TAKEN;
use super::errors::{Constraints, Failed, Fault};
use super::session::Session;
use super::system::OnPostgres;
use super::values::{Bound, Raw, bind};
use crate::commits::{Commits, Touched};
use crate::releases::Releases;
use crate::rules::broken_rule;
use crate::statements::{Compiled, Gives, Prepared};
use crate::system::{
    self as budgets, EMIT, SystemConnection, emitted, forget_operation, keep_delivery, keep_operation,
};
use crate::vault::Vault;
use formwork_engine::{
    Account, AuditEntry, Delivery, KeptOperation, MAX_ROWS_WRITTEN, OperationId, OutboxEvent, Standing,
    StoreError, Transaction,
};
use formwork_language::program::{EntityId, Program, Statement, StatementId};
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;
use std::sync::Arc;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// What does not change from call to call.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What this process is called among those with the same rows.
    pub(crate) node: String,
    pub(crate) program: Arc<Program>,
    pub(crate) compiled: Compiled,
    /// Seals what is kept between two parts.
    pub(crate) vault: Arc<Vault>,
    pub(crate) constraints: Constraints,
    pub(crate) cascades: Cascades,
    pub(crate) commits: Arc<Commits>,
    /// What calls of earlier releases run with.
    pub(crate) releases: Releases<Shared>,
    /// Whether it is itself of an earlier one: a session finds its statements by their text.
    pub(crate) is_earlier: bool,
}

/// A transaction that is open on a session.
pub(crate) struct PostgresTransaction<'t> {
    session: &'t mut Session,
    shared: &'t Shared,
    /// Rows written so far, those of cascades counted.
    written: u64,
    /// The most rows that it may write.
    most: u64,
    /// Why the transaction is to be repeated or given up, whatever the engine made of it.
    pub(crate) trouble: Option<Fault>,
    /// Whether an update met a taken key, which may belong to a row that it could not see.
    pub(crate) key_taken: bool,
    /// What it has touched, for caches.
    pub(crate) touched: Touched,
}

impl<'t> PostgresTransaction<'t> {
    pub(crate) fn new(session: &'t mut Session, shared: &'t Shared) -> Self {
        Self {
            session,
            shared,
            written: 0,
            most: MAX_ROWS_WRITTEN,
            trouble: None,
            key_taken: false,
            touched: Touched::default(),
        }
    }

    /// The same without a bound on the rows written, for a document that has changed.
    pub(crate) fn unbounded(self) -> Self {
        Self { most: u64::MAX, ..self }
    }

    fn prepared(&self, number: usize) -> Result<&'t Prepared, StoreError> {
        let shared = self.shared;
        let found = shared.compiled.statements.get(number);
        found.ok_or_else(|| StoreError::Internal(format!("there is no statement {number}")))
    }

    /// The number by which a session holds a statement.
    fn held(&self, number: usize) -> usize {
        if self.shared.is_earlier { usize::MAX } else { number }
    }

    /// The engine's words for a failure; what concerns the whole transaction is remembered.
    fn fault(&mut self, failed: &Failed, entity: EntityId, statement: Option<&Statement>) -> StoreError {
        match self.shared.constraints.fault(failed, entity, statement) {
            Fault::Store(error) => error,
            fault => {
                self.trouble = Some(fault);
                StoreError::Unavailable("the transaction is given up".into())
            }
        }
    }

    fn rows_of(
        &mut self,
        number: usize,
        prepared: &Prepared,
        parameters: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let bound = bind_all(prepared, parameters)?;
        let held = self.held(number);
        let rows = self
            .session
            .hold(held, prepared)
            .and_then(|()| self.session.rows(held, &prepared.sql, &as_parameters(&bound)));
        let statement = self.shared.program.statements.get(number);
        rows.map_err(|failed| self.fault(&failed, prepared.entity, statement))
    }

    /// Runs a writing statement; an update whose new values are known only now is tested against their rules.
    fn execute(
        &mut self,
        number: usize,
        prepared: &Prepared,
        parameters: &[Value],
    ) -> Result<u64, StoreError> {
        if let Gives::Rows(types) = &prepared.gives {
            let rows = self.rows_of(number, prepared, parameters)?;
            for row in &rows {
                let (values, _) = row_values(row, types, false)?;
                if let Some(fault) = broken_rule(&self.shared.program.schema, prepared.entity, &values) {
                    return Err(fault);
                }
            }
            return Ok(rows.len() as u64);
        }
        let bound = bind_all(prepared, parameters)?;
        let held = self.held(number);
        let touched = self
            .session
            .hold(held, prepared)
            .and_then(|()| self.session.touched(held, &prepared.sql, &as_parameters(&bound)));
        let statement = self.shared.program.statements.get(number);
        match touched {
            Ok(0) if prepared.sql.ends_with(UNLESS_TAKEN) => {
                // Once more without the tail, so that the database says which key it is.
                let plain = prepared.sql.trim_end_matches(UNLESS_TAKEN);
                let types: Vec<_> =
                    prepared.binds.iter().map(|(_, encode)| super::values::parameter_type(encode)).collect();
                let touched = self
                    .session
                    .keep(plain, &types)
                    .and_then(|()| self.session.touched(usize::MAX, plain, &as_parameters(&bound)));
                touched.map_err(|failed| self.fault(&failed, prepared.entity, statement))
            }
            Ok(touched) => Ok(touched),
            Err(failed) => {
                let error = self.fault(&failed, prepared.entity, statement);
                self.key_taken |= matches!(error, StoreError::Unique { .. });
                Err(error)
            }
        }
    }

    /// Counts what a statement wrote, the rows that its cascades took included.
    fn counted(
        &mut self,
        entity: EntityId,
        deletes: bool,
        write: impl FnOnce(&mut Self) -> Result<u64, StoreError>,
    ) -> Result<u64, StoreError> {
        let shared = self.shared;
        let counting = shared.cascades.counting(entity).filter(|_| deletes);
        let before = counting.map(|sql| self.taken(sql)).transpose()?;
        let touched = write(self)?;
        self.touched.wrote(&shared.commits, entity, deletes);
        let after = counting.map(|sql| self.taken(sql)).transpose()?;
        let taken = after.zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
        self.written += touched + taken;
        if self.written > self.most { Err(StoreError::TooMuchWork) } else { Ok(touched) }
    }

    fn taken(&mut self, sql: &str) -> Result<u64, StoreError> {
        let rows = self.session.keep(sql, &[]).and_then(|()| self.session.rows(usize::MAX, sql, &[]));
        let rows = rows.map_err(|failed| self.fault(&failed, 0, None))?;
        let count = rows.first().map(|row| column(row, 0)).transpose()?.and_then(|raw| raw.integer());
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }
}

/// A statement's parameters as PostgreSQL takes them.
pub(crate) fn bind_all<'v>(
    prepared: &Prepared,
    parameters: &'v [Value],
) -> Result<Vec<Bound<'v>>, StoreError> {
    let bound = prepared.binds.iter().map(|(parameter, encode)| {
        let value = parameters.get(usize::from(*parameter));
        bind(value.ok_or_else(|| StoreError::Internal(format!("parameter {parameter} is missing")))?, encode)
    });
    bound.collect()
}

pub(crate) fn as_parameters<'p>(bound: &'p [Bound<'p>]) -> Vec<&'p (dyn ToSql + Sync)> {
    bound.iter().map(|one| one as &(dyn ToSql + Sync)).collect()
}

fn column(row: &Row, at: usize) -> Result<Raw<'_>, StoreError> {
    row.try_get(at).map_err(|error| StoreError::Internal(error.to_string()))
}

fn row_values(row: &Row, types: &[Type], versioned: bool) -> Result<(Vec<Value>, i64), StoreError> {
    let values = types.iter().enumerate().map(|(at, ty)| column(row, at)?.value(ty));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let version = if versioned { column(row, types.len())?.integer().unwrap_or(0) } else { 0 };
    Ok((values, version))
}

/// The one value of a statement.
pub(crate) fn one_value(rows: &[Row], gives: &Gives) -> Result<Value, StoreError> {
    let Some(row) = rows.first() else { return Ok(Value::Null) };
    match gives {
        Gives::Value(ty) => column(row, 0)?.value(ty),
        Gives::Units(scale) => column(row, 0)?.units(*scale),
        Gives::Rows(_) | Gives::Touched => Err(StoreError::Internal("the statement gives no value".into())),
    }
}

impl Transaction for PostgresTransaction<'_> {
    fn rows(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        each: &mut dyn FnMut(Vec<Value>, i64),
    ) -> Result<(), StoreError> {
        let number = statement as usize;
        let prepared = self.prepared(number)?;
        let Gives::Rows(types) = &prepared.gives else {
            return Err(StoreError::Internal("the statement gives no rows".into()));
        };
        for row in self.rows_of(number, prepared, parameters)? {
            let (values, version) = row_values(&row, types, true)?;
            each(values, version);
        }
        Ok(())
    }

    fn value(&mut self, statement: StatementId, parameters: &[Value]) -> Result<Value, StoreError> {
        let number = statement as usize;
        let prepared = self.prepared(number)?;
        let rows = self.rows_of(number, prepared, parameters)?;
        one_value(&rows, &prepared.gives)
    }

    fn write(&mut self, statement: StatementId, parameters: &[Value]) -> Result<u64, StoreError> {
        let number = statement as usize;
        let prepared = self.prepared(number)?;
        let deletes = matches!(
            self.shared.program.statements.get(number),
            Some(Statement::DeleteByKey { .. } | Statement::DeleteWhere { .. })
        );
        self.counted(prepared.entity, deletes, |on| on.execute(number, prepared, parameters))
    }

    fn write_batch(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        after: Option<&[Value]>,
    ) -> Result<(u64, Option<Vec<Value>>), StoreError> {
        let shared = self.shared;
        let Some(batch) = shared.compiled.batches.get(&statement) else {
            return Err(StoreError::Internal(format!("statement {statement} has no batches")));
        };
        let mut parameters = parameters.get(..usize::from(batch.parameters)).unwrap_or(parameters).to_vec();
        parameters.extend_from_slice(after.unwrap_or_default());
        let behind = usize::from(after.is_some());
        let reading = &batch.last[behind];
        let rows = self.rows_of(usize::MAX, reading, &parameters)?;
        let last = match (&reading.gives, rows.first()) {
            (Gives::Rows(types), Some(row)) => Some(row_values(row, types, false)?.0),
            _ => None,
        };
        parameters.extend_from_slice(last.as_deref().unwrap_or_default());
        let update = &batch.update[behind][usize::from(last.is_some())];
        let touched = self.counted(update.entity, false, |on| on.execute(usize::MAX, update, &parameters))?;
        Ok((touched, last))
    }

    fn reread(&mut self, entity: EntityId, key: &[Value]) -> Result<Option<(Vec<Value>, i64)>, StoreError> {
        let number = self.shared.compiled.reread + usize::from(entity);
        let prepared = self.prepared(number)?;
        let rows = self.rows_of(number, prepared, key)?;
        match (&prepared.gives, rows.first()) {
            (Gives::Rows(types), Some(row)) => row_values(row, types, true).map(Some),
            _ => Ok(None),
        }
    }

    fn standing(&mut self, account: &Account) -> Result<Standing, StoreError> {
        self.beside(|system| budgets::standing(system, account))
    }

    fn keep_standing(&mut self, account: &Account, standing: &Standing) -> Result<(), StoreError> {
        self.beside(|system| budgets::keep_standing(system, account, standing))
    }

    fn note_reserved(
        &mut self,
        operation: &OperationId,
        account: &Account,
        amount: Decimal,
    ) -> Result<(), StoreError> {
        self.beside(|system| budgets::note_reserved(system, operation, account, amount))
    }

    fn forget_reserved(&mut self, operation: &OperationId) -> Result<(), StoreError> {
        self.beside(|system| budgets::forget_reserved(system, operation))
    }

    fn deliver(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        self.beside(|system| keep_delivery(system, delivery))
    }

    fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.beside(|system| crate::audit::append(system, entry))
    }

    fn emit(&mut self, event: &OutboxEvent) -> Result<(), StoreError> {
        let values = emitted(&self.shared.program.schema, event);
        self.touched.emitted(&self.shared.commits, &event.name);
        self.beside(|system| system.execute(EMIT, &values).map(|_| ()))
    }

    fn keep_operation(&mut self, operation: &KeptOperation) -> Result<(), StoreError> {
        let node = &self.shared.node;
        let state = self.shared.vault.seal(&operation.id, &operation.state)?;
        self.beside(|system| keep_operation(system, (operation, &state), node))
    }

    fn forget_operation(&mut self, operation: &OperationId, step: u64) -> Result<(), StoreError> {
        self.beside(|system| forget_operation(system, operation, step))
    }
}

impl PostgresTransaction<'_> {
    /// Writes to the store's own tables in this transaction.
    fn beside<T>(
        &mut self,
        write: impl FnOnce(&mut OnPostgres<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut system = OnPostgres::new(self.session);
        let done = write(&mut system);
        if let Some(trouble) = system.trouble.take() {
            self.trouble = Some(trouble);
        }
        done
    }
}
