//! Loops: ``For each `x` in `EXPR` [, numbered `n`]:``, ``For each `E` where `EXPR` [, sorted by …] [, at most N]:``,
//! each also with `each in its own transaction` (see `elements`), and what leads out of a round: `Leaves the loop.`, `Goes on with the next.`

use crate::expression::{Expression, Kind, StaticType};
use crate::lower::{Lowering, Opened};
use crate::notes::NoteKind;
use crate::program::{Instruction, Slot};
use crate::steps::choosing::{body, lower_block};
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::elements::Elements;
use crate::steps::lists::Selection;
use crate::steps::{Action, Form, Grammar, Sentences, not_understood};
use crate::value::Value;
use formwork_syntax::Code;

/// ``For each `x` in `EXPR`:``
pub(crate) static FOR_EACH: Form = Form {
    name: "For each",
    heads: &["for each", "for every"],
    notation: "For each `x` in `EXPR` [, numbered `n`] [, each in its own transaction]: (steps below) · \
               For each `E` [where `EXPR`] [, sorted by `f`] [, at most N] [, numbered `n`] \
               [, each in its own transaction]: (steps below)",
    tails: &[
        TailKind::In,
        TailKind::SortedBy,
        TailKind::ThenBy,
        TailKind::NewestFirst,
        TailKind::OldestFirst,
        TailKind::AtMost,
        TailKind::Locking,
        TailKind::Skipping,
        TailKind::Numbered,
        TailKind::EachOwn,
    ],
    grammar: Grammar::Whole(read),
};

/// `Leaves the loop.`
pub(crate) static LEAVES: Form = Form {
    name: "Leaves the loop",
    heads: &["leaves the loop"],
    notation: "Leaves the loop.",
    tails: &[],
    grammar: Grammar::Tails(|_| Ok(Box::new(Way::Leaves))),
};

/// `Goes on with the next.`
pub(crate) static GOES_ON: Form = Form {
    name: "Goes on with the next",
    heads: &["goes on with the next"],
    notation: "Goes on with the next.",
    tails: &[],
    grammar: Grammar::Tails(|_| Ok(Box::new(Way::GoesOn))),
};

#[derive(Debug)]
struct ForEach {
    item: Code,
    over: Over,
    number: Option<Code>,
    /// `each in its own transaction`
    own: bool,
}

/// What a loop goes through.
#[derive(Debug)]
enum Over {
    List(Code),
    Rows(Selection),
}

const VARIABLE: &str = "the variable in backticks";

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    // Without a colon the sentence holds a step, whose tails are its own.
    if clause.after_colon.is_none() {
        return read_inline(clause);
    }
    clause.cut_object(&FOR_EACH)?;
    let number = clause.one_code(TailKind::Numbered, VARIABLE)?;
    let own = clause.take_flag(TailKind::EachOwn)?;
    let list = clause.one_code(TailKind::In, "a list in backticks")?;
    let mut reader = clause.take_object();
    let item = reader.code("the variable, or the name of an entity, in backticks")?;
    reader.end("`in` and a list in backticks, or `where` and which rows")?;
    let over = match list {
        Some(list) => Over::List(list),
        None => Over::Rows(Selection::read(clause, item.clone())?),
    };
    let mut nothing = clause.take_object();
    body(clause, &mut nothing)?;
    Ok(Box::new(ForEach { item, over, number, own }))
}

/// ``For each `x` in `EXPR`, STEP.``
fn read_inline(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    let item = reader.code(VARIABLE)?;
    if !reader.word("in") {
        return Err(reader.misread("`in` and a list in backticks, or a colon and steps below"));
    }
    let list = reader.code("a list in backticks")?;
    let mut number = None;
    let comma = reader.sign(',');
    if reader.word("numbered") {
        number = Some(reader.code(VARIABLE)?);
    } else if comma {
        reader.back();
    }
    body(clause, &mut reader)?;
    Ok(Box::new(ForEach { item, over: Over::List(list), number, own: false }))
}

impl Action for ForEach {
    fn lower(&self, _: &mut Lowering<'_>) {}

    fn lower_with_nested(&self, cx: &mut Lowering<'_>, nested: &Sentences) {
        let number = self.number.as_ref();
        if self.own {
            let elements = match &self.over {
                Over::List(list) => Elements::of_list(cx, &self.item, list, number),
                Over::Rows(rows) => Elements::of_rows(cx, &self.item, rows, number),
            };
            let Some(elements) = elements else { return };
            lower_block(cx, nested);
            return elements.end(cx);
        }
        let looping = match &self.over {
            Over::List(list) => Loop::start(cx, &self.item, list, number),
            Over::Rows(rows) => rows.lower(cx).and_then(|(entity, slot)| {
                let row = cx.row(entity).required();
                let name = cx.entity_name(entity);
                Loop::over(cx, (&name, &self.item), (Expression::Slot(slot), row), number)
            }),
        };
        let Some(looping) = looping else { return };
        lower_block(cx, nested);
        looping.end(cx);
    }
}

/// A loop that has begun.
pub(crate) struct Loop {
    start: usize,
    scope: Opened,
}

impl Loop {
    /// Appends the start of a loop over a list and binds its variables.
    pub(crate) fn start(
        cx: &mut Lowering<'_>,
        item: &Code,
        list: &Code,
        number: Option<&Code>,
    ) -> Option<Self> {
        let list = list_of(cx, list)?;
        let name = item.text(cx.source()).trim().to_owned();
        Self::over(cx, (&name, item), list, number)
    }

    /// The same over a list that is known, with the type of its items.
    fn over(
        cx: &mut Lowering<'_>,
        (name, place): (&str, &Code),
        (list, element): (Expression, StaticType),
        number: Option<&Code>,
    ) -> Option<Self> {
        let (position, items) = (cx.hidden_slot(), cx.hidden_slot());
        let absent = Expression::Constant(Value::Absent);
        cx.push(Instruction::Let { slot: position, value: absent });
        let scope = cx.open_scope();
        let item = cx.hidden_slot();
        if !cx.bind_name(name, place.span(), item, element) {
            return None;
        }
        let number: Option<Slot> = match number {
            Some(number) => Some(cx.bind(number, Kind::Integer.required())?),
            None => None,
        };
        let start = cx.here();
        cx.push(Instruction::LoopStart { list, position, items, item, number, end: 0 });
        cx.enter_loop();
        Some(Self { start, scope })
    }

    /// Appends the jump back and says where the loop ends.
    pub(crate) fn end(self, cx: &mut Lowering<'_>) {
        let ways = cx.leave_loop();
        for jump in ways.on {
            cx.patch_to(jump, self.start);
        }
        cx.push(Instruction::Jump { target: self.start as u32 });
        cx.patch(self.start);
        for jump in ways.out {
            cx.patch(jump);
        }
        cx.close_scope(self.scope);
    }
}

/// What a loop goes through, and the type of its items.
pub(super) fn list_of(cx: &mut Lowering<'_>, list: &Code) -> Option<(Expression, StaticType)> {
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
    Some((value.expression, element))
}

/// What leads out of a round.
#[derive(Debug)]
enum Way {
    Leaves,
    GoesOn,
}

impl Action for Way {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let (form, leaves) = match self {
            Self::Leaves => (&LEAVES, true),
            Self::GoesOn => (&GOES_ON, false),
        };
        if !cx.jump_out_of_round(leaves) {
            let expected = "a loop around it: it stands below a `For each`".to_owned();
            let (kind, span) = not_understood(form, Misread { word: None, expected, span: cx.step_span() });
            cx.note(kind, span);
        }
    }

    fn ends(&self) -> bool {
        true
    }
}
