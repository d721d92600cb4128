//! Resolves names and types, and gives an [`Expression`] that is ready to run.
//!
//! Each kind of node has a file below; here is what they share. Source: language reference, *Expressions*.

mod calls;
mod coercion;
mod division;
mod members;
mod operators;

pub use coercion::coerce;
pub(crate) use coercion::literal_as;

use super::narrowing::proves;
use super::types::{Kind, StaticType};
use super::{Ast, AstKind, Expression, Names};
use crate::eval::{EvaluationError, Host, Scope, evaluate};
use crate::notes::{Note, NoteKind};
use crate::value::Value;
use formwork_syntax::Span;
use std::borrow::Cow;
use std::sync::Arc;

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

impl Typed {
    fn new(expression: Expression, ty: StaticType) -> Self {
        Self { expression, ty, uses_fields: false }
    }

    fn with_fields(mut self, uses_fields: bool) -> Self {
        self.uses_fields |= uses_fields;
        self
    }

    /// The constant that it is, if it is one.
    pub fn constant(&self) -> Option<&Value> {
        match &self.expression {
            Expression::Constant(value) => Some(value),
            _ => None,
        }
    }
}

/// Compiles an expression; what is wrong goes to `notes`, and then there is no result.
pub fn compile(ast: &Ast, names: &Names<'_>, notes: &mut Vec<Note>) -> Option<Typed> {
    compiler(names, false, notes).typed(ast)
}

/// Compiles one side of a comparison, where a secret may stand.
pub(crate) fn compile_side(ast: &Ast, names: &Names<'_>, notes: &mut Vec<Note>) -> Option<Typed> {
    compiler(names, true, notes).typed(ast)
}

fn compiler<'n, 'a>(names: &'n Names<'a>, comparing: bool, notes: &'n mut Vec<Note>) -> Compiler<'n, 'a> {
    let (locals, dividing, compared) = (Vec::new(), false, false);
    let present = Cow::Borrowed(names.present.as_slice());
    Compiler { names, present, locals, dividing, comparing, compared, notes }
}

/// A variable of a comprehension.
struct LocalName {
    name: Arc<str>,
    ty: StaticType,
}

struct Compiler<'n, 'a> {
    /// Borrowed: a behaviour may have tens of thousands of variables, and each of its steps an expression.
    names: &'n Names<'a>,
    /// Paths that are known not to be absent where the compiler is now: those of the names, until it learns more.
    present: Cow<'n, [Vec<Arc<str>>]>,
    locals: Vec<LocalName>,
    /// Whether a rounding stands around, so that decimals may be divided.
    dividing: bool,
    /// Whether what is compiled next is a side of a comparison …
    comparing: bool,
    /// … and whether what is compiled now is one.
    compared: bool,
    notes: &'n mut Vec<Note>,
}

impl Compiler<'_, '_> {
    fn note(&mut self, kind: NoteKind, span: Span) {
        self.notes.push(Note { kind, span, related: None, fix: None });
    }

    fn mismatch(&mut self, expected: &str, found: &StaticType, context: &str, span: Span) {
        let kind = NoteKind::TypeMismatch {
            expected: expected.to_owned(),
            found: found.kind.to_string(),
            context: context.to_owned(),
        };
        self.note(kind, span);
    }

    fn typed(&mut self, ast: &Ast) -> Option<Typed> {
        let dividing = self.dividing;
        self.dividing &= division::is_transparent(ast);
        self.compared = std::mem::take(&mut self.comparing);
        let typed = self.node(ast);
        self.dividing = dividing;
        typed
    }

    fn node(&mut self, ast: &Ast) -> Option<Typed> {
        match &ast.kind {
            AstKind::Literal(value) => {
                Some(Typed::new(Expression::Constant(value.clone()), literal_type(value)))
            }
            AstKind::Name(name) => self.name(name, ast.span),
            AstKind::Member { of, name, name_span } => self.member(ast, of, name, *name_span),
            AstKind::Index { of, index } => self.index(of, index),
            AstKind::List(items) => self.list(items),
            AstKind::Map(entries) => self.map(entries),
            AstKind::Unary(operator, inner) => self.unary(*operator, inner, ast.span),
            AstKind::Binary { operator, left, right, operator_span } => {
                self.binary(*operator, left, right, *operator_span)
            }
            AstKind::Choose(condition, yes, no) => self.choose(condition, yes, no),
            AstKind::Call { receiver, name, name_span, arguments } => {
                self.call(receiver.as_deref(), name, *name_span, arguments, ast.span)
            }
        }
    }

    /// Compiles with more paths known to be present.
    fn knowing(&mut self, condition: &Ast, holds: bool, ast: &Ast) -> Option<Typed> {
        let before = self.present.len();
        let proven = proves(condition, holds);
        if !proven.is_empty() {
            self.present.to_mut().extend(proven);
        }
        let typed = self.typed(ast);
        if self.present.len() > before {
            self.present.to_mut().truncate(before);
        }
        typed
    }

    /// Whether a path is known not to be absent.
    fn is_present(&self, path: &[Arc<str>]) -> bool {
        self.present.iter().any(|known| known.starts_with(path))
    }

    /// A part that must be a boolean.
    fn condition(&mut self, typed: &Typed, context: &str, span: Span) -> bool {
        let fits = matches!(typed.ty.kind, Kind::Boolean | Kind::Dynamic | Kind::Null);
        if !fits {
            self.mismatch("boolean", &typed.ty, context, span);
        }
        fits
    }

    fn list(&mut self, items: &[Ast]) -> Option<Typed> {
        let typed: Vec<Option<Typed>> = items.iter().map(|item| self.typed(item)).collect();
        let typed: Vec<Typed> = typed.into_iter().collect::<Option<_>>()?;
        let uses_fields = typed.iter().any(|item| item.uses_fields);
        let element = common(typed.iter().map(|item| &item.ty));
        let constants: Option<Vec<Value>> = typed.iter().map(|item| item.constant().cloned()).collect();
        let expression = match constants {
            Some(values) => Expression::Constant(Value::List(values.into())),
            None => Expression::List(typed.into_iter().map(|item| item.expression).collect()),
        };
        let ty = Kind::List(Box::new(element)).required();
        Some(Typed { expression, ty, uses_fields })
    }

    fn map(&mut self, entries: &[(Ast, Ast)]) -> Option<Typed> {
        let mut typed = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key_typed = self.typed(key);
            let value_typed = self.typed(value);
            typed.push((key_typed, value_typed, key.span));
        }
        let mut complete = Vec::with_capacity(typed.len());
        for (key, value, span) in typed {
            let (key, value) = (key?, value?);
            if !matches!(
                key.ty.kind,
                Kind::Text | Kind::Enum(_) | Kind::Integer | Kind::Unsigned | Kind::Boolean | Kind::Dynamic
            ) {
                self.mismatch("string", &key.ty, "a key", span);
                return None;
            }
            complete.push((key, value));
        }
        let uses_fields = complete.iter().any(|(key, value)| key.uses_fields || value.uses_fields);
        let kind = map_type(&complete);
        let entries = complete.into_iter().map(|(key, value)| (key.expression, value.expression)).collect();
        Some(Typed { expression: Expression::Map(entries), ty: kind.required(), uses_fields })
    }

    fn choose(&mut self, condition: &Ast, yes: &Ast, no: &Ast) -> Option<Typed> {
        let tested = self.typed(condition);
        let first = self.knowing(condition, true, yes);
        let second = self.knowing(condition, false, no);
        let (tested, first, second) = (tested?, first?, second?);
        if !self.condition(&tested, "`?:`", condition.span) {
            return None;
        }
        let Some(ty) = join(&first.ty, &second.ty) else {
            self.mismatch(&first.ty.kind.to_string(), &second.ty, "`?:`", no.span);
            return None;
        };
        let uses_fields = tested.uses_fields || first.uses_fields || second.uses_fields;
        let expression = Expression::Choose(
            Box::new(tested.expression),
            Box::new(first.expression),
            Box::new(second.expression),
        );
        Some(Typed { expression, ty, uses_fields })
    }
}

/// Computes a node all of whose children are constants; what fails is left to run time, where it may never be reached.
pub(crate) fn folded(expression: Expression) -> Expression {
    let constant = |child: &Expression| matches!(child, Expression::Constant(_));
    let children_are_constants = match &expression {
        Expression::Unary(_, inner) | Expression::Convert { value: inner, .. } => constant(inner),
        Expression::Binary { left, right, .. } => constant(left) && constant(right),
        Expression::Call { function, arguments, .. } => {
            let pure =
                crate::functions::FUNCTIONS.get(usize::from(*function)).is_some_and(|function| function.pure);
            pure && arguments.iter().all(constant)
        }
        _ => false,
    };
    if !children_are_constants {
        return expression;
    }
    evaluated(&expression).map_or(expression, Expression::Constant)
}

/// The value of an expression over constants.
fn evaluated(expression: &Expression) -> Result<Value, EvaluationError> {
    evaluate(expression, &mut Scope { slots: &[], rows: &[], host: &mut NoHost })
}

/// The host at compile time, which no pure function asks.
struct NoHost;

impl Host for NoHost {
    fn now(&self) -> i64 {
        0
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}

fn literal_type(value: &Value) -> StaticType {
    match value {
        Value::Boolean(_) => Kind::Boolean.required(),
        Value::Integer(_) => Kind::Integer.required(),
        Value::Unsigned(_) => Kind::Unsigned.required(),
        Value::Decimal(value) => Kind::Decimal(Some(value.scale)).required(),
        Value::Double(_) => Kind::Double.required(),
        Value::Text(_) => Kind::Text.required(),
        Value::Bytes(_) => Kind::Bytes.required(),
        _ => Kind::Null.optional(),
    }
}

/// A member of an object, with its type.
type Member = (Arc<str>, StaticType);

/// An object when all keys are texts known here, else a map.
fn map_type(entries: &[(Typed, Typed)]) -> Kind {
    let members: Option<Arc<[Member]>> = entries
        .iter()
        .map(|(key, value)| match key.constant() {
            Some(Value::Text(name)) => Some((name.clone(), value.ty.clone())),
            _ => None,
        })
        .collect();
    match members {
        Some(members) if !members.is_empty() => Kind::Object(members),
        _ => {
            let keys = common(entries.iter().map(|(key, _)| &key.ty));
            Kind::Map(Box::new(keys), Box::new(common(entries.iter().map(|(_, value)| &value.ty))))
        }
    }
}

/// What all types have in common; dynamic when nothing, or when there are none.
fn common<'t>(types: impl Iterator<Item = &'t StaticType>) -> StaticType {
    let mut joined: Option<StaticType> = None;
    for ty in types {
        joined = match joined {
            None => Some(ty.clone()),
            Some(before) => match join(&before, ty) {
                Some(both) => Some(both),
                None => return Kind::Dynamic.required().or_absent(before.optional || ty.optional),
            },
        };
    }
    joined.unwrap_or(Kind::Dynamic.required())
}

/// The type that holds the values of both.
pub(crate) fn join(left: &StaticType, right: &StaticType) -> Option<StaticType> {
    let optional = left.optional || right.optional;
    let kind = match (&left.kind, &right.kind) {
        (left, right) if left == right => left.clone(),
        (Kind::Null, other) | (other, Kind::Null) => other.clone(),
        (Kind::Dynamic, _) | (_, Kind::Dynamic) => Kind::Dynamic,
        (left, right) if left.is_text() && right.is_text() => Kind::Text,
        (Kind::Integer, Kind::Decimal(scale)) | (Kind::Decimal(scale), Kind::Integer) => {
            Kind::Decimal(*scale)
        }
        (Kind::Decimal(left), Kind::Decimal(right)) => {
            Kind::Decimal(left.zip(*right).map(|(left, right)| left.max(right)))
        }
        (Kind::Decimal(_), Kind::Double) | (Kind::Double, Kind::Decimal(_)) => Kind::Double,
        (Kind::List(left), Kind::List(right)) => Kind::List(Box::new(element(left, right)?)),
        (Kind::Object(_) | Kind::Map(..), Kind::Object(_) | Kind::Map(..)) => Kind::Dynamic,
        _ => return None,
    };
    Some(StaticType { kind, optional })
}

/// The element type of two lists; an empty list's is dynamic and takes the other's.
fn element(left: &StaticType, right: &StaticType) -> Option<StaticType> {
    match (&left.kind, &right.kind) {
        (Kind::Dynamic, _) => Some(right.clone()),
        (_, Kind::Dynamic) => Some(left.clone()),
        _ => join(left, right),
    }
}
