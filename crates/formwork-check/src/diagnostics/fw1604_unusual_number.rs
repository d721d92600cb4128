//! FW1604: another number of things than the form asks for.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::form::Count;
use crate::form::hold::{self, Asked};
use crate::words::quoted;

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
    hold::unusual_numbers(cx).into_iter().map(finding).collect()
}

fn finding(asked: Asked) -> Diagnostic {
    let Count { least, most, .. } = asked.count;
    let title = quoted(&asked.title);
    ENTRY
        .at(
            asked.span,
            format!("{title} has {} {}, the form asks for {least} to {most}", asked.found, asked.unit),
        )
        .help(if asked.found < least as usize {
            "add what is missing"
        } else {
            "keep the most important ones"
        })
}
