//! Section 3: components.

use crate::facts::{Prose, StepItem};
use formwork_syntax::{Span, Spanned};

/// A component.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name.
    pub name: Spanned<String>,
    /// *Purpose*.
    pub purpose: Option<Prose>,
    /// *Responsibilities*, one per item. An item that begins with `Every`, `When` or `At start-up` is a standing
    /// step and has its nested steps; the language reads it.
    pub responsibilities: Vec<StepItem>,
    /// *Technology/Implementation*.
    pub technology: Option<Prose>,
    /// Whether title or technology say that it is external.
    pub external: bool,
    /// Heading to last line.
    pub span: Span,
}
