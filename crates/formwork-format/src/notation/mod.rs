//! Notations: facts as the form writes them. Each file takes the lines of one kind of fact.

mod constraints;
mod fields;
mod objectives;
mod titles;
mod types;

use crate::written::Written;
use formwork_check::Edit;

/// The changes of notation.
pub(crate) fn edits(written: &Written<'_>) -> Vec<Edit> {
    [fields::edits(written), titles::edits(written), objectives::edits(written)].concat()
}
