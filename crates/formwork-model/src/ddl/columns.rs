//! A column of `CREATE TABLE` to a field: its type, keys, defaults and references.

use super::Types;
use super::tokens::{Kind, Token, list};
use crate::facts::{Constraint, Field, OnDelete};
use crate::fields;
use crate::values::type_words::read_type;
use formwork_syntax::Spanned;

/// Words that end a column's type.
const ENDS: [&str; 17] = [
    "primary",
    "not",
    "null",
    "unique",
    "default",
    "references",
    "check",
    "constraint",
    "generated",
    "auto_increment",
    "autoincrement",
    "collate",
    "comment",
    "identity",
    "on",
    "as",
    "charset",
];

/// The column that tokens declare; the conditions of its `CHECK`s go to `checks`.
pub(super) fn read<'s>(
    tokens: &[Token<'s>],
    types: &Types<'_>,
    checks: &mut Vec<Vec<Token<'s>>>,
) -> Option<Field> {
    let (name, rest) = tokens.split_first().filter(|(name, _)| name.is_name())?;
    let mut end = 0;
    let mut depth = 0usize;
    for token in rest {
        let is_end = depth == 0 && token.kind == Kind::Word && ENDS.iter().any(|word| token.is(word));
        if is_end {
            break;
        }
        match token.text {
            "(" if token.kind == Kind::Mark => depth += 1,
            ")" if token.kind == Kind::Mark => depth = depth.saturating_sub(1),
            _ => {}
        }
        end += 1;
    }
    let (ty, tail) = rest.split_at(end);
    let span = name.span.to(tokens.last().unwrap_or(name).span);
    let mut field = fields::new_field(name.spanned(), span);
    let place = ty.first()?.span.to(ty.last()?.span);
    let read = read_type(&type_text(ty), types.declared);
    field.constraints.extend(read.constraints.into_iter().map(|value| Spanned::new(value, place)));
    // A type of some database that the language does not have is kept as JSON, as everywhere.
    field.ty = Some(Spanned::new(types.resolved(read.ty), place));
    constraints(&mut field, tail, checks);
    Some(field)
}

/// The words of a type in the notation of the language.
fn type_text(ty: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in ty {
        let is_glued = token.kind == Kind::Mark || text.ends_with(['(', ',', '[']) || text.is_empty();
        if !is_glued {
            text.push(' ');
        }
        text.push_str(token.text);
    }
    text
}

fn constraints<'s>(field: &mut Field, tail: &[Token<'s>], checks: &mut Vec<Vec<Token<'s>>>) {
    let mut at = 0;
    while let Some(token) = tail.get(at) {
        let next = tail.get(at + 1);
        let is_next = |word: &str| next.is_some_and(|next| next.is(word));
        let mut add = |constraint, span| field.constraints.push(Spanned::new(constraint, span));
        let mut used = 1;
        if token.is("primary") && is_next("key") {
            add(Constraint::PrimaryKey, token.span);
            used = 2;
        } else if token.is("not") && is_next("null") {
            add(Constraint::Required, token.span);
            used = 2;
        } else if token.is("unique") {
            add(Constraint::Unique(Vec::new()), token.span);
        } else if token.is("auto_increment") || token.is("autoincrement") || token.is("identity") {
            add(Constraint::Generated, token.span);
        } else if token.is("generated") {
            let open = tail[at..].iter().position(|token| token.is("(")).map(|open| at + open);
            let is_identity = tail[at..].iter().take(6).any(|token| token.is("identity"));
            match open.filter(|_| !is_identity) {
                // A column that is computed from others is none that the database numbers.
                Some(open) => {
                    used = open - at + list(&tail[open..]).1;
                    checks.push(tail[at..(at + used).min(tail.len())].to_vec());
                }
                None => {
                    add(Constraint::Generated, token.span);
                    used = tail[at..].iter().position(|token| token.is("identity")).map_or(1, |end| end + 1);
                }
            }
        } else if token.is("default") {
            used = 1 + default(field, &tail[at + 1..]);
        } else if token.is("references") {
            let (reference, taken) = reference(&tail[at + 1..]);
            used = 1 + taken;
            if let Some(reference) = reference {
                add(reference, token.span);
            }
        } else if token.is("check") {
            let taken = list(&tail[at + 1..]).1;
            used = 1 + taken;
            checks.push(tail[at..(at + used).min(tail.len())].to_vec());
        }
        at += used.max(1);
    }
}

/// What a column has when nothing is given; returns how many tokens that takes.
fn default(field: &mut Field, rest: &[Token<'_>]) -> usize {
    let Some(value) = rest.first() else { return 0 };
    let is_call = rest.get(1).is_some_and(|next| next.is("("));
    let used = if is_call { 1 + list(&rest[1..]).1 } else { 1 };
    let word = value.text.to_ascii_lowercase();
    let constraint = match (value.kind, word.as_str()) {
        (Kind::String, _) => Some(Constraint::Default(Spanned::new(
            format!("\"{}\"", value.text.replace("''", "'")),
            value.span,
        ))),
        (_, "now" | "current_timestamp" | "getdate" | "sysdate" | "clock_timestamp" | "current_date") => {
            Some(Constraint::OnCreate)
        }
        (_, "null") => None,
        (_, "true" | "false") => Some(Constraint::Default(Spanned::new(word, value.span))),
        (Kind::Word, _) if is_call => Some(Constraint::Generated),
        (Kind::Word, _) if value.text.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(Constraint::Default(value.spanned()))
        }
        _ => None,
    };
    field.constraints.extend(constraint.map(|constraint| Spanned::new(constraint, value.span)));
    // `'x'::text`
    let is_cast = rest.get(used).is_some_and(|next| next.is("::"));
    if is_cast { used + 2 } else { used }
}

/// `tariff (tariff_id) ON DELETE CASCADE`, and how many tokens it takes.
pub(super) fn reference(rest: &[Token<'_>]) -> (Option<Constraint>, usize) {
    let Some(target) = rest.first().filter(|target| target.is_name()) else { return (None, 0) };
    let mut used = 1;
    let mut field = None;
    if rest.get(1).is_some_and(|next| next.is("(")) {
        let (columns, taken) = list(&rest[1..]);
        used += taken;
        field = columns.first().and_then(|column| column.first()).map(Token::spanned);
    }
    let mut on_delete = OnDelete::default();
    if let Some([on, delete, action, ..]) = rest.get(used..)
        && on.is("on")
        && delete.is("delete")
    {
        on_delete = match action {
            action if action.is("cascade") => OnDelete::Cascade,
            action if action.is("set") => OnDelete::SetNull,
            _ => OnDelete::Restrict,
        };
        used += 3;
    }
    let entity = target.bare();
    (Some(Constraint::References { entity, field, on_delete }), used)
}
