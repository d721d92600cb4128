//! FW0805: two targets of one metric that cannot both be meant.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::prose;
use crate::words::quoted;
use formwork_model::names::name_key;
use formwork_model::sections::performance::Slo;
use std::collections::BTreeMap;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0805",
    severity: Severity::Warning,
    title: "targets that contradict each other",
    page: include_str!("../pages/FW0805.md"),
    rule: Some(rule),
};

/// As many targets of one metric are held against each other.
const MOST: usize = 50;

/// Finds it: the same share with another value, or a smaller share that may be slower than a larger one.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let mut groups: BTreeMap<(String, String, Option<u64>), Vec<&Slo>> = BTreeMap::new();
    for slo in cx.model.slos.iter().filter(|slo| !has_remark(cx, slo)) {
        let operation = slo.operation.as_ref().map_or_else(String::new, |name| name_key(&name.value));
        let key = (name_key(&slo.metric.value), operation, slo.window_seconds);
        groups.entry(key).or_default().push(slo);
    }
    let mut found = Vec::new();
    for group in groups.values() {
        for (at, later) in group.iter().enumerate() {
            let Some(first) = group[..at.min(MOST)].iter().find(|first| contradict(first, later)) else {
                continue;
            };
            found.push(
                ENTRY
                    .at(
                        later.span,
                        format!("this target of {} contradicts another one", quoted(&later.metric.value)),
                    )
                    .related(Some(first.span), "the other target")
                    .help(
                        "keep one of them, or say what each is about: an operation, a percentile, a window",
                    ),
            );
        }
    }
    found
}

/// Whether the item says more than metric and percentile: that may be the difference.
fn has_remark(cx: &Context<'_>, slo: &Slo) -> bool {
    let text = slo.span.slice(cx.source);
    let inside = text.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    inside.into_iter().any(|remark| prose::percentile(remark).is_none() || remark.contains(','))
        || text.split_once(slo.value.as_str()).is_some_and(|(_, rest)| {
            ["while", " for ", "under", "during", "when", " with", " at ", " in "]
                .iter()
                .any(|word| rest.contains(word))
        })
}

fn contradict(first: &Slo, later: &Slo) -> bool {
    let number = |slo: &Slo| {
        let unit = slo.unit.as_deref().unwrap_or_default();
        prose::measure(&slo.value, unit).map(|(value, _)| value).or_else(|| slo.value.parse().ok())
    };
    let (Some(one), Some(other)) = (number(first), number(later)) else { return false };
    let is_upper = |slo: &Slo| slo.comparator.starts_with('<');
    if is_upper(first) != is_upper(later) || first.comparator == "=" || later.comparator == "=" {
        return false;
    }
    let share = |slo: &Slo| slo.percentile.as_deref().and_then(prose::as_percentile);
    match (share(first), share(later)) {
        (Some(low), Some(high)) if low < high => is_upper(first) && one > other,
        (Some(high), Some(low)) if low < high => is_upper(first) && other > one,
        (one_share, other_share) if one_share == other_share => (one - other).abs() > f64::EPSILON,
        _ => false,
    }
}
