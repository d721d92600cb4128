//! How far a call's transaction is kept apart from others. Source: language reference, *What running means*: a claim
//! runs at read committed, since its decisions rest only on rows that it has locked; any other call is serialisable.

use super::outcome::{READ_COMMITTED, SERIALIZABLE};
use formwork_language::program::{Instruction, Lock, Operation, Program, Statement, StatementId};

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// No other transaction is seen, and the order of all is as if each ran alone.
    Serializable,
    /// The same, and nothing is written.
    Reading,
    /// One statement that reads: it is a transaction of its own.
    Alone,
    /// For a call whose decisions rest only on rows that it has locked.
    ReadCommitted,
}

impl Isolation {
    /// The statement that begins it.
    pub(crate) const fn begin(self) -> Option<&'static str> {
        match self {
            Self::Serializable => Some(SERIALIZABLE),
            Self::Reading => Some("BEGIN READ ONLY"),
            Self::Alone => None,
            Self::ReadCommitted => Some(READ_COMMITTED),
        }
    }
}

/// How an operation runs.
pub(crate) fn isolation(program: &Program, operation: &Operation) -> Isolation {
    let reads = reads(program, operation);
    let locks = reads.iter().any(|lock| *lock != Some(Lock::None) && lock.is_some());
    if !operation.writes && !locks {
        let many = crate::rules::runs_many(&operation.code);
        return if many { Isolation::Reading } else { Isolation::Alone };
    }
    let claims = reads.contains(&Some(Lock::SkipTaken));
    let only_locked = reads.iter().all(|lock| matches!(lock, Some(Lock::Wait | Lock::SkipTaken)));
    // Rules over several rows look at rows that nobody has locked.
    let schema = &program.schema;
    let ruled = !schema.invariants.is_empty()
        || schema.entities.iter().any(|entity| !entity.rules.overlaps.is_empty());
    if claims && only_locked && !ruled && !writes_unlocked(operation) {
        Isolation::ReadCommitted
    } else {
        Isolation::Serializable
    }
}

/// For each statement of an operation that reads: how it locks its rows; nothing for one that gives a value.
fn reads(program: &Program, operation: &Operation) -> Vec<Option<Lock>> {
    let lock = |statement: &StatementId| match program.statements.get(*statement as usize) {
        Some(Statement::Select(select)) => Some(select.lock),
        _ => None,
    };
    let mut found = Vec::new();
    for instruction in &operation.code.instructions {
        match instruction {
            Instruction::ReadValue { .. } | Instruction::ReadQuery { .. } => found.push(None),
            Instruction::ReadRow { statement, .. } | Instruction::ReadRows { statement, .. } => {
                found.push(lock(statement));
            }
            Instruction::ReadPage { first, after, .. } => found.extend([lock(first), lock(after)]),
            Instruction::NextElement(next) => found.extend(next.rows.as_ref().map(|rows| lock(&rows.first))),
            _ => {}
        }
    }
    found
}

/// Whether an operation changes rows that it has not read: which ones, it decides without having locked them.
fn writes_unlocked(operation: &Operation) -> bool {
    operation.code.instructions.iter().any(|one| matches!(one, Instruction::WriteMany { .. }))
}
