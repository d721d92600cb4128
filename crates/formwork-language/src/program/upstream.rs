//! External components and the calls to them, as the program holds them.
//!
//! Source: language reference, *Reaching out*.

use super::{Failure, Slot};
use crate::expression::Expression;
use formwork_model::values::Type;
use formwork_syntax::Span;
use std::sync::Arc;

/// An external component of section 3.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name as written.
    pub name: Arc<str>,
    /// `https://…` of its *Upstream* line, without a slash at the end; absent when the document names none.
    pub base: Option<Arc<str>>,
    /// Headers of every call: lower-case name and value. They may read secrets and nothing else that varies.
    pub headers: Vec<(Arc<str>, Expression)>,
    /// Where it is declared.
    pub span: Span,
}

/// A call of an external component.
#[derive(Clone, Debug)]
pub struct UpstreamCall {
    /// Index into [`super::Program::upstreams`].
    pub upstream: u16,
    /// Upper case.
    pub method: Arc<str>,
    /// Its path; a parameter is a member of the input, which it takes out.
    pub target: Vec<TargetPart>,
    /// What is sent: a map or row; in the query of a `GET`, `HEAD` or `DELETE`, else as a JSON body.
    pub input: Option<Expression>,
    /// Further headers: lower-case name and value.
    pub headers: Vec<(Arc<str>, Expression)>,
    /// Those whose values read secrets, so that they are computed when the request is sent and kept nowhere.
    pub secret_headers: Vec<(Arc<str>, Expression)>,
    /// How long a try may take: a duration.
    pub waiting: Option<Expression>,
    /// How many tries: an integer.
    pub tries: Option<Expression>,
    /// How the answer's body is read.
    pub answer: AnswerShape,
    /// The variable: `status`, `body` and `headers`.
    pub slot: Slot,
    /// ``failing as `why` ``
    pub why: Option<Slot>,
    /// What happens when there is no fitting answer.
    pub otherwise: NoAnswer,
}

impl UpstreamCall {
    /// Whether it changes nothing at the other side, so that nothing is lost when it is forgotten.
    pub fn only_reads(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD")
    }
}

/// A piece of the path of an [`UpstreamCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPart {
    /// As written.
    Text(Arc<str>),
    /// `{name}`: a member of the input.
    Member(Arc<str>),
}

/// How the body of an answer is read.
#[derive(Clone, Debug, Default)]
pub enum AnswerShape {
    /// Any JSON.
    #[default]
    Anything,
    /// An object with these members; others are left out.
    Object(Vec<AnswerField>),
    /// A list of such objects.
    List(Vec<AnswerField>),
}

/// A member of an answer.
#[derive(Clone, Debug)]
pub struct AnswerField {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be missing.
    pub optional: bool,
}

/// What happens when a call has no fitting answer.
#[derive(Clone, Debug)]
pub enum NoAnswer {
    /// The operation fails with `502`; any status is an answer.
    Fails,
    /// The operation fails so, also on a status of 400 and above.
    FailsWith(Failure),
    /// The variable is absent; any status is an answer.
    Absent,
}
