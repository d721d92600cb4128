//! The matrix of roles and operations, as the edge applies it.

use super::Out;
use formwork_language::program::{Access, Calling, Cell, matrix};
use serde_json::{Map, Value, json};

/// One object for each public operation, with what becomes of each caller.
pub(super) fn write(out: &Out<'_>) -> Value {
    matrix(&out.analysis.compiled.program)
        .iter()
        .map(|row| {
            let of = |wanted: &Calling| {
                row.cells.iter().find(|cell| cell.calling == *wanted).map_or(Value::Null, told)
            };
            let roles: Map<String, Value> = row
                .cells
                .iter()
                .filter_map(|cell| match &cell.calling {
                    Calling::Role(role) => Some((role.to_string(), told(cell))),
                    Calling::Anonymous | Calling::NoRole => None,
                })
                .collect();
            json!({
                "operation": &*row.operation.name,
                "anonymous": of(&Calling::Anonymous),
                "no_role": of(&Calling::NoRole),
                "roles": roles,
            })
        })
        .collect()
}

fn told(cell: &Cell) -> Value {
    let access = match cell.access {
        Access::Allowed => "allowed",
        Access::AllowedWhen => "allowed_when",
        Access::Refused => "refused",
    };
    let mut told = json!({"access": access});
    if !cell.scopes.is_empty() {
        told["scopes"] = cell.scopes.iter().map(|scope| &**scope).collect();
    }
    if !cell.conditions.is_empty() {
        told["when"] = cell.conditions.iter().map(|condition| &**condition).collect();
    }
    told
}
