//! Steps that several operations share: ``Carries out `procedure` with `EXPR` [as `x`].`` How their instructions come
//! into the caller's is in `lower::carried`.

use crate::expression::Kind;
use crate::lower::{Lowering, Refused};
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::named::Named;
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
    named: Named,
    variable: Option<Code>,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let named = Named::read(clause, "`with`, `as` or the end of the sentence")?;
    Ok(Box::new(CarriesOut { named, variable }))
}

impl Action for CarriesOut {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let name = self.named.name(cx);
        let carried = match self.named.given(cx) {
            Some(given) => cx.carry_out(&name, &given, self.named.code.span(), self.variable.is_some()),
            None => Err(Refused::Input),
        };
        let answer = match carried {
            Ok(answer) => answer,
            Err(refused) => {
                self.named.refuse(cx, &CARRIES_OUT, refused);
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
