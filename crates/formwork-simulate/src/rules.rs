//! The document's rules over the rows that are there, and over what a commit has made of them.
//!
//! They are tested in memory on rows that were read in plain SQL: neither the engine, nor the statements of an
//! operation, nor the database's own keys are asked. Source: language reference, *Rules over rows*, *Constraints*.

use crate::conditions::holds;
use crate::history::{Change, History, alike, key};
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::expression::{BinaryOperator, Expression};
use formwork_language::program::{Aggregate, EntityId, EntitySchema, FieldId, Program, Statement};
use formwork_language::rules::{Invariant, Overlap, ROW, Transitions};
use formwork_language::value::{Decimal, Row, Value, order, same};
use formwork_model::values::Type;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The first rule that does not hold after a commit; `placed` says that rows were put in place by the simulation itself,
/// which may be in any state.
pub(crate) fn broken(
    program: &Program,
    history: &History,
    changes: &[Change],
    placed: bool,
) -> Option<String> {
    let touched: BTreeSet<EntityId> = changes.iter().map(|change| change.entity).collect();
    let of_change = || changes.iter().find_map(|change| change_broken(program, change, placed));
    let of_table = || touched.iter().find_map(|entity| table_broken(program, history, *entity));
    let of_references = || references_broken(program, history, &touched);
    let of_groups = || {
        let invariants = program.schema.invariants.iter();
        let mut concerned = invariants.filter(|one| {
            touched.contains(&one.entity)
                || one.right_row.as_ref().is_some_and(|it| touched.contains(&it.entity))
        });
        concerned.find_map(|invariant| invariant_broken(program, history, invariant))
    };
    of_change().or_else(of_table).or_else(of_references).or_else(of_groups)
}

/// What one row may become.
fn change_broken(program: &Program, change: &Change, placed: bool) -> Option<String> {
    let schema = program.schema.entities.get(usize::from(change.entity))?;
    let name = |row: &Row| format!("`{}` {}", schema.name, key(program, row));
    match (&change.before, &change.after) {
        (Some(before), after) if schema.rules.append_only => {
            let what = if after.is_some() { "changed" } else { "deleted" };
            Some(format!("{} was {what}, and its table is append-only", name(before)))
        }
        (before, Some(after)) => {
            let before = before.as_ref().filter(|before| before.version < after.version);
            if let (Some(was), None) = (&change.before, before)
                && was.version == after.version
                && !alike(was, after)
            {
                return Some(format!("{} changed, and its version did not", name(after)));
            }
            let fixed = schema.fields.iter().enumerate().find(|(at, field)| {
                let differs = |before: &Arc<Row>| match (before.values.get(*at), after.values.get(*at)) {
                    (Some(was), Some(is)) => !(same(was, is) || was.is_absent() && is.is_absent()),
                    _ => false,
                };
                field.immutable && before.is_some_and(differs)
            });
            if let Some((_, field)) = fixed {
                return Some(format!("`{}` of {} changed, and is immutable", field.name, name(after)));
            }
            let moved = schema.rules.transitions.iter().filter(|_| !placed);
            moved.into_iter().find_map(|rule| moves(schema, rule, before, after))
        }
        _ => None,
    }
}

/// Whether a state was reached in as many steps as the row was written.
fn moves(
    schema: &EntitySchema,
    rule: &Transitions,
    before: Option<&Arc<Row>>,
    after: &Row,
) -> Option<String> {
    let state = |row: &Row| match row.values.get(usize::from(rule.field)) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let to = state(after)?;
    let writes = after.version - before.map_or(1, |before| before.version);
    let mut reached: BTreeSet<Arc<str>> = match before.and_then(|before| state(before)) {
        Some(from) => [from].into(),
        None => rule.starts.iter().cloned().collect(),
    };
    for _ in 0..writes.clamp(0, 64) {
        let next = rule.ways.iter().filter(|(from, _)| reached.contains(from)).map(|(_, to)| to.clone());
        let next: Vec<Arc<str>> = next.collect();
        reached.extend(next);
    }
    if reached.contains(&to) {
        return None;
    }
    let field = schema.fields.get(usize::from(rule.field)).map_or("", |field| &field.name);
    let from = before.and_then(|before| state(before));
    let from = from.map_or("nothing".to_owned(), |from| format!("`{from}`"));
    Some(format!("`{}.{field}` went from {from} to `{to}`, which is no transition", schema.name))
}

/// What every row of a table keeps to, alone and beside the others.
fn table_broken(program: &Program, history: &History, entity: EntityId) -> Option<String> {
    let schema = program.schema.entities.get(usize::from(entity))?;
    let rows = history.rows(entity);
    let of_row = || rows.iter().find_map(|row| row_broken(program, schema, row));
    let of_keys = || {
        schema.unique.iter().find_map(|unique| {
            let covered = rows.iter().filter(|row| {
                unique.filter.as_ref().is_none_or(|filter| holds(filter, &row.values, &[]).unwrap_or(false))
            });
            let names: Vec<&str> = unique.fields.iter().filter_map(|at| field_name(schema, *at)).collect();
            let mut seen = BTreeSet::new();
            covered.into_iter().find_map(|row| {
                let values: Vec<&Value> =
                    unique.fields.iter().filter_map(|at| row.values.get(usize::from(*at))).collect();
                if values.iter().any(|value| value.is_absent()) {
                    return None;
                }
                let text: Vec<String> = values.iter().map(|value| value.to_plain()).collect();
                let twice = !seen.insert(text.join("\u{1f}"));
                twice.then(|| {
                    format!("two `{}` have the same `{}`: {}", schema.name, names.join(", "), text.join(", "))
                })
            })
        })
    };
    let of_overlaps =
        || schema.rules.overlaps.iter().find_map(|rule| overlap_broken(program, schema, rule, &rows));
    of_row().or_else(of_keys).or_else(of_overlaps)
}

fn field_name(schema: &EntitySchema, field: FieldId) -> Option<&str> {
    schema.fields.get(usize::from(field)).map(|field| &*field.name)
}

fn row_broken(program: &Program, schema: &EntitySchema, row: &Row) -> Option<String> {
    let name = || format!("`{}` {}", schema.name, key(program, row));
    for (field, value) in schema.fields.iter().zip(&row.values) {
        if value.is_absent() {
            if !field.optional {
                return Some(format!("`{}` of {} has no value, and must have one", field.name, name()));
            }
            continue;
        }
        // Of a secret only the digest is there.
        if field.secret {
            continue;
        }
        if let (Type::Enum(values), Value::Text(text)) = (&field.ty, value)
            && !values.contains(text)
        {
            return Some(format!("`{}` of {} is `{text}`, which is none of its values", field.name, name()));
        }
        if let Some(violation) = field.rules.violations(value).first() {
            return Some(format!("`{}` of {}: {}", field.name, name(), violation.detail));
        }
    }
    for check in &schema.rules.checks {
        let lacks = |field: &FieldId| row.values.get(usize::from(*field)).is_none_or(Value::is_absent);
        if !check.needs.iter().any(lacks) && !is_true(&check.condition, row) {
            return Some(format!("`{}` does not hold for {}", check.text, name()));
        }
    }
    for computed in &schema.rules.computed {
        let stored = row.values.get(usize::from(computed.field)).cloned().unwrap_or_default();
        let is = of_row(&computed.value, row)?;
        let equal = same(&stored, &is)
            || stored.is_absent() && is.is_absent()
            || order(&stored, &is) == Some(Ordering::Equal);
        if !equal {
            let field = field_name(schema, computed.field).unwrap_or_default();
            return Some(format!("`{field}` of {} is not `{}`", name(), computed.text));
        }
    }
    None
}

fn overlap_broken(
    program: &Program,
    schema: &EntitySchema,
    rule: &Overlap,
    rows: &[&Arc<Row>],
) -> Option<String> {
    let mut groups: BTreeMap<String, Vec<(&Value, &Value, &Row)>> = BTreeMap::new();
    for row in rows {
        if rule.filter.as_ref().is_some_and(|filter| !is_true(filter, row)) {
            continue;
        }
        let of = |field: &FieldId| row.values.get(usize::from(*field));
        let group: Vec<&Value> = rule.group.iter().filter_map(of).collect();
        let (Some(starts), Some(ends)) = (of(&rule.starts), of(&rule.ends)) else { continue };
        if group.iter().any(|value| value.is_absent()) || order(starts, ends) != Some(Ordering::Less) {
            continue;
        }
        let group = group.iter().map(|value| value.to_plain()).collect::<Vec<_>>().join("\u{1f}");
        groups.entry(group).or_default().push((starts, ends, row));
    }
    for intervals in groups.values() {
        for (at, (starts, ends, row)) in intervals.iter().enumerate() {
            for (others_start, others_end, other) in &intervals[at + 1..] {
                let meets = order(starts, others_end) == Some(Ordering::Less)
                    && order(others_start, ends) == Some(Ordering::Less);
                if meets {
                    let keys = (key(program, row), key(program, other));
                    return Some(format!(
                        "{}: `{}` {} and {} overlap",
                        rule.text, schema.name, keys.0, keys.1
                    ));
                }
            }
        }
    }
    None
}

/// References that lead nowhere, from the tables touched and to them.
fn references_broken(program: &Program, history: &History, touched: &BTreeSet<EntityId>) -> Option<String> {
    for (entity, schema) in (0..).zip(&program.schema.entities) {
        for (at, field) in schema.fields.iter().enumerate() {
            let Some(reference) = field.references else { continue };
            if !touched.contains(&entity) && !touched.contains(&reference.entity) {
                continue;
            }
            let there: BTreeSet<String> = history
                .rows(reference.entity)
                .iter()
                .filter_map(|row| row.values.get(usize::from(reference.field)).map(Value::to_plain))
                .collect();
            for row in history.rows(entity) {
                let Some(value) = row.values.get(at).filter(|value| !value.is_absent()) else { continue };
                if !there.contains(&value.to_plain()) {
                    let name = format!("`{}` of `{}` {}", field.name, schema.name, key(program, row));
                    return Some(format!("{name} refers to {}, which is not there", value.to_plain()));
                }
            }
        }
    }
    None
}

/// Whether a number over a group keeps to its bound. A condition that computes is left to the engine's own look at the end.
fn invariant_broken(program: &Program, history: &History, invariant: &Invariant) -> Option<String> {
    let (field, filter) = match program.statements.get(invariant.value as usize)? {
        Statement::Count { filter, .. } => (None, filter),
        Statement::Aggregate { function: Aggregate::Sum, field, filter, .. } => (Some(*field), filter),
        _ => return None,
    };
    let rows = history.rows(invariant.entity);
    let of = |row: &Row, field: &FieldId| row.values.get(usize::from(*field)).cloned().unwrap_or_default();
    let mut groups: BTreeMap<String, (Vec<Value>, Option<Arc<Row>>)> = BTreeMap::new();
    let named = |group: &[Value]| group.iter().map(Value::to_plain).collect::<Vec<_>>().join("\u{1f}");
    match &invariant.right_row {
        Some(right) => {
            for row in history.rows(right.entity) {
                let group = vec![of(row, &right.field)];
                groups.insert(named(&group), (group, Some(Arc::clone(row))));
            }
        }
        None if invariant.per.is_empty() => {
            groups.insert(String::new(), (Vec::new(), None));
        }
        None => {
            for row in &rows {
                let group: Vec<Value> = invariant.per.iter().map(|field| of(row, field)).collect();
                if !group.iter().any(Value::is_absent) {
                    groups.insert(named(&group), (group, None));
                }
            }
        }
    }
    for (group, right_row) in groups.values() {
        let empty = Row { entity: invariant.entity, values: Vec::new(), version: 0, deleted: false };
        let right = of_row(&invariant.right, right_row.as_deref().unwrap_or(&empty))?;
        if right.is_absent() {
            continue;
        }
        let mut total = Decimal { units: 0, scale: 0 };
        for row in &rows {
            let fits = match filter {
                Some(filter) => holds(filter, &row.values, group)?,
                None => true,
            };
            if !fits {
                continue;
            }
            let one = match field.map(|field| of(row, &field)) {
                None => Decimal { units: 1, scale: 0 },
                Some(Value::Integer(number) | Value::Duration(number)) => {
                    Decimal { units: number.into(), scale: 0 }
                }
                Some(Value::Decimal(number)) => number,
                Some(value) if value.is_absent() => continue,
                Some(_) => return None,
            };
            total = total.checked_add(one)?;
        }
        let bound = match right {
            Value::Integer(number) | Value::Duration(number) => Decimal { units: number.into(), scale: 0 },
            Value::Decimal(number) => number,
            _ => return None,
        };
        let ordering = total.compare(bound);
        let kept = match invariant.comparison {
            BinaryOperator::LessOrEqual => ordering.is_le(),
            BinaryOperator::GreaterOrEqual => ordering.is_ge(),
            _ => ordering.is_eq(),
        };
        if !kept {
            let plain = |decimal| Value::Decimal(decimal).to_plain();
            let of_group = if group.is_empty() { String::new() } else { format!(" for {}", named(group)) };
            return Some(format!(
                "{}: it is {}{of_group}, and the bound {}",
                invariant.text,
                plain(total),
                plain(bound)
            ));
        }
    }
    None
}

fn is_true(condition: &Expression, row: &Row) -> bool {
    // A condition without a value does not hold.
    matches!(of_row(condition, row), Some(Value::Boolean(true)))
}

fn of_row(expression: &Expression, row: &Row) -> Option<Value> {
    debug_assert_eq!(ROW, 0);
    let mut host = Nothing;
    let mut scope = Scope { slots: &[Value::Row(0)], rows: std::slice::from_ref(row), host: &mut host };
    evaluate(expression, &mut scope).ok()
}

/// Rules depend on no clock and no chance.
struct Nothing;

impl Host for Nothing {
    fn now(&self) -> i64 {
        0
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}
