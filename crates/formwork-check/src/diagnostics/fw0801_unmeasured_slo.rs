//! FW0801: an SLO whose metric or operation does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::measures::Measures;
use crate::names;
use crate::words::quoted;
use formwork_model::Section;
use formwork_model::names::nearest;
use std::collections::BTreeSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0801",
    severity: Severity::Warning,
    title: "an SLO that nothing measures",
    page: include_str!("../pages/FW0801.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    // Who says how the targets are measured measures them, if not with a metric.
    let severity = if says_how(cx) { Severity::Hint } else { Severity::Warning };
    let measures = Measures::new(cx);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let slos = cx.model.slos.iter();
    slos.filter_map(|slo| {
        let metric = &slo.metric.value;
        if let Some(operation) = slo.operation.as_ref().filter(|name| !names::is_operation(cx, &name.value)) {
            let found =
                ENTRY.at(operation.span, format!("there is no operation {}", quoted(&operation.value)));
            let near = nearest(&operation.value, names::operations(cx));
            return Some(found.nearest(cx, &operation.value, near, "name an operation of section 4 or 5"));
        }
        // Several targets of one metric lack one measurement.
        if measures.has(metric) || !told.insert(metric) {
            return None;
        }
        let mut found = ENTRY.at(slo.metric.span, format!("nothing measures {}", quoted(metric)));
        found.severity = severity;
        let (prefix, suffix) = metric.rsplit_once('.').unwrap_or((metric, ""));
        if names::OPERATION_METRICS.contains(&suffix) {
            let near = nearest(prefix, names::operations(cx));
            return Some(found.nearest(
                cx,
                prefix,
                near,
                "name an operation of section 4 or 5 before the point",
            ));
        }
        let near = nearest(metric, names::measured(cx));
        Some(found.nearest(cx, metric, near, "declare the metric in section 10 and fill it in a step"))
    })
    .collect()
}

/// Whether the section says in a sentence how its targets are measured.
fn says_how(cx: &Context<'_>) -> bool {
    let headings = &cx.model.sections;
    let at = headings.iter().position(|(section, _)| *section == Section::Performance);
    let Some(at) = at else { return false };
    let end = headings.get(at + 1).map_or(cx.source.len(), |(_, span)| span.start as usize);
    let text = cx.source.get(headings[at].1.end as usize..end).unwrap_or_default();
    text.lines()
        .any(|line| !line.starts_with(['-', '*', '|', '#']) && line.to_lowercase().contains("measured "))
}
