//! The syntax tree of an expression: what was written, with places in the source; nothing is resolved yet.
//!
//! Source: the CEL specification, *Syntax*, and language reference, *Expressions* (`??`, exact decimals).

use super::{BinaryOperator, UnaryOperator};
use crate::value::Value;
use formwork_syntax::Span;
use std::sync::Arc;

/// An expression as written.
#[derive(Clone, Debug)]
pub struct Ast {
    /// What it is.
    pub kind: AstKind,
    /// Where it stands in the source.
    pub span: Span,
}

/// The kinds of [`Ast`].
#[derive(Clone, Debug)]
pub enum AstKind {
    /// A literal: null, boolean, integer, unsigned, decimal, double, text or bytes.
    Literal(Value),
    /// A name.
    Name(Arc<str>),
    /// `a.b`
    Member {
        /// The object.
        of: Box<Ast>,
        /// The name behind the point.
        name: Arc<str>,
        /// Where the name stands.
        name_span: Span,
    },
    /// `a[b]`
    Index {
        /// List or map.
        of: Box<Ast>,
        /// Position or key.
        index: Box<Ast>,
    },
    /// `[a, b]`
    List(Vec<Ast>),
    /// `{a: b}`
    Map(Vec<(Ast, Ast)>),
    /// `!a`, `-a`
    Unary(UnaryOperator, Box<Ast>),
    /// A binary operator.
    Binary {
        /// Which.
        operator: BinaryOperator,
        /// Left side.
        left: Box<Ast>,
        /// Right side.
        right: Box<Ast>,
        /// Where the operator stands.
        operator_span: Span,
    },
    /// `c ? a : b`
    Choose(Box<Ast>, Box<Ast>, Box<Ast>),
    /// `f(a)`, or `a.f(b)` with a receiver. Macros (`has`, `exists`, …) are calls here.
    Call {
        /// What stands before the point of a method.
        receiver: Option<Box<Ast>>,
        /// The function's name.
        name: Arc<str>,
        /// Where the name stands.
        name_span: Span,
        /// What stands between the parentheses.
        arguments: Vec<Ast>,
    },
}

impl Ast {
    /// The dotted path, if the expression is a name or members of a name: `link.expires_at` gives both words.
    pub fn path(&self) -> Option<Vec<Arc<str>>> {
        match &self.kind {
            AstKind::Name(name) => Some(vec![name.clone()]),
            AstKind::Member { of, name, .. } => {
                let mut path = of.path()?;
                path.push(name.clone());
                Some(path)
            }
            _ => None,
        }
    }

    /// The expressions directly inside this one, in the order in which they are written.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match &self.kind {
            AstKind::Literal(_) | AstKind::Name(_) => Vec::new(),
            AstKind::Member { of, .. } => vec![of],
            AstKind::Index { of, index } => vec![of, index],
            AstKind::List(items) => items.iter().collect(),
            AstKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            AstKind::Unary(_, inner) => vec![inner],
            AstKind::Binary { left, right, .. } => vec![left, right],
            AstKind::Choose(condition, yes, no) => vec![condition, yes, no],
            AstKind::Call { receiver, arguments, .. } => {
                receiver.as_deref().into_iter().chain(arguments).collect()
            }
        }
    }

    /// The name alone, if the expression is nothing else.
    pub fn name(&self) -> Option<&Arc<str>> {
        match &self.kind {
            AstKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is the literal `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, AstKind::Literal(Value::Null))
    }
}

/// An expression that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// What was expected or found, one clause: ``expected `)` before the end``.
    pub problem: String,
    /// Where in the source.
    pub span: Span,
    /// A mechanical correction, such as `==` for a lone `=`.
    pub fix: Option<(Span, String)>,
}
