//! Finds write-only values on their way out of a behaviour: into an answer, a refusal or an event, by whatever variable,
//! list or map. A row needs no such look: it is sent without them.
//!
//! What was compared, counted or digested tells nothing of the value any more. Source: language reference, *Constraints*.

use crate::expression::{BinaryOperator, Comprehension, Expression};
use crate::functions::FUNCTIONS;
use crate::notes::{Note, NoteKind};
use crate::program::{Answered, Code, Failure, Instruction, MessagePart, Slot};
use formwork_syntax::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Slots that hold something write-only, each with the field that it came from.
type Held = FxHashMap<Slot, Arc<str>>;

/// Functions whose result does not tell what they were given.
const TELL_NOTHING: [&str; 3] = ["sha256", "hmac_sha256", "size"];

/// Notes what leaves a behaviour and must not.
pub(super) fn check(source: &str, code: &Code, notes: &mut Vec<Note>) {
    let held = held(code);
    for (at, instruction) in code.instructions.iter().enumerate() {
        let Some(name) = leaves(instruction, &held) else { continue };
        let Some(step) = code.spans.get(at).copied() else { continue };
        let kind = NoteKind::Other { entry: "withheld", subject: name.to_string() };
        let note = Note { kind, span: place(source, step, &name), related: None, fix: None };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

/// Which variables hold something write-only, wherever in the behaviour they are bound.
fn held(code: &Code) -> Held {
    let mut held = Held::default();
    // Each round learns a slot or is the last.
    loop {
        let before = held.len();
        for instruction in &code.instructions {
            let (slots, value): (&[Slot], &Expression) = match instruction {
                Instruction::Let { slot, value } => (&[*slot], value),
                Instruction::LoopStart { list, items, item, .. } => (&[*items, *item], list),
                _ => continue,
            };
            if let Some(name) = carried(value, &held) {
                for slot in slots {
                    held.entry(*slot).or_insert_with(|| name.clone());
                }
            }
        }
        if held.len() == before {
            return held;
        }
    }
}

/// What leaves with an instruction.
fn leaves(instruction: &Instruction, held: &Held) -> Option<Arc<str>> {
    match instruction {
        Instruction::Return { body, headers, .. } => {
            let body = match body {
                Answered::Value(value) => carried(value, held),
                _ => None,
            };
            body.or_else(|| headers.iter().find_map(|(_, value)| carried(value, held)))
        }
        Instruction::Redirect { to, .. } => carried(to, held),
        Instruction::Emit { data, .. } => data.iter().find_map(|(_, value)| carried(value, held)),
        Instruction::Fail { failure } | Instruction::FailIf { failure, .. } => told(failure, held),
        _ => None,
    }
}

fn told(failure: &Failure, held: &Held) -> Option<Arc<str>> {
    let message = failure.message.iter().find_map(|part| match part {
        MessagePart::Expression(value) => carried(value, held),
        MessagePart::Text(_) => None,
    });
    message.or_else(|| failure.members.iter().find_map(|(_, value)| carried(value, held)))
}

/// The write-only field that a value tells.
fn carried(expression: &Expression, held: &Held) -> Option<Arc<str>> {
    use Expression as E;
    let any = |parts: &[Expression]| parts.iter().find_map(|part| carried(part, held));
    match expression {
        E::Slot(slot) => held.get(slot).cloned(),
        E::Field { withheld, .. } => withheld.clone(),
        E::Member { of, .. } | E::Index { of, .. } => carried(of, held),
        E::List(items) => any(items),
        E::Map(entries) => {
            entries.iter().find_map(|(key, value)| carried(key, held).or_else(|| carried(value, held)))
        }
        E::Unary(_, of) | E::Convert { value: of, .. } => carried(of, held),
        E::Binary { operator, left, right, .. } => {
            use BinaryOperator as B;
            let tells = matches!(
                operator,
                B::Add | B::Subtract | B::Multiply | B::Divide | B::Quotient | B::Remainder | B::Coalesce
            );
            if tells { carried(left, held).or_else(|| carried(right, held)) } else { None }
        }
        E::Choose(_, yes, no) => carried(yes, held).or_else(|| carried(no, held)),
        E::Call { function, arguments, .. } => {
            let name = FUNCTIONS.get(usize::from(*function)).map_or("", |function| function.name);
            if TELL_NOTHING.contains(&name) { None } else { any(arguments) }
        }
        E::Comprehension { kind, over, body, .. } => match kind {
            Comprehension::Map => carried(body, held).or_else(|| carried(over, held)),
            Comprehension::Filter | Comprehension::First => carried(over, held),
            Comprehension::Exists | Comprehension::ExistsOne | Comprehension::All => None,
        },
        E::Constant(_) | E::Local(_) | E::Searched(_) | E::Has(_) | E::Matches { .. } => None,
    }
}

/// The field where the step names it, else the step.
fn place(source: &str, step: Span, name: &str) -> Span {
    let field = name.rsplit('.').next().unwrap_or(name);
    let text = step.slice(source);
    let found = text.rfind(&format!(".{field}")).and_then(|at| {
        let (at, length) = (u32::try_from(at).ok()?, u32::try_from(field.len()).ok()?);
        let start = step.start.checked_add(at)?.checked_add(1)?;
        Some(Span::new(start, start.checked_add(length)?))
    });
    found.unwrap_or(step)
}
