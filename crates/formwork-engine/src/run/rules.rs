//! What must hold over rows: tested as each row is written, and at the end of the transaction for the groups touched.
//!
//! Everything is decided with statements of the same transaction, so that it is exact wherever transactions are
//! serialisable. Source: language reference, *Rules over rows*.

use super::{MAX_ROWS_READ, Run, refusal};
use crate::assign::accept;
use crate::masked::shown;
use crate::outcome::{FieldFault, Refusal, RuleFault, RuleKind};
use crate::rows::encoded;
use formwork_language::eval::{Scope, evaluate};
use formwork_language::expression::{BinaryOperator, Expression};
use formwork_language::program::{EntityId, EntitySchema, FieldId, Program, StatementId};
use formwork_language::rules::{Invariant, Overlap, Transitions};
use formwork_language::value::{Row, Value, order, same};
use formwork_model::facts::Outcome;
use rustc_hash::FxHashSet;
use std::cmp::Ordering;

/// The groups of invariants that a transaction has touched.
#[derive(Default)]
pub(super) struct Touched {
    groups: Vec<(usize, Vec<Value>)>,
    known: FxHashSet<(usize, Box<[u8]>)>,
}

impl Touched {
    fn add(&mut self, invariant: usize, group: Vec<Value>) {
        if group.iter().any(Value::is_absent) {
            return;
        }
        if self.known.insert((invariant, encoded(&group))) {
            self.groups.push((invariant, group));
        }
    }
}

impl Run<'_> {
    /// Sets the fields that follow from others.
    pub(super) fn follow(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        values: &mut Vec<Value>,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), Refusal> {
        for computed in &schema.rules.computed {
            let value = self.of_row(entity, values, &computed.value)?;
            let at = usize::from(computed.field);
            if let (Some(field), Some(place)) = (schema.fields.get(at), values.get_mut(at)) {
                *place = accept(value, field, (entity, computed.field), faults)?;
            }
        }
        Ok(())
    }

    /// Whether a row may become what it is to be; `before` is what it was, absent for a new one.
    pub(super) fn keep(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        before: Option<&[Value]>,
        values: &mut Vec<Value>,
    ) -> Result<(), Refusal> {
        let rules = &schema.rules;
        if let Some(before) = before {
            self.stays(entity, schema, before, Some(values))?;
        }
        self.checks(entity, schema, values)?;
        for rule in rules.transitions.iter().filter(|_| !self.placed) {
            moves(entity, schema, rule, before, values)?;
        }
        self.all_apart(entity, schema, before, values)
    }

    /// Whether no interval of a row overlaps another's.
    pub(super) fn all_apart(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        before: Option<&[Value]>,
        values: &mut Vec<Value>,
    ) -> Result<(), Refusal> {
        for overlap in &schema.rules.overlaps {
            self.apart(entity, schema, overlap, before, values)?;
        }
        Ok(())
    }

    /// Whether the constraints over several fields hold.
    pub(super) fn checks(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        values: &mut Vec<Value>,
    ) -> Result<(), Refusal> {
        for check in &schema.rules.checks {
            let is_null = |field: &FieldId| values.get(usize::from(*field)).is_none_or(Value::is_absent);
            if check.needs.iter().any(is_null) {
                continue;
            }
            if !matches!(self.of_row(entity, values, &check.condition)?, Value::Boolean(true)) {
                let detail = format!("`{}` must hold", check.text);
                let fields = check.fields.clone();
                return Err(broken(RuleKind::Constraint, entity, fields, detail, check.otherwise.as_ref()));
            }
        }
        Ok(())
    }

    /// Whether a row may become `after`, or go when there is none: rows of an append-only table never, and a row that
    /// is there from the start keeps the values that the document gives it.
    pub(super) fn stays(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        before: &[Value],
        after: Option<&[Value]>,
    ) -> Result<(), Refusal> {
        let key = || schema.primary_key.clone();
        if schema.rules.append_only {
            let detail = format!("a `{}` is never changed or deleted", schema.name);
            return Err(broken(RuleKind::AppendOnly, entity, key(), detail, None));
        }
        let has = |values: &[Value], field: FieldId, given: &Expression| match given {
            Expression::Constant(given) => {
                values.get(usize::from(field)).is_some_and(|value| same(given, value))
            }
            _ => false,
        };
        for row in self.program.schema.rows_at_start.iter().filter(|row| row.entity == entity) {
            let given = |field: &FieldId| row.values.iter().find(|(other, _)| other == field);
            let is_key = |field: &FieldId| given(field).is_some_and(|(at, value)| has(before, *at, value));
            if !row.key.iter().all(is_key) {
                continue;
            }
            let Some(after) = after else {
                let detail = format!("this `{}` is there from the start and stays", schema.name);
                return Err(broken(RuleKind::RowAtStart, entity, key(), detail, None));
            };
            let lost = |(field, value): &&(FieldId, Expression)| {
                has(before, *field, value) && !has(after, *field, value)
            };
            if let Some((field, _)) = row.values.iter().find(lost) {
                let detail = format!("this `{}` is there from the start and keeps this value", schema.name);
                return Err(broken(RuleKind::RowAtStart, entity, vec![*field], detail, None));
            }
        }
        Ok(())
    }

    /// Whether no other row of the group overlaps.
    fn apart(
        &mut self,
        entity: EntityId,
        schema: &EntitySchema,
        rule: &Overlap,
        before: Option<&[Value]>,
        values: &mut Vec<Value>,
    ) -> Result<(), Refusal> {
        if let Some(filter) = &rule.filter
            && !matches!(self.of_row(entity, values, filter)?, Value::Boolean(true))
        {
            return Ok(());
        }
        let of = |field: FieldId| values.get(usize::from(field)).cloned().unwrap_or(Value::Null);
        let (starts, ends) = (of(rule.starts), of(rule.ends));
        let mut parameters: Vec<Value> = rule.group.iter().map(|field| of(*field)).collect();
        parameters.extend([starts.clone(), ends.clone()]);
        // An empty interval, or one without an end, meets nothing.
        if parameters.iter().any(Value::is_absent) || order(&starts, &ends) != Some(Ordering::Less) {
            return Ok(());
        }
        let own = |field: &FieldId| {
            before.and_then(|before| before.get(usize::from(*field)).cloned()).unwrap_or(Value::Null)
        };
        parameters.extend(schema.primary_key.iter().map(own));
        match self.transaction.value(rule.statement, &parameters).map_err(refusal)? {
            Value::Boolean(false) => Ok(()),
            _ => {
                let fields = [rule.starts, rule.ends].to_vec();
                Err(broken(RuleKind::Overlap, entity, fields, rule.text.to_string(), rule.otherwise.as_ref()))
            }
        }
    }

    /// Notes down the groups that a row was or is in, and those whose right side it is.
    pub(super) fn touch(&mut self, entity: EntityId, before: Option<&[Value]>, after: Option<&[Value]>) {
        self.touch_quotas(entity, before, after);
        for (at, invariant) in self.program.schema.invariants.iter().enumerate() {
            for values in [before, after].into_iter().flatten() {
                let of = |field: FieldId| values.get(usize::from(field)).cloned().unwrap_or(Value::Null);
                if invariant.entity == entity && invariant.quota.is_none() {
                    self.touched.add(at, invariant.per.iter().map(|field| of(*field)).collect());
                }
                if let Some(row) = invariant.right_row.as_ref().filter(|row| row.entity == entity) {
                    self.touched.add(at, vec![of(row.field)]);
                }
            }
        }
    }

    /// Notes down the group of a quota that a row makes larger: one that it is new in, or counts in from now on.
    fn touch_quotas(&mut self, entity: EntityId, before: Option<&[Value]>, after: Option<&[Value]>) {
        let Some(after) = after else { return };
        let program = self.program;
        for (at, invariant) in program.schema.invariants.iter().enumerate() {
            let Some(quota) = invariant.quota.as_ref().filter(|_| invariant.entity == entity) else {
                continue;
            };
            let group = |values: &[Value]| -> Vec<Value> {
                let of = |field: &FieldId| values.get(usize::from(*field)).cloned().unwrap_or(Value::Null);
                invariant.per.iter().map(of).collect()
            };
            // A condition that cannot be answered counts: the statement that counts then says the same of all rows.
            let mut counts = |values: &[Value]| match &quota.filter {
                Some(filter) => {
                    let counted = self.of_row(entity, &mut values.to_vec(), filter);
                    !matches!(counted, Ok(value) if !matches!(value, Value::Boolean(true)))
                }
                None => true,
            };
            let stays = before.is_some_and(|before| {
                let (was, is) = (group(before), group(after));
                was.iter().zip(&is).all(|(was, is)| same(was, is)) && counts(before)
            });
            if !stays && counts(after) {
                self.touched.add(at, group(after));
            }
        }
    }

    /// Tests the invariants of all groups that were touched; what ends every transaction that writes.
    pub(super) fn end(&mut self) -> Result<(), Refusal> {
        let groups = std::mem::take(&mut self.touched).groups;
        for (at, group) in groups {
            self.in_time()?;
            let Some(invariant) = self.program.schema.invariants.get(at) else { continue };
            self.holds(invariant, &group)?;
        }
        Ok(())
    }

    fn holds(&mut self, invariant: &Invariant, group: &[Value]) -> Result<(), Refusal> {
        let mut row = None;
        match &invariant.right_row {
            Some(right) => {
                let found = &mut row;
                let mut take = |values: Vec<Value>, version| {
                    found.get_or_insert(Row { entity: right.entity, values, version, deleted: false });
                };
                self.transaction.rows(right.select, group, &mut take).map_err(refusal)?;
                if row.is_none() {
                    // The row is gone, and the group with it.
                    return Ok(());
                }
            }
            None if !group.is_empty() => {
                let rows = self.transaction.value(invariant.rows, group).map_err(refusal)?;
                if matches!(rows, Value::Integer(0)) {
                    return Ok(());
                }
            }
            None => {}
        }
        let right = match row {
            Some(row) => self.of_row(row.entity, &mut row.values.clone(), &invariant.right)?,
            None => self.of_row(invariant.entity, &mut Vec::new(), &invariant.right)?,
        };
        if right.is_absent() {
            return Ok(());
        }
        let value = self.transaction.value(invariant.value, group).map_err(refusal)?;
        let ordering = order(&value, &right);
        let holds = match invariant.comparison {
            BinaryOperator::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            BinaryOperator::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
            _ => ordering == Some(Ordering::Equal),
        };
        if holds {
            return Ok(());
        }
        let of_group = match group.is_empty() {
            true => String::new(),
            false => {
                let schema = &self.program.schema;
                format!(" for {}", shown(schema, invariant.entity, &invariant.per, group))
            }
        };
        let detail = format!(
            "{}: it is {}{of_group} where {} is the bound",
            invariant.text,
            value.to_plain(),
            right.to_plain()
        );
        let fields = invariant.sum.into_iter().collect();
        let kind = if invariant.quota.is_some() { RuleKind::Quota } else { RuleKind::Invariant };
        Err(broken(kind, invariant.entity, fields, detail, invariant.otherwise.as_ref()))
    }

    /// The value of an expression over a row.
    fn of_row(
        &mut self,
        entity: EntityId,
        values: &mut Vec<Value>,
        expression: &Expression,
    ) -> Result<Value, Refusal> {
        let row = Row { entity, values: std::mem::take(values), version: 0, deleted: false };
        let mut scope =
            Scope { slots: &[Value::Row(0)], rows: std::slice::from_ref(&row), host: &mut self.host };
        let value = evaluate(expression, &mut scope);
        *values = row.values;
        value.map_err(super::failed)
    }
}

/// Whether a row's state may become what it is to be.
fn moves(
    entity: EntityId,
    schema: &EntitySchema,
    rule: &Transitions,
    before: Option<&[Value]>,
    values: &[Value],
) -> Result<(), Refusal> {
    let state = |values: &[Value]| match values.get(usize::from(rule.field)) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let (from, to) = (before.and_then(state), state(values));
    if rule.allow(from.as_deref(), to.as_deref()) {
        return Ok(());
    }
    let name = schema.fields.get(usize::from(rule.field)).map_or("", |field| &field.name);
    let to = to.as_deref().unwrap_or("null");
    let detail = match (before, from) {
        (Some(_), Some(from)) => format!("`{name}` does not go from `{from}` to `{to}`"),
        _ => format!("`{name}` does not begin with `{to}`"),
    };
    Err(broken(RuleKind::Transition, entity, vec![rule.field], detail, rule.otherwise.as_ref()))
}

fn broken(
    kind: RuleKind,
    entity: EntityId,
    fields: Vec<FieldId>,
    detail: String,
    outcome: Option<&Outcome>,
) -> Refusal {
    Refusal::Rule(Box::new(RuleFault { kind, entity, fields, detail, outcome: outcome.cloned() }))
}

/// Tests every invariant for all of its groups; gives what is broken, one sentence each, the first 100.
pub(super) fn broken_invariants(run: &mut Run<'_>) -> Result<Vec<String>, Refusal> {
    let program: &Program = run.program;
    let mut found = Vec::new();
    // What was there before a quota stays.
    for invariant in program.schema.invariants.iter().filter(|one| one.quota.is_none()) {
        let mut groups = Groups::default();
        match &invariant.right_row {
            Some(right) => run.each_row(program, right.all, &mut |values| {
                groups.next(values, &[right.field]);
            })?,
            None if invariant.per.is_empty() => groups.all.push(Vec::new()),
            None => {
                run.each_row(program, invariant.all, &mut |values| groups.next(values, &invariant.per))?
            }
        }
        for group in groups.all {
            match run.holds(invariant, &group) {
                Err(Refusal::Rule(fault)) if found.len() < 100 => found.push(fault.detail),
                Err(Refusal::Rule(_)) | Ok(()) => {}
                Err(other) => return Err(other),
            }
        }
    }
    Ok(found)
}

/// The groups of rows that come sorted by them.
#[derive(Default)]
struct Groups {
    all: Vec<Vec<Value>>,
}

impl Groups {
    fn next(&mut self, values: &[Value], per: &[FieldId]) {
        let group: Vec<Value> =
            per.iter().map(|field| values.get(usize::from(*field)).cloned().unwrap_or(Value::Null)).collect();
        let is_known = self.all.last().is_some_and(|last| {
            last.len() == group.len() && last.iter().zip(&group).all(|(last, value)| same(last, value))
        });
        if !is_known && !group.iter().any(Value::is_absent) {
            self.all.push(group);
        }
    }
}

impl Run<'_> {
    /// Every row of a statement that gives pages.
    pub(super) fn each_row(
        &mut self,
        program: &Program,
        (first, behind): (StatementId, StatementId),
        each: &mut dyn FnMut(&[Value]),
    ) -> Result<(), Refusal> {
        let Some(formwork_language::program::Statement::Select(select)) =
            program.statements.get(first as usize)
        else {
            return Err(Refusal::Internal(format!("statement {first} reads no rows")));
        };
        let (mut last, mut statement): (Option<Vec<Value>>, _) = (None, first);
        loop {
            let mut count = 0_usize;
            let parameters: Vec<Value> = last.take().map_or_else(Vec::new, |values: Vec<Value>| {
                let of = |(field, _): &(FieldId, bool)| {
                    values.get(usize::from(*field)).cloned().unwrap_or(Value::Null)
                };
                select.order.iter().map(of).collect()
            });
            let mut take = |values: Vec<Value>, _| {
                count += 1;
                each(&values);
                last = Some(values);
            };
            self.transaction.rows(statement, &parameters, &mut take).map_err(refusal)?;
            self.in_time()?;
            if count == 0 || count > MAX_ROWS_READ {
                return Ok(());
            }
            statement = behind;
        }
    }
}
