//! FW1603: a part that the form asks for and the document does not have.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::form;
use crate::words::quoted;
use formwork_syntax::Span;

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
    let finding = |(span, name, parts): (Span, String, Vec<&str>)| {
        let what = match parts.as_slice() {
            [first, _, _, ..] => format!("`{first}` and {} other parts", parts.len() - 1),
            few => format!("`{}`", few.join("` and `")),
        };
        ENTRY.at(span, format!("{} lacks {what}", quoted(&name))).help(format!(
            "add {}",
            parts.iter().map(|part| format!("**{part}:** …")).collect::<Vec<_>>().join(", ")
        ))
    };
    form::missing_parts(cx).into_iter().map(finding).collect()
}
