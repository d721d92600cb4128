//! Reads the text of an expression into an [`Ast`].

use super::{Ast, SyntaxProblem};
use formwork_syntax::Span;
use std::sync::Arc;

/// What a lone `=` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equals {
    /// The same as `==`: after *where*, *when*, *if*, *unless* and *Requires*.
    Compares,
    /// Nothing; a problem with a fix.
    Refused,
}

/// `name = EXPR`
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The name, and where it stands.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// What stands behind the `=`.
    pub value: Ast,
}

/// Parses the content of a code span. `map` turns byte offsets of `text` into offsets of the source.
pub fn parse(text: &str, equals: Equals, map: &dyn Fn(u32) -> u32) -> Result<Ast, SyntaxProblem> {
    let _ = equals;
    Err(SyntaxProblem {
        problem: "not read yet".to_owned(),
        span: Span::new(map(0), map(text.len() as u32)),
        fix: None,
    })
}

/// Parses `name = EXPR`, split at the first lone `=`; [`None`] when there is no such `=` behind a name.
pub fn assignment(text: &str, map: &dyn Fn(u32) -> u32) -> Option<Result<Assignment, SyntaxProblem>> {
    let _ = (text, map);
    None
}
