//! Sections 4 and 5: operations and internal endpoints. Both have one shape.

use crate::facts::{Field, Outcome, Prose, StepItem};
use formwork_syntax::{Fence, Span, Spanned, Text};

/// Where an operation is declared, and so on which listener it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Section 4: the public listener.
    Public,
    /// Section 5: the internal listener.
    Internal,
}

/// An operation of section 4 or an endpoint of section 5.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name; an endpoint without one is named by method and path (`GET /internal/links`).
    pub name: Spanned<String>,
    /// The heading that groups it, such as *Links*.
    pub group: Option<String>,
    /// Where it is declared.
    pub surface: Surface,
    /// Upper-case HTTP method; absent when the document gives none.
    pub method: Option<Spanned<String>>,
    /// Path with `{name}` parameters (also from `:name`); absent when the document gives none.
    pub path: Option<Spanned<String>>,
    /// Whether it is a command line (`` `tool check` ``), not served over HTTP.
    pub command: bool,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// Errors that are listed outside the behaviour.
    pub errors: Vec<Spanned<Outcome>>,
    /// What happens: the items of *Behavior*.
    pub behavior: Vec<StepItem>,
    /// The label *Behavior* itself, when there is one.
    pub behavior_span: Option<Span>,
    /// Fences under *Example Schema*.
    pub examples: Vec<Fence>,
    /// *Purpose* (section 5) or the paragraph below the heading.
    pub purpose: Option<Prose>,
    /// *Transport* (section 5).
    pub transport: Option<Prose>,
    /// Heading to last line.
    pub span: Span,
}

/// What an operation accepts.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Its fields.
    pub fields: Vec<Field>,
    /// An entity or interface that it refers to.
    pub reference: Option<Spanned<String>>,
    /// Whether the document says that there is none.
    pub none: bool,
    /// `Other fields are ignored.`
    pub ignores_others: bool,
    /// The label *Input* or *Request*; absent when the operation has none.
    pub span: Option<Span>,
}

/// What an operation answers.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its shape.
    pub kind: OutputKind,
    /// The status in it.
    pub status: Option<Spanned<u16>>,
    /// Fields that are listed.
    pub fields: Vec<Field>,
    /// The text behind the label.
    pub text: Option<Text>,
    /// The label *Output* or *Response*; absent when the operation has none.
    pub span: Option<Span>,
}

/// The shapes of [`Output`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum OutputKind {
    /// No Output part, or an empty one.
    #[default]
    Missing,
    /// ``the `link` ``
    Row(Spanned<String>),
    /// ``a list of `link` ``
    List(Spanned<String>),
    /// ``a page of `link` ``
    Page(Spanned<String>),
    /// Fields.
    Fields,
    /// A redirect.
    Redirect,
    /// Nothing.
    Nothing,
    /// Prose.
    Prose,
}
