//! What is put off: ``Schedules `operation` / `procedure` [with `EXPR`] in / at `EXPR`.`` It runs after its time as the
//! system, in a transaction of its own; see `lower::handlers`.

use crate::expression::Expression;
use crate::lower::Lowering;
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::named::Named;
use crate::steps::{Action, Form, Grammar};
use crate::value::Value;
use formwork_model::values::{Type, parse_duration};
use formwork_syntax::Code;

/// ``Schedules `operation` …``
pub(crate) static SCHEDULES: Form = Form {
    name: "Schedules",
    heads: &["schedules"],
    notation: "Schedules `operation` / `procedure` [with `{\"f\": EXPR}` / `f = EXPR`, `g = EXPR`] in `DURATION` / at `TIME`.",
    tails: &[TailKind::With, TailKind::In, TailKind::At],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Schedules {
    named: Named,
    due: Code,
    /// `in` a duration; otherwise `at` a time.
    after: bool,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let after = clause.one_code(TailKind::In, "a duration in backticks, such as `minutes(15)`")?;
    let at = clause.one_code(TailKind::At, "a time in backticks, such as `order.due_at`")?;
    let named = Named::read(clause, "`with`, `in` or `at`")?;
    let (due, after) = match (after, at) {
        (Some(due), None) => (due, true),
        (None, Some(due)) => (due, false),
        _ => return Err(clause.missing("when: `in` a duration or `at` a time, one of both")),
    };
    Ok(Box::new(Schedules { named, due, after }))
}

impl Schedules {
    /// A duration may be written as one: `15 min`.
    fn due(&self, cx: &mut Lowering<'_>) -> Option<Expression> {
        let plain = parse_duration(&self.due.text(cx.source()));
        match (self.after, plain) {
            (true, Some(micros)) => Some(Expression::Constant(Value::Duration(micros))),
            (true, None) => cx.value_of(&self.due, &Type::Duration, "`in` of `Schedules`"),
            (false, _) => cx.value_of(&self.due, &Type::Timestamp, "`at` of `Schedules`"),
        }
    }
}

impl Action for Schedules {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let name = self.named.name(cx);
        let Some(given) = self.named.given(cx) else { return };
        let due = self.due(cx);
        if let Err(refused) = cx.schedule(&name, &given, self.named.code.span(), due) {
            self.named.refuse(cx, &SCHEDULES, refused);
        }
    }
}
