//! Matrices of roles and operations: who may call what, by ticks and crosses.
//!
//! Either side may be the roles. A cell that is neither tick nor cross (`own`) grants nothing, since what it grants is
//! said in words. Source: language reference, *Protection and operation*.

use super::security::Grant;
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::names::same_name;
use crate::reader::Reader;
use crate::routes;
use crate::titles;
use formwork_syntax::{Block, Node, Part, Spanned, Table, Text};

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Yes,
    No,
    /// An `x`: no where other cells have ticks, else yes.
    Cross,
    /// Words such as `own`.
    Words,
}

/// Reads every matrix of a section, and returns the section without them.
pub(super) fn take(reader: &mut Reader<'_>, part: &Part) -> Part {
    let mut copy = part.clone();
    copy.children.retain_mut(|node| match node {
        Node::Part(below) => {
            *below = take(reader, below);
            true
        }
        Node::Block(Block::Table(table)) => !read(reader, table),
        Node::Block(_) => true,
    });
    copy
}

/// Reads a table if it is a matrix, and says whether it was one.
fn read(reader: &mut Reader<'_>, table: &Table) -> bool {
    let source = reader.source;
    let cells: Vec<Vec<Mark>> = table
        .rows
        .iter()
        .map(|row| row.cells.iter().skip(1).map(|cell| mark(&cell.plain(source))).collect())
        .collect();
    let all = || cells.iter().flatten();
    let marks = all().filter(|mark| **mark != Mark::Words).count();
    let has_yes = all().any(|mark| matches!(mark, Mark::Yes | Mark::Cross));
    // A few cells may hold words, as in `own`.
    if table.header.len() < 2 || !has_yes || marks * 2 <= all().count() {
        return false;
    }
    let Some(roles_are_rows) = roles_are_rows(reader, table) else { return false };
    let has_ticks = all().any(|mark| *mark == Mark::Yes);
    let is_yes = |mark: &Mark| *mark == Mark::Yes || (*mark == Mark::Cross && !has_ticks);
    let heads = &table.header[1..];
    let firsts = table.rows.iter().filter_map(|row| row.cells.first());
    let mut grants = Vec::new();
    if roles_are_rows {
        for ((row, first), marks) in table.rows.iter().zip(firsts).zip(&cells) {
            let named = heads.iter().zip(marks).filter(|(_, mark)| is_yes(mark)).map(|(head, _)| head);
            grants.extend(grant(reader, first, named, row.span));
        }
    } else {
        for (at, head) in heads.iter().enumerate() {
            let named = firsts.clone().zip(&cells).filter(|(_, marks)| marks.get(at).is_some_and(is_yes));
            grants.extend(grant(reader, head, named.map(|(first, _)| first), head.span));
        }
    }
    let authorization = &mut reader.model.authorization;
    authorization.span = authorization.span.or(Some(table.span));
    authorization.grants.extend(grants);
    reader.model.classes.extend(table.rows.iter().map(|row| (row.span, Class::Understood)));
    true
}

/// Whether the roles stand in the first column; none if it is not a table of roles and operations.
fn roles_are_rows(reader: &Reader<'_>, table: &Table) -> Option<bool> {
    let source = reader.source;
    let heads: Vec<&Text> = table.header.iter().skip(1).collect();
    let firsts: Vec<&Text> = table.rows.iter().filter_map(|row| row.cells.first()).collect();
    let known = |texts: &[&Text]| texts.iter().filter(|text| is_operation(reader, text)).count();
    let (across, down) = (known(&heads), known(&firsts));
    if across * 2 > heads.len() && across > 0 {
        return Some(true);
    }
    if down * 2 > firsts.len() && down > 0 {
        return Some(false);
    }
    let corner = table.header.first().map(|cell| normal(&cell.plain(source))).unwrap_or_default();
    let names_roles = begins_with(&corner, &["role", "roles", "actor", "who", "user"]);
    let names_operations =
        begins_with(&corner, &["operation", "operations", "endpoint", "action", "call", "command"]);
    (names_roles || names_operations).then_some(names_roles)
}

/// Whether a cell names operations: in code, by their names, or by method and path.
fn is_operation(reader: &Reader<'_>, text: &Text) -> bool {
    let shown = text.plain(reader.source);
    let known = reader.model.operations.iter().chain(&reader.model.endpoints);
    routes::find(reader.source, text.span).is_some()
        || known.into_iter().any(|operation| {
            text.codes().any(|(_, code)| same_name(&code.text(reader.source), &operation.name.value))
                || same_name(&shown, &operation.name.value)
        })
}

fn grant<'d>(
    reader: &Reader<'_>,
    role: &Text,
    operations: impl Iterator<Item = &'d Text>,
    span: formwork_syntax::Span,
) -> Option<Grant> {
    let role = titles::words(reader.source, role)?;
    let operations: Vec<Spanned<String>> = operations.flat_map(|text| names(reader, text)).collect();
    let (scopes, condition) = (Vec::new(), None);
    (!operations.is_empty()).then_some(Grant { role, operations, all: false, scopes, condition, span })
}

/// The operations that a cell names.
fn names(reader: &Reader<'_>, text: &Text) -> Vec<Spanned<String>> {
    let codes: Vec<Spanned<String>> = text
        .codes()
        .map(|(_, code)| Spanned::new(code.text(reader.source).into_owned(), code.span()))
        .collect();
    if codes.is_empty() { titles::words(reader.source, text).into_iter().collect() } else { codes }
}

fn mark(text: &str) -> Mark {
    match text.trim().trim_matches(['*', '`']).to_lowercase().as_str() {
        "✓" | "✔" | "✔️" | "✅" | "☑" | "●" | "•" | "yes" | "y" | "allow" | "allowed" | "true" | "full"
        | "+" | "all" => Mark::Yes,
        "✗" | "✘" | "❌" | "✖" | "no" | "n" | "deny" | "denied" | "false" | "none" | "–" | "—" | "-" | ""
        | "·" | "○" => Mark::No,
        "x" => Mark::Cross,
        _ => Mark::Words,
    }
}
