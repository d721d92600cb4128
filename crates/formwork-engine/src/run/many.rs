//! Statements over many rows, and cascades, done row by row where the rules of a table must see each row.

use super::operands::Operands;
use super::{MAX_ROWS_WRITTEN, Run};
use crate::outcome::Refusal;
use crate::rows::key;
use formwork_language::program::{EntityId, FieldId, Operand, Statement, StatementId};
use formwork_language::rules::RowByRow;
use formwork_language::value::{RowIndex, Value};
use formwork_model::facts::OnDelete;
use rustc_hash::FxHashSet;

impl Run<'_> {
    /// Runs an UpdateWhere or DeleteWhere row by row. When a job's batch was full it gives behind which row the next
    /// one begins.
    pub(super) fn one_by_one(
        &mut self,
        statement: StatementId,
        way: RowByRow,
        parameters: &[Value],
        batch: Option<u32>,
    ) -> Result<Option<Option<Vec<Value>>>, Refusal> {
        match self.program.statements.get(statement as usize) {
            Some(Statement::UpdateWhere { entity, assignments, .. }) => {
                let after = self.after.take();
                let rows = self.chosen(way, parameters, after)?;
                for row in &rows {
                    self.assign_to(*row, *entity, way.change, assignments, parameters)?;
                }
                let full = batch.is_some_and(|batch| rows.len() >= batch as usize);
                let last = rows.last().and_then(|row| self.rows.all().get(*row as usize));
                Ok(last.filter(|_| full).map(|row| Some(key(&self.program.schema, row))))
            }
            Some(Statement::DeleteWhere { through, entity, .. }) => {
                let children = through.last().map_or(*entity, |(child, _)| *child);
                let ruled = |entity: EntityId| {
                    let found = self.program.schema.entities.get(usize::from(entity));
                    found.is_some_and(|schema| schema.rules.row_by_row)
                };
                if !through.is_empty() {
                    // Children with rules go with their parents below; the others are the store's.
                    return match ruled(children) {
                        true => Ok(None),
                        false => self.many_at_once(statement, parameters, batch),
                    };
                }
                let rows = self.chosen(way, parameters, None)?;
                for row in &rows {
                    self.in_time()?;
                    self.delete_with_dependents(*row, way.change)?;
                }
                let touched = self.referring(*entity);
                self.refresh(&touched)?;
                Ok(batch.filter(|batch| rows.len() >= *batch as usize).map(|_| None))
            }
            _ => Err(Refusal::Internal(format!("statement {statement} writes no rows"))),
        }
    }

    /// The rows that a statement is about.
    fn chosen(
        &mut self,
        way: RowByRow,
        parameters: &[Value],
        after: Option<Vec<Value>>,
    ) -> Result<Vec<RowIndex>, Refusal> {
        let rows = match after {
            Some(after) => {
                let parameters = [parameters, &after].concat();
                self.rows_of(way.behind, &parameters, usize::MAX)?
            }
            None => self.rows_of(way.select, parameters, usize::MAX)?,
        };
        if rows.len() as u64 > MAX_ROWS_WRITTEN { Err(Refusal::TooMuchWork) } else { Ok(rows) }
    }

    fn assign_to(
        &mut self,
        row: RowIndex,
        entity: EntityId,
        change: StatementId,
        assignments: &[(FieldId, Operand)],
        parameters: &[Value],
    ) -> Result<(), Refusal> {
        self.in_time()?;
        let Some(known) = self.rows.all().get(row as usize).filter(|row| !row.deleted) else { return Ok(()) };
        let operands = Operands { row: &known.values, parameters };
        let mut values = known.values.clone();
        let mut assigned = Vec::with_capacity(assignments.len());
        for (field, operand) in assignments {
            let value = operands.value(operand)?;
            if let Some(place) = values.get_mut(usize::from(*field)) {
                *place = value;
            }
            assigned.push(*field);
        }
        self.change(row, entity, change, values, &assigned, true)
    }

    /// Takes or changes the rows that go or change with one that is deleted, and have rules: children first.
    pub(super) fn dependents(&mut self, entity: EntityId, values: &[Value]) -> Result<(), Refusal> {
        let program = self.program;
        let mut going: Vec<(RowIndex, StatementId)> = Vec::new();
        let mut changing: Vec<(RowIndex, EntityId, FieldId, StatementId)> = Vec::new();
        let mut known: FxHashSet<RowIndex> = FxHashSet::default();
        let mut open = vec![(entity, values.to_vec())];
        while let Some((parent, values)) = open.pop() {
            let Some(schema) = program.schema.entities.get(usize::from(parent)) else { continue };
            for dependent in &schema.rules.dependents {
                let target = values.get(usize::from(dependent.target)).cloned().unwrap_or(Value::Null);
                if target.is_absent() {
                    continue;
                }
                self.in_time()?;
                for row in self.rows_of(dependent.select, &[target], usize::MAX)? {
                    if dependent.on_delete == OnDelete::SetNull {
                        changing.push((row, dependent.entity, dependent.field, dependent.change));
                    } else if known.insert(row) {
                        going.push((row, dependent.change));
                        let values = self.rows.all().get(row as usize).map(|row| row.values.clone());
                        open.push((dependent.entity, values.unwrap_or_default()));
                    }
                }
                if (going.len() + changing.len()) as u64 > MAX_ROWS_WRITTEN {
                    return Err(Refusal::TooMuchWork);
                }
            }
        }
        for (row, entity, field, change) in changing {
            let kept =
                self.rows.all().get(row as usize).filter(|row| !row.deleted).map(|row| row.values.clone());
            if let Some(mut values) = kept.filter(|_| !known.contains(&row)) {
                if let Some(place) = values.get_mut(usize::from(field)) {
                    *place = Value::Null;
                }
                self.change(row, entity, change, values, &[field], false)?;
            }
        }
        for (row, change) in going.into_iter().rev() {
            self.delete_one(row, change)?;
        }
        Ok(())
    }
}
