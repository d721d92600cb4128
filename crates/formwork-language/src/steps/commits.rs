//! Where one transaction ends and the next begins: `Commits.`, ``Waits until a `E` exists where `EXPR`, at most `D`.``

use crate::lower::Lowering;
use crate::program::{Instruction, Statement};
use crate::steps::calls::Amount;
use crate::steps::clause::{Clause, Joined, Misread, TailKind};
use crate::steps::{Action, Form, Grammar};
use formwork_syntax::Code;

/// `Commits.`
pub(crate) static COMMITS: Form = Form {
    name: "Commits",
    heads: &["commits"],
    notation: "Commits.",
    tails: &[],
    grammar: Grammar::Tails(|_| Ok(Box::new(Commits))),
};

/// ``Waits until a `E` exists …``
pub(crate) static WAITS: Form = Form {
    name: "Waits",
    heads: &["waits until"],
    notation: "Waits until a `E` exists [where `EXPR`], at most `D`.",
    tails: &[TailKind::AtMost],
    grammar: Grammar::Tails(read_waits),
};

#[derive(Debug)]
struct Commits;

impl Action for Commits {
    fn lower(&self, cx: &mut Lowering<'_>) {
        cx.push(Instruction::Commit);
    }
}

#[derive(Debug)]
struct Waits {
    entity: Code,
    filter: Option<Joined>,
    at_most: Amount,
}

fn read_waits(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let filter = clause.conditions(TailKind::Where)?;
    let Some(tail) = clause.take(TailKind::AtMost) else {
        return Err(clause.missing("`at most` and how long, such as `at most 20 s`"));
    };
    let at_most = Amount::duration(clause, tail)?;
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    if !reader.word("exists") {
        return Err(reader.misread("`exists`"));
    }
    reader.end("`where` or `at most`")?;
    Ok(Box::new(Waits { entity, filter, at_most }))
}

impl Action for Waits {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.entity) else { return };
        let filter = cx.plain_filter(entity, self.filter.as_ref());
        let at_most = self.at_most.as_duration(cx, "`at most`");
        cx.reads(entity);
        let (Some((filter, parameters)), Some(at_most)) = (filter, at_most) else { return };
        let statement = cx.statement(Statement::Exists { entity, filter });
        cx.push(Instruction::Wait { statement, parameters, at_most });
    }
}
