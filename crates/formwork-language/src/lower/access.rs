//! Who may call an operation: the leading *Requires*, *Anyone may call this*, and the grants of section 9, which
//! must both allow.

use crate::lower::{World, grants};
use crate::notes::{Note, NoteKind};
use crate::program::{AccessRule, Granted, Operation};
use crate::steps::{Sentences, WhoMay};
use formwork_model::sections::interface::{self, Surface};
use formwork_model::sections::security;
use formwork_syntax::Spanned;
use std::sync::Arc;

/// Roles that no key of the document bears.
const BUILT_IN: [&str; 3] = ["system", "internal", "anonymous"];

/// The rule that the edge applies. In a behaviour that is executed only the steps that lead it count; of one that
/// is mocked every understood one, because nothing else would enforce it.
pub(super) fn lower(
    world: &World<'_>,
    operation: &interface::Operation,
    sentences: &Sentences,
    executed: bool,
    notes: &mut Vec<Note>,
) -> AccessRule {
    let mut rule = AccessRule::default();
    let mut signed_in = false;
    for read in &sentences.0 {
        let Some(step) = read.step() else { continue };
        let Some(who) = step.action.who_may() else {
            if executed {
                break;
            }
            continue;
        };
        if step.guard.is_some() {
            break;
        }
        let text = |code: &formwork_syntax::Code| Arc::<str>::from(code.text(world.source).trim());
        match who {
            WhoMay::Anyone => rule.public = true,
            WhoMay::Roles(roles) => rule.roles.push(roles.iter().map(text).collect()),
            WhoMay::Scope(scope) => rule.scopes.push(text(scope)),
            WhoMay::SignedIn => signed_in = true,
            WhoMay::Condition(_) => {}
        }
    }
    if let (true, Some(read)) =
        (rule.public && !(rule.roles.is_empty() && rule.scopes.is_empty()), sentences.0.first())
    {
        let kind = NoteKind::Other { entry: "public_and_restricted", subject: operation.name.value.clone() };
        notes.push(Note { kind, span: read.span, related: None, fix: None });
        // The stricter reading, so that nothing is open that a sentence closes.
        rule.public = false;
    }
    if world.is_signed(&operation.name.value) {
        // A line of its own is stricter than that anyone may call.
        (rule.signed, rule.public) = (true, false);
        return rule;
    }
    section_9(world, operation, (executed, signed_in), &mut rule, notes);
    rule
}

/// Adds the roles that section 9 grants the operation to, if section 9 has such a part.
fn section_9(
    world: &World<'_>,
    operation: &interface::Operation,
    (executed, signed_in): (bool, bool),
    rule: &mut AccessRule,
    notes: &mut Vec<Note>,
) {
    let authorization = &world.model.authorization;
    // Prose about who may do what refuses nobody where nothing is executed: what is mocked needs a key, no role.
    let is_prose = !executed && !world.grants_something();
    if authorization.span.is_none() || is_prose || rule.public || operation.surface == Surface::Internal {
        return;
    }
    let found = grants::of_operation(world, operation);
    let to_anyone = |(grant, by_scope): &&(&security::Grant, bool)| {
        !by_scope && grant.to_anyone() && grant.scopes.is_empty()
    };
    // *Requires* must allow as well: what it closes no line of section 9 opens.
    if let Some((grant, _)) = found.iter().find(to_anyone) {
        rule.public = !signed_in && rule.roles.is_empty() && rule.scopes.is_empty();
        if !rule.public && !grant.all && rule.roles.is_empty() {
            let kind =
                NoteKind::Other { entry: "public_and_restricted", subject: operation.name.value.clone() };
            notes.push(Note { kind, span: operation.name.span, related: Some(grant.span), fix: None });
        }
    }
    let granted: Vec<Granted> = found.into_iter().map(granted).collect();
    if granted.is_empty() {
        let kind = NoteKind::Other { entry: "no_role_may_call", subject: operation.name.value.clone() };
        notes.push(Note { kind, span: operation.name.span, related: authorization.span, fix: None });
    }
    // Where a scope alone lets somebody in, or anyone may call, no role is demanded of everybody.
    let roles: Option<Vec<Arc<str>>> = granted.iter().map(|it| it.role.clone()).collect();
    if let Some(mut roles) = roles {
        let mut seen = Vec::new();
        roles.retain(|role| {
            !seen.contains(role) && {
                seen.push(role.clone());
                true
            }
        });
        rule.roles.push(roles);
    }
    rule.grants = Some(granted);
}

fn granted((grant, by_scope): (&security::Grant, bool)) -> Granted {
    let text = |value: &Spanned<String>| Arc::<str>::from(value.value.as_str());
    let named = by_scope.then(|| text(&grant.role));
    Granted {
        role: (!by_scope && !grant.to_anyone()).then(|| text(&grant.role)),
        scopes: named.into_iter().chain(grant.scopes.iter().map(text)).collect(),
        condition: grant.condition.as_ref().map(text),
    }
}

/// Every role that section 9 or *Requires* names, sorted.
pub(super) fn roles(world: &World<'_>, operations: &[Operation]) -> Vec<Arc<str>> {
    let granted = world.model.authorization.grants.iter().filter(|grant| !grant.to_anyone());
    let granted = granted.map(|grant| Arc::from(grant.role.value.as_str()));
    let required = operations.iter().flat_map(|operation| operation.access.roles.iter().flatten().cloned());
    let mut roles: Vec<Arc<str>> =
        granted.chain(required).filter(|role: &Arc<str>| !BUILT_IN.contains(&&**role)).collect();
    roles.sort();
    roles.dedup();
    roles
}
