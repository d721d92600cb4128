//! Limits that the document states and nobody would enforce.

use crate::unkept::{Means, Unkept};
use formwork_check::Analysis;

/// The findings of `check` about limits that limit nothing, or not what they say.
const CODES: [&str; 2] = ["FW0904", "FW0914"];

/// The limits of section 9 that are not enforced.
pub(crate) fn unkept(analysis: &Analysis, _: Means<'_>) -> Vec<Unkept> {
    let found = analysis.diagnostics.iter().filter(|found| CODES.contains(&found.code));
    found.map(|found| Unkept::found(analysis, found)).collect()
}
