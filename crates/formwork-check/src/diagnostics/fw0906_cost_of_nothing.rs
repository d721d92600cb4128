//! FW0906: a cost of an operation that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_model::sections::security::BudgetKind;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0906",
    severity: Severity::Warning,
    title: "a cost of an operation that does not exist",
    page: include_str!("../pages/FW0906.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let budgets = cx.model.budgets.iter();
    budgets
        .filter_map(|budget| match &budget.kind {
            BudgetKind::Cost { operation, .. } if !names::is_operation(cx, operation) => {
                Some((budget.text.span, operation))
            }
            BudgetKind::Cost { .. } | BudgetKind::Budget { .. } | BudgetKind::Prose => None,
        })
        .map(|(span, name)| {
            ENTRY
                .at(names::place_of(cx, span, name), format!("there is no operation {}", quoted(name)))
                .nearest(
                    cx,
                    name,
                    nearest(name, names::operations(cx)),
                    "name an operation of section 4 or 5",
                )
        })
        .collect()
}
