//! Resolves names and types, and gives an [`Expression`] that is ready to run.

use super::{Ast, Expression, Names, StaticType};
use crate::notes::{Note, NoteKind};
use crate::program::Schema;
use formwork_model::values::Type;

/// A compiled expression with its type.
#[derive(Clone, Debug)]
pub struct Typed {
    /// What runs.
    pub expression: Expression,
    /// What it gives.
    pub ty: StaticType,
    /// Whether it reads fields of the searched entity; then it is for [`crate::sql`] alone.
    pub uses_fields: bool,
}

/// Compiles an expression; what is wrong goes to `notes`, and then there is no result.
pub fn compile(ast: &Ast, names: &Names<'_>, notes: &mut Vec<Note>) -> Option<Typed> {
    let _ = (ast, names, notes);
    None
}

/// Brings a value to a declared type (text to uuid, integer to decimal, …), or says why it does not fit.
/// `context` is where the value goes: ``field `slug` ``. `optional`: whether the place takes an absent value.
pub fn coerce(
    typed: Typed,
    ty: &Type,
    optional: bool,
    schema: &Schema,
    context: &str,
) -> Result<Expression, NoteKind> {
    let _ = (ty, optional, schema, context);
    Ok(typed.expression)
}
