//! Branches: ``If `EXPR`:``, ``Otherwise if `EXPR`:``, `Otherwise:`, and the lowering of a block of steps.

use crate::expression::{Bound, Expression};
use crate::lower::{Answer, AnswerKind, Lowering};
use crate::notes::NoteKind;
use crate::program::{Instruction, Slot};
use crate::steps::clause::{Clause, Misread, Reader};
use crate::steps::reading::{Read, rest_of, sentence_of};
use crate::steps::{Action, Form, Grammar, Guard, Sentences};

/// ``If `EXPR`:``
pub(crate) static IF: Form = Form {
    name: "If",
    heads: &["if"],
    notation: "If `EXPR`: (steps below) · If `EXPR`, STEP.",
    tails: &[],
    grammar: Grammar::Whole(read_if),
};

/// ``Otherwise if `EXPR`:``
pub(crate) static OTHERWISE_IF: Form = Form {
    name: "Otherwise if",
    heads: &["otherwise if", "else if"],
    notation: "Otherwise if `EXPR`: (steps below) · Otherwise if `EXPR`, STEP.",
    tails: &[],
    grammar: Grammar::Whole(read_otherwise_if),
};

/// `Otherwise:`
pub(crate) static OTHERWISE: Form = Form {
    name: "Otherwise",
    heads: &["otherwise", "else"],
    notation: "Otherwise: (steps below) · Otherwise, STEP.",
    tails: &[],
    grammar: Grammar::Whole(read_otherwise),
};

/// What opens a branch.
pub(crate) enum Branch<'a> {
    /// ``If `EXPR`:``
    If(&'a Guard),
    /// ``Otherwise if `EXPR`:``
    OtherwiseIf(&'a Guard),
    /// `Otherwise:`
    Otherwise,
}

#[derive(Debug)]
enum Choosing {
    If(Guard),
    OtherwiseIf(Guard),
    Otherwise,
}

fn read_if(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    let guard = Guard::parse(&mut reader, false)?;
    body(clause, &mut reader)?;
    Ok(Box::new(Choosing::If(guard)))
}

fn read_otherwise_if(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    let guard = Guard::parse(&mut reader, false)?;
    body(clause, &mut reader)?;
    Ok(Box::new(Choosing::OtherwiseIf(guard)))
}

fn read_otherwise(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    body(clause, &mut reader)?;
    Ok(Box::new(Choosing::Otherwise))
}

/// Reads what the branch holds: a step in the same sentence, or a colon and steps below.
pub(crate) fn body(clause: &mut Clause<'_>, reader: &mut Reader<'_>) -> Result<(), Misread> {
    let after_colon = clause.after_colon.take();
    let nested = std::mem::take(&mut clause.nested);
    let comma = reader.sign(',');
    let rest = rest_of(reader);
    match (rest, after_colon) {
        (Some(rest), None) if comma || reader.began_with_step(&rest) => clause.inline = Some(rest),
        (Some(rest), _) => {
            let word = rest.tokens.first().map(|token| token.shown(clause.source));
            let expected = "a comma and a step, or a colon and steps below".to_owned();
            return Err(Misread { word, expected, span: rest.span });
        }
        (None, Some(tokens)) => clause.inline = sentence_of(tokens),
        (None, None) if nested => return Err(clause.missing("a colon before the steps below")),
        (None, None) => {}
    }
    match (&clause.inline, nested) {
        (None, false) => {
            Err(clause.missing("a step: in the same sentence behind a comma, or below behind a colon"))
        }
        (Some(_), true) => Err(clause.missing("either a step in the sentence or steps below it, not both")),
        _ => Ok(()),
    }
}

impl Action for Choosing {
    fn lower(&self, _: &mut Lowering<'_>) {}

    fn branch(&self) -> Option<Branch<'_>> {
        Some(match self {
            Self::If(guard) => Branch::If(guard),
            Self::OtherwiseIf(guard) => Branch::OtherwiseIf(guard),
            Self::Otherwise => Branch::Otherwise,
        })
    }
}

/// Lowers a block; gives whether its end is never reached.
pub(crate) fn lower_block(cx: &mut Lowering<'_>, block: &Sentences) -> bool {
    let mut rest = block.0.as_slice();
    let mut ended = false;
    while let Some((read, behind)) = rest.split_first() {
        let Some(step) = read.step() else {
            rest = behind;
            continue;
        };
        if ended {
            cx.note(NoteKind::Unreachable, read.span);
            return true;
        }
        match step.action.branch() {
            Some(Branch::If(_)) => {
                let others = behind.iter().take_while(|next| is_otherwise(next)).count();
                cx.begin_step(read.span);
                cx.reserve_before(step.form.name);
                ended = lower_chain(cx, &rest[..=others]);
                rest = &behind[others..];
            }
            Some(Branch::OtherwiseIf(_) | Branch::Otherwise) => {
                let misread =
                    Misread { word: None, expected: "an `If` directly before".to_owned(), span: read.span };
                let (kind, span) = super::not_understood(step.form, misread);
                cx.note(kind, span);
                rest = behind;
            }
            None => {
                ended = lower_step(cx, read);
                rest = behind;
            }
        }
    }
    ended
}

fn is_otherwise(read: &Read) -> bool {
    let branch = read.step().and_then(|step| step.action.branch());
    matches!(branch, Some(Branch::OtherwiseIf(_) | Branch::Otherwise))
}

fn lower_step(cx: &mut Lowering<'_>, read: &Read) -> bool {
    let Some(step) = read.step() else { return false };
    if step.action.who_may().is_none() || step.guard.is_some() {
        cx.leave_edge();
    }
    cx.begin_step(read.span);
    cx.reserve_before(step.form.name);
    match &step.guard {
        Some(guard) => step.action.lower_guarded(cx, guard),
        None => step.action.lower_with_nested(cx, &read.nested),
    }
    step.guard.is_none() && step.action.ends()
}

/// What a branch whose end is reached leaves behind.
struct Left {
    /// The jump at its end; the last branch needs none.
    exit: Option<usize>,
    bound: Vec<Bound>,
    answers: Vec<Answer>,
}

/// Lowers `If`, `Otherwise if` …, `Otherwise`; gives whether every branch ends.
fn lower_chain(cx: &mut Lowering<'_>, chain: &[Read]) -> bool {
    cx.leave_edge();
    let mut left: Vec<Left> = Vec::new();
    let mut exhaustive = false;
    let scope = cx.open_scope();
    let mut failed: Vec<&Guard> = Vec::new();
    for (at, read) in chain.iter().enumerate() {
        let Some(step) = read.step() else { continue };
        cx.begin_step(read.span);
        if exhaustive {
            cx.note(NoteKind::Unreachable, read.span);
            break;
        }
        let block = cx.open_scope();
        let jump = match step.action.branch() {
            Some(Branch::If(guard) | Branch::OtherwiseIf(guard)) => {
                let condition = guard.lower(cx);
                let jump = condition.map(|condition| cx.jump_unless(condition));
                guard.narrow(cx, true);
                failed.push(guard);
                jump
            }
            _ => {
                exhaustive = true;
                None
            }
        };
        if !lower_block(cx, &read.nested) {
            let (bound, answers) = cx.bound_since(block);
            let exit = (at + 1 < chain.len()).then(|| cx.jump());
            left.push(Left { exit, bound, answers });
        }
        cx.close_scope(block);
        if let Some(jump) = jump {
            cx.patch(jump);
        }
        if !exhaustive && let Some(guard) = failed.last() {
            guard.narrow(cx, false);
        }
    }
    let all_end = left.is_empty();
    cx.close_scope(scope);
    if exhaustive {
        live_on(cx, left);
    } else {
        left.iter().filter_map(|branch| branch.exit).for_each(|exit| cx.patch(exit));
    }
    // When the only branch ends, what follows runs where its condition does not hold.
    if let ([_], true, [guard]) = (chain, all_end, failed.as_slice()) {
        guard.narrow(cx, false);
    }
    all_end && exhaustive
}

/// Joins the branches of a chain one of which is always taken: what all whose end is reached have bound, each with one
/// type, has one slot from here on.
fn live_on(cx: &mut Lowering<'_>, left: Vec<Left>) {
    let Some((first, others)) = left.split_first() else { return };
    let mut joined: Vec<(Bound, Vec<Slot>)> = Vec::new();
    for bound in &first.bound {
        let same = |branch: &Left| {
            let found = branch.bound.iter().find(|other| other.name == bound.name)?;
            (found.ty.kind == bound.ty.kind).then_some((found.slot, found.ty.optional))
        };
        let Some(found) = others.iter().map(same).collect::<Option<Vec<_>>>() else { continue };
        let mut ty = bound.ty.clone();
        ty.optional |= found.iter().any(|(_, optional)| *optional);
        let slots = std::iter::once(bound.slot).chain(found.into_iter().map(|(slot, _)| slot)).collect();
        joined.push((Bound { name: bound.name.clone(), slot: cx.hidden_slot(), ty }, slots));
    }
    let mut ends = Vec::new();
    // The last branch comes first, because its end is here.
    for (at, branch) in left.iter().enumerate().rev() {
        if let Some(exit) = branch.exit {
            cx.patch(exit);
        }
        for (bound, slots) in &joined {
            if let Some(slot) = slots.get(at) {
                cx.push(Instruction::Let { slot: bound.slot, value: Expression::Slot(*slot) });
            }
        }
        if at > 0 && !joined.is_empty() {
            ends.push(cx.jump());
        }
    }
    ends.into_iter().for_each(|end| cx.patch(end));
    for (bound, slots) in joined {
        let settable = slots.iter().all(|slot| cx.is_settable(*slot));
        let answer = first.answers.iter().find(|answer| Some(&answer.slot) == slots.first());
        if let Some(answer) = answer.filter(|answer| answer.kind != AnswerKind::Page) {
            let kind = if answer.kind == AnswerKind::List { AnswerKind::List } else { AnswerKind::Row };
            cx.answer(Answer { kind, entity: answer.entity, slot: bound.slot });
        }
        if settable {
            cx.make_settable(bound.slot);
        }
        cx.rebind(bound);
    }
}
