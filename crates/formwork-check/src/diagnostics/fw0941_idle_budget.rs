//! FW0941: a budget that nothing is charged to.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use formwork_model::names::same_name;
use formwork_model::sections::security::BudgetKind;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0941",
    severity: Severity::Warning,
    title: "a budget that nothing is charged to",
    page: include_str!("../pages/FW0941.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let is_charged = |of: &str, pays: &dyn Fn(&str) -> bool| {
        cx.model.budgets.iter().any(|line| match &line.kind {
            BudgetKind::Cost { operations, currency, .. } => {
                currency == of && operations.iter().any(|name| pays(&name.value))
            }
            _ => false,
        })
    };
    let idle = cx.model.budgets.iter().filter_map(|line| match &line.kind {
        BudgetKind::Budget { operations, currency, .. } => {
            let pays =
                |name: &str| operations.is_empty() || operations.iter().any(|of| same_name(&of.value, name));
            (!is_charged(currency, &pays)).then_some((line.text.span, currency))
        }
        _ => None,
    });
    let found = idle.map(|(span, currency)| {
        ENTRY
            .at(span, format!("no operation of this budget costs anything in `{currency}`"))
            .help(format!("add ``each `operation` costs `EXPR` {currency}``"))
    });
    found.collect()
}
