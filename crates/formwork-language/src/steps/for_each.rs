//! Loops over a list: ``For each `x` in `EXPR` [, numbered `n`]:``

use crate::expression::Kind;
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{Instruction, Slot};
use crate::steps::choosing::{body, lower_block};
use crate::steps::clause::{Clause, Misread};
use crate::steps::{Action, Form, Grammar, Sentences};
use formwork_syntax::Code;

/// ``For each `x` in `EXPR`:``
pub(crate) static FOR_EACH: Form = Form {
    name: "For each",
    heads: &["for each", "for every"],
    notation: "For each `x` in `EXPR` [, numbered `n`]: (steps below)",
    tails: &[],
    grammar: Grammar::Whole(read),
};

#[derive(Debug)]
struct ForEach {
    item: Code,
    list: Code,
    number: Option<Code>,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    let item = reader.code("the variable in backticks")?;
    if !reader.word("in") {
        return Err(reader.misread("`in` and a list in backticks; rows are read with `Lists` before"));
    }
    let list = reader.code("a list in backticks")?;
    let mut number = None;
    let comma = reader.sign(',');
    if reader.word("numbered") {
        number = Some(reader.code("the variable in backticks")?);
    } else if comma {
        reader.back();
    }
    body(clause, &mut reader)?;
    Ok(Box::new(ForEach { item, list, number }))
}

impl Action for ForEach {
    fn lower(&self, _: &mut Lowering<'_>) {}

    fn lower_with_nested(&self, cx: &mut Lowering<'_>, nested: &Sentences) {
        let Some(looping) = Loop::start(cx, &self.item, &self.list, self.number.as_ref()) else { return };
        lower_block(cx, nested);
        looping.end(cx);
    }
}

/// A loop that has begun.
pub(crate) struct Loop {
    start: usize,
    scope: (usize, usize),
}

impl Loop {
    /// Appends the start of a loop over a list and binds its variables.
    pub(crate) fn start(
        cx: &mut Lowering<'_>,
        item: &Code,
        list: &Code,
        number: Option<&Code>,
    ) -> Option<Self> {
        let value = cx.value(list)?;
        let element = match &value.ty.kind {
            Kind::List(element) => (**element).clone(),
            Kind::Dynamic => Kind::Dynamic.optional(),
            other => {
                let (expected, found) = ("list".to_owned(), other.to_string());
                let context = "`For each`".to_owned();
                cx.note(NoteKind::TypeMismatch { expected, found, context }, list.span());
                return None;
            }
        };
        let (position, items) = (cx.hidden_slot(), cx.hidden_slot());
        let absent = crate::expression::Expression::Constant(crate::value::Value::Absent);
        cx.push(Instruction::Let { slot: position, value: absent });
        let scope = cx.open_scope();
        let item = cx.bind(item, element)?;
        let number: Option<Slot> = match number {
            Some(number) => Some(cx.bind(number, Kind::Integer.required())?),
            None => None,
        };
        let start = cx.here();
        let list = value.expression;
        cx.push(Instruction::LoopStart { list, position, items, item, number, end: 0 });
        Some(Self { start, scope })
    }

    /// Appends the jump back and says where the loop ends.
    pub(crate) fn end(self, cx: &mut Lowering<'_>) {
        cx.push(Instruction::Jump { target: self.start as u32 });
        cx.patch(self.start);
        cx.close_scope(self.scope);
    }
}
