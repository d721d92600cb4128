//! FW0941: a budget that nothing is charged to.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use formwork_model::names::name_key;
use formwork_model::sections::security::BudgetKind;
use rustc_hash::FxHashSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0941",
    severity: Severity::Warning,
    title: "a budget that nothing is charged to",
    page: include_str!("../pages/FW0941.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let costs = cx.model.budgets.iter().filter_map(|line| match &line.kind {
        BudgetKind::Cost { operations, currency, .. } => Some((operations, currency.as_str())),
        _ => None,
    });
    let mut charged: FxHashSet<(&str, String)> = FxHashSet::default();
    let mut currencies: FxHashSet<&str> = FxHashSet::default();
    for (operations, currency) in costs {
        for operation in operations {
            charged.insert((currency, name_key(&operation.value)));
            currencies.insert(currency);
        }
    }
    let idle = cx.model.budgets.iter().filter_map(|line| match &line.kind {
        BudgetKind::Budget { operations, currency, .. } => {
            let is_charged = match operations.as_slice() {
                [] => currencies.contains(currency.as_str()),
                some => some.iter().any(|of| charged.contains(&(currency.as_str(), name_key(&of.value)))),
            };
            (!is_charged).then_some((line.text.span, currency))
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
