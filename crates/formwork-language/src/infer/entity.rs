//! Which entity an operation is about: what its name, its path and its Output name must be one and the same.

use super::verbs::{Deed, Verb};
use super::{Facts, Reason};
use crate::program::{EntityId, PathPart};
use formwork_model::sections::interface::OutputKind;

/// The one entity.
pub(super) fn entity(facts: &Facts<'_>, verb: &Verb) -> Result<EntityId, Reason> {
    let by_name = match &verb.object {
        Some(name) => Some(
            facts.world.find_entity(name).ok_or_else(|| format!("the data model has no entity `{name}`"))?,
        ),
        None => None,
    };
    let by_path = match facts.path {
        Some(path) => Some(collection(facts, verb, path)?),
        None => None,
    };
    let by_output = match &facts.operation.output.kind {
        OutputKind::Row(name) | OutputKind::List(name) | OutputKind::Page(name) => {
            facts.world.find_entity(&name.value)
        }
        _ => None,
    };
    let mut found = [by_name, by_path, by_output].into_iter().flatten();
    let Some(first) = found.next() else {
        return Err("neither name, path nor Output names an entity".to_owned());
    };
    match found.find(|other| *other != first) {
        Some(other) => Err(format!(
            "it is about `{}` and `{}`",
            facts.world.table(first).name,
            facts.world.table(other).name
        )),
        None => Ok(first),
    }
}

/// The entity of the last collection of a path: `/v1/users/{user_id}/orders/{id}` is about orders.
fn collection(facts: &Facts<'_>, verb: &Verb, path: &[PathPart]) -> Result<EntityId, Reason> {
    let one = !matches!(verb.deed, Deed::Create | Deed::List);
    let (last, before) = match path {
        [before @ .., PathPart::Fixed(last), PathPart::Parameter(_)] if one => (last, before),
        [before @ .., PathPart::Fixed(last)] => (last, before),
        _ => return Err("its path is not that of a collection or of one of its members".to_owned()),
    };
    let Some(entity) = facts.world.find_entity(last) else {
        return Err(format!("`{last}` of the path is no entity"));
    };
    for (at, part) in before.iter().enumerate() {
        let owns = matches!(before.get(at + 1), Some(PathPart::Parameter(_)));
        if let PathPart::Fixed(text) = part
            && !owns
            && !is_prefix(text)
        {
            return Err(format!("`{text}` of the path says more than which `{last}`"));
        }
    }
    Ok(entity)
}

/// What stands before collections and says nothing about them.
fn is_prefix(text: &str) -> bool {
    let version = text.strip_prefix('v').is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|digit| digit.is_ascii_digit() || digit == '.')
    });
    version || matches!(text, "api" | "rest" | "internal" | "public")
}
