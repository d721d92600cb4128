//! FW0702: a flow without an executable step.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;
use formwork_model::Class;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0702",
    severity: Severity::Hint,
    title: "a flow that tests nothing",
    page: include_str!("../pages/FW0702.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    // Where nothing is executed, a flow has nothing to test.
    if !cx.strictness.speaks() {
        return Vec::new();
    }
    let flows = cx.compiled.flows.iter();
    let idle = flows.filter(|flow| {
        let mut steps = flow.steps.iter().chain(&flow.errors);
        !flow.steps.is_empty() && steps.all(|step| step.class == Class::Narrative)
    });
    idle.map(|flow| {
        let heading = cx
            .model
            .flows
            .iter()
            .find(|read| read.span == flow.span)
            .map_or(flow.span, |read| read.name.span);
        ENTRY
            .at(heading, format!("{} tests nothing: no step of it can be executed", quoted(&flow.name)))
            .help("write a step as: `member` calls `operation` with `{…}` and gets `201`")
    })
    .collect()
}
