//! Reading one row: ``Finds the `E` where …``, ``Finds the first `E` where …, sorted by …``

use crate::expression::{Bare, Expression, Kind};
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{
    Comparison, Condition, EntityId, FieldId, Instruction, Limit, Lock, Operand, Select, Slot, Statement,
    StatementId,
};
use crate::steps::clause::{Clause, Joined, Misread, Refusal, TailKind};
use crate::steps::creates::assigned;
use crate::steps::lists::{Sorting, lock};
use crate::steps::{Action, Form, Grammar};
use formwork_syntax::Code;

mod again;

/// ``Finds the `E` where …``
pub(crate) static FINDS: Form = Form {
    name: "Finds",
    heads: &["finds"],
    notation: "Finds the `E` where `EXPR` [as `x`], or fails with `404 code`. \
               Also: …, if any. · …, or stops. · …, or creates it with `f = EXPR`. · \
               Finds the `x` again [, or fails with `404 code`].",
    tails: &[
        TailKind::As,
        TailKind::OrFails,
        TailKind::IfAny,
        TailKind::OrStops,
        TailKind::OrCreates,
        TailKind::Locking,
        TailKind::Skipping,
    ],
    grammar: Grammar::Tails(read_finds),
};

/// ``Finds the first `E` where …, sorted by …``
pub(crate) static FINDS_FIRST: Form = Form {
    name: "Finds the first",
    heads: &["finds the first"],
    notation: "Finds the first `E` [where `EXPR`], sorted by `f` [descending] [then by `g`], as `x`, \
               or fails with `404 code` / if any.",
    tails: &[
        TailKind::As,
        TailKind::OrFails,
        TailKind::IfAny,
        TailKind::OrStops,
        TailKind::OrCreates,
        TailKind::Locking,
        TailKind::Skipping,
        TailKind::SortedBy,
        TailKind::ThenBy,
        TailKind::NewestFirst,
        TailKind::OldestFirst,
    ],
    grammar: Grammar::Tails(read_first),
};

#[derive(Debug)]
struct Finds {
    entity: Code,
    filter: Option<Joined>,
    variable: Option<Code>,
    missing: Missing,
    /// For the first of several; otherwise a key must be pinned.
    sorting: Option<Sorting>,
    lock: Lock,
}

/// What happens when there is no such row.
#[derive(Debug)]
enum Missing {
    Fails(Refusal),
    Absent,
    Stops,
    Creates(Vec<Code>),
}

fn read_finds(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    if clause.object.iter().any(|token| token.is("again")) {
        return again::read(clause);
    }
    let finds = read(clause, None)?;
    if finds.filter.is_none() {
        return Err(clause.missing("`where`: which row is found"));
    }
    Ok(Box::new(finds))
}

fn read_first(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let sorting = Sorting::read(clause)?;
    if sorting.is_empty() {
        return Err(clause.missing("`sorted by`: which row is the first"));
    }
    Ok(Box::new(read(clause, Some(sorting))?))
}

fn read(clause: &mut Clause<'_>, sorting: Option<Sorting>) -> Result<Finds, Misread> {
    let filter = clause.conditions(TailKind::Where)?;
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let lock = lock(clause)?;
    let refusal = clause.refusal(TailKind::OrFails)?;
    let creates = clause.codes(TailKind::OrCreates, "an assignment in backticks, such as `f = EXPR`")?;
    let absent = clause.take_flag(TailKind::IfAny)?;
    let stops = clause.take_flag(TailKind::OrStops)?;
    let missing = match (refusal, creates, absent, stops) {
        (Some(refusal), None, false, false) => Missing::Fails(refusal),
        (None, Some(assignments), false, false) => Missing::Creates(assignments),
        (None, None, true, false) => Missing::Absent,
        (None, None, false, true) => Missing::Stops,
        _ => {
            return Err(
                clause.missing("exactly one of `or fails with`, `if any`, `or stops`, `or creates it with`")
            );
        }
    };
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    reader.end("`where`")?;
    Ok(Finds { entity, filter, variable, missing, sorting, lock })
}

/// The condition of a *Finds*, lowered.
struct Filter {
    condition: Option<Condition>,
    parameters: Vec<Expression>,
}

impl Finds {
    fn select(&self, cx: &mut Lowering<'_>, entity: EntityId) -> Option<(StatementId, Filter)> {
        let (condition, parameters) = cx.plain_filter(entity, self.filter.as_ref())?;
        let order = match &self.sorting {
            Some(sorting) => sorting.lower(cx, entity)?,
            None => {
                if !cx.pins_key(entity, condition.as_ref()) {
                    let name = cx.entity_name(entity);
                    cx.note(NoteKind::NotAKey { entity: name }, self.entity.span());
                }
                Vec::new()
            }
        };
        let filter = condition.clone();
        let select = Select { entity, filter, order, limit: Limit::Rows(1), after: None, lock: self.lock };
        Some((cx.statement(Statement::Select(select)), Filter { condition, parameters }))
    }

    /// Makes a row because none was found: with what the condition pins, and what is assigned.
    fn create(&self, cx: &mut Lowering<'_>, entity: EntityId, slot: Slot, filter: &Filter, codes: &[Code]) {
        let given = assigned(cx, codes, entity, Bare::Nothing);
        cx.wrote(entity, slot);
        let Some(given) = given else { return };
        let mut values =
            filter.condition.as_ref().map(|it| pinned(it, &filter.parameters)).unwrap_or_default();
        values.retain(|(field, _)| given.iter().all(|(other, _)| other != field));
        values.extend(given);
        if cx.complete(entity, &values, self.entity.span()) {
            let statement = cx.statement(Statement::Insert { entity });
            let slot = Some(slot);
            cx.push(Instruction::Insert { entity, statement, assignments: values, slot, on_conflict: None });
        }
    }
}

impl Action for Finds {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.entity) else { return };
        cx.reads(entity);
        cx.locks(self.lock);
        let select = self.select(cx, entity);
        let optional = matches!(self.missing, Missing::Absent);
        let kind = cx.row(entity);
        let ty = if optional { kind.optional() } else { kind.required() };
        let bound = cx.bind_row(self.variable.as_ref(), self.entity.span(), entity, ty);
        let (Some(slot), Some((statement, filter))) = (bound, select) else { return };
        cx.push(Instruction::ReadRow { statement, parameters: filter.parameters.clone(), slot });
        if optional {
            return cx.hold_row(entity, slot, None);
        }
        let found = cx.jump_if_present(slot);
        match &self.missing {
            Missing::Absent => {}
            Missing::Stops => cx.stop(),
            Missing::Fails(refusal) => {
                let failure = cx.failure(refusal, Vec::new());
                cx.push(Instruction::Fail { failure });
            }
            Missing::Creates(assignments) => self.create(cx, entity, slot, &filter, assignments),
        }
        cx.patch(found);
        let missing = match &self.missing {
            Missing::Fails(refusal) => Some(refusal),
            _ => None,
        };
        cx.hold_row(entity, slot, missing);
    }
}

/// The fields that a condition fixes, with the value of each.
fn pinned(condition: &Condition, parameters: &[Expression]) -> Vec<(FieldId, Expression)> {
    let value = |operand: &Operand| match operand {
        Operand::Parameter(number) => parameters.get(usize::from(*number)).cloned(),
        Operand::Constant(value) => Some(Expression::Constant(value.clone())),
        _ => None,
    };
    match condition {
        Condition::All(all) => all.iter().flat_map(|one| pinned(one, parameters)).collect(),
        Condition::Compare(Comparison::Equal, Operand::Field(field), other)
        | Condition::Compare(Comparison::Equal, other, Operand::Field(field)) => {
            value(other).map(|value| (*field, value)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The fields that a condition fixes to one value.
pub(crate) fn pinned_fields(condition: &Condition) -> Vec<FieldId> {
    let fixed = |operand: &Operand| matches!(operand, Operand::Parameter(_) | Operand::Constant(_));
    match condition {
        Condition::All(all) => all.iter().flat_map(pinned_fields).collect(),
        Condition::Any(any) if any.len() == 1 => any.iter().flat_map(pinned_fields).collect(),
        Condition::Compare(Comparison::Equal, Operand::Field(field), other) if fixed(other) => vec![*field],
        Condition::Compare(Comparison::Equal, other, Operand::Field(field)) if fixed(other) => vec![*field],
        Condition::IsTrue(Operand::Field(field)) => vec![*field],
        Condition::IsNull(Operand::Field(field)) => vec![*field],
        _ => Vec::new(),
    }
}

/// The kind of a list of rows.
pub(crate) fn rows(kind: Kind) -> Kind {
    Kind::List(Box::new(kind.required()))
}
