//! Checks of behaviours that run in several transactions: a call must not follow a write that is not committed, and
//! a row of an earlier part is a copy, which is not written before it is found again.
//!
//! It walks the instructions as the engine does, branches and loops included, until nothing new is learnt.
//! Source: language reference, *What running means*, parts.

use crate::expression::Expression;
use crate::notes::{Note, NoteKind};
use crate::program::{Code, Instruction, Slot};
use formwork_syntax::Span;
use rustc_hash::FxHashSet;

/// What is known before an instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    /// Whether something is written and not committed.
    dirty: bool,
    /// Slots bound in this part.
    fresh: FxHashSet<Slot>,
    /// Slots bound in an earlier part.
    copies: FxHashSet<Slot>,
}

impl Known {
    /// Takes over what another way knows; gives whether that is new.
    fn join(&mut self, other: &Self) -> bool {
        let before = (self.dirty, self.fresh.len(), self.copies.len());
        self.dirty |= other.dirty;
        self.fresh.extend(&other.fresh);
        self.copies.extend(&other.copies);
        before != (self.dirty, self.fresh.len(), self.copies.len())
    }

    fn bind(&mut self, slot: Slot, copied: bool) {
        if copied {
            self.fresh.remove(&slot);
            self.copies.insert(slot);
        } else {
            self.copies.remove(&slot);
            self.fresh.insert(slot);
        }
    }

    fn end_part(&mut self) {
        self.copies.extend(self.fresh.drain());
        self.dirty = false;
    }
}

/// The walk takes at most so many looks at an instruction: a bound for hostile documents, far above real ones.
const MOST_LOOKS: usize = 64;

/// Notes what is wrong with the parts of a behaviour.
pub(super) fn check(source: &str, code: &Code, notes: &mut Vec<Note>) {
    if !code.has_parts() {
        return;
    }
    let count = code.instructions.len();
    let mut before: Vec<Option<Known>> = vec![None; count];
    let mut open = vec![0];
    if let Some(first) = before.first_mut() {
        *first = Some(Known::default());
    }
    let mut looks = count.saturating_mul(MOST_LOOKS);
    while let Some(at) = open.pop() {
        if looks == 0 {
            break;
        }
        looks -= 1;
        let Some(known) = before.get(at).cloned().flatten() else { continue };
        for (next, after) in step(&code.instructions[at], at, known) {
            let Some(place) = before.get_mut(next) else { continue };
            let is_new = match place {
                Some(known) => known.join(&after),
                None => {
                    *place = Some(after);
                    true
                }
            };
            if is_new {
                open.push(next);
            }
        }
    }
    for (at, (instruction, known)) in code.instructions.iter().zip(&before).enumerate() {
        let (Some(known), Some(span)) = (known, code.spans.get(at)) else { continue };
        let entry = match instruction {
            Instruction::Call(_) if known.dirty => "call_after_write",
            Instruction::Update { slot, .. } | Instruction::Delete { slot, .. }
                if known.copies.contains(slot) =>
            {
                "copy_written"
            }
            _ => continue,
        };
        let subject = first_code(source, *span);
        let note = Note { kind: NoteKind::Other { entry, subject }, span: *span, related: None, fix: None };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

/// Where an instruction leads, and what is known there.
fn step(instruction: &Instruction, at: usize, mut known: Known) -> Vec<(usize, Known)> {
    match instruction {
        Instruction::Jump { target } => return vec![(*target as usize, known)],
        Instruction::JumpUnless { target, .. } | Instruction::JumpIfPresent { target, .. } => {
            return vec![(*target as usize, known.clone()), (at + 1, known)];
        }
        Instruction::LoopStart { list, items, item, end, .. } => {
            let mut left = known.clone();
            left.fresh.remove(items);
            left.copies.remove(items);
            let copied = known.copies.contains(items) || reads_copy(list, &known);
            known.bind(*items, copied);
            known.bind(*item, copied);
            return vec![(*end as usize, left), (at + 1, known)];
        }
        Instruction::NextElement(next) => {
            known.end_part();
            let left = known.clone();
            // A list's items were read before; a row is read again in its own transaction.
            next.binds.iter().for_each(|slot| known.bind(*slot, next.rows.is_none()));
            return vec![(next.end as usize, left), (at + 1, known)];
        }
        Instruction::Fail { .. }
        | Instruction::Return { .. }
        | Instruction::Redirect { .. }
        | Instruction::Stop => return Vec::new(),
        Instruction::Let { slot, value } => {
            let copied = reads_copy(value, &known);
            known.bind(*slot, copied);
        }
        Instruction::ReadRow { slot, .. }
        | Instruction::ReadRows { slot, .. }
        | Instruction::ReadPage { slot, .. }
        | Instruction::ReadValue { slot, .. } => known.bind(*slot, false),
        Instruction::Insert { slot, .. } => {
            known.dirty = true;
            if let Some(slot) = slot {
                known.bind(*slot, false);
            }
        }
        Instruction::Update { .. }
        | Instruction::Delete { .. }
        | Instruction::WriteMany { .. }
        | Instruction::Emit { .. } => known.dirty = true,
        Instruction::Commit | Instruction::Call(_) | Instruction::Wait { .. } => known.end_part(),
        _ => {}
    }
    vec![(at + 1, known)]
}

/// Whether an expression hands on a row or list of an earlier part: a variable, or a choice between some.
fn reads_copy(expression: &Expression, known: &Known) -> bool {
    match expression {
        Expression::Slot(slot) => known.copies.contains(slot),
        Expression::Choose(_, yes, no) => reads_copy(yes, known) || reads_copy(no, known),
        Expression::Index { of, .. } => reads_copy(of, known),
        Expression::Comprehension { over, .. } => reads_copy(over, known),
        Expression::Call { arguments, .. } => arguments.iter().any(|argument| reads_copy(argument, known)),
        _ => false,
    }
}

/// The first code span of a sentence.
fn first_code(source: &str, span: Span) -> String {
    span.slice(source).split('`').nth(1).unwrap_or_default().to_owned()
}
