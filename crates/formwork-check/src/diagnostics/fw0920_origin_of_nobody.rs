//! FW0920: a line about CORS that no browser could follow, or that would let any page act for its visitor.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;
use formwork_model::sections::edge::{Cors, origin};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0920",
    severity: Severity::Error,
    title: "an origin that is none",
    page: include_str!("../pages/FW0920.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    cx.model.cors.iter().flat_map(of_line).collect()
}

fn of_line(line: &Cors) -> Vec<Diagnostic> {
    let wrong = line.origins.iter().filter(|named| origin(&named.value).is_none());
    let mut found: Vec<Diagnostic> = wrong
        .map(|named| {
            let message = format!("{} is no origin", quoted(&named.value));
            ENTRY
                .at(named.span, message)
                .help("an origin is `https://host`, with a port where it needs one, and nothing behind")
        })
        .collect();
    if line.any && line.credentials {
        let message = "every origin `with credentials`: any page could act for who looks at it";
        found.push(
            ENTRY
                .at(line.text.span, message.to_owned())
                .help("list the origins, or leave *with credentials* out"),
        );
    }
    found
}
