//! Writing instructions: rows made, changed and deleted, and events.

use super::{MAX_ROWS_WRITTEN, Run, refusal};
use crate::assign::{accept, identity, instant};
use crate::json;
use crate::outcome::{ConflictKind, FieldFault, Refusal, RuleFault, RuleKind};
use crate::ports::{OutboxEvent, StoreError};
use crate::rows::key;
use formwork_language::eval::Host;
use formwork_language::expression::Expression;
use formwork_language::program::{
    Change, EntityId, EntitySchema, Failure, FieldId, Instruction, Slot, Statement, StatementId,
};
use formwork_language::value::{RowIndex, Value, json as plain_json, same};
use formwork_model::facts::OnDelete;
use std::sync::Arc;

impl<'a> Run<'a> {
    pub(super) fn write(&mut self, instruction: &Instruction) -> Result<(), Refusal> {
        self.in_time()?;
        match instruction {
            Instruction::Insert { entity, statement, assignments, slot, on_conflict } => {
                let row = self.insert(*entity, *statement, assignments, on_conflict.as_ref())?;
                if let Some(slot) = slot {
                    self.bind(*slot, Value::Row(row));
                }
                Ok(())
            }
            Instruction::Update { slot, entity, statement, assignments, on_conflict } => {
                match self.row_in(*slot).inspect(|row| self.touches(*row)) {
                    Some(row) => self.update(row, *entity, *statement, assignments, on_conflict.as_ref()),
                    None => Ok(()),
                }
            }
            Instruction::Delete { slot, statement } => {
                match self.row_in(*slot).inspect(|row| self.touches(*row)) {
                    Some(row) => self.delete(row, *statement),
                    None => Ok(()),
                }
            }
            Instruction::Emit { event, data, about } => self.emit(*event, data, *about),
            _ => Ok(()),
        }
    }

    pub(super) fn insert(
        &mut self,
        entity: EntityId,
        statement: StatementId,
        assignments: &[(FieldId, Expression)],
        on_conflict: Option<&Failure>,
    ) -> Result<RowIndex, Refusal> {
        let schema = self.entity(entity)?;
        let mut given = vec![Value::Absent; schema.fields.len()];
        for (field, expression) in assignments {
            let value = self.evaluate(expression)?;
            let value = self.stored(value);
            if let Some(place) = given.get_mut(usize::from(*field)) {
                *place = value;
            }
        }
        self.insert_row(entity, statement, given, on_conflict)
    }

    /// Inserts a row of the values given, in the order of the fields; what is absent takes its default.
    pub(super) fn insert_row(
        &mut self,
        entity: EntityId,
        statement: StatementId,
        mut given: Vec<Value>,
        on_conflict: Option<&Failure>,
    ) -> Result<RowIndex, Refusal> {
        let schema = self.entity(entity)?;
        given.resize(schema.fields.len(), Value::Absent);
        let kept = self.accepted(entity, schema, &mut given);
        self.or_as_named(kept, on_conflict)?;
        let written = self.transaction.write(statement, &given);
        self.written(written, entity, on_conflict)?;
        self.touch(entity, None, Some(&given));
        self.tell_change(Change::Created, entity, &given, None)?;
        let row = self.rows.put(&self.program.schema, entity, given, 1);
        if self.precondition.is_some() {
            self.made.push(row);
        }
        Ok(row)
    }

    /// Fills in what follows by itself, and tests every rule of a new row.
    fn accepted(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        given: &mut Vec<Value>,
    ) -> Result<(), Refusal> {
        let mut faults = Vec::new();
        for (at, field) in (0..).zip(&schema.fields) {
            if field.computed {
                continue;
            }
            let value = match std::mem::take(&mut given[usize::from(at)]) {
                Value::Absent => match &field.default {
                    _ if field.generated => identity(self.host.uuid(), &field.ty),
                    _ if field.on_create || field.on_update => instant(self.host.now(), &field.ty),
                    Some(default) => self.evaluate(default)?,
                    None => Value::Null,
                },
                value => value,
            };
            given[usize::from(at)] = accept(value, field, (entity, at), &mut faults)?;
        }
        refuse_faults(faults)?;
        let mut faults = Vec::new();
        self.follow(entity, schema, given, &mut faults)?;
        refuse_faults(faults)?;
        self.keep(entity, schema, None, given)
    }

    fn update(
        &mut self,
        row: RowIndex,
        entity: EntityId,
        statement: StatementId,
        assignments: &[(FieldId, Expression)],
        on_conflict: Option<&Failure>,
    ) -> Result<(), Refusal> {
        let Some(known) = self.rows.all().get(row as usize).filter(|row| !row.deleted) else {
            return Err(Refusal::Internal("a row is updated after it was deleted".into()));
        };
        if (row as usize) < self.rows.copies() {
            return Err(Refusal::Internal("a copy of an earlier part is updated".into()));
        }
        let mut values = known.values.clone();
        let mut assigned = Vec::with_capacity(assignments.len());
        for (field, expression) in assignments {
            let value = self.evaluate(expression)?;
            let value = self.stored(value);
            if let Some(place) = values.get_mut(usize::from(*field))
                && !matches!(value, Value::Absent)
            {
                *place = value;
                assigned.push(*field);
            }
        }
        let changed = self.change(row, entity, statement, values, &assigned, true);
        self.or_as_named(changed, on_conflict)
    }

    /// Changes a row to these values, of which those assigned are new; `by_step` is whether a step does it, which
    /// may not change what is immutable.
    pub(super) fn change(
        &mut self,
        row: RowIndex,
        entity: EntityId,
        statement: StatementId,
        mut values: Vec<Value>,
        assigned: &[FieldId],
        by_step: bool,
    ) -> Result<(), Refusal> {
        let schema = self.entity(entity)?;
        let Some(Statement::UpdateByKey { fields, .. }) = self.program.statements.get(statement as usize)
        else {
            return Err(Refusal::Internal(format!("statement {statement} updates no row by its key")));
        };
        let Some(known) = self.rows.all().get(row as usize) else {
            return Err(Refusal::Internal("a row is updated that is not there".into()));
        };
        let (before, old) = (key(&self.program.schema, known), known.values.clone());
        let mut faults = Vec::new();
        for at in fields {
            let (Some(field), Some(place)) =
                (schema.fields.get(usize::from(*at)), values.get_mut(usize::from(*at)))
            else {
                continue;
            };
            let value = match assigned.contains(at) {
                _ if field.computed => continue,
                true => std::mem::take(place),
                false if field.on_update => instant(self.host.now(), &field.ty),
                // It is as it was, and a secret is a digest already.
                false => continue,
            };
            let value = accept(value, field, (entity, *at), &mut faults)?;
            let kept = old.get(usize::from(*at));
            if by_step && field.immutable && !kept.is_some_and(|kept| same(kept, &value)) {
                faults.push(FieldFault {
                    entity,
                    field: *at,
                    code: "immutable",
                    detail: "cannot be changed".to_owned(),
                });
            }
            *place = value;
        }
        refuse_faults(faults)?;
        let mut faults = Vec::new();
        self.follow(entity, schema, &mut values, &mut faults)?;
        refuse_faults(faults)?;
        self.keep(entity, schema, Some(&old), &mut values)?;
        let mut parameters: Vec<Value> =
            fields.iter().filter_map(|field| values.get(usize::from(*field)).cloned()).collect();
        parameters.extend_from_slice(&before);
        let written = self.transaction.write(statement, &parameters);
        if self.written(written, entity, None)? == 0 {
            return Err(Refusal::Internal("a row is updated that is gone".into()));
        }
        self.touch(entity, Some(&old), Some(&values));
        self.tell_change(Change::Updated, entity, &values, Some(&old))?;
        if let Some(row) = self.rows.get_mut(row) {
            row.values = values;
            row.version += 1;
        }
        self.rows.rekey(&self.program.schema, row, &before);
        Ok(())
    }

    /// A broken rule as the writing step names it: `…, or fails with`.
    fn or_as_named<T>(
        &mut self,
        written: Result<T, Refusal>,
        on_conflict: Option<&Failure>,
    ) -> Result<T, Refusal> {
        match (written, on_conflict) {
            (
                Err(
                    Refusal::Invalid(_)
                    | Refusal::Rule(_)
                    | Refusal::Conflict { kind: ConflictKind::Unique, .. },
                ),
                Some(failure),
            ) => Err(self.failure(failure)?),
            (written, _) => written,
        }
    }

    pub(super) fn delete(&mut self, row: RowIndex, statement: StatementId) -> Result<(), Refusal> {
        let Some(entity) = self.delete_with_dependents(row, statement)? else {
            // Twice deleted is deleted.
            return Ok(());
        };
        let touched = self.referring(entity);
        self.refresh(&touched)
    }

    /// Deletes a row and what goes with it, and gives its entity; what is bound of other rows is not read again.
    pub(super) fn delete_with_dependents(
        &mut self,
        row: RowIndex,
        statement: StatementId,
    ) -> Result<Option<EntityId>, Refusal> {
        let Some(known) = self.rows.all().get(row as usize).filter(|row| !row.deleted) else {
            return Ok(None);
        };
        let entity = known.entity;
        if !self.entity(entity)?.rules.dependents.is_empty() {
            let values = known.values.clone();
            self.dependents(entity, &values)?;
        }
        self.delete_one(row, statement)?;
        Ok(Some(entity))
    }

    /// Deletes a row; what goes with it is left to the store.
    pub(super) fn delete_one(&mut self, row: RowIndex, statement: StatementId) -> Result<(), Refusal> {
        let Some(known) = self.rows.all().get(row as usize).filter(|row| !row.deleted) else {
            return Ok(());
        };
        let (entity, before, values) = (known.entity, key(&self.program.schema, known), known.values.clone());
        let schema = self.entity(entity)?;
        self.stays(entity, schema, &values, None)?;
        let written = self.transaction.write(statement, &before);
        self.written(written, entity, None)?;
        self.touch(entity, Some(&values), None);
        self.tell_change(Change::Deleted, entity, &values, Some(&values))?;
        if let Some(row) = self.rows.get_mut(row) {
            row.deleted = true;
        }
        self.rows.rekey(&self.program.schema, row, &before);
        Ok(())
    }

    /// Runs a statement over many rows. When a job's batch was full it gives something: behind which row the next
    /// one begins, for an update; what is deleted needs no such mark.
    pub(super) fn write_many(
        &mut self,
        statement: StatementId,
        parameters: &[Expression],
        batch: Option<u32>,
    ) -> Result<Option<Option<Vec<Value>>>, Refusal> {
        self.in_time()?;
        let parameters = self.all(parameters)?;
        let batch = batch.filter(|_| self.is_job);
        match self.program.row_by_row.get(&statement) {
            Some(way) => self.one_by_one(statement, *way, &parameters, batch),
            None => self.many_at_once(statement, &parameters, batch),
        }
    }

    /// Runs a statement over many rows as it is.
    pub(super) fn many_at_once(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        batch: Option<u32>,
    ) -> Result<Option<Option<Vec<Value>>>, Refusal> {
        match self.program.statements.get(statement as usize) {
            Some(Statement::UpdateWhere { entity, .. }) => {
                let (written, last) = match batch {
                    Some(_) => {
                        let after = self.after.take();
                        match self.transaction.write_batch(statement, parameters, after.as_deref()) {
                            Ok((rows, last)) => (Ok(rows), last),
                            Err(error) => (Err(error), None),
                        }
                    }
                    None => (self.transaction.write(statement, parameters), None),
                };
                self.written(written, *entity, None)?;
                self.refresh(&[*entity])?;
                Ok(last.map(Some))
            }
            Some(Statement::DeleteWhere { entity, .. }) => {
                let written = self.transaction.write(statement, parameters);
                let rows = self.written(written, *entity, None)?;
                let mut touched = self.referring(*entity);
                touched.push(*entity);
                self.refresh(&touched)?;
                Ok(batch.filter(|batch| rows >= u64::from(*batch)).map(|_| None))
            }
            _ => Err(Refusal::Internal(format!("statement {statement} writes no rows"))),
        }
    }

    /// Counts what a statement wrote, and turns its fault into the refusal that the document names for it.
    fn written(
        &mut self,
        written: Result<u64, StoreError>,
        entity: EntityId,
        on_conflict: Option<&Failure>,
    ) -> Result<u64, Refusal> {
        match written {
            Ok(rows) => {
                self.written += rows;
                if self.written > MAX_ROWS_WRITTEN { Err(Refusal::TooMuchWork) } else { Ok(rows) }
            }
            Err(StoreError::Unique { entity: broken, fields }) => Err(match on_conflict {
                Some(failure) if broken == entity => self.failure(failure)?,
                _ => self
                    .promised(broken, &fields)
                    .unwrap_or_else(|| refusal(StoreError::Unique { entity: broken, fields })),
            }),
            Err(error) => Err(refusal(error)),
        }
    }

    /// What the document says a broken unique key is answered with.
    fn promised(&self, entity: EntityId, fields: &[FieldId]) -> Option<Refusal> {
        let key = self
            .program
            .schema
            .entities
            .get(usize::from(entity))?
            .unique
            .iter()
            .find(|key| key.fields == fields)?;
        let outcome = Some(key.otherwise.clone()?);
        let schema = self.program.schema.entities.get(usize::from(entity))?;
        let names: Vec<&str> =
            fields.iter().filter_map(|field| Some(&*schema.fields.get(usize::from(*field))?.name)).collect();
        let detail = format!("a `{}` with this `{}` exists already", schema.name, names.join("`, `"));
        let (kind, fields) = (RuleKind::Unique, fields.to_vec());
        Some(Refusal::Rule(Box::new(RuleFault { kind, entity, fields, detail, outcome })))
    }

    /// The entities whose rows may go or change when rows of this one are deleted.
    pub(super) fn referring(&self, entity: EntityId) -> Vec<EntityId> {
        let entities = &self.program.schema.entities;
        let mut found: Vec<EntityId> = Vec::new();
        let mut open = vec![entity];
        while let Some(gone) = open.pop() {
            for (at, other) in (0..).zip(entities) {
                let hit = |reference: formwork_language::program::Reference| {
                    reference.entity == gone && reference.on_delete != OnDelete::Restrict
                };
                if !found.contains(&at) && other.fields.iter().any(|field| field.references.is_some_and(hit))
                {
                    found.push(at);
                    open.push(at);
                }
            }
        }
        found
    }

    /// Reads again what is bound of these entities, since a statement has changed rows that are not named.
    pub(super) fn refresh(&mut self, entities: &[EntityId]) -> Result<(), Refusal> {
        for index in self.rows.copies()..self.rows.all().len() {
            let Some(row) = self.rows.all().get(index) else { break };
            if row.deleted || !entities.contains(&row.entity) {
                continue;
            }
            let key = key(&self.program.schema, row);
            let found = self.transaction.reread(row.entity, &key).map_err(refusal)?;
            let index = index as RowIndex;
            if let Some(row) = self.rows.get_mut(index) {
                match found {
                    Some((values, version)) => (row.values, row.version) = (values, version),
                    None => row.deleted = true,
                }
            }
            self.rows.rekey(&self.program.schema, index, &key);
        }
        Ok(())
    }

    fn emit(
        &mut self,
        event: u16,
        data: &[(Arc<str>, Expression)],
        about: Option<Slot>,
    ) -> Result<(), Refusal> {
        let mut text = String::from("{");
        for (at, (name, expression)) in data.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            let value = self.evaluate(expression)?;
            plain_json::quote(name, &mut text);
            text.push(':');
            json::push_json(&mut text, &value, &self.program.schema, self.rows.all());
        }
        text.push('}');
        let about = about.and_then(|slot| self.row_in(slot)).and_then(|row| {
            let row = self.rows.all().get(row as usize)?;
            Some((row.entity, key_text(&key(&self.program.schema, row))))
        });
        self.emit_text(event, about, text)
    }

    /// Appends an event whose data is written already.
    pub(super) fn emit_text(
        &mut self,
        number: u16,
        about: Option<(EntityId, String)>,
        text: String,
    ) -> Result<(), Refusal> {
        let Some(shape) = self.program.events.get(usize::from(number)) else {
            return Err(Refusal::Internal(format!("there is no event {number}")));
        };
        let event = OutboxEvent {
            id: self.host.uuid(),
            name: Arc::clone(&shape.name),
            about,
            data: text,
            time: self.host.now(),
        };
        self.emitted = true;
        self.transaction.emit(&event).map_err(refusal)?;
        self.tell_event(number, event.id, event.about.as_ref(), &event.data)
    }

    pub(super) fn entity(&self, entity: EntityId) -> Result<&'a EntitySchema, Refusal> {
        self.program
            .schema
            .entities
            .get(usize::from(entity))
            .ok_or_else(|| Refusal::Internal(format!("there is no entity {entity}")))
    }
}

fn refuse_faults(faults: Vec<FieldFault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}

/// A primary key as one text: its values, joined by commas where there are several.
pub(super) fn key_text(key: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in key.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&value.to_plain());
    }
    out
}
