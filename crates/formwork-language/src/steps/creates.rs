//! Making rows: ``Creates a `E` with …``, ``Creates a `E` for each `x` in `EXPR` with …``,
//! ``Creates or updates the `E` where …``

use crate::expression::{Bare, Expression};
use crate::lower::{Answer, AnswerKind, Lowering};
use crate::notes::NoteKind;
use crate::program::{EntityId, FieldId, Instruction, Limit, Lock, Select, Slot, Statement};
use crate::steps::clause::{Clause, Misread, Refusal, TailKind};
use crate::steps::for_each::Loop;
use crate::steps::{Action, Form, Grammar};
use crate::value::Value;
use formwork_syntax::Code;

/// ``Creates a `E` …``
pub(crate) static CREATES: Form = Form {
    name: "Creates",
    heads: &["creates"],
    notation: "Creates a `E` [from the input] [with `f = EXPR`, `g = EXPR`] [as `x`] [, or fails with `409 code`]. · \
               Creates a `E` for each `x` in `EXPR` with `f = EXPR`.",
    tails: &[
        TailKind::FromInput,
        TailKind::With,
        TailKind::As,
        TailKind::OrFails,
        TailKind::ForEach,
        TailKind::In,
    ],
    grammar: Grammar::Tails(read_creates),
};

/// ``Creates or updates the `E` where …``
pub(crate) static CREATES_OR_UPDATES: Form = Form {
    name: "Creates or updates",
    heads: &["creates or updates"],
    notation: "Creates or updates the `E` where `f = EXPR` [from the input] [with `g = EXPR`] [as `x`].",
    tails: &[TailKind::FromInput, TailKind::With, TailKind::As, TailKind::OrFails],
    grammar: Grammar::Tails(read_upsert),
};

#[derive(Debug)]
struct Creates {
    entity: Code,
    from_input: bool,
    assignments: Vec<Code>,
    variable: Option<Code>,
    conflict: Option<Refusal>,
    each: Option<(Code, Code)>,
}

const ASSIGNMENT: &str = "an assignment in backticks, such as `f = EXPR`";

fn read_creates(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let from_input = clause.take_flag(TailKind::FromInput)?;
    let assignments = clause.codes(TailKind::With, ASSIGNMENT)?.unwrap_or_default();
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let conflict = clause.refusal(TailKind::OrFails)?;
    let item = clause.one_code(TailKind::ForEach, "the variable in backticks")?;
    let list = clause.one_code(TailKind::In, "a list in backticks")?;
    let each = match (item, list) {
        (None, None) => None,
        (Some(item), Some(list)) => Some((item, list)),
        _ => return Err(clause.missing("`for each` with `in`: a variable and its list")),
    };
    if each.is_some() && variable.is_some() {
        return Err(clause.missing("no `as`: one name cannot stand for several rows"));
    }
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    reader.end("`from the input`, `with`, `as` or `or fails with`")?;
    Ok(Box::new(Creates { entity, from_input, assignments, variable, conflict, each }))
}

/// What the code spans set, if all of them are right.
pub(super) fn assigned(
    cx: &mut Lowering<'_>,
    codes: &[Code],
    entity: EntityId,
    bare: Bare,
) -> Option<Vec<(FieldId, Expression)>> {
    let given = cx.assignments(codes, entity, bare).into_iter();
    given.map(|given| given.map(|(field, value, _)| (field, value))).collect()
}

impl Creates {
    /// The assignments and the refusal, with the notes about fields that nothing sets.
    fn values(&self, cx: &mut Lowering<'_>, entity: EntityId) -> Option<Vec<(FieldId, Expression)>> {
        let given = assigned(cx, &self.assignments, entity, Bare::Nothing)?;
        let mut values = if self.from_input { cx.input_values(entity, true, &given) } else { Vec::new() };
        values.extend(given);
        cx.complete(entity, &values, self.entity.span()).then_some(values)
    }

    fn insert(
        &self,
        cx: &mut Lowering<'_>,
        entity: EntityId,
        values: Vec<(FieldId, Expression)>,
        slot: Option<Slot>,
    ) {
        let on_conflict = self.conflict.as_ref().map(|refusal| cx.failure(refusal, Vec::new()));
        if on_conflict.is_none() {
            cx.may_conflict(entity);
        }
        let statement = cx.statement(Statement::Insert { entity });
        cx.push(Instruction::Insert { entity, statement, assignments: values, slot, on_conflict });
    }

    fn lower_each(&self, cx: &mut Lowering<'_>, entity: EntityId, item: &Code, list: &Code) {
        let Some(looping) = Loop::start(cx, item, list, None) else { return };
        if let Some(values) = self.values(cx, entity) {
            self.insert(cx, entity, values, None);
        }
        looping.end(cx);
        cx.writes(entity);
    }
}

impl Action for Creates {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.entity) else { return };
        if let Some((item, list)) = &self.each {
            return self.lower_each(cx, entity, item, list);
        }
        let values = self.values(cx, entity);
        let ty = cx.row(entity).required();
        let bound = match &self.variable {
            Some(name) => cx.bind_row(Some(name), name.span(), entity, ty),
            None => cx.bind_created(self.entity.span(), entity, ty),
        };
        let Some(slot) = bound else { return };
        if let Some(values) = values {
            self.insert(cx, entity, values, Some(slot));
        }
        cx.hold_row(entity, slot, None);
        cx.wrote(entity, slot);
    }
}

#[derive(Debug)]
struct Upsert {
    entity: Code,
    key: Vec<Code>,
    from_input: bool,
    assignments: Vec<Code>,
    variable: Option<Code>,
    conflict: Option<Refusal>,
}

fn read_upsert(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let Some(key) = clause.codes(TailKind::Where, ASSIGNMENT)? else {
        return Err(clause.missing("`where`: which row it is"));
    };
    let from_input = clause.take_flag(TailKind::FromInput)?;
    let assignments = clause.codes(TailKind::With, ASSIGNMENT)?.unwrap_or_default();
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let conflict = clause.refusal(TailKind::OrFails)?;
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    reader.end("`where`")?;
    Ok(Box::new(Upsert { entity, key, from_input, assignments, variable, conflict }))
}

impl Upsert {
    /// Looks for the row, then changes it or makes it. Both branches leave it in `slot`.
    fn lower_rows(&self, cx: &mut Lowering<'_>, entity: EntityId, slot: Slot) -> Option<Slot> {
        let key = assigned(cx, &self.key, entity, Bare::Nothing)?;
        let fields: Vec<FieldId> = key.iter().map(|(field, _)| *field).collect();
        if !cx.is_key(entity, &fields) {
            let name = cx.entity_name(entity);
            cx.note(NoteKind::NotAKey { entity: name }, self.entity.span());
            return None;
        }
        // Computed once: a key such as `random_slug(7)` must be the same when it is looked up and when it is stored.
        let key: Vec<(FieldId, Expression)> = key
            .into_iter()
            .map(|(field, value)| {
                let kept = cx.hidden_slot();
                cx.push(Instruction::Let { slot: kept, value });
                (field, Expression::Slot(kept))
            })
            .collect();
        let filter = Some(cx.equal_all(&fields));
        let parameters = key.iter().map(|(_, value)| value.clone()).collect();
        let select = Select {
            entity,
            filter,
            order: Vec::new(),
            limit: Limit::Rows(1),
            after: None,
            lock: Lock::Wait,
        };
        let statement = cx.statement(Statement::Select(select));
        cx.push(Instruction::ReadRow { statement, parameters, slot });
        cx.hold_row(entity, slot, None);
        let on_conflict = self.conflict.as_ref().map(|refusal| cx.failure(refusal, Vec::new()));
        let created = cx.hidden_slot();
        cx.push(Instruction::Let { slot: created, value: Expression::Constant(Value::Boolean(false)) });
        let found = cx.jump_if_present(slot);
        let mut values = key.clone();
        values.extend(self.values(cx, entity, slot, true)?);
        let complete = cx.complete(entity, &values, self.entity.span());
        if complete {
            let statement = cx.statement(Statement::Insert { entity });
            let on_conflict = on_conflict.clone();
            cx.push(Instruction::Insert {
                entity,
                statement,
                assignments: values,
                slot: Some(slot),
                on_conflict,
            });
        }
        cx.hold_row(entity, slot, None);
        cx.push(Instruction::Let { slot: created, value: Expression::Constant(Value::Boolean(true)) });
        let done = cx.jump();
        cx.patch(found);
        let assignments = self.values(cx, entity, slot, false)?;
        cx.update(entity, slot, assignments, on_conflict);
        cx.patch(done);
        Some(created)
    }

    fn values(
        &self,
        cx: &mut Lowering<'_>,
        entity: EntityId,
        slot: Slot,
        create: bool,
    ) -> Option<Vec<(FieldId, Expression)>> {
        let given = assigned(cx, &self.assignments, entity, Bare::Row(entity, slot))?;
        let mut values = if self.from_input { cx.input_values(entity, create, &given) } else { Vec::new() };
        values.extend(given);
        Some(values)
    }
}

impl Action for Upsert {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.entity) else { return };
        cx.reads(entity);
        let slot = cx.hidden_slot();
        let lowered = self.lower_rows(cx, entity, slot);
        let ty = cx.row(entity).required();
        cx.bind_upserted(self.variable.as_ref(), self.entity.span(), entity, slot, ty);
        cx.wrote(entity, slot);
        if let Some(created) = lowered {
            cx.answer(Answer { kind: AnswerKind::Upserted(created), entity, slot });
        }
    }
}
