//! Rows as steps bind, make and change them: variables that hold one, fields that must or may be set, what a write
//! can be refused for, and what goes with a row that is deleted.

use crate::expression::{self, Bound, Equals, Expression, Kind, StaticType, Typed};
use crate::lower::{Answer, AnswerKind, Lowering, add_once};
use crate::notes::NoteKind;
use crate::program::{EntityId, Failure, FieldId, Instruction, Operand, Slot, Statement, slots};
use formwork_model::facts::{OnDelete, Outcome};
use formwork_model::names::nearest;
use formwork_syntax::{Code, Span};
use rustc_hash::FxHashSet;

impl Lowering<'_> {
    /// Binds a row: under the name that a step gives it, else under its entity's name.
    pub(crate) fn bind_row(
        &mut self,
        name: Option<&Code>,
        span: Span,
        entity: EntityId,
        ty: StaticType,
    ) -> Option<Slot> {
        let slot = self.hidden_slot();
        if name.is_none() && self.names.variable(&self.world.table(entity).name).is_some() {
            // The name stands for the row that has it already.
            return Some(slot);
        }
        self.bind_upserted(name, span, entity, slot, ty).then(|| {
            self.candidates.push(Answer { kind: AnswerKind::Row, entity, slot });
            slot
        })
    }

    /// The same for a row whose slot is known.
    pub(crate) fn bind_upserted(
        &mut self,
        name: Option<&Code>,
        span: Span,
        entity: EntityId,
        slot: Slot,
        ty: StaticType,
    ) -> bool {
        match name {
            Some(name) => self.bind_slot(name, slot, ty),
            None => {
                let name = self.world.table(entity).name.clone();
                self.bind_name(&name, span, slot, ty)
            }
        }
    }

    /// Binds the answer of what was carried out.
    pub(crate) fn bind_answer(&mut self, name: &Code, slot: Slot, ty: StaticType) {
        let kind = match &ty.kind {
            Kind::Row(entity, _) => Some((AnswerKind::Row, *entity)),
            Kind::List(of) => match of.kind {
                Kind::Row(entity, _) => Some((AnswerKind::List, entity)),
                _ => None,
            },
            _ => None,
        };
        let optional = ty.optional;
        if self.bind_slot(name, slot, ty)
            && let Some((kind, entity)) = kind.filter(|_| !optional)
        {
            self.candidates.push(Answer { kind, entity, slot });
        }
    }

    /// Binds a row that was created without `as`. When a second one comes, the name stands for neither.
    pub(crate) fn bind_created(&mut self, span: Span, entity: EntityId, ty: StaticType) -> Option<Slot> {
        let name = self.world.table(entity).name.clone();
        let taken = self.names.variable(&name).map(|bound| bound.slot);
        let taken = taken.filter(|slot| self.implicit.contains(slot));
        let at = taken.and_then(|slot| self.names.variables.iter().rposition(|bound| bound.slot == slot));
        if let Some(at) = at {
            self.names.variables.remove(at);
            let slot = self.hidden_slot();
            self.implicit.insert(slot);
            return Some(slot);
        }
        let slot = self.bind_row(None, span, entity, ty)?;
        self.implicit.insert(slot);
        Some(slot)
    }

    /// The row that a code span names.
    pub(crate) fn row_variable(&mut self, code: &Code) -> Option<(Slot, EntityId)> {
        let name = code.text(self.source()).trim().to_owned();
        self.bind_start_row(&name);
        let found = self.row_named(&name);
        if found.is_some() {
            return found;
        }
        let (slot, ty, _) = self.variable(code)?;
        // Only a handler has an `event`.
        let told = matches!(slot, slots::CHANGED | slots::BEFORE) && self.names.variable("event").is_some();
        if told && matches!(ty.kind, Kind::Object(_)) {
            self.note(NoteKind::Other { entry: "told_row", subject: name }, code.span());
            return None;
        }
        let (expected, found) = ("row".to_owned(), ty.to_string());
        self.note(
            NoteKind::TypeMismatch { expected, found, context: format!("variable `{name}`") },
            code.span(),
        );
        None
    }

    /// The variable that a code span names: its slot, its type, and whether it is known to be present.
    pub(crate) fn variable(&mut self, code: &Code) -> Option<(Slot, StaticType, bool)> {
        let name = code.text(self.source()).trim().to_owned();
        if let Some(bound) = self.names.variable(&name) {
            let known = self.names.is_present(std::slice::from_ref(&bound.name));
            return Some((bound.slot, bound.ty.clone(), known));
        }
        let names = self.names.variables.iter().map(|bound| &*bound.name);
        let nearest = nearest(&name, names).map(str::to_owned);
        self.note(NoteKind::UnknownName { what: "variable", name, nearest }, code.span());
        None
    }

    /// Reads the row at start of this name where it is used first, unless a variable has the name.
    pub(crate) fn bind_start_row(&mut self, name: &str) {
        let rows = &self.world.schema.rows_at_start;
        let Some(row) = rows.iter().find(|row| row.name.as_deref() == Some(name)) else { return };
        if self.names.variable(name).is_some() {
            return;
        }
        let given = |field: &FieldId| row.values.iter().find(|(other, _)| other == field);
        let parameters = row.key.iter().filter_map(given).map(|(_, value)| value.clone()).collect();
        let (slot, ty) = (self.hidden_slot(), self.row(row.entity).required());
        self.reads(row.entity);
        self.push(Instruction::ReadRow { statement: row.select, parameters, slot });
        self.names.bind(name, slot, ty);
    }

    /// The row variable of this name.
    pub(crate) fn row_named(&self, name: &str) -> Option<(Slot, EntityId)> {
        let bound: &Bound = self.names.variable(name)?;
        match bound.ty.kind {
            Kind::Row(entity, _) => Some((bound.slot, entity)),
            _ => None,
        }
    }

    /// The row written last.
    pub(crate) fn last_written(&self) -> Option<(Slot, EntityId)> {
        self.last_written
    }

    /// The field of a row by name.
    pub(crate) fn row_field(&self, slot: Slot, entity: EntityId, name: &str) -> Option<Expression> {
        let field = self.world.table(entity).fields.iter().position(|field| *field.name == *name)?;
        Some(Expression::Field {
            row: Box::new(Expression::Slot(slot)),
            field: FieldId::try_from(field).ok()?,
            withheld: self.world.table(entity).withheld(field),
        })
    }

    /// The fields that the input and an entity share. For an update without those that never change, and without
    /// those of the path, which say which row it is. `given` are set by the step itself, which holds.
    pub(crate) fn input_values(
        &mut self,
        entity: EntityId,
        create: bool,
        given: &[(FieldId, Expression)],
    ) -> Vec<(FieldId, Expression)> {
        let Some(inputs) = self.names.input.clone() else { return Vec::new() };
        let schema = self.world.table(entity);
        let mut values = Vec::new();
        for input in inputs {
            let Some(at) = schema.fields.iter().position(|field| *field.name == *input.name) else {
                continue;
            };
            let (Ok(id), field) = (FieldId::try_from(at), &schema.fields[at]) else { continue };
            let fixed = field.immutable || field.generated || schema.primary_key.contains(&id);
            let set = field.computed || given.iter().any(|(other, _)| *other == id);
            if set || !create && (fixed || self.setting_path(&input.name)) {
                continue;
            }
            add_once(&mut self.touches.inputs, &input.name);
            let fills = field.default.is_some() || field.generated || field.on_create || field.on_update;
            let optional = !create || field.optional || fills;
            let typed =
                Typed { expression: Expression::Slot(input.slot), ty: input.ty.clone(), uses_fields: false };
            let context = format!("field `{}`", field.name);
            let ty = field.ty.clone();
            let span = self.step_span();
            if let Some(value) = self.coerced(typed, &ty, optional, &context, span) {
                values.push((id, value));
            }
        }
        values
    }

    /// Whether every required field of a new row is set; notes those that are not.
    pub(crate) fn complete(
        &mut self,
        entity: EntityId,
        values: &[(FieldId, Expression)],
        span: Span,
    ) -> bool {
        self.guard_create(entity, values);
        let schema = self.world.table(entity);
        let missing: Vec<String> = schema
            .fields
            .iter()
            .enumerate()
            .filter(|(at, field)| {
                !field.may_be_left_out() && values.iter().all(|(set, _)| usize::from(*set) != *at)
            })
            .map(|(_, field)| field.name.to_string())
            .collect();
        for field in &missing {
            let kind = NoteKind::FieldNotSet { entity: schema.name.to_string(), field: field.clone() };
            self.note(kind, span);
        }
        missing.is_empty()
    }

    /// Whether an update may set a field; notes why not.
    pub(crate) fn may_update(&mut self, entity: EntityId, field: FieldId, span: Span) -> bool {
        let schema = self.world.table(entity);
        let target = &schema.fields[usize::from(field)];
        let reason = if target.generated {
            "generated"
        } else if target.computed {
            "computed"
        } else if target.immutable || schema.primary_key.contains(&field) {
            "immutable"
        } else {
            return true;
        };
        let (entity, field) = (schema.name.to_string(), target.name.to_string());
        self.note(NoteKind::FieldNotWritable { entity, field, reason }, span);
        false
    }

    /// Appends an update of a row by its key.
    pub(crate) fn update(
        &mut self,
        entity: EntityId,
        slot: Slot,
        assignments: Vec<(FieldId, Expression)>,
        on_conflict: Option<Failure>,
    ) {
        let schema = self.world.table(entity);
        let fields = super::rules::changed(schema, assignments.iter().map(|(field, _)| *field));
        self.guard_update(entity, &assignments);
        if assignments.is_empty() {
            let subject = schema.name.to_string();
            return self.note_here(NoteKind::Other { entry: "nothing_to_update", subject });
        }
        if on_conflict.is_none() {
            self.may_conflict_on(entity, &fields);
        }
        let statement = self.statement(Statement::UpdateByKey { entity, fields });
        self.push(Instruction::Update { slot, entity, statement, assignments, on_conflict });
    }

    /// Adds the fields that every update sets to now.
    pub(crate) fn touch_on_update(
        &mut self,
        entity: EntityId,
        assignments: &mut Vec<(FieldId, Operand)>,
        parameters: &mut Vec<Expression>,
    ) {
        self.guard_update_every(entity, assignments);
        for (at, field) in self.world.table(entity).fields.iter().enumerate() {
            let Ok(id) = FieldId::try_from(at) else { continue };
            if field.on_update
                && assignments.iter().all(|(set, _)| *set != id)
                && let Some(now) = self.now()
            {
                assignments.push((id, Operand::Parameter(parameters.len() as u16)));
                parameters.push(now);
            }
        }
    }

    fn now(&mut self) -> Option<Expression> {
        let ast = expression::parse("now()", Equals::Refused, &|_| 0).ok()?;
        expression::compile(&ast, &self.names, &mut self.notes).map(|typed| typed.expression)
    }

    /// A write to an entity with unique keys or references can be answered with a conflict.
    pub(crate) fn may_conflict(&mut self, entity: EntityId) {
        let schema = self.world.table(entity);
        let all: Vec<FieldId> =
            (0..schema.fields.len()).filter_map(|at| FieldId::try_from(at).ok()).collect();
        self.may_conflict_on(entity, &all);
    }

    fn may_conflict_on(&mut self, entity: EntityId, fields: &[FieldId]) {
        let schema = self.world.table(entity);
        let touches = |key: &[FieldId]| key.iter().any(|field| fields.contains(field));
        let unique: Vec<Outcome> = schema
            .unique
            .iter()
            .filter(|key| touches(&key.fields))
            .map(|key| key.otherwise.clone().unwrap_or_else(conflict))
            .collect();
        let made = |field: &FieldId| schema.fields[usize::from(*field)].generated;
        let by_hand = touches(&schema.primary_key) && !schema.primary_key.iter().any(made);
        let refers = fields.iter().any(|field| schema.fields[usize::from(*field)].references.is_some());
        for outcome in unique {
            self.raises(outcome);
        }
        if by_hand || refers {
            self.raises(conflict());
        }
    }

    /// A delete can be refused because other rows refer to the row.
    pub(crate) fn may_restrict(&mut self, entity: EntityId) {
        self.guard_delete(entity);
        let refuses = |(child, field): &(EntityId, FieldId)| {
            let field = &self.world.table(*child).fields[usize::from(*field)];
            field.references.is_some_and(|to| to.on_delete == OnDelete::Restrict)
        };
        if self.world.referrers(entity).iter().any(refuses) {
            self.raises(conflict());
        }
    }

    /// The chains of cascading references that lead to an entity, the farthest first.
    pub(crate) fn cascades(&self, entity: EntityId) -> Vec<Vec<(EntityId, FieldId)>> {
        let mut chains = Vec::new();
        self.collect_cascades(entity, &mut vec![entity], &mut Vec::new(), &mut chains);
        chains
    }

    fn collect_cascades(
        &self,
        entity: EntityId,
        seen: &mut Vec<EntityId>,
        chain: &mut Vec<(EntityId, FieldId)>,
        chains: &mut Vec<Vec<(EntityId, FieldId)>>,
    ) {
        for (child, field) in self.cascading(entity) {
            // A cycle of cascades ends here, and what has more of them than anyone writes: the store's own cascade
            // takes the rest.
            if seen.contains(&child) || chain.len() == DEEPEST_CASCADE || chains.len() == MOST_CASCADES {
                continue;
            }
            seen.push(child);
            chain.push((child, field));
            self.collect_cascades(child, seen, chain, chains);
            chains.push(chain.clone());
            chain.pop();
            seen.pop();
        }
    }

    /// Notes down the entities whose rows go with those of another.
    pub(crate) fn delete_cascades(&mut self, entity: EntityId) {
        let (mut open, mut seen) = (vec![entity], FxHashSet::from_iter([entity]));
        while let Some(entity) = open.pop() {
            let children: Vec<EntityId> = self.cascading(entity).map(|(child, _)| child).collect();
            for child in children {
                if seen.insert(child) {
                    self.writes(child);
                    open.push(child);
                }
            }
        }
    }

    /// The fields whose rows go with the row of a table to which they refer.
    fn cascading(&self, entity: EntityId) -> impl Iterator<Item = (EntityId, FieldId)> {
        let cascades = |(child, field): &(EntityId, FieldId)| {
            let field = &self.world.table(*child).fields[usize::from(*field)];
            field.references.is_some_and(|to| to.on_delete == OnDelete::Cascade)
        };
        self.world.referrers(entity).iter().copied().filter(cascades)
    }

    /// Whether an input travels in the path.
    fn setting_path(&self, name: &str) -> bool {
        self.path_inputs.iter().any(|other| **other == *name)
    }
}

/// How many references a chain of cascades follows, and how many chains are told.
const DEEPEST_CASCADE: usize = 64;
const MOST_CASCADES: usize = 1_000;

fn conflict() -> Outcome {
    Outcome { status: 409, code: Some("conflict".to_owned()) }
}
