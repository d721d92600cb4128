//! Members of objects: their defaults, and what must hold of each, wherever the object stands in a list.

use super::{Member, Violation};
use crate::value::Value;
use formwork_model::values::Type;
use std::sync::Arc;

/// How many violations of one value are told.
const MOST: usize = 100;

/// The declared type of a member.
pub(super) fn type_of<'t>(members: &'t [(Arc<str>, Type)], name: &Value) -> Option<&'t Type> {
    let Value::Text(name) = name else { return None };
    members.iter().find(|(member, _)| member == name).map(|(_, ty)| ty)
}

/// Adds what an object, or the objects of a list, break.
pub(super) fn violations(members: &[Member], value: &Value, broken: &mut Vec<Violation>) {
    match value {
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let from = broken.len();
                violations(members, item, broken);
                inside(&at.to_string(), &mut broken[from..]);
                if broken.len() >= MOST {
                    return broken.truncate(MOST);
                }
            }
        }
        Value::Map(given) => {
            for member in members {
                let sent = given.iter().find(|(name, _)| is_named(name, &member.name));
                let value = sent.map(|(_, value)| value).filter(|value| !value.is_absent());
                let from = broken.len();
                match value {
                    Some(value) => broken.extend(member.rules.violations(value)),
                    None if member.optional => {}
                    None => broken.push(Violation::new("required", "is required")),
                }
                inside(&member.name, &mut broken[from..]);
            }
        }
        _ => {}
    }
}

/// The value with the defaults of members that were left out.
pub(super) fn completed(members: &[Member], value: Value) -> Value {
    match value {
        Value::List(items) => {
            Value::List(items.iter().map(|item| completed(members, item.clone())).collect())
        }
        Value::Map(given) => {
            let mut all: Vec<(Value, Value)> = given.to_vec();
            for member in members {
                match all.iter_mut().find(|(name, _)| is_named(name, &member.name)) {
                    Some((_, value)) => *value = member.rules.completed(std::mem::take(value)),
                    None => {
                        let default = member.default.clone();
                        all.extend(default.map(|value| (Value::Text(member.name.clone()), value)));
                    }
                }
            }
            Value::Map(all.into())
        }
        value => value,
    }
}

fn is_named(key: &Value, name: &Arc<str>) -> bool {
    matches!(key, Value::Text(key) if key == name)
}

/// Puts a step in front of the places of violations.
fn inside(step: &str, broken: &mut [Violation]) {
    for violation in broken {
        let step = step.replace('~', "~0").replace('/', "~1");
        violation.pointer = format!("/{step}{}", violation.pointer);
    }
}
