//! FW0940: a line about costs or a budget that is not understood.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;
use formwork_model::sections::security::BudgetKind;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0940",
    severity: Severity::Error,
    title: "a line about money that is not understood",
    page: include_str!("../pages/FW0940.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let lines = cx.model.budgets.iter().filter_map(|line| match line.kind {
        BudgetKind::NotUnderstood { span, expected } => Some((span, expected)),
        _ => None,
    });
    let found = lines.map(|(span, expected)| {
        ENTRY.at(span, format!("{} is not understood as part of a cost or budget", excerpt(cx.source, span))).help(
            format!(
                "expected {expected}; write ``each `operation` costs `EXPR` USD, at most `EXPR` USD`` or ``budget 50 USD \
                 per `field` per month, alert at 80%, refuse with `402 budget_exhausted` at 100%``"
            ),
        )
    });
    found.collect()
}
