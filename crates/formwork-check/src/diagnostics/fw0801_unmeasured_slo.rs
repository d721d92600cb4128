//! FW0801: an SLO whose metric or operation does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0801",
    severity: Severity::Warning,
    title: "an SLO that nothing measures",
    page: include_str!("../pages/FW0801.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let slos = cx.model.slos.iter();
    slos.filter_map(|slo| {
        let metric = &slo.metric.value;
        if let Some(operation) = slo.operation.as_ref().filter(|name| !names::is_operation(cx, &name.value)) {
            let found =
                ENTRY.at(operation.span, format!("there is no operation {}", quoted(&operation.value)));
            let near = nearest(&operation.value, names::operations(cx));
            return Some(found.nearest(cx, &operation.value, near, "name an operation of section 4 or 5"));
        }
        if names::is_measured(cx, metric) {
            return None;
        }
        let found = ENTRY.at(slo.metric.span, format!("nothing measures {}", quoted(metric)));
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
