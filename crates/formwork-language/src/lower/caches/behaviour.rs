//! What the compiled behaviour of an operation says about keeping its answers: what it reads, what of the caller and the
//! request it names, and why it may not be kept at all.

use crate::expression::Expression;
use crate::functions::FUNCTIONS;
use crate::lower::add_once;
use crate::program::{
    BodyShape, EntityId, Instruction, KeyPart, Lock, NotKept, Operation, Program, Slot, Statement,
    StatementId, slots,
};
use crate::value::Value;
use std::sync::Arc;

/// Functions that give the time: an answer with them is as old as it is kept.
const OF_TIME: [&str; 2] = ["now", "today"];

/// The entities that an operation reads, sorted.
pub(super) fn reads(program: &Program, operation: &Operation) -> Vec<EntityId> {
    let ids = operation.code.instructions.iter().flat_map(Instruction::statements);
    let statements = ids.filter_map(|id| program.statements.get(id as usize));
    let mut found: Vec<EntityId> = statements.flat_map(|statement| statement.tables().0).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The entities that an operation writes, those that follow by a reference not counted.
pub(super) fn writes(program: &Program, operation: &Operation) -> Vec<EntityId> {
    let of = |instruction: &Instruction| match instruction {
        Instruction::Insert { entity, .. } | Instruction::Update { entity, .. } => Some(*entity),
        Instruction::Delete { statement, .. } | Instruction::WriteMany { statement, .. } => {
            match program.statements.get(*statement as usize) {
                Some(
                    Statement::DeleteByKey { entity }
                    | Statement::UpdateWhere { entity, .. }
                    | Statement::DeleteWhere { entity, .. },
                ) => Some(*entity),
                _ => None,
            }
        }
        _ => None,
    };
    let mut found: Vec<EntityId> = operation.code.instructions.iter().filter_map(of).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Why no answer of an operation is kept; nothing when they are.
pub(super) fn refusal(program: &Program, operation: &Operation, has_ttl: bool) -> Option<NotKept> {
    let code = &operation.code;
    if code.instructions.is_empty() {
        // What is mocked reads nothing, and its answers are made up in any case.
        return None;
    }
    let name = || operation.name.to_string();
    if operation.writes || code.has_parts() {
        return Some(NotKept::Writes(name()));
    }
    let any = |fits: &dyn Fn(&Instruction) -> bool| code.instructions.iter().any(fits);
    if any(&|one| matches!(one, Instruction::Count { .. } | Instruction::Observe { .. })) {
        return Some(NotKept::Counts(name()));
    }
    let locks = |id: StatementId| match program.statements.get(id as usize) {
        Some(Statement::Select(select)) => select.lock != Lock::None,
        _ => false,
    };
    if any(&|one| one.statements().into_iter().any(locks)) {
        return Some(NotKept::Locks(name()));
    }
    let succeeds = |one: &Instruction| match one {
        Instruction::Return { status, .. } => (200..300).contains(status),
        Instruction::Stop => true,
        _ => false,
    };
    if !any(&succeeds) {
        return Some(NotKept::NeverAnswers(name()));
    }
    let used = Used::of(operation);
    if let Some(varying) = used.varying.iter().find(|name| !OF_TIME.contains(name)) {
        return Some(NotKept::Varies(name(), varying));
    }
    if used.slots.iter().any(|(slot, _)| *slot == slots::REQUEST_ID) {
        return Some(NotKept::Varies(name(), "request.id"));
    }
    let aging = used.varying.first().filter(|_| !has_ttl)?;
    Some(NotKept::Ages(name(), aging))
}

/// What of the caller and the request tells answers of an operation apart.
pub(super) fn key(operation: &Operation) -> Vec<KeyPart> {
    let used = Used::of(operation);
    let mut of_defaults = Used::default();
    operation
        .input
        .fields
        .iter()
        .filter_map(|field| field.default.as_ref())
        .for_each(|one| of_defaults.look(one));
    let mut parts = Vec::new();
    for slot in 0..slots::INPUT {
        let whole = of_defaults.slots.iter().any(|(at, _)| *at == slot);
        let seen = used.slots.iter().filter(|(at, _)| *at == slot).map(|(_, member)| member.as_ref());
        match seen.collect::<Option<Vec<&Arc<str>>>>() {
            Some(members) if !whole => {
                let mut names = Vec::new();
                members.into_iter().for_each(|member| add_once(&mut names, member));
                parts.extend(names.into_iter().map(|name| KeyPart::Member(slot, name)));
            }
            _ => parts.push(KeyPart::Slot(slot)),
        }
    }
    // The cursor of a page is its caller's.
    let is_page = operation.output.body == BodyShape::Page
        || operation.code.instructions.iter().any(|one| matches!(one, Instruction::ReadPage { .. }));
    if is_page && !parts.contains(&KeyPart::Slot(slots::CALLER_ID)) {
        parts.push(KeyPart::Slot(slots::CALLER_ID));
    }
    parts
}

/// What the expressions of an operation use.
#[derive(Default)]
struct Used {
    /// Fixed slots, with the member where no more than one is read.
    slots: Vec<(Slot, Option<Arc<str>>)>,
    /// Functions whose value differs from call to call.
    varying: Vec<&'static str>,
}

impl Used {
    fn of(operation: &Operation) -> Self {
        let mut used = Self::default();
        for instruction in &operation.code.instructions {
            instruction.expressions(&mut |expression| used.look(expression));
        }
        used
    }

    fn look(&mut self, expression: &Expression) {
        match expression {
            Expression::Slot(slot) if *slot < slots::INPUT => self.slots.push((*slot, None)),
            Expression::Member { of, name } => match **of {
                Expression::Slot(slot) if slot < slots::INPUT => {
                    self.slots.push((slot, Some(name.clone())));
                }
                _ => self.look(of),
            },
            Expression::Index { of, index } => match (&**of, &**index) {
                (Expression::Slot(slot), Expression::Constant(Value::Text(name))) if *slot < slots::INPUT => {
                    self.slots.push((*slot, Some(name.clone())));
                }
                _ => {
                    self.look(of);
                    self.look(index);
                }
            },
            Expression::Call { function, arguments, .. } => {
                if let Some(function) = FUNCTIONS.get(usize::from(*function)) {
                    // `uuid("…")` reads one.
                    let reads = function.name == "uuid" && !arguments.is_empty();
                    if !function.pure && !reads && function.name != "secret" {
                        self.varying.push(function.name);
                    }
                }
                arguments.iter().for_each(|one| self.look(one));
            }
            Expression::Constant(_)
            | Expression::Slot(_)
            | Expression::Local(_)
            | Expression::Searched(_) => {}
            Expression::Field { row: of, .. }
            | Expression::Unary(_, of)
            | Expression::Has(of)
            | Expression::Matches { text: of, .. }
            | Expression::Convert { value: of, .. } => self.look(of),
            Expression::List(items) => items.iter().for_each(|one| self.look(one)),
            Expression::Map(members) => members.iter().for_each(|(key, value)| {
                self.look(key);
                self.look(value);
            }),
            Expression::Binary { left, right, .. } => {
                self.look(left);
                self.look(right);
            }
            Expression::Choose(condition, one, other) => {
                [condition, one, other].into_iter().for_each(|one| self.look(one));
            }
            Expression::Comprehension { over, body, filter, .. } => {
                self.look(over);
                self.look(body);
                filter.iter().for_each(|one| self.look(one));
            }
        }
    }
}
