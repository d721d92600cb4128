//! FW0402: a sentence that begins like a step and does not parse.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::corrections;
use crate::diagnostic::{Diagnostic, Severity};
use crate::instead;
use crate::words::{clause, quoted};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0402",
    severity: Severity::Error,
    title: "a step that does not parse",
    page: include_str!("../pages/FW0402.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(
    cx: &Context<'_>,
    place: &Place,
    form: &str,
    word: Option<&str>,
    expected: &str,
    notation: &str,
) -> Diagnostic {
    let message = match word {
        Some(word) => {
            format!("{} does not know {}: expected {}", quoted(form), quoted(word), clause(expected))
        }
        None => format!("{} expects {}", quoted(form), clause(expected)),
    };
    let fix = corrections::of_step(cx.source, place.span, expected)
        .or_else(|| corrections::in_code(cx, place.span, expected));
    let help = match instead::of(form, word) {
        Some(other) => other.to_owned(),
        None => format!("it is written so: {notation}"),
    };
    ENTRY.at(place.span, message).help(help).fix_of(place).mended_by(fix)
}
