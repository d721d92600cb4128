//! Brings conditions and values over the fields of one table into the portable form that stores run.
//!
//! Source: language reference, *SQL*.

use crate::expression::{Ast, Expression, Names};
use crate::notes::Note;
use crate::program::{Condition, FieldId, Operand};

/// A condition and the values of its parameters, which are numbered from the first that the caller asked for.
#[derive(Clone, Debug)]
pub struct Lowered<T> {
    /// The condition or operand.
    pub item: T,
    /// Its parameters in order; computed before the statement runs.
    pub parameters: Vec<Expression>,
}

/// Lowers a condition over the searched entity (`names.bare` is [`crate::expression::Bare::Searched`]).
/// `first` is the number of its first parameter. Gives nothing, and at least one note, when it cannot.
pub fn condition(
    ast: &Ast,
    names: &Names<'_>,
    first: u16,
    notes: &mut Vec<Note>,
) -> Option<Lowered<Condition>> {
    let _ = (ast, names, first, notes);
    None
}

/// Lowers the right side of an assignment to a field of the searched entity, brought to the field's type.
pub fn operand(
    ast: &Ast,
    field: FieldId,
    names: &Names<'_>,
    first: u16,
    notes: &mut Vec<Note>,
) -> Option<Lowered<Operand>> {
    let _ = (ast, field, names, first, notes);
    None
}
