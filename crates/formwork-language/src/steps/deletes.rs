//! Removing rows: ``Deletes the `x`.``, ``Deletes every `E` where …``

use crate::lower::Lowering;
use crate::program::{Instruction, Statement};
use crate::steps::clause::{Clause, Joined, Misread, TailKind};
use crate::steps::{Action, Form, Grammar};
use formwork_syntax::Code;

/// ``Deletes the `x`.``
pub(crate) static DELETES: Form = Form {
    name: "Deletes",
    heads: &["deletes"],
    notation: "Deletes the `x`.",
    tails: &[],
    grammar: Grammar::Tails(read_one),
};

/// ``Deletes every `E` where …``
pub(crate) static DELETES_EVERY: Form = Form {
    name: "Deletes every",
    heads: &["deletes every", "deletes all", "deletes each"],
    notation: "Deletes every `E` [where `EXPR`].",
    tails: &[],
    grammar: Grammar::Tails(read_every),
};

#[derive(Debug)]
struct Deletes {
    variable: Code,
}

fn read_one(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    if let Some(tail) = clause.tails.iter().find(|tail| tail.kind == TailKind::Where) {
        return Err(Misread {
            word: Some("where".to_owned()),
            expected: "the end of the sentence: find the row first, or write `every`".to_owned(),
            span: tail.span,
        });
    }
    let mut reader = clause.take_object();
    let variable = reader.code("the variable in backticks")?;
    reader.end("the end of the sentence")?;
    Ok(Box::new(Deletes { variable }))
}

impl Action for Deletes {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some((slot, entity)) = cx.row_variable(&self.variable) else { return };
        cx.may_restrict(entity);
        let statement = cx.statement(Statement::DeleteByKey { entity });
        cx.push(Instruction::Delete { slot, statement });
        cx.wrote(entity, slot);
        cx.delete_cascades(entity);
    }
}

#[derive(Debug)]
struct DeletesEvery {
    entity: Code,
    filter: Option<Joined>,
}

fn read_every(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let filter = clause.conditions(TailKind::Where)?;
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    reader.end("`where`")?;
    Ok(Box::new(DeletesEvery { entity, filter }))
}

impl Action for DeletesEvery {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.entity) else { return };
        cx.writes(entity);
        cx.delete_cascades(entity);
        let Some((filter, parameters)) = cx.filter(entity, self.filter.as_ref()) else { return };
        cx.may_restrict(entity);
        let limit = cx.batch();
        let chains = if cx.is_job() { cx.cascades(entity) } else { Vec::new() };
        for through in chains.into_iter().chain([Vec::new()]) {
            let filter = filter.clone();
            let statement = cx.statement(Statement::DeleteWhere { entity, filter, limit, through });
            cx.push(Instruction::WriteMany { statement, parameters: parameters.clone(), batch: limit });
        }
    }
}
