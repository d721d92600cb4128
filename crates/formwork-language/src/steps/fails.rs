//! Checks: ``Fails with `409 slug_taken` when …``

use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{Failure, Instruction};
use crate::steps::clause::{Clause, Misread, Refusal, TailKind};
use crate::steps::{Action, Form, Grammar, Guard};
use formwork_syntax::Code;

/// ``Fails with `STATUS code` …``
pub(crate) static FAILS: Form = Form {
    name: "Fails",
    heads: &["fails with"],
    notation: "Fails with `STATUS code` [\"message\"] [with `f = EXPR`] [when / if / unless `EXPR`]. · \
               Fails with `STATUS code` when / unless a `E` exists where `EXPR`.",
    tails: &[TailKind::With],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Fails {
    refusal: Refusal,
    span: formwork_syntax::Span,
    members: Vec<Code>,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let members =
        clause.codes(TailKind::With, "a member in backticks, such as `left = 3`")?.unwrap_or_default();
    let mut reader = clause.take_object();
    let span = clause.span;
    let refusal = reader.refusal()?;
    reader.end("`when`, `if`, `unless` or `with`")?;
    Ok(Box::new(Fails { refusal, span, members }))
}

impl Fails {
    fn failure(&self, cx: &mut Lowering<'_>) -> Failure {
        if self.refusal.outcome.status < 400 {
            let status = self.refusal.outcome.status.to_string();
            cx.note(NoteKind::BadStatus { status, allowed: "400 to 599" }, self.span);
        }
        let members = cx.members(&self.members);
        cx.failure(&self.refusal, members)
    }
}

impl Action for Fails {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let failure = self.failure(cx);
        cx.push(Instruction::Fail { failure });
    }

    fn lower_guarded(&self, cx: &mut Lowering<'_>, guard: &Guard) {
        let condition = guard.lower(cx);
        cx.enter_guarded();
        guard.narrow(cx, true);
        let failure = self.failure(cx);
        cx.leave_guarded();
        if let Some(condition) = condition {
            cx.push(Instruction::FailIf { condition, failure });
        }
        guard.narrow(cx, false);
    }

    fn ends(&self) -> bool {
        true
    }
}
