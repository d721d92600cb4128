//! Reading instructions: one value, one row, a list, a page.

use super::{MAX_ROWS_HELD, MAX_ROWS_READ, Run, refusal};
use crate::outcome::Refusal;
use formwork_language::expression::Expression;
use formwork_language::program::{Instruction, Limit, Select, Slot, Statement, StatementId};
use formwork_language::value::{RowIndex, Value};

/// What lowering writes as the limit of a list without one: one row more than it may have.
const WITHOUT_LIMIT: u32 = MAX_ROWS_READ as u32 + 1;

impl Run<'_> {
    pub(super) fn read(&mut self, instruction: &Instruction) -> Result<(), Refusal> {
        self.in_time()?;
        match instruction {
            Instruction::ReadValue { statement, parameters, slot } => {
                let parameters = self.all(parameters)?;
                let value = self.transaction.value(*statement, &parameters).map_err(refusal)?;
                self.bind(*slot, value);
            }
            Instruction::ReadRow { statement, parameters, slot } => {
                let parameters = self.all(parameters)?;
                let first = self.rows_of(*statement, &parameters, 1)?.first().copied();
                self.bind(*slot, first.map_or(Value::Absent, Value::Row));
            }
            Instruction::ReadRows { statement, parameters, slot } => {
                let parameters = self.all(parameters)?;
                let bounded = match self.select(*statement)?.limit {
                    Limit::Rows(WITHOUT_LIMIT | u32::MAX) => true,
                    Limit::Rows(_) | Limit::Parameter(_) => false,
                };
                let most = if bounded { MAX_ROWS_READ + 1 } else { usize::MAX };
                let rows = self.rows_of(*statement, &parameters, most)?;
                if bounded && rows.len() > MAX_ROWS_READ {
                    return Err(Refusal::TooManyRows);
                }
                self.bind(*slot, list(&rows));
            }
            Instruction::ReadQuery { statement, parameters, slot } => {
                let parameters = self.all(parameters)?;
                let rows = self.query(*statement, &parameters)?;
                self.bind(*slot, rows);
            }
            Instruction::ReadPage { first, after, parameters, cursor, limit, per_page, slot } => {
                let cursor = match self.slot(*cursor) {
                    Value::List(values) => Some(values.clone()),
                    _ => None,
                };
                let wanted = match self.slot(*limit) {
                    Value::Integer(limit) => (*limit).clamp(0, MAX_ROWS_READ as i64),
                    _ => i64::from(*per_page),
                };
                self.page(*first, *after, parameters, cursor.as_deref(), wanted, *slot)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn page(
        &mut self,
        first: StatementId,
        after: StatementId,
        parameters: &[Expression],
        cursor: Option<&[Value]>,
        wanted: i64,
        slot: Slot,
    ) -> Result<(), Refusal> {
        let mut parameters = self.all(parameters)?;
        // One more than wanted tells whether there is a next page.
        parameters.push(Value::Integer(wanted + 1));
        parameters.extend_from_slice(cursor.unwrap_or_default());
        let statement = if cursor.is_some() { after } else { first };
        let mut rows = self.rows_of(statement, &parameters, usize::MAX)?;
        let wanted = usize::try_from(wanted).unwrap_or(0);
        let mut next = None;
        if rows.len() > wanted {
            rows.truncate(wanted);
            next = rows.last().map(|last| self.order_values(first, *last)).transpose()?;
        }
        self.bind(slot, list(&rows));
        self.pages.retain(|(other, _)| *other != slot);
        self.pages.push((slot, next));
        Ok(())
    }

    pub(super) fn order_values(&self, statement: StatementId, row: RowIndex) -> Result<Vec<Value>, Refusal> {
        let order = &self.select(statement)?.order;
        let values = self.rows.all().get(row as usize).map(|row| row.values.as_slice()).unwrap_or_default();
        Ok(order
            .iter()
            .map(|(field, _)| values.get(usize::from(*field)).cloned().unwrap_or(Value::Null))
            .collect())
    }

    /// Runs a Select and takes in its rows, the first `most` of them.
    pub(super) fn rows_of(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        most: usize,
    ) -> Result<Vec<RowIndex>, Refusal> {
        let entity = self.select(statement)?.entity;
        let (schema, rows) = (&self.program.schema, &mut self.rows);
        let mut found = Vec::new();
        self.transaction
            .rows(statement, parameters, &mut |values, version| {
                if found.len() < most {
                    found.push(rows.put(schema, entity, values, version));
                }
            })
            .map_err(refusal)?;
        if self.rows.all().len() > MAX_ROWS_HELD { Err(Refusal::TooManyRows) } else { Ok(found) }
    }

    /// Runs a Query; each of its rows becomes an object.
    fn query(&mut self, statement: StatementId, parameters: &[Value]) -> Result<Value, Refusal> {
        let Some(Statement::Query(query)) = self.program.statements.get(statement as usize) else {
            return Err(Refusal::Internal(format!("statement {statement} is no query")));
        };
        let mut found = Vec::new();
        let mut missing = None;
        self.transaction
            .rows(statement, parameters, &mut |values, _| {
                if found.len() > MAX_ROWS_READ {
                    return;
                }
                let members = query.columns.iter().zip(values).map(|(column, value)| {
                    if !column.optional && value.is_absent() {
                        missing.get_or_insert(&column.name);
                    }
                    (Value::Text(column.name.clone()), value)
                });
                found.push(Value::Map(members.collect()));
            })
            .map_err(refusal)?;
        match missing {
            _ if found.len() > MAX_ROWS_READ => Err(Refusal::TooManyRows),
            Some(name) => Err(Refusal::Internal(format!("a query gives no `{name}`, which is not optional"))),
            None => Ok(Value::List(found.into())),
        }
    }

    pub(super) fn select(&self, statement: StatementId) -> Result<&Select, Refusal> {
        match self.program.statements.get(statement as usize) {
            Some(Statement::Select(select)) => Ok(select),
            _ => Err(Refusal::Internal(format!("statement {statement} reads no rows"))),
        }
    }
}

fn list(rows: &[RowIndex]) -> Value {
    Value::List(rows.iter().map(|row| Value::Row(*row)).collect())
}
