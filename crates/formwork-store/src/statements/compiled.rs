//! Every statement of a program as SQL, compiled when a store opens.

use super::dialect::Dialect;
use super::reading;
use super::sql::Prepared;
use super::writing::{self, Batch};
use formwork_language::program::{Program, Schema, Statement, StatementId};
use rustc_hash::FxHashMap;

/// Every statement of a program, those that the store needs itself behind them.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) statements: Vec<Prepared>,
    /// For updates that work in batches: their statements.
    pub(crate) batches: FxHashMap<StatementId, Batch>,
    /// The first of the statements that read a row again, one per entity.
    pub(crate) reread: usize,
    /// The statement that appends to the outbox has this place in a connection's statements.
    pub(crate) emit: usize,
}

impl Compiled {
    /// Compiles a program; the text of what does not compile is a fault of ours.
    pub(crate) fn new(dialect: &'static dyn Dialect, program: &Program) -> Result<Self, String> {
        let schema = &program.schema;
        let mut statements = program
            .statements
            .iter()
            .map(|one| statement(dialect, schema, one))
            .collect::<Result<Vec<_>, _>>()?;
        let mut batches = FxHashMap::default();
        for (id, (one, prepared)) in (0..).zip(program.statements.iter().zip(&statements)) {
            if let Some(batch) = writing::batch(dialect, schema, one, prepared)? {
                batches.insert(id, batch);
            }
        }
        let reread = statements.len();
        for entity in (0..).take(schema.entities.len()) {
            statements.push(reading::by_key(dialect, schema, entity)?);
        }
        let emit = statements.len();
        Ok(Self { statements, batches, reread, emit })
    }

    /// Everything that will be prepared.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Prepared> {
        let ids = (0..).take(self.reread);
        let batches = ids.filter_map(|id: StatementId| self.batches.get(&id));
        let of_batches = batches.flat_map(|batch| batch.last.iter().chain(batch.update.iter().flatten()));
        self.statements.iter().chain(of_batches)
    }
}

/// Compiles one statement.
pub(crate) fn statement(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    statement: &Statement,
) -> Result<Prepared, String> {
    match statement {
        Statement::Select(select) => reading::select(dialect, schema, select),
        Statement::Query(query) => Ok(reading::query(dialect, query)),
        Statement::Count { entity, filter } => reading::count(dialect, schema, *entity, filter.as_ref()),
        Statement::Exists { entity, filter } => reading::exists(dialect, schema, *entity, filter.as_ref()),
        Statement::Aggregate { function, entity, field, filter } => {
            reading::aggregate(dialect, schema, *function, (*entity, *field), filter.as_ref())
        }
        Statement::Insert { entity } => writing::insert(dialect, schema, *entity),
        Statement::UpdateByKey { entity, fields } => writing::update_by_key(dialect, schema, *entity, fields),
        Statement::UpdateWhere { entity, assignments, filter, limit } => {
            let chosen = writing::Chosen::UpTo(*limit);
            writing::update_where(dialect, schema, *entity, assignments, filter.as_ref(), chosen)
        }
        Statement::DeleteByKey { entity } => writing::delete_by_key(dialect, schema, *entity),
        Statement::DeleteWhere { entity, filter, limit, through } => {
            writing::delete_where(dialect, schema, *entity, filter.as_ref(), *limit, through)
        }
    }
}
