//! Which tables the engine must see row by row, and how statements over many of their rows and cascades are done so.

use super::Rules;
use super::invariants::equal;
use crate::lower::handlers::told_of;
use crate::lower::world::Statements;
use crate::program::{
    Code, EntityId, EntitySchema, FieldId, Instruction, Limit, Lock, Schema, Select, Statement, StatementId,
};
use crate::rules::{Dependent, RowByRow};
use formwork_model::Model;
use formwork_model::facts::{Constraint, OnDelete};
use rustc_hash::FxHashMap;

/// More rows than a transaction may write.
const ONE_TOO_MANY: u32 = 10_001;

/// Marks the tables whose rows the engine must see, and prepares what goes with a row that is deleted.
pub(super) fn mark(cx: &mut Rules<'_>, model: &Model) {
    let mut told = told_of(cx.source, model, cx.schema);
    told.extend(crate::lower::audit::seen(model, cx.schema));
    for at in 0..cx.schema.entities.len() {
        let entity = at as EntityId;
        cx.schema.entities[at].rules.row_by_row = told.contains(&entity) || has_rules(cx.schema, entity);
    }
    // A table whose rows take others with them that have rules is one too.
    loop {
        let mut grown = false;
        for child in 0..cx.schema.entities.len() {
            if !cx.schema.entities[child].rules.row_by_row {
                continue;
            }
            for field in 0..cx.schema.entities[child].fields.len() {
                let reference = cx.schema.entities[child].fields[field].references;
                let Some(to) = reference.filter(|to| to.on_delete != OnDelete::Restrict) else { continue };
                let parent = &mut cx.schema.entities[usize::from(to.entity)].rules;
                grown |= !parent.row_by_row;
                parent.row_by_row = true;
            }
        }
        if !grown {
            break;
        }
    }
    append_only(cx, model);
    dependents(cx);
}

fn has_rules(schema: &Schema, at: EntityId) -> bool {
    let table = &schema.entities[usize::from(at)];
    let rules = &table.rules;
    let in_invariant = schema.invariants.iter().any(|invariant| {
        invariant.entity == at || invariant.right_row.as_ref().is_some_and(|row| row.entity == at)
    });
    !rules.checks.is_empty()
        || !rules.computed.is_empty()
        || !rules.overlaps.is_empty()
        || !rules.transitions.is_empty()
        || rules.append_only
        || in_invariant
        || table.fields.iter().any(|field| field.secret)
        || schema.rows_at_start.iter().any(|row| row.entity == at)
}

/// Rows that are never deleted must not go with others.
fn append_only(cx: &mut Rules<'_>, model: &Model) {
    for (at, entity) in model.entities.iter().enumerate() {
        if !cx.schema.entities[at].rules.append_only {
            continue;
        }
        for field in &entity.fields {
            for constraint in &field.constraints {
                if let Constraint::References { on_delete: OnDelete::Cascade | OnDelete::SetNull, .. } =
                    constraint.value
                {
                    cx.other("append_only", entity.name.value.clone(), constraint.span);
                }
            }
        }
    }
}

fn dependents(cx: &mut Rules<'_>) {
    for child in 0..cx.schema.entities.len() {
        if !cx.schema.entities[child].rules.row_by_row {
            continue;
        }
        for field in 0..cx.schema.entities[child].fields.len() {
            let reference = cx.schema.entities[child].fields[field].references;
            let Some(to) = reference.filter(|to| to.on_delete != OnDelete::Restrict) else { continue };
            let (entity, field) = (child as EntityId, field as FieldId);
            let order = keyed(&cx.schema.entities[child]);
            let filter = Some(equal(&[field]));
            let limit = Limit::Rows(ONE_TOO_MANY);
            let rows = Select { entity, filter, order, limit, after: None, lock: Lock::None };
            let change = match to.on_delete {
                OnDelete::Cascade => Statement::DeleteByKey { entity },
                _ => Statement::UpdateByKey { entity, fields: changed(&cx.schema.entities[child], [field]) },
            };
            let dependent = Dependent {
                entity,
                field,
                target: to.field,
                on_delete: to.on_delete,
                select: cx.statements.add(Statement::Select(rows)),
                change: cx.statements.add(change),
            };
            cx.schema.entities[usize::from(to.entity)].rules.dependents.push(dependent);
        }
    }
}

fn keyed(table: &EntitySchema) -> Vec<(FieldId, bool)> {
    table.primary_key.iter().map(|field| (*field, false)).collect()
}

/// The fields that an update of some sets: these, those that every update sets, and the computed ones; sorted.
pub(in crate::lower) fn changed(
    table: &EntitySchema,
    assigned: impl IntoIterator<Item = FieldId>,
) -> Vec<FieldId> {
    let follows = (0..).zip(&table.fields).filter(|(_, field)| field.on_update || field.computed);
    let mut fields: Vec<FieldId> = assigned.into_iter().chain(follows.map(|(at, _)| at)).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// How each statement over many rows of such a table is done row by row.
pub(in crate::lower) fn row_by_row<'c>(
    schema: &Schema,
    statements: &mut Statements,
    codes: impl Iterator<Item = &'c Code>,
) -> FxHashMap<StatementId, RowByRow> {
    let mut found = FxHashMap::default();
    for Code { instructions, .. } in codes {
        for instruction in instructions {
            if let Instruction::WriteMany { statement, parameters, batch } = instruction
                && !found.contains_key(statement)
                && let Some(way) = way(schema, statements, *statement, parameters.len(), *batch)
            {
                found.insert(*statement, way);
            }
        }
    }
    found
}

fn way(
    schema: &Schema,
    statements: &mut Statements,
    statement: StatementId,
    parameters: usize,
    batch: Option<u32>,
) -> Option<RowByRow> {
    let (entity, filter, change) = match statements.list.get(statement as usize)? {
        Statement::UpdateWhere { entity, assignments, filter, .. } => {
            let table = schema.entities.get(usize::from(*entity))?;
            let fields = changed(table, assignments.iter().map(|(field, _)| *field));
            (*entity, filter.clone(), Statement::UpdateByKey { entity: *entity, fields })
        }
        Statement::DeleteWhere { entity, filter, .. } => {
            (*entity, filter.clone(), Statement::DeleteByKey { entity: *entity })
        }
        _ => return None,
    };
    let table = schema.entities.get(usize::from(entity))?;
    if !table.rules.row_by_row {
        return None;
    }
    let limit = Limit::Rows(batch.unwrap_or(ONE_TOO_MANY));
    let first = Select { entity, filter, order: keyed(table), limit, after: None, lock: Lock::None };
    let behind = Select { after: Some(u16::try_from(parameters).ok()?), ..first.clone() };
    Some(RowByRow {
        select: statements.add(Statement::Select(first)),
        behind: statements.add(Statement::Select(behind)),
        change: statements.add(change),
    })
}
