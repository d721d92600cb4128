//! FW0903: a role that section 9 grants an operation whose steps refuse it.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0903",
    severity: Severity::Warning,
    title: "a grant that a step refuses",
    page: include_str!("../pages/FW0903.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    // What a condition opens is told by a diagnostic of its own.
    let grants = cx.model.authorization.grants.iter().filter(|grant| grant.condition.is_none());
    grants
        .flat_map(|grant| grant.operations.iter().map(move |name| (grant, name)))
        .filter(|(grant, name)| {
            let behaviour = names::behaviour(cx, &name.value);
            let access = behaviour.and_then(|behaviour| names::access(cx, behaviour));
            let refuses =
                |roles: &Vec<_>| !roles.iter().any(|role: &std::sync::Arc<str>| **role == *grant.role.value);
            access.is_some_and(|access| access.roles.iter().any(refuses))
        })
        .map(|(grant, name)| {
            let role = quoted(&grant.role.value);
            ENTRY
                .at(name.span, format!("the steps of {} refuse the role {role}", quoted(&name.value)))
                .related(names::declaration(cx, &name.value), "its steps require another role")
                .help(format!("add {role} to its *Requires role*, or take the operation from the grant"))
        })
        .collect()
}
