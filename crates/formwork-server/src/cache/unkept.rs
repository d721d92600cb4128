//! What a document promises of caches and is not kept.

use crate::unkept::{Means, Unkept};
use formwork_check::{Analysis, Diagnostic};

/// The findings of `check` about layers that keep nothing.
const CODES: [&str; 2] = ["FW0802", "FW0807"];

/// The layers of section 8 that are not kept.
pub(crate) fn unkept(analysis: &Analysis, _: Means<'_>) -> Vec<Unkept> {
    let is_of_cache = |found: &&Diagnostic| {
        let caches = &analysis.model.caches;
        CODES.contains(&found.code) && caches.iter().any(|layer| layer.span.contains(found.span))
    };
    let found = analysis.diagnostics.iter().filter(is_of_cache);
    found.map(|found| Unkept::found(analysis, found)).collect()
}
