//! Sections 13, 14 and 15: reference interfaces, roadmap, open questions.

use crate::facts::{Field, Prose};
use formwork_syntax::{Fence, Span, Spanned};

/// A reference interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: Spanned<String>,
    /// Its fence.
    pub fence: Option<Fence>,
    /// Its members, when the fence is an example-like object whose values are type words.
    pub fields: Vec<Field>,
    /// Heading to last line.
    pub span: Span,
}

/// A phase of the roadmap.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: Spanned<String>,
    /// What it delivers.
    pub deliverables: Vec<Prose>,
    /// Heading to last line.
    pub span: Span,
}

/// An open question.
#[derive(Clone, Debug)]
pub struct Question {
    /// The question.
    pub text: Prose,
    /// *Why*
    pub context: Option<Prose>,
    /// *Options*
    pub options: Option<Prose>,
    /// *Decides*
    pub decides: Option<Prose>,
    /// The whole item.
    pub span: Span,
}
