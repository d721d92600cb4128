//! Changing rows: ``Updates the `x` with …``, ``Updates every `E` where … with …``

use crate::expression::Bare;
use crate::lower::Lowering;
use crate::program::{Instruction, Statement};
use crate::steps::clause::{Clause, Joined, Misread, Refusal, TailKind};
use crate::steps::{Action, Form, Grammar};
use formwork_syntax::Code;

/// ``Updates the `x` …``
pub(crate) static UPDATES: Form = Form {
    name: "Updates",
    heads: &["updates"],
    notation: "Updates the `x` [from the input] with `f = EXPR`, `g = EXPR` [, or fails with `409 code`].",
    tails: &[TailKind::FromInput, TailKind::With, TailKind::OrFails],
    grammar: Grammar::Tails(read_one),
};

/// ``Updates every `E` where …``
pub(crate) static UPDATES_EVERY: Form = Form {
    name: "Updates every",
    heads: &["updates every", "updates all", "updates each"],
    notation: "Updates every `E` [where `EXPR`] with `f = EXPR`.",
    tails: &[TailKind::With],
    grammar: Grammar::Tails(read_every),
};

const ASSIGNMENT: &str = "an assignment in backticks, such as `f = EXPR`";

#[derive(Debug)]
struct Updates {
    variable: Code,
    from_input: bool,
    assignments: Vec<Code>,
    conflict: Option<Refusal>,
}

fn read_one(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    if let Some(tail) = clause.tails.iter().find(|tail| tail.kind == TailKind::Where) {
        return Err(Misread {
            word: Some("where".to_owned()),
            expected: "`with`: find the row first, or write `every`".to_owned(),
            span: tail.span,
        });
    }
    let from_input = clause.take_flag(TailKind::FromInput)?;
    let assignments = clause.codes(TailKind::With, ASSIGNMENT)?.unwrap_or_default();
    let conflict = clause.refusal(TailKind::OrFails)?;
    if !from_input && assignments.is_empty() {
        return Err(clause.missing("`with` or `from the input`: what is changed"));
    }
    let mut reader = clause.take_object();
    let variable = reader.code("the variable in backticks")?;
    reader.end("`with` or `from the input`")?;
    Ok(Box::new(Updates { variable, from_input, assignments, conflict }))
}

impl Action for Updates {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some((slot, entity)) = cx.row_variable(&self.variable) else { return };
        let mut given = Vec::new();
        let mut complete = true;
        for assigned in cx.assignments(&self.assignments, entity, Bare::Nothing) {
            match assigned {
                Some((field, value, span)) => {
                    complete &= cx.may_update(entity, field, span);
                    given.push((field, value));
                }
                None => complete = false,
            }
        }
        let mut values = if self.from_input { cx.input_values(entity, false, &given) } else { Vec::new() };
        values.extend(given);
        let on_conflict = self.conflict.as_ref().map(|refusal| cx.failure(refusal, Vec::new()));
        if complete {
            cx.update(entity, slot, values, on_conflict);
        }
        cx.wrote(entity, slot);
    }
}

#[derive(Debug)]
struct UpdatesEvery {
    entity: Code,
    filter: Option<Joined>,
    assignments: Vec<Code>,
}

fn read_every(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let filter = clause.conditions(TailKind::Where)?;
    let Some(assignments) = clause.codes(TailKind::With, ASSIGNMENT)? else {
        return Err(clause.missing("`with`: what is changed"));
    };
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    reader.end("`where` or `with`")?;
    Ok(Box::new(UpdatesEvery { entity, filter, assignments }))
}

impl Action for UpdatesEvery {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.entity) else { return };
        cx.writes(entity);
        let mut parameters = Vec::new();
        let mut assignments = Vec::new();
        let Some(operands) = cx.operands(&self.assignments, entity, &mut parameters) else { return };
        for (field, operand, span) in operands {
            if !cx.may_update(entity, field, span) {
                return;
            }
            assignments.push((field, operand));
        }
        cx.touch_on_update(entity, &mut assignments, &mut parameters);
        let Some(filter) = cx.filter_from(entity, self.filter.as_ref(), &mut parameters) else { return };
        cx.may_conflict(entity);
        let batch = cx.batch();
        let statement = cx.statement(Statement::UpdateWhere { entity, assignments, filter, limit: batch });
        cx.push(Instruction::WriteMany { statement, parameters, batch });
    }
}
