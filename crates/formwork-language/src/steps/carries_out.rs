//! Steps that several operations share: ``Carries out `procedure` with `EXPR` [as `x`].`` How their instructions come
//! into the caller's is in `lower::carried`.

use crate::expression::Kind;
use crate::lower::{Lowering, Refused};
use crate::notes::NoteKind;
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::{Action, Form, Grammar, not_understood};
use formwork_syntax::Code;

/// ``Carries out `procedure` …``
pub(crate) static CARRIES_OUT: Form = Form {
    name: "Carries out",
    heads: &["carries out"],
    notation: "Carries out `operation` / `procedure` [with `{\"f\": EXPR}` / `f = EXPR`, `g = EXPR`] [as `x`].",
    tails: &[TailKind::With, TailKind::As],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct CarriesOut {
    name: Code,
    given: Vec<Code>,
    variable: Option<Code>,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let given = clause.codes(TailKind::With, "what is given in backticks, such as `{\"id\": order.id}`")?;
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let mut reader = clause.take_object();
    let name = reader.code("the name of an operation or procedure in backticks")?;
    reader.end("`with`, `as` or the end of the sentence")?;
    Ok(Box::new(CarriesOut { name, given: given.unwrap_or_default(), variable }))
}

impl CarriesOut {
    fn refuse(&self, cx: &mut Lowering<'_>, refused: Refused, name: String) {
        let expected = match refused {
            Refused::Input => return,
            Refused::Unknown(nearest) => {
                let kind = NoteKind::UnknownName { what: "operation", name, nearest };
                return cx.note(kind, self.name.span());
            }
            Refused::WithoutSteps => "an operation or procedure whose behaviour has steps",
            Refused::Recursive => "something that does not carry out itself, nor what carries this out",
            Refused::TooLarge => "less that is carried out: all of it together is too large",
        };
        let misread = Misread { word: Some(name), expected: expected.to_owned(), span: self.name.span() };
        let (kind, span) = not_understood(&CARRIES_OUT, misread);
        cx.note(kind, span);
    }
}

impl Action for CarriesOut {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let name = self.name.text(cx.source()).trim().to_owned();
        let carried = match cx.given(&self.given) {
            Some(given) => cx.carry_out(&name, &given, self.name.span(), self.variable.is_some()),
            None => Err(Refused::Input),
        };
        let answer = match carried {
            Ok(answer) => answer,
            Err(refused) => {
                self.refuse(cx, refused, name);
                // The variable exists all the same, so that one mistake gives one note.
                if let Some(variable) = &self.variable {
                    cx.bind(variable, Kind::Dynamic.required());
                }
                return;
            }
        };
        match (&self.variable, answer) {
            (Some(variable), Some((slot, ty))) => {
                cx.bind_answer(variable, slot, ty);
            }
            (Some(variable), None) => {
                let expected = format!("no `as`: `{name}` answers nothing");
                let misread = Misread { word: Some("as".to_owned()), expected, span: variable.span() };
                let (kind, span) = not_understood(&CARRIES_OUT, misread);
                cx.note(kind, span);
            }
            (None, _) => {}
        }
    }
}
