//! A compiled expression: names are slots and fields, types are checked, literals are values.

mod ast;
mod lexer;
mod literals;
mod names;
mod narrowing;
mod parser;
mod types;
mod typing;
mod variables;

pub use ast::{Ast, AstKind, SyntaxProblem};
pub use names::{Bare, Bound, Names};
pub use narrowing::proves;
pub use parser::{Assignment, Equals, MAX_DEPTH, assignment, parse};
pub use types::{Kind, StaticType};
pub use typing::{Typed, coerce, compile};
pub(crate) use typing::{compile_side, folded, join as joined};

use crate::value::Value;
use formwork_syntax::Span;
use std::sync::Arc;

/// An expression, ready to be evaluated over a [`crate::eval::Scope`].
#[derive(Clone, Debug)]
pub enum Expression {
    /// A literal, or what was folded at compile time.
    Constant(Value),
    /// A variable, an input field, or one of the fixed slots.
    Slot(u16),
    /// A local of a comprehension macro (`exists`, `all`, `map`, `filter`, `first`), numbered from the outside in.
    Local(u16),
    /// A field of a row.
    Field {
        /// An expression that gives a row (or `Absent`).
        row: Box<Expression>,
        /// Index of the field.
        field: u16,
        /// `entity.field` of one that is write-only: what must not leave the system.
        withheld: Option<Arc<str>>,
    },
    /// A field of the row that a statement looks at; the lowering to SQL takes it away, nothing evaluates it.
    Searched(u16),
    /// A member of a map or JSON object by name.
    Member {
        /// The object.
        of: Box<Expression>,
        /// The name.
        name: Arc<str>,
    },
    /// `a[b]`
    Index {
        /// List or map.
        of: Box<Expression>,
        /// Position or key.
        index: Box<Expression>,
    },
    /// `[a, b]`
    List(Vec<Expression>),
    /// `{a: b}`
    Map(Vec<(Expression, Expression)>),
    /// `!a`, `-a`
    Unary(UnaryOperator, Box<Expression>),
    /// A binary operator; `&&` and `||` do not evaluate the right side unless they must.
    Binary {
        /// Which.
        operator: BinaryOperator,
        /// Left side.
        left: Box<Expression>,
        /// Right side.
        right: Box<Expression>,
        /// The operator's place, for errors.
        span: Span,
    },
    /// `c ? a : b`
    Choose(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `has(x.f)`: whether the key was sent.
    Has(Box<Expression>),
    /// `matches` with a constant pattern, compiled once.
    Matches {
        /// The text.
        text: Box<Expression>,
        /// The pattern.
        pattern: regex::Regex,
    },
    /// The value in the form that a declared type has; see [`crate::constraint::converted`].
    Convert {
        /// The value.
        value: Box<Expression>,
        /// The type.
        to: formwork_model::values::Type,
    },
    /// A function of [`crate::functions`], by its index in the registry.
    Call {
        /// Index into `FUNCTIONS`.
        function: u16,
        /// Arguments; for a method the receiver first.
        arguments: Vec<Expression>,
        /// The call's place, for errors.
        span: Span,
    },
    /// A comprehension macro.
    Comprehension {
        /// Which.
        kind: Comprehension,
        /// List or map.
        over: Box<Expression>,
        /// Number of the local that holds the element.
        local: u16,
        /// What is tested or computed.
        body: Box<Expression>,
        /// For `map` with a filter (`xs.map(x, p, e)`): the filter.
        filter: Option<Box<Expression>>,
    },
}

/// The unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// The binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `/` of decimals inside a rounding, which the compiler takes out of it again.
    Quotient,
    /// `%`
    Remainder,
    /// `??`
    Coalesce,
}

/// The comprehension macros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comprehension {
    /// `exists`
    Exists,
    /// `exists_one`
    ExistsOne,
    /// `all`
    All,
    /// `filter`
    Filter,
    /// `map`
    Map,
    /// `first(xs, x, COND)`
    First,
}
