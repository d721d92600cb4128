//! FW1603: a part that the form asks for and the document does not have.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::form::hold::{self, Missing};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1603",
    severity: Severity::Warning,
    title: "a part that is missing",
    page: include_str!("../pages/FW1603.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !cx.whole {
        return Vec::new();
    }
    hold::missing_parts(cx).into_iter().map(finding).collect()
}

fn finding(missing: Missing) -> Diagnostic {
    let what = match missing.labels.as_slice() {
        [first, _, _, ..] => format!("{} and {} other parts", quoted(first), missing.labels.len() - 1),
        few => few.iter().map(|label| quoted(label)).collect::<Vec<_>>().join(" and "),
    };
    let name = quoted(&missing.name);
    let message = match missing.others.len() {
        0 => format!("{name} lacks {what}"),
        others => format!("{name} and {others} other {} lack {what}", missing.kind),
    };
    let labels: Vec<String> = missing.labels.iter().map(|label| format!("**{label}:** …")).collect();
    let mut found = ENTRY.at(missing.span, message).help(format!("add {}", labels.join(", ")));
    for other in missing.others {
        found = found.related(Some(other), "here too");
    }
    found
}
