//! Reading a row anew: ``Finds the `x` again [, locking it] [, or fails with …].``

use crate::expression::Expression;
use crate::lower::Lowering;
use crate::program::{Instruction, Limit, Lock, Select, Statement};
use crate::steps::Action;
use crate::steps::clause::{Clause, Misread, Refusal, TailKind};
use crate::steps::lists::lock;
use formwork_model::facts::Outcome;
use formwork_syntax::Code;

#[derive(Debug)]
struct FindsAgain {
    variable: Code,
    lock: Lock,
    gone: Gone,
}

/// What happens when the row is no longer there.
#[derive(Debug)]
enum Gone {
    Fails(Option<Refusal>),
    Stops,
}

/// Reads ``Finds the `x` again …``
pub(super) fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let lock = lock(clause)?;
    let refusal = clause.refusal(TailKind::OrFails)?;
    let stops = clause.take_flag(TailKind::OrStops)?;
    let gone = match (refusal, stops) {
        (Some(_), true) => return Err(clause.missing("either `or fails with` or `or stops`, not both")),
        (None, true) => Gone::Stops,
        (refusal, false) => Gone::Fails(refusal),
    };
    let mut reader = clause.take_object();
    let variable = reader.code("the variable in backticks")?;
    if !reader.word("again") {
        return Err(reader.misread("`again`"));
    }
    reader.end("`or fails with` or the end of the sentence")?;
    Ok(Box::new(FindsAgain { variable, lock, gone }))
}

impl Action for FindsAgain {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some((slot, entity)) = cx.row_variable(&self.variable) else { return };
        cx.reads(entity);
        cx.locks(self.lock);
        let key = cx.primary_key(entity);
        let filter = Some(cx.equal_all(&key));
        let value =
            |field| Expression::Field { row: Box::new(Expression::Slot(slot)), field, withheld: None };
        let parameters = key.into_iter().map(value).collect();
        let order = Vec::new();
        let select = Select { entity, filter, order, limit: Limit::Rows(1), after: None, lock: self.lock };
        let statement = cx.statement(Statement::Select(select));
        cx.push(Instruction::ReadRow { statement, parameters, slot });
        let found = cx.jump_if_present(slot);
        match &self.gone {
            Gone::Stops => cx.stop(),
            Gone::Fails(refusal) => {
                let not_found = || Outcome { status: 404, code: Some("not_found".to_owned()) };
                let failure = match refusal {
                    Some(refusal) => cx.failure(refusal, Vec::new()),
                    None => cx.plain_failure(not_found()),
                };
                cx.push(Instruction::Fail { failure });
            }
        }
        cx.patch(found);
        let missing = match &self.gone {
            Gone::Fails(refusal) => refusal.as_ref(),
            Gone::Stops => None,
        };
        cx.hold_row(entity, slot, missing);
        let name = self.variable.text(cx.source()).trim().to_owned();
        cx.forget_members(&name);
        cx.is_present(&name);
    }
}
