//! Who may call what: every operation against every role, a caller without a key and one whose role is named nowhere.
//!
//! Read off the rules that the edge applies, so that what it tells is what is served. Conditions are held by the steps:
//! here they are only named. Source: authorization reference.

use super::{AccessRule, Granted, Operation, Program, Surface};
use std::sync::Arc;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calling {
    /// Without a credential.
    Anonymous,
    /// With a key whose role nothing names.
    NoRole,
    /// With this role alone.
    Role(Arc<str>),
}

/// What becomes of the call before its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is let in.
    Allowed,
    /// It is let in as far as the conditions hold.
    AllowedWhen,
    /// It is refused.
    Refused,
}

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The caller.
    pub calling: Calling,
    /// What becomes of it.
    pub access: Access,
    /// The scopes that it must bear for that; without them it is refused.
    pub scopes: Vec<Arc<str>>,
    /// The conditions of the grants that let it in, as written.
    pub conditions: Vec<Arc<str>>,
}

/// The cells of one operation.
#[derive(Clone, Debug)]
pub struct MatrixRow<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// One for each kind of caller.
    pub cells: Vec<Cell>,
}

/// The matrix of the public operations, in the order of the document.
pub fn matrix(program: &Program) -> Vec<MatrixRow<'_>> {
    let roles = program.roles.iter().map(|role| Calling::Role(role.clone()));
    let callers: Vec<Calling> = [Calling::Anonymous, Calling::NoRole].into_iter().chain(roles).collect();
    let public = program.operations.iter().filter(|operation| operation.surface == Surface::Public);
    let cell = |operation: &Operation, calling: &Calling| cell(&operation.access, calling.clone());
    public
        .map(|operation| MatrixRow {
            operation,
            cells: callers.iter().map(|calling| cell(operation, calling)).collect(),
        })
        .collect()
}

fn cell(rule: &AccessRule, calling: Calling) -> Cell {
    let plain = |calling: Calling, access: Access| Cell {
        calling,
        access,
        scopes: Vec::new(),
        conditions: Vec::new(),
    };
    if rule.signed {
        return plain(calling, Access::Refused);
    }
    let has = |role: &Arc<str>| matches!(&calling, Calling::Role(own) if own == role);
    if rule.public {
        let open = rule.grants.iter().flatten();
        let open = || open.clone().filter(|it| it.scopes.is_empty() && it.role.as_ref().is_none_or(has));
        let conditions = match open().all(|grant| grant.condition.is_some()) {
            true => open().filter_map(|grant| grant.condition.clone()).collect(),
            false => Vec::new(),
        };
        let access = if conditions.is_empty() { Access::Allowed } else { Access::AllowedWhen };
        return Cell { calling, access, scopes: Vec::new(), conditions };
    }
    let lacks_role = rule.roles.iter().any(|any| !any.iter().any(has));
    if calling == Calling::Anonymous || lacks_role {
        return plain(calling, Access::Refused);
    }
    let mut scopes = rule.scopes.clone();
    let mut conditions = Vec::new();
    if let Some(grants) = &rule.grants {
        let open: Vec<&Granted> = grants.iter().filter(|it| it.role.as_ref().is_none_or(has)).collect();
        // Where a grant needs no scope, scopes are not needed.
        let least = open.iter().map(|grant| grant.scopes.len()).min();
        let Some(least) = least else { return plain(calling, Access::Refused) };
        let first = open.iter().find(|grant| grant.scopes.len() == least);
        let wanted = first.map(|grant| grant.scopes.clone()).unwrap_or_default();
        let same = || open.iter().filter(|grant| grant.scopes == wanted);
        if same().all(|grant| grant.condition.is_some()) {
            conditions = same().filter_map(|grant| grant.condition.clone()).collect();
        }
        scopes.extend(wanted.iter().filter(|scope| !rule.scopes.contains(scope)).cloned());
    }
    let access = if conditions.is_empty() { Access::Allowed } else { Access::AllowedWhen };
    Cell { calling, access, scopes, conditions }
}
