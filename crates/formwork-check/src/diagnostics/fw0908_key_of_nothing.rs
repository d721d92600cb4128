//! FW0908: a line about `Idempotency-Key` that says nothing: of an operation that does not exist or never writes, or
//! kept for no duration.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_language::program::Operation;
use formwork_model::names::nearest;
use formwork_model::sections::security::{AuthenticationKind, Kept, KeyRule};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0908",
    severity: Severity::Warning,
    title: "an idempotency key of nothing",
    page: include_str!("../pages/FW0908.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let lines = cx.model.authentication.iter().filter_map(|authentication| match &authentication.kind {
        AuthenticationKind::IdempotencyKey(rule) => Some(rule),
        _ => None,
    });
    lines.flat_map(|line| of_line(cx, line)).collect()
}

fn of_line(cx: &Context<'_>, line: &KeyRule) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for name in &line.operations {
        if !names::is_operation(cx, &name.value) {
            let message = format!("there is no operation {}", quoted(&name.value));
            let near = nearest(&name.value, names::operations(cx));
            found.push(ENTRY.at(name.span, message).nearest(
                cx,
                &name.value,
                near,
                "name an operation of section 4",
            ));
        } else if served(cx, &name.value).is_some_and(|operation| operation.mode.runs() && !keeps(operation))
        {
            let message = format!("{} writes nothing that a key could protect", quoted(&name.value));
            let help = "leave it out: a request that only reads may be repeated as it is";
            found.push(ENTRY.at(name.span, message).help(help));
        }
    }
    if let Kept::NotUnderstood(span) = line.kept {
        let message = format!("{} is no duration", quoted(span.slice(cx.source)));
        found.push(
            ENTRY.at(span, message).help("write `kept 7 d` or `kept for ever`; a month is no duration"),
        );
    }
    found
}

fn served<'a>(cx: &Context<'a>, name: &str) -> Option<&'a Operation> {
    let index = names::behaviour(cx, name)?.program?;
    cx.compiled.program.operations.get(index as usize)
}

fn keeps(operation: &Operation) -> bool {
    operation.writes && &*operation.method != "GET"
}
