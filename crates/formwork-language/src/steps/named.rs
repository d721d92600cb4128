//! What `Carries out` and `Schedules` have in common: ``… `operation` / `procedure` [with `EXPR`]``, and what is said
//! when it cannot be carried out.

use crate::lower::{Given, Lowering, Refused};
use crate::notes::NoteKind;
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::{Form, not_understood};
use formwork_syntax::Code;

/// An operation or procedure, and what it is given.
#[derive(Debug)]
pub(super) struct Named {
    /// Its name as written.
    pub(super) code: Code,
    given: Vec<Code>,
}

impl Named {
    /// Takes the name and `with` out of a step; `expected` are the tails that may follow the name.
    pub(super) fn read(clause: &mut Clause<'_>, expected: &str) -> Result<Self, Misread> {
        let given =
            clause.codes(TailKind::With, "what is given in backticks, such as `{\"id\": order.id}`")?;
        let mut reader = clause.take_object();
        let code = reader.code("the name of an operation or procedure in backticks")?;
        reader.end(expected)?;
        Ok(Self { code, given: given.unwrap_or_default() })
    }

    /// Its name.
    pub(super) fn name(&self, cx: &Lowering<'_>) -> String {
        self.code.text(cx.source()).trim().to_owned()
    }

    /// What it is given; nothing when that cannot be read, which has been noted.
    pub(super) fn given(&self, cx: &mut Lowering<'_>) -> Option<Given> {
        cx.given(&self.given)
    }

    /// Notes why it cannot be carried out.
    pub(super) fn refuse(&self, cx: &mut Lowering<'_>, form: &Form, refused: Refused) {
        let name = self.name(cx);
        let expected = match refused {
            Refused::Input => return,
            Refused::Unknown(nearest) => {
                let kind = NoteKind::UnknownName { what: "operation", name, nearest };
                return cx.note(kind, self.code.span());
            }
            Refused::WithoutSteps => "an operation or procedure whose behaviour has steps",
            Refused::Recursive => "something that does not carry out itself, nor what carries this out",
            Refused::TooLarge => "less that is carried out: all of it together is too large",
        };
        let misread = Misread { word: Some(name), expected: expected.to_owned(), span: self.code.span() };
        let (kind, span) = not_understood(form, misread);
        cx.note(kind, span);
    }
}
