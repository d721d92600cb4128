//! What is put off: ``Schedules `operation` / `procedure` [with `EXPR`] in / at `EXPR`.`` It runs after its time as the
//! system, in a transaction of its own; see `lower::handlers`.

use crate::expression::Expression;
use crate::lower::{Lowering, Refused};
use crate::notes::NoteKind;
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::{Action, Form, Grammar, not_understood};
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
    name: Code,
    given: Vec<Code>,
    due: Code,
    /// `in` a duration; otherwise `at` a time.
    after: bool,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let given = clause.codes(TailKind::With, "what is given in backticks, such as `{\"id\": order.id}`")?;
    let after = clause.one_code(TailKind::In, "a duration in backticks, such as `minutes(15)`")?;
    let at = clause.one_code(TailKind::At, "a time in backticks, such as `order.due_at`")?;
    let mut reader = clause.take_object();
    let name = reader.code("the name of an operation or procedure in backticks")?;
    reader.end("`with`, `in` or `at`")?;
    let (due, after) = match (after, at) {
        (Some(due), None) => (due, true),
        (None, Some(due)) => (due, false),
        _ => return Err(clause.missing("when: `in` a duration or `at` a time, one of both")),
    };
    Ok(Box::new(Schedules { name, given: given.unwrap_or_default(), due, after }))
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

    fn refuse(&self, cx: &mut Lowering<'_>, refused: Refused, name: String) {
        let expected = match refused {
            Refused::Input => return,
            Refused::Unknown(nearest) => {
                let kind = NoteKind::UnknownName { what: "operation", name, nearest };
                return cx.note(kind, self.name.span());
            }
            Refused::WithoutSteps => "an operation or procedure whose behaviour has steps",
            Refused::Recursive | Refused::TooLarge => "less that is scheduled",
        };
        let misread = Misread { word: Some(name), expected: expected.to_owned(), span: self.name.span() };
        let (kind, span) = not_understood(&SCHEDULES, misread);
        cx.note(kind, span);
    }
}

impl Action for Schedules {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let name = self.name.text(cx.source()).trim().to_owned();
        let Some(given) = cx.given(&self.given) else { return };
        let due = self.due(cx);
        match cx.schedule(&name, &given, self.name.span(), due) {
            Ok(()) => {}
            Err(refused) => self.refuse(cx, refused, name),
        }
    }
}
