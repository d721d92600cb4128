//! FW0950: a line of the audit trail that is not recorded as it is written.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0950",
    severity: Severity::Warning,
    title: "an audit that is not recorded",
    page: include_str!("../pages/FW0950.md"),
    rule: Some(rule),
};

/// Finds it. A name that is nobody's is FW0905; what is not executed may be prose.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !cx.strictness.speaks() {
        return Vec::new();
    }
    let is_unknown = |at: formwork_syntax::Span| {
        let mut names = cx.model.audit.iter().flat_map(|audit| &audit.subjects);
        names.any(|name| name.span == at && !cx.lexicon.knows(&name.value))
    };
    let open = cx.compiled.program.audit.open.iter().filter(|(span, _)| !is_unknown(*span));
    open.map(|(span, why)| {
        ENTRY
            .at(*span, why.replacen("this", &excerpt(cx.source, *span), 1))
            .help("name entities or operations: - every write to `entity`: who, when; kept 400 d")
    })
    .collect()
}
