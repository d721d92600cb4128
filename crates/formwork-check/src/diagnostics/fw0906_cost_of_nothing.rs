//! FW0906: a cost or a budget of an operation that does not exist.

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
    let named = cx.model.budgets.iter().flat_map(|line| match &line.kind {
        BudgetKind::Cost { operations, .. } | BudgetKind::Budget { operations, .. } => operations.as_slice(),
        BudgetKind::NotUnderstood { .. } | BudgetKind::Prose => &[],
    });
    named
        .filter(|name| !names::is_operation(cx, &name.value))
        .map(|name| {
            ENTRY.at(name.span, format!("there is no operation {}", quoted(&name.value))).nearest(
                cx,
                &name.value,
                nearest(&name.value, names::operations(cx)),
                "name an operation of section 4 or 5",
            )
        })
        .collect()
}
