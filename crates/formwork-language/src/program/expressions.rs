//! The expressions of an instruction, wherever in it they stand: for what must know of every value that a behaviour
//! uses. A new instruction does not compile before its expressions are named here.

use super::{Answered, Failure, Instruction, MessagePart, NoAnswer};
use crate::expression::Expression;

impl Instruction {
    /// Shows each expression that the instruction has itself; those inside another one are not shown again.
    pub fn expressions<'i>(&'i self, see: &mut dyn FnMut(&'i Expression)) {
        match self {
            Self::Jump { .. }
            | Self::JumpIfPresent { .. }
            | Self::Delete { .. }
            | Self::Stop
            | Self::Commit => {}
            Self::Fail { failure } => failure.expressions(see),
            Self::FailIf { condition, failure } => {
                see(condition);
                failure.expressions(see);
            }
            Self::JumpUnless { condition: value, .. }
            | Self::Let { value, .. }
            | Self::Observe { value, .. }
            | Self::LoopStart { list: value, .. }
            | Self::Redirect { to: value, .. } => see(value),
            Self::Accept { value, field, .. } => {
                see(value);
                field.default.iter().for_each(see);
            }
            Self::ReadValue { parameters, .. }
            | Self::ReadRow { parameters, .. }
            | Self::ReadRows { parameters, .. }
            | Self::ReadQuery { parameters, .. }
            | Self::ReadPage { parameters, .. }
            | Self::WriteMany { parameters, .. } => parameters.iter().for_each(see),
            Self::Insert { assignments, on_conflict, .. } | Self::Update { assignments, on_conflict, .. } => {
                assignments.iter().for_each(|(_, value)| see(value));
                on_conflict.iter().for_each(|failure| failure.expressions(see));
            }
            Self::Schedule { data, due, .. } => {
                data.iter().for_each(|(_, value)| see(value));
                see(due);
            }
            Self::NextElement(next) => {
                next.rows.iter().flat_map(|rows| &rows.parameters).for_each(see);
            }
            Self::Emit { data, .. } => data.iter().for_each(|(_, value)| see(value)),
            Self::Count { by, .. } => by.iter().for_each(see),
            Self::Reserve(reserve) => {
                for charge in &reserve.charges {
                    charge.known.iter().chain(&charge.at_most).for_each(&mut *see);
                    charge.budgets.iter().filter_map(|(_, key)| key.as_ref()).for_each(&mut *see);
                }
            }
            Self::Settle(settle) => settle.actual.iter().flatten().for_each(see),
            Self::Return { body, headers, .. } => {
                match body {
                    Answered::Value(value) | Answered::RowWith { row: value, .. } => see(value),
                    Answered::Nothing | Answered::Page(_) => {}
                }
                headers.iter().for_each(|(_, value)| see(value));
            }
            Self::Call(call) => {
                call.input.iter().chain(&call.waiting).chain(&call.tries).for_each(&mut *see);
                call.headers.iter().chain(&call.secret_headers).for_each(|(_, value)| see(value));
                match &call.otherwise {
                    NoAnswer::FailsWith(failure) => failure.expressions(see),
                    NoAnswer::Fails | NoAnswer::Absent => {}
                }
            }
            Self::Wait { parameters, at_most, .. } => {
                parameters.iter().for_each(&mut *see);
                see(at_most);
            }
        }
    }
}

impl Failure {
    /// Shows each expression of the message and the members.
    fn expressions<'i>(&'i self, see: &mut dyn FnMut(&'i Expression)) {
        for part in &self.message {
            match part {
                MessagePart::Expression(value) => see(value),
                MessagePart::Text(_) => {}
            }
        }
        self.members.iter().for_each(|(_, value)| see(value));
    }
}
