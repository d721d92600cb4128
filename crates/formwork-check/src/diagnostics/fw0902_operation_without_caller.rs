//! FW0902: an operation that section 9 grants to nobody.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0902",
    severity: Severity::Warning,
    title: "an operation that no role may call",
    page: include_str!("../pages/FW0902.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let authorization = &cx.model.authorization;
    if authorization.grants.is_empty() || authorization.grants.iter().any(|grant| grant.all) {
        return Vec::new();
    }
    let granted: Vec<&str> = authorization
        .grants
        .iter()
        .flat_map(|grant| &grant.operations)
        .map(|name| name.value.as_str())
        .collect();
    let granted = names::spellings(granted);
    let operations = cx.model.operations.iter().zip(&cx.compiled.behaviours);
    operations
        .filter(|(operation, _)| {
            !operation.command && !granted.contains(&names::spelling(&operation.name.value))
        })
        .filter(|(_, behaviour)| !names::access(cx, behaviour).is_some_and(|access| access.public))
        .filter(|(operation, _)| !names::is_signed(cx, &operation.name.value))
        .map(|(operation, _)| {
            let name = quoted(&operation.name.value);
            ENTRY
                .at(operation.name.span, format!("no role may call {name}"))
                .related(authorization.span, "it is not granted here")
                .help(format!("grant it in section 9, or write as its first step: Anyone may call {name}"))
        })
        .collect()
}
