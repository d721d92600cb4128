//! Cycles of events: a handler that brings about, without any condition, what it is told of. Source: language reference,
//! *Standing steps*, `When`.

use crate::notes::{Note, NoteKind};
use crate::program::{Change, Code, EntityId, Handler, Instruction, Program, Slot, Statement, Trigger};
use formwork_syntax::Span;
use rustc_hash::FxHashSet;

/// A note for each cycle, at the first of its handlers.
pub(super) fn find(program: &Program, notes: &mut Vec<Note>) {
    let handlers = &program.handlers;
    // For each handler, those that it always sets going, and by which step.
    let next: Vec<Vec<(usize, Span)>> =
        handlers.iter().map(|handler| always(program, handler, handlers)).collect();
    let mut told = FxHashSet::default();
    for start in 0..handlers.len() {
        let Some((path, span)) = way_back(&next, start) else { continue };
        let mut members: Vec<usize> = path.clone();
        members.sort_unstable();
        if told.insert(members) {
            let names: Vec<&str> = path.iter().chain([&start]).map(|at| &*handlers[*at].name).collect();
            let kind = NoteKind::Other { entry: "event_cycle", subject: names.join(" → ") };
            notes.push(Note { kind, span, related: Some(handlers[start].span), fix: None });
        }
    }
}

/// The shortest way from a handler back to itself, and its first step.
fn way_back(next: &[Vec<(usize, Span)>], start: usize) -> Option<(Vec<usize>, Span)> {
    let mut seen = vec![false; next.len()];
    let mut open: std::collections::VecDeque<(usize, Vec<usize>, Span)> =
        next[start].iter().map(|(to, span)| (*to, vec![start], *span)).collect();
    while let Some((at, path, span)) = open.pop_front() {
        if at == start {
            return Some((path, span));
        }
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        let mut path = path;
        path.push(at);
        open.extend(next[at].iter().map(|(to, _)| (*to, path.clone(), span)));
    }
    None
}

fn always(program: &Program, handler: &Handler, handlers: &[Handler]) -> Vec<(usize, Span)> {
    let code = &handler.code;
    let conditional = conditional(code);
    let mut found = Vec::new();
    for (at, instruction) in code.instructions.iter().enumerate() {
        if conditional.get(at).copied().unwrap_or(true) {
            continue;
        }
        let span = code.spans.get(at).copied().unwrap_or(handler.span);
        for trigger in triggers(program, code, instruction) {
            let told = handlers.iter().enumerate().filter(|(_, other)| other.trigger == trigger);
            found.extend(told.map(|(index, _)| (index, span)));
        }
        if let Instruction::Schedule { handler, .. } = instruction {
            found.push((usize::from(*handler), span));
        }
    }
    found
}

/// For each instruction, whether a condition, an empty list or an end before it may keep it from being carried out.
fn conditional(code: &Code) -> Vec<bool> {
    let count = code.instructions.len();
    let mut marked = vec![false; count];
    for (at, instruction) in code.instructions.iter().enumerate() {
        let target = match instruction {
            Instruction::JumpUnless { target, .. }
            | Instruction::JumpIfPresent { target, .. }
            | Instruction::LoopStart { end: target, .. } => *target as usize,
            Instruction::NextElement(next) => next.end as usize,
            _ => continue,
        };
        marked.iter_mut().take(target.min(count)).skip(at + 1).for_each(|mark| *mark = true);
    }
    // Behind an end that a condition leads to, everything depends on that condition.
    let ends = |at: usize| {
        matches!(
            code.instructions[at],
            Instruction::Stop | Instruction::Return { .. } | Instruction::Redirect { .. }
        )
    };
    if let Some(end) = (0..count).find(|at| ends(*at)) {
        marked.iter_mut().skip(end).for_each(|mark| *mark = true);
    }
    marked
}

fn triggers(program: &Program, code: &Code, instruction: &Instruction) -> Vec<Trigger> {
    match instruction {
        Instruction::Emit { event, .. } => vec![Trigger::Event(*event)],
        Instruction::Insert { entity, .. } => vec![Trigger::Change(Change::Created, *entity)],
        Instruction::Update { entity, .. } => vec![Trigger::Change(Change::Updated, *entity)],
        Instruction::Delete { slot, .. } => entity_of(program, code, *slot)
            .map(|entity| Trigger::Change(Change::Deleted, entity))
            .into_iter()
            .collect(),
        Instruction::WriteMany { statement, .. } => match program.statements.get(*statement as usize) {
            // A `where` is a condition.
            Some(Statement::UpdateWhere { entity, filter: None, .. }) => {
                vec![Trigger::Change(Change::Updated, *entity)]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Of which table the row in a slot is.
fn entity_of(program: &Program, code: &Code, wanted: Slot) -> Option<EntityId> {
    code.instructions.iter().find_map(|instruction| match instruction {
        Instruction::Insert { entity, slot: Some(slot), .. } if *slot == wanted => Some(*entity),
        Instruction::ReadRow { statement, slot, .. } if *slot == wanted => {
            match program.statements.get(*statement as usize) {
                Some(Statement::Select(select)) => Some(select.entity),
                _ => None,
            }
        }
        _ => None,
    })
}
