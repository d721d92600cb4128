//! Giving a variable another value: ``Sets `x` to `EXPR`.`` Only what `Lets` bound can be set, and its type stays.

use crate::expression::{Expression, Kind, StaticType, Typed, joined};
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::Instruction;
use crate::steps::clause::{Clause, Misread};
use crate::steps::{Action, Form, Grammar, not_understood};
use formwork_model::values::Type;
use formwork_syntax::Code;

/// ``Sets `x` to `EXPR`.``
pub(crate) static SETS: Form = Form {
    name: "Sets",
    heads: &["sets"],
    notation: "Sets `x` to `EXPR`.",
    tails: &[],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Sets {
    variable: Code,
    value: Code,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    let variable = reader.code("the variable in backticks")?;
    if !reader.word("to") {
        return Err(reader.misread("`to` and an expression in backticks"));
    }
    let value = reader.code("an expression in backticks")?;
    reader.end("the end of the sentence")?;
    Ok(Box::new(Sets { variable, value }))
}

impl Action for Sets {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let value = cx.value(&self.value);
        let Some((slot, declared, known)) = cx.variable(&self.variable) else { return };
        if !cx.is_settable(slot) {
            let word = Some(self.variable.text(cx.source()).into_owned());
            let expected = "a variable that `Lets` has bound".to_owned();
            let (kind, span) = not_understood(&SETS, Misread { word, expected, span: self.variable.span() });
            return cx.note(kind, span);
        }
        let Some(value) = value else { return };
        let name = self.variable.text(cx.source()).trim().to_owned();
        let context = format!("variable `{name}`");
        // Where a condition has found it present, steps below count on that.
        if value.ty.optional && (known || !declared.optional) {
            return cx.note(NoteKind::MayBeAbsent { context }, self.value.span());
        }
        let found = value.ty.kind.clone();
        match kept(value, &declared) {
            Some(value) => {
                cx.push(Instruction::Let { slot, value });
                cx.forget_members(&name);
            }
            None => {
                let (expected, found) = (described(&declared.kind), described(&found));
                cx.note(NoteKind::TypeMismatch { expected, found, context }, self.value.span());
            }
        }
    }
}

/// The value in the type that the variable has; nothing if it is of another.
fn kept(value: Typed, declared: &StaticType) -> Option<Expression> {
    let widened = joined(&value.ty, declared)?;
    match (&value.ty.kind, &declared.kind) {
        // Its digits are known where the variable is used.
        (Kind::Integer | Kind::Decimal(_), Kind::Decimal(Some(scale))) => {
            let to = Type::Decimal { precision: PRECISION, scale: *scale };
            let fits = widened.kind == declared.kind;
            fits.then(|| Expression::Convert { value: Box::new(value.expression), to })
        }
        (Kind::Null, _) if declared.optional => Some(value.expression),
        (Kind::Dynamic, Kind::Dynamic) => Some(value.expression),
        (Kind::Dynamic, _) => None,
        (_, Kind::Dynamic) => Some(value.expression),
        (Kind::List(_), Kind::List(element)) if element.kind == Kind::Dynamic => Some(value.expression),
        _ => (widened.kind == declared.kind).then_some(value.expression),
    }
}

/// Digits that a decimal in a variable may have; intermediates are 128 bit.
const PRECISION: u8 = 38;

fn described(kind: &Kind) -> String {
    match kind {
        Kind::Decimal(Some(scale)) => format!("decimal with {scale} digits behind the point"),
        Kind::Decimal(None) => "decimal whose digits are not known: round it".to_owned(),
        other => other.to_string(),
    }
}
