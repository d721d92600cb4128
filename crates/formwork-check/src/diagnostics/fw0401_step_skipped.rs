//! FW0401: a sentence of an executed behaviour that is no step.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;
use formwork_language::{StepForm, step_forms};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0401",
    severity: Severity::Error,
    title: "a sentence that would be skipped",
    page: include_str!("../pages/FW0401.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place) -> Diagnostic {
    let help = match begun(place.span.slice(cx.source)) {
        Some(form) => {
            format!("a step that begins so is written: {} A remark begins with `Note:`.", form.notation)
        }
        None => "write it as a step of the language, or mark it as a remark: `Note: …`".to_owned(),
    };
    ENTRY
        .at(place.span, format!("{} is no step and would be skipped", excerpt(cx.source, place.span)))
        .help(help)
        .fix_of(place)
}

/// The form whose verb a sentence begins with: ``Fails `409 taken` if …`` lacks nothing but a word.
fn begun(sentence: &str) -> Option<StepForm> {
    let verb = sentence.split_whitespace().next()?.to_lowercase();
    let is_begun = |form: &StepForm| {
        form.heads.iter().any(|head| {
            let own = head.split(' ').next().unwrap_or_default();
            own.len() > 3 && (own == verb || own.strip_suffix('s') == Some(verb.as_str()))
        })
    };
    step_forms().filter(|form| form.runs).find(is_begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_begins_like_a_step_is_told_how_that_is_written() {
        let name = |sentence| begun(sentence).map(|form| form.name);
        assert_eq!(name("Fails `409 already_delivered` if `parcel.state == 1`"), Some("Fails"));
        assert_eq!(name("Create `parcel`"), Some("Creates"));
        assert_eq!(name("The team is told by pigeon"), None);
        assert_eq!(name(""), None);
    }
}
