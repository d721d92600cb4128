//! Section 7: flows, as written. The language reads their steps.

use crate::facts::StepItem;
use formwork_syntax::{Span, Spanned};

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub name: Spanned<String>,
    /// Its steps.
    pub steps: Vec<StepItem>,
    /// The items of its *Errors* part, each a case of its own.
    pub errors: Vec<StepItem>,
    /// Heading to last line.
    pub span: Span,
}
