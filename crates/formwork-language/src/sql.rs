//! Brings conditions and values over the fields of one table into the portable form that stores run.
//!
//! What has no field in it is computed before and becomes a parameter, brought to the form of what it is compared
//! with (a text beside a uuid is parsed, a decimal gets the column's scale), so that a store compares like with like.
//! Source: language reference, *SQL* and *Absent values*.

mod conditions;
mod operands;

pub(crate) use operands::declared;

use crate::expression::{Ast, Bare, Expression, Kind, Names, Typed, coerce, compile, compile_side};
use crate::notes::{Note, NoteKind};
use crate::program::{Condition, FieldId, Operand};
use crate::value::Value;
use formwork_syntax::Span;

/// A condition or value, and its parameters.
#[derive(Clone, Debug)]
pub struct Lowered<T> {
    /// The condition or operand.
    pub item: T,
    /// Its parameters, numbered from the first that the caller asked for; computed before the statement runs.
    pub parameters: Vec<Expression>,
}

/// Lowers a condition over the searched entity (`names.bare` is [`Bare::Searched`]).
/// `first` is the number of its first parameter. Gives nothing, and at least one note, when it cannot.
pub fn condition(
    ast: &Ast,
    names: &Names<'_>,
    first: u16,
    notes: &mut Vec<Note>,
) -> Option<Lowered<Condition>> {
    let typed = compiled(ast, names, notes)?;
    if !matches!(typed.ty.kind, Kind::Boolean | Kind::Dynamic) {
        let kind = NoteKind::TypeMismatch {
            expected: "boolean".to_owned(),
            found: typed.ty.kind.to_string(),
            context: "the condition".to_owned(),
        };
        notes.push(Note { kind, span: ast.span, related: None, fix: None });
        return None;
    }
    let mut lowering = Lowering { names, first, parameters: Vec::new(), parts: 0 };
    match lowering.condition(ast, true) {
        Ok(item) => Some(Lowered { item, parameters: lowering.parameters }),
        Err(refused) => {
            notes.push(refused.note());
            None
        }
    }
}

/// Lowers the right side of an assignment to a field of the searched entity, brought to the field's type.
pub fn operand(
    ast: &Ast,
    field: FieldId,
    names: &Names<'_>,
    first: u16,
    notes: &mut Vec<Note>,
) -> Option<Lowered<Operand>> {
    let typed = compiled(ast, names, notes)?;
    let Bare::Searched(entity) = names.bare else { return None };
    let entity = names.entity(entity)?;
    let target = entity.fields.get(usize::from(field))?;
    let context = format!("field `{}`", target.name);
    let uses_fields = typed.uses_fields;
    let coerced = match coerce(typed, &target.ty, target.optional, names.schema, &context) {
        Ok(coerced) => coerced,
        Err(kind) => {
            notes.push(Note { kind, span: ast.span, related: None, fix: None });
            return None;
        }
    };
    let mut lowering = Lowering { names, first, parameters: Vec::new(), parts: 0 };
    let lowered =
        if uses_fields { lowering.assigned(ast, &target.ty) } else { lowering.bound(coerced, ast.span) };
    match lowered {
        Ok(item) => Some(Lowered { item, parameters: lowering.parameters }),
        Err(refused) => {
            notes.push(refused.note());
            None
        }
    }
}

/// Compiles the whole, so that everything wrong is said once; lowering then compiles its parts quietly.
fn compiled(ast: &Ast, names: &Names<'_>, notes: &mut Vec<Note>) -> Option<Typed> {
    let before = notes.len();
    let typed = compile(ast, names, notes)?;
    // A note such as a shadowed field comes with a result, which must not run.
    if notes.len() > before { None } else { Some(typed) }
}

/// What SQL cannot decide, and where it stands.
struct Refused {
    what: String,
    span: Span,
}

impl Refused {
    fn new(what: impl Into<String>, span: Span) -> Self {
        Self { what: what.into(), span }
    }

    fn note(self) -> Note {
        Note { kind: NoteKind::NotInSql { what: self.what }, span: self.span, related: None, fix: None }
    }
}

/// How many parts a condition may come to. A choice and an equality of conditions write their parts twice, so that
/// nested ones would double with every level.
const MOST_PARTS: u32 = 4000;

struct Lowering<'n, 'a> {
    names: &'n Names<'a>,
    first: u16,
    parameters: Vec<Expression>,
    parts: u32,
}

impl Lowering<'_, '_> {
    /// A part of the condition with its type.
    fn typed(&mut self, ast: &Ast) -> Result<Typed, Refused> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Refused::new("so large a condition", ast.span));
        }
        let mut notes = Vec::new();
        compile_side(ast, self.names, &mut notes).ok_or_else(|| Refused::new("this part", ast.span))
    }

    /// A value without fields: the constant itself, or a parameter.
    fn bound(&mut self, expression: Expression, span: Span) -> Result<Operand, Refused> {
        if let Expression::Constant(value) = expression {
            return Ok(Operand::Constant(if value.is_absent() { Value::Null } else { value }));
        }
        self.parameter(expression, span).map(Operand::Parameter)
    }

    fn parameter(&mut self, expression: Expression, span: Span) -> Result<u16, Refused> {
        let number =
            u16::try_from(self.parameters.len()).ok().and_then(|number| self.first.checked_add(number));
        let number = number.ok_or_else(|| Refused::new("so many values", span))?;
        self.parameters.push(expression);
        Ok(number)
    }
}
