//! FW1604: another number of things than the form asks for.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::form;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1604",
    severity: Severity::Hint,
    title: "more or fewer things than the form asks for",
    page: include_str!("../pages/FW1604.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !cx.whole {
        return Vec::new();
    }
    let finding = |asked: form::Asked| {
        let (least, most) = asked.range;
        ENTRY
            .at(
                asked.span,
                format!(
                    "`{}` has {} {}, the form asks for {least} to {most}",
                    asked.title,
                    asked.found,
                    asked.unit()
                ),
            )
            .help(if asked.found < least as usize {
                "add what is missing"
            } else {
                "keep the most important ones"
            })
    };
    form::unusual_numbers(cx).into_iter().map(finding).collect()
}
