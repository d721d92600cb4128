//! FW0904: a quota or rate limit that names something that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_model::sections::security::LimitKind;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0904",
    severity: Severity::Warning,
    title: "a limit on something that does not exist",
    page: include_str!("../pages/FW0904.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let limits = cx.model.limits.iter();
    limits
        .flat_map(|limit| {
            let wrong = limit.operations.iter().filter(|name| !names::is_operation(cx, &name.value));
            let mut found: Vec<_> = wrong.map(|name| (name.span, &name.value, "operation")).collect();
            if let LimitKind::Rows { entity, .. } = &limit.kind
                && !names::is_entity(cx, &entity.value)
            {
                found.push((entity.span, &entity.value, "entity"));
            }
            found
        })
        .map(|(span, name, what)| {
            let near = match what {
                "entity" => nearest(name, names::entities(cx)),
                _ => nearest(name, names::operations(cx)),
            };
            ENTRY.at(span, format!("there is no {what} {}", quoted(name))).nearest(
                cx,
                name,
                near,
                "name an operation of section 4 or an entity of section 6",
            )
        })
        .collect()
}
