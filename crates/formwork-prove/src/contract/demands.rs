//! What the condition of a grant demands of one row or input, where it is made of equalities: which field must have
//! which value, so that a row can be made that meets it and one that does not.

use formwork_language::expression::{Ast, AstKind, BinaryOperator, Equals, parse};
use formwork_language::value::Value;
use formwork_model::names::same_name;
use std::sync::Arc;

/// `PLACE == VALUE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    /// Where the value stands.
    pub(super) place: Place,
    /// Which it is.
    pub(super) value: Wanted,
}

/// Where a demanded value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A field of the row of this name.
    Field(Arc<str>, Arc<str>),
    /// An input.
    Input(Arc<str>),
}

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `caller.id`
    Caller,
    /// `caller.claims.NAME`
    Claim(Arc<str>),
    /// A text.
    Text(Arc<str>),
    /// `true`, `false`
    Boolean(bool),
}

/// The equalities that a condition joins with `&&`; nothing when it says something else.
pub(super) fn demands(condition: &str) -> Option<Vec<Demand>> {
    let ast = parse(condition, Equals::Compares, &|at| at).ok()?;
    let (mut open, mut found) = (vec![ast], Vec::new());
    while let Some(ast) = open.pop() {
        match ast.kind {
            AstKind::Binary { operator: BinaryOperator::And, left, right, .. } => {
                open.extend([*right, *left]);
            }
            AstKind::Binary { operator: BinaryOperator::Equal, left, right, .. } => {
                let way = |one: &Ast, other: &Ast| Some(Demand { place: place(one)?, value: wanted(other)? });
                found.push(way(&left, &right).or_else(|| way(&right, &left))?);
            }
            // `note.is_public` alone is a demand as well.
            _ => found.push(Demand { place: place(&ast)?, value: Wanted::Boolean(true) }),
        }
    }
    Some(found)
}

fn member(ast: &Ast) -> Option<(&Ast, &Arc<str>)> {
    match &ast.kind {
        AstKind::Member { of, name, .. } => Some((of, name)),
        _ => None,
    }
}

fn place(ast: &Ast) -> Option<Place> {
    let (of, name) = member(ast)?;
    match &**of.name()? {
        "caller" | "request" => None,
        "input" => Some(Place::Input(Arc::clone(name))),
        row => Some(Place::Field(row.into(), Arc::clone(name))),
    }
}

fn wanted(ast: &Ast) -> Option<Wanted> {
    match &ast.kind {
        AstKind::Literal(Value::Text(text)) => return Some(Wanted::Text(Arc::clone(text))),
        AstKind::Literal(Value::Boolean(boolean)) => return Some(Wanted::Boolean(*boolean)),
        _ => {}
    }
    let (of, name) = member(ast)?;
    if of.name().is_some_and(|of| **of == *"caller") {
        return (**name == *"id").then_some(Wanted::Caller);
    }
    let (caller, claims) = member(of)?;
    let is_claim = caller.name().is_some_and(|of| **of == *"caller") && **claims == *"claims";
    is_claim.then(|| Wanted::Claim(Arc::clone(name)))
}

/// The one row that the demands name, if they name one of this entity at most.
pub(super) fn row_of(demands: &[Demand]) -> Option<&str> {
    demands.iter().find_map(|demand| match &demand.place {
        Place::Field(row, _) => Some(&**row),
        Place::Input(_) => None,
    })
}

/// Whether an input bears a field of a row: under its name, or behind the name of its entity.
pub(super) fn bears(input: &str, entity: &str, field: &str) -> bool {
    let behind = input.len().checked_sub(field.len() + 1).and_then(|at| {
        let (before, rest) = (input.get(..at)?, input.get(at..)?);
        Some(rest.strip_prefix('_')? == field && same_name(before, entity))
    });
    input == field || behind == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equalities_are_demands_and_nothing_else_is() {
        let field = |name: &str| Place::Field("note".into(), name.into());
        let found =
            demands("note.owner == caller.id && \"top\" == note.shelf && note.open").expect("demands");
        let of = |at: usize| (found[at].place.clone(), found[at].value.clone());
        assert_eq!(of(0), (field("owner"), Wanted::Caller));
        assert_eq!(of(1), (field("shelf"), Wanted::Text("top".into())));
        assert_eq!(of(2), (field("open"), Wanted::Boolean(true)));
        assert_eq!(row_of(&found), Some("note"));
        let found = demands("input.team == caller.claims.team").expect("demands");
        assert_eq!(found[0].place, Place::Input("team".into()));
        assert_eq!((&found[0].value, row_of(&found)), (&Wanted::Claim("team".into()), None));
        for other in
            ["note.owner != caller.id", "note.n > 3", "note.a == caller.id || note.b == caller.id", "("]
        {
            assert_eq!(demands(other), None, "{other}");
        }
    }

    #[test]
    fn an_input_bears_a_field_by_its_name() {
        assert!(
            bears("id", "note", "id") && bears("note_id", "note", "id") && bears("notes_id", "note", "id")
        );
        assert!(!bears("shelf_id", "note", "id") && !bears("noteid", "note", "id"));
    }
}
