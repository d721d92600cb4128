//! The engine's [`Transaction`] on a connection.

use super::connection::Statements;
use super::errors::Keys;
use super::system::OnSqlite;
use super::values::{bind, read};
use crate::commits::{Commits, Touched};
use crate::releases::Releases;
use crate::rules::broken_rule;
use crate::statements::{Compiled, Encode, Gives, Prepared, quoted};
use crate::system::{self as budgets, EMIT, emitted, forget_operation, keep_delivery, keep_operation};
use crate::vault::Vault;
use formwork_engine::{
    Account, AuditEntry, Delivery, KeptOperation, MAX_ROWS_WRITTEN, OperationId, OutboxEvent, Standing,
    StoreError, Transaction,
};
use formwork_language::program::{EntityId, FieldId, Program, Statement as ProgramStatement, StatementId};
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;
use rusqlite::{Connection, Statement, params_from_iter};
use std::sync::Arc;

/// What does not change from call to call.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What this process is called among those with the same rows.
    pub(crate) node: String,
    pub(crate) program: Arc<Program>,
    pub(crate) compiled: Compiled,
    /// Seals what is kept between two parts.
    pub(crate) vault: Arc<Vault>,
    pub(crate) keys: Keys,
    pub(crate) commits: Arc<Commits>,
    /// What calls of earlier releases run with.
    pub(crate) releases: Releases<Shared>,
}

/// A transaction that is open on a connection.
pub(crate) struct SqliteTransaction<'t, 'c> {
    connection: &'c Connection,
    statements: &'t mut Statements<'c>,
    shared: &'t Shared,
    /// Rows written so far, those of cascades counted.
    written: u64,
    /// The most rows that it may write.
    most: u64,
    /// What it has touched, for caches.
    pub(crate) touched: Touched,
}

impl<'t, 'c> SqliteTransaction<'t, 'c> {
    pub(crate) fn new(
        connection: &'c Connection,
        statements: &'t mut Statements<'c>,
        shared: &'t Shared,
    ) -> Self {
        Self {
            connection,
            statements,
            shared,
            written: 0,
            most: MAX_ROWS_WRITTEN,
            touched: Touched::default(),
        }
    }

    /// The same without a bound on the rows written, for a document that has changed.
    pub(crate) fn unbounded(self) -> Self {
        Self { most: u64::MAX, ..self }
    }

    /// Runs something on a statement of the program or of the store, its parameters bound.
    fn on<T>(
        &mut self,
        number: usize,
        parameters: &[Value],
        run: impl FnOnce(&mut Statement<'_>, &Prepared) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let shared = self.shared;
        let prepared = shared
            .compiled
            .statements
            .get(number)
            .ok_or_else(|| StoreError::Internal(format!("there is no statement {number}")))?;
        self.on_prepared(number, prepared, parameters, run)
    }

    fn on_prepared<T>(
        &mut self,
        number: usize,
        prepared: &Prepared,
        parameters: &[Value],
        run: impl FnOnce(&mut Statement<'_>, &Prepared) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let shared = self.shared;
        let done = self.statements.with(self.connection, number, &prepared.sql, |statement| {
            bind_all(statement, prepared, parameters)?;
            run(statement, prepared)
        });
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Fault::Store(error))) => Err(error),
            Ok(Err(Fault::Sqlite(error))) | Err(error) => Err(shared.keys.fault(error, prepared.entity)),
        }
    }

    fn touch(&mut self, statement: StatementId, parameters: &[Value]) -> Result<u64, StoreError> {
        let shared = self.shared;
        let touched = self
            .on(statement as usize, parameters, |statement, prepared| execute(shared, statement, prepared));
        match touched {
            Err(StoreError::Referenced { entity }) => {
                Err(self.which_reference(statement, parameters, entity)?)
            }
            touched => touched,
        }
    }

    /// Notes whose rows a statement wrote.
    fn note(&mut self, statement: StatementId) {
        let shared = self.shared;
        let Some(prepared) = shared.compiled.statements.get(statement as usize) else { return };
        let written = shared.program.statements.get(statement as usize);
        let deletes = matches!(
            written,
            Some(ProgramStatement::DeleteByKey { .. } | ProgramStatement::DeleteWhere { .. })
        );
        self.touched.wrote(&shared.commits, prepared.entity, deletes);
    }

    /// SQLite does not say which reference is broken. A missing one is found by looking each up.
    fn which_reference(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        entity: EntityId,
    ) -> Result<StoreError, StoreError> {
        let schema = &self.shared.program.schema;
        let written: Vec<(FieldId, &Value)> = match self.shared.program.statements.get(statement as usize) {
            Some(ProgramStatement::Insert { .. }) => (0..).zip(parameters).collect(),
            Some(ProgramStatement::UpdateByKey { fields, .. }) => {
                fields.iter().copied().zip(parameters).collect()
            }
            _ => Vec::new(),
        };
        let fields = schema.entities.get(usize::from(entity)).map(|entity| entity.fields.as_slice());
        for (at, value) in written {
            let Some(field) = fields.and_then(|fields| fields.get(usize::from(at))) else { continue };
            let Some(reference) = field.references else { continue };
            let Some(other) = schema.entities.get(usize::from(reference.entity)) else { continue };
            let Some(key) = other.fields.get(usize::from(reference.field)) else { continue };
            if matches!(value, Value::Null | Value::Absent) {
                continue;
            }
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM {} WHERE {} = ?1)",
                quoted(&other.name),
                quoted(&key.name)
            );
            let bound = bind(value, &Encode::As(field.ty.clone()))?;
            let found = self.connection.query_row(&sql, [bound], |row| row.get::<_, bool>(0));
            if !found.map_err(|error| self.shared.keys.fault(error, entity))? {
                return Ok(StoreError::MissingReference { entity, fields: vec![at] });
            }
        }
        Ok(StoreError::Referenced { entity })
    }
}

/// A fault before it is put into the engine's words.
pub(crate) enum Fault {
    Store(StoreError),
    Sqlite(rusqlite::Error),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Binds a statement's parameters.
pub(crate) fn bind_all(
    statement: &mut Statement<'_>,
    prepared: &Prepared,
    parameters: &[Value],
) -> Result<(), Fault> {
    for (at, (parameter, encode)) in prepared.binds.iter().enumerate() {
        let value = parameters
            .get(usize::from(*parameter))
            .ok_or_else(|| StoreError::Internal(format!("parameter {parameter} is missing")))?;
        statement.raw_bind_parameter(at + 1, bind(value, encode)?)?;
    }
    Ok(())
}

/// Hands over each row; the version is the last column, when there is one.
fn each_row(
    statement: &mut Statement<'_>,
    types: &[Type],
    versioned: bool,
    each: &mut dyn FnMut(Vec<Value>, i64),
) -> Result<u64, Fault> {
    let mut rows = statement.raw_query();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(types.len());
        for (at, ty) in types.iter().enumerate() {
            values.push(read(row.get_ref(at)?, ty)?);
        }
        let version = if versioned { row.get(types.len())? } else { 0 };
        each(values, version);
        count += 1;
    }
    Ok(count)
}

/// Runs a writing statement; an update whose new values are known only now is tested against their rules.
fn execute(shared: &Shared, statement: &mut Statement<'_>, prepared: &Prepared) -> Result<u64, Fault> {
    let Gives::Rows(types) = &prepared.gives else {
        return Ok(statement.raw_execute()? as u64);
    };
    let mut fault = None;
    let touched = each_row(statement, types, false, &mut |values, _| {
        fault = fault.take().or_else(|| broken_rule(&shared.program.schema, prepared.entity, &values));
    })?;
    match fault {
        Some(fault) => Err(fault.into()),
        None => Ok(touched),
    }
}

/// The one value of a statement.
pub(crate) fn one_value(statement: &mut Statement<'_>, gives: &Gives) -> Result<Value, Fault> {
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(Value::Null) };
    let column = row.get_ref(0)?;
    Ok(match gives {
        Gives::Value(ty) => read(column, ty)?,
        Gives::Units(scale) => match column.as_str_or_null().map_err(rusqlite::Error::from)? {
            None => Value::Null,
            Some(units) => {
                let units = units.parse().map_err(|_| StoreError::Arithmetic)?;
                Value::Decimal(Decimal { units, scale: *scale })
            }
        },
        Gives::Rows(_) | Gives::Touched => {
            return Err(StoreError::Internal("the statement gives no value".into()).into());
        }
    })
}

impl Transaction for SqliteTransaction<'_, '_> {
    fn rows(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        each: &mut dyn FnMut(Vec<Value>, i64),
    ) -> Result<(), StoreError> {
        self.on(statement as usize, parameters, |statement, prepared| match &prepared.gives {
            Gives::Rows(types) => each_row(statement, types, true, each).map(|_| ()),
            _ => Err(StoreError::Internal("the statement gives no rows".into()).into()),
        })
    }

    fn value(&mut self, statement: StatementId, parameters: &[Value]) -> Result<Value, StoreError> {
        self.on(statement as usize, parameters, |statement, prepared| one_value(statement, &prepared.gives))
    }

    fn write(&mut self, statement: StatementId, parameters: &[Value]) -> Result<u64, StoreError> {
        let before = self.connection.total_changes();
        let touched = self.touch(statement, parameters)?;
        self.note(statement);
        self.written += self.connection.total_changes() - before;
        if self.written > self.most { Err(StoreError::TooMuchWork) } else { Ok(touched) }
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
        let mut last = None;
        self.on_prepared(
            usize::MAX,
            &batch.last[behind],
            &parameters,
            |statement, prepared| match &prepared.gives {
                Gives::Rows(types) => each_row(statement, types, false, &mut |key, _| last = Some(key)),
                _ => Ok(0),
            },
        )?;
        parameters.extend_from_slice(last.as_deref().unwrap_or_default());
        let update = &batch.update[behind][usize::from(last.is_some())];
        let before = self.connection.total_changes();
        let touched = self.on_prepared(usize::MAX, update, &parameters, |statement, prepared| {
            execute(shared, statement, prepared)
        })?;
        self.touched.wrote(&shared.commits, update.entity, false);
        self.written += self.connection.total_changes() - before;
        if self.written > self.most { Err(StoreError::TooMuchWork) } else { Ok((touched, last)) }
    }

    fn reread(&mut self, entity: EntityId, key: &[Value]) -> Result<Option<(Vec<Value>, i64)>, StoreError> {
        let mut found = None;
        let number = self.shared.compiled.reread + usize::from(entity);
        self.on(number, key, |statement, prepared| match &prepared.gives {
            Gives::Rows(types) => {
                each_row(statement, types, true, &mut |values, version| found = Some((values, version)))
            }
            _ => Ok(0),
        })?;
        Ok(found)
    }

    fn keep_operation(&mut self, operation: &KeptOperation) -> Result<(), StoreError> {
        let state = self.shared.vault.seal(&operation.id, &operation.state)?;
        keep_operation(&mut OnSqlite(self.connection), (operation, &state), &self.shared.node)
    }

    fn forget_operation(&mut self, operation: &OperationId, step: u64) -> Result<(), StoreError> {
        forget_operation(&mut OnSqlite(self.connection), operation, step)
    }

    fn standing(&mut self, account: &Account) -> Result<Standing, StoreError> {
        budgets::standing(&mut OnSqlite(self.connection), account)
    }

    fn keep_standing(&mut self, account: &Account, standing: &Standing) -> Result<(), StoreError> {
        budgets::keep_standing(&mut OnSqlite(self.connection), account, standing)
    }

    fn note_reserved(
        &mut self,
        operation: &OperationId,
        account: &Account,
        amount: Decimal,
    ) -> Result<(), StoreError> {
        budgets::note_reserved(&mut OnSqlite(self.connection), operation, account, amount)
    }

    fn forget_reserved(&mut self, operation: &OperationId) -> Result<(), StoreError> {
        budgets::forget_reserved(&mut OnSqlite(self.connection), operation)
    }

    fn deliver(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        keep_delivery(&mut OnSqlite(self.connection), delivery)
    }

    fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        crate::audit::append(&mut OnSqlite(self.connection), entry)
    }

    fn emit(&mut self, event: &OutboxEvent) -> Result<(), StoreError> {
        let values = emitted(&self.shared.program.schema, event);
        self.touched.emitted(&self.shared.commits, &event.name);
        let done = self.statements.with(self.connection, self.shared.compiled.emit, EMIT, |statement| {
            statement.execute(params_from_iter(&values))
        });
        match done {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) | Err(error) => Err(self.shared.keys.fault(error, 0)),
        }
    }
}
