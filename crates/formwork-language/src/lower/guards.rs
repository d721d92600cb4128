//! What a step that writes can never do: change rows that are append only, set what is computed, or take a way that
//! *Transitions* does not have; and what the rules of its table may answer.
//!
//! Source: language reference, *Rules over rows*.

use crate::expression::Expression;
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{EntityId, FieldId, Operand};
use crate::rules::Quota;
use crate::value::Value;
use formwork_model::facts::Outcome;

/// How a write can make a group of rows grow.
#[derive(Clone, Copy)]
enum Growth<'g> {
    /// By a row.
    Row,
    /// By one that is moved into it, when these fields are set.
    Moved(&'g [FieldId]),
    /// Not at all.
    None,
}

impl Growth<'_> {
    /// Whether a quota over groups of these fields can be reached.
    fn may_fill(self, quota: &Quota, per: &[FieldId]) -> bool {
        match self {
            Self::Row => true,
            // Which fields a condition looks at is not asked.
            Self::Moved(set) => quota.filter.is_some() || per.iter().any(|field| set.contains(field)),
            Self::None => false,
        }
    }
}

impl Lowering<'_> {
    /// A row is made with these values.
    pub(super) fn guard_create(&mut self, entity: EntityId, values: &[(FieldId, Expression)]) {
        for (field, value) in values {
            let schema = self.world.table(entity);
            let target = &schema.fields[usize::from(*field)];
            if target.computed {
                let (entity, field) = (schema.name.to_string(), target.name.to_string());
                self.note_here(NoteKind::FieldNotWritable { entity, field, reason: "computed" });
            }
            if let Expression::Constant(value) = value {
                self.guard_state(entity, *field, value, true);
            }
        }
        self.may_break(entity, Growth::Row);
    }

    /// A row is changed so.
    pub(super) fn guard_update(&mut self, entity: EntityId, values: &[(FieldId, Expression)]) {
        for (field, value) in values {
            if let Expression::Constant(value) = value {
                self.guard_state(entity, *field, value, false);
            }
        }
        let set: Vec<FieldId> = values.iter().map(|(field, _)| *field).collect();
        self.guard_change(entity, Growth::Moved(&set));
    }

    /// Many rows are changed so.
    pub(super) fn guard_update_every(&mut self, entity: EntityId, values: &[(FieldId, Operand)]) {
        for (field, value) in values {
            if let Operand::Constant(value) = value {
                self.guard_state(entity, *field, value, false);
            }
        }
        let set: Vec<FieldId> = values.iter().map(|(field, _)| *field).collect();
        self.guard_change(entity, Growth::Moved(&set));
    }

    /// Rows are deleted.
    pub(super) fn guard_delete(&mut self, entity: EntityId) {
        self.guard_change(entity, Growth::None);
    }

    /// Rows are changed or deleted.
    fn guard_change(&mut self, entity: EntityId, growth: Growth<'_>) {
        let table = self.world.table(entity);
        if table.rules.append_only {
            let subject = table.name.to_string();
            self.note_here(NoteKind::Other { entry: "append_only", subject });
        }
        self.may_break(entity, growth);
    }

    fn guard_state(&mut self, entity: EntityId, field: FieldId, value: &Value, create: bool) {
        let Value::Text(state) = value else { return };
        let table = self.world.table(entity);
        let rules = table.rules.transitions.iter().filter(|rule| rule.field == field);
        let begins = create || table.fields[usize::from(field)].optional;
        let never =
            rules.into_iter().any(|rule| !(begins && rule.begin(state)) && (create || !rule.lead(state)));
        if never {
            let name = &table.fields[usize::from(field)].name;
            let subject = format!("{name} = \"{state}\"");
            let entry = if create { "impossible_start" } else { "impossible_transition" };
            self.note_here(NoteKind::Other { entry, subject });
        }
    }

    /// The answers of the rules that a write may break.
    fn may_break(&mut self, entity: EntityId, growth: Growth<'_>) {
        let rules = &self.world.table(entity).rules;
        let or = |outcome: &Option<Outcome>, status: u16, code: &str| {
            outcome.clone().unwrap_or_else(|| Outcome { status, code: Some(code.to_owned()) })
        };
        let invariants = self.world.schema.invariants.iter().filter(|invariant| match &invariant.quota {
            Some(quota) => invariant.entity == entity && growth.may_fill(quota, &invariant.per),
            None => {
                invariant.entity == entity
                    || invariant.right_row.as_ref().is_some_and(|row| row.entity == entity)
            }
        });
        let raised: Vec<Outcome> = rules
            .checks
            .iter()
            .map(|check| or(&check.otherwise, 422, "invalid"))
            .chain(rules.overlaps.iter().map(|overlap| or(&overlap.otherwise, 409, "conflict")))
            .chain(rules.transitions.iter().map(|rule| or(&rule.otherwise, 422, "invalid")))
            .chain(invariants.map(|invariant| or(&invariant.otherwise, 500, "invariant")))
            .collect();
        for outcome in raised {
            self.raises(outcome);
        }
    }
}
