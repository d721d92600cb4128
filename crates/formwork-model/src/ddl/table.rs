//! What a table sets for its rows: keys, references, checks and exclusions, of the table itself and of its columns.
//!
//! A check that is a bound, a length, a pattern or a list of values of one column becomes a constraint of its field;
//! any other a rule in the notation of the language. What neither holds is given back, so that it can be told.

use super::columns::reference;
use super::conditions::{self, Sql, Unknown};
use super::tokens::{Kind, Token, all_of, list};
use crate::facts::{Constraint, Field, Formula};
use crate::sections::data_model::{Entity, Index, IndexKind};
use crate::sections::table_rules::{TableRule, TableRuleKind};
use crate::values::Type;
use formwork_syntax::{Span, Spanned};
use std::sync::Arc;

/// Whether a part of a table's parenthesis begins like a constraint of the table, not like a column.
pub(super) fn begins(tokens: &[Token<'_>]) -> bool {
    let [first, rest @ ..] = tokens else { return false };
    if first.kind != Kind::Word {
        return false;
    }
    let open = rest.iter().position(|token| token.is("("));
    let is_key = first.is_one_of(&["key", "index", "fulltext", "spatial"])
        // A column of this name has a type, such as `varchar(20)`.
        && open.is_some_and(|open| open < 3 && rest.get(open + 1).is_some_and(|inside| !inside.is_number()));
    let is_second = |word: &str| rest.first().is_some_and(|second| second.is(word));
    is_key
        || first.is_one_of(&["constraint", "check", "exclude", "like"])
        || (first.is("unique") && open.is_some())
        || (first.is_one_of(&["primary", "foreign"]) && is_second("key"))
}

/// The constraint of a table that tokens declare; `false` if they declare none.
pub(super) fn add(entity: &mut Entity, tokens: &[Token<'_>], unread: &mut Vec<Span>) -> bool {
    if !begins(tokens) {
        return false;
    }
    let mut own = tokens;
    if own.first().is_some_and(|first| first.is("constraint")) {
        own = own.get(2..).unwrap_or_default();
    }
    let Some((first, all)) = own.first().zip(all_of(own)) else { return true };
    let open = own.iter().position(|token| token.is("("));
    let columns_of = || open.and_then(|open| columns(&own[open..]));
    let is_second = |word: &str| own.get(1).is_some_and(|second| second.is(word));
    let is_key = first.is("unique") || (first.is("primary") && is_second("key"));
    let is_read = if is_key {
        let kind = if first.is("unique") { IndexKind::Unique } else { IndexKind::Primary };
        // `NULLS NOT DISTINCT` and a key `WITHOUT OVERLAPS` hold more than a key of the language.
        let is_plain = !own.iter().any(|token| token.is_one_of(&["nulls", "overlaps"]));
        columns_of().filter(|_| is_plain).map(|fields| push_key(entity, kind, fields, first.span))
    } else if first.is_one_of(&["key", "index"]) && open.is_some() {
        push_key(entity, IndexKind::Plain, columns_of().unwrap_or_default(), first.span);
        Some(())
    } else if first.is("foreign") && is_second("key") {
        foreign_key(entity, own, columns_of().unwrap_or_default())
    } else if first.is("check") {
        check(entity, own)
    } else if first.is("exclude") {
        exclude(entity, own, all)
    } else {
        // `LIKE other`, and what is for searching alone.
        return true;
    };
    if is_read.is_none() {
        unread.push(all);
    }
    true
}

fn push_key(entity: &mut Entity, kind: IndexKind, fields: Vec<(Spanned<String>, bool)>, span: Span) {
    if !fields.is_empty() {
        entity.indexes.push(Index { kind, fields, filter: None, otherwise: None, span });
    }
}

/// The columns in the parenthesis at the start, `true` for descending; none if one is an expression.
pub(super) fn columns(tokens: &[Token<'_>]) -> Option<Vec<(Spanned<String>, bool)>> {
    let (parts, _) = list(tokens);
    let named = parts.iter().filter(|part| !part.is_empty()).map(|part| {
        let name = part[0].is_name().then(|| part[0].spanned())?;
        let is_expression = part.iter().any(|token| token.is("("));
        // MySQL: `name(20)` keys the beginning of a text.
        (!is_expression).then(|| (name, part.iter().any(|token| token.is("desc"))))
    });
    named.collect()
}

fn foreign_key(entity: &mut Entity, own: &[Token<'_>], columns: Vec<(Spanned<String>, bool)>) -> Option<()> {
    let at = own.iter().position(|token| token.is("references"))?;
    let reference = reference(&own[at + 1..]).0?;
    let [(only, _)] = columns.as_slice() else { return None };
    let field = entity.fields.iter_mut().find(|field| field.name.value.eq_ignore_ascii_case(&only.value))?;
    field.constraints.push(Spanned::new(reference, only.span));
    Some(())
}

/// `CHECK (…)` of the table or of a column, once all columns are known.
pub(super) fn check(entity: &mut Entity, own: &[Token<'_>]) -> Option<()> {
    let (_, taken) = list(own.get(1..)?);
    let inside = own.get(2..taken)?;
    let span = all_of(own.get(..=taken)?)?;
    let condition = conditions::read(&entity.fields, inside)?;
    let mut rules = Vec::new();
    let mut bounds = Vec::new();
    for each in conditions::conjuncts(condition) {
        match constraint(&entity.fields, &each) {
            Some(found) => bounds.push(found),
            None => rules.push(conditions::write(&entity.fields, &each, Unknown::Passes, span)?),
        }
    }
    for (field, bound) in bounds {
        hold(&mut entity.fields[field], bound, span);
    }
    let rules = rules.into_iter().map(|rule| TableRule { kind: TableRuleKind::Check(rule), span });
    entity.table_rules.extend(rules);
    Some(())
}

/// What a check says of one column alone.
enum Bound {
    Constraint(Constraint),
    OneOf(Vec<String>),
}

fn constraint(fields: &[Field], condition: &Sql<'_>) -> Option<(usize, Bound)> {
    let (field, constraint) = match condition {
        Sql::Compare(operator, left, right) => {
            let (operator, of, value) = match (number(left), number(right)) {
                (None, Some(value)) => (*operator, left, value),
                (Some(value), None) => (turned(operator), right, value),
                _ => return None,
            };
            match &**of {
                Sql::Column(field, _) => (*field, bound(operator, value)?),
                Sql::Call("size", of) => match **of {
                    Sql::Column(field, _) => (field, length(operator, value.parse().ok()?)?),
                    _ => return None,
                },
                _ => return None,
            }
        }
        Sql::Text("matches", of, pattern, _) => match **of {
            Sql::Column(field, _) => (field, Constraint::Pattern(pattern.clone())),
            _ => return None,
        },
        Sql::In(of, values) => {
            let Sql::Column(field, _) = **of else { return None };
            let texts: Option<Vec<String>> = values.iter().map(literal).collect();
            let is_text = fields[field].ty.as_ref().is_some_and(|ty| ty.value == Type::String);
            return texts.filter(|texts| is_text && texts.len() > 1).map(|it| (field, Bound::OneOf(it)));
        }
        _ => return None,
    };
    Some((field, Bound::Constraint(constraint)))
}

fn literal(value: &Sql<'_>) -> Option<String> {
    match value {
        Sql::Literal(text, _) => Some(text.clone()),
        _ => None,
    }
}

fn number(value: &Sql<'_>) -> Option<String> {
    match value {
        Sql::Word(word, _) if word.starts_with(|c: char| c.is_ascii_digit()) => Some((*word).to_owned()),
        Sql::Negative(of) => number(of).map(|number| format!("-{number}")),
        _ => None,
    }
}

/// The sign with its sides exchanged.
fn turned(operator: &str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => "",
    }
}

fn bound(operator: &str, value: String) -> Option<Constraint> {
    let exclusive = matches!(operator, "<" | ">");
    match operator {
        ">" | ">=" => Some(Constraint::Min { value, exclusive }),
        "<" | "<=" => Some(Constraint::Max { value, exclusive }),
        _ => None,
    }
}

fn length(operator: &str, count: u64) -> Option<Constraint> {
    match operator {
        ">" => Some(Constraint::MinLength(count.checked_add(1)?)),
        ">=" => Some(Constraint::MinLength(count)),
        "<" => Some(Constraint::MaxLength(count.checked_sub(1)?)),
        "<=" => Some(Constraint::MaxLength(count)),
        _ => None,
    }
}

fn hold(field: &mut Field, bound: Bound, span: Span) {
    match bound {
        Bound::Constraint(constraint) => field.constraints.push(Spanned::new(constraint, span)),
        Bound::OneOf(texts) => {
            let values = texts.iter().map(|text| Arc::from(text.as_str())).collect();
            field.constraints.retain(|constraint| !matches!(constraint.value, Constraint::MaxLength(_)));
            let place = field.ty.as_ref().map_or(span, |ty| ty.span);
            field.ty = Some(Spanned::new(Type::Enum(values), place));
        }
    }
}

/// `EXCLUDE USING gist (room_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (…)`.
fn exclude(entity: &mut Entity, own: &[Token<'_>], span: Span) -> Option<()> {
    let open = own.iter().position(|token| token.is("("))?;
    let (parts, taken) = list(&own[open..]);
    let filter = covered(entity, &own[open + taken..])?;
    let field = |token: &Token<'_>| {
        let name = token.is_name().then(|| token.bare())?;
        let known = entity.fields.iter().find(|field| field.name.value.eq_ignore_ascii_case(&name.value))?;
        Some(Spanned::new(known.name.value.clone(), name.span))
    };
    let mut group = Vec::new();
    let mut bounds = None;
    for part in parts {
        match part {
            [name, with, sign] if with.is("with") && sign.is("=") => group.push(field(name)?),
            [range, inside @ .., with, sign]
                if range.text.to_lowercase().ends_with("range") && with.is("with") && sign.is("&&") =>
            {
                let (ends, taken) = list(inside);
                // An interval of the language holds its start and not its end, as a range without a third word.
                let (starts, ends) = match ends.as_slice() {
                    [[starts], [ends]] => (starts, ends),
                    [[starts], [ends], [kind]] if kind.text == "[)" => (starts, ends),
                    _ => return None,
                };
                let interval = (field(starts)?, field(ends)?);
                if taken < inside.len() || bounds.replace(interval).is_some() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    let (starts, ends) = bounds?;
    entity
        .table_rules
        .push(TableRule { kind: TableRuleKind::NoOverlap { group, starts, ends, filter }, span });
    Some(())
}

/// The rows that a `WHERE` behind a rule names; the outer [`None`] if it is not understood.
fn covered(entity: &Entity, tail: &[Token<'_>]) -> Option<Option<Formula>> {
    let Some((first, rest)) = tail.split_first() else { return Some(None) };
    let span = all_of(rest).filter(|_| first.is("where"))?;
    let condition = conditions::read(&entity.fields, rest)?;
    conditions::write(&entity.fields, &condition, Unknown::Excludes, span).map(Some)
}

/// `CREATE [UNIQUE] INDEX [name] ON table [USING …] (a, b DESC) [WHERE …]`.
pub(super) fn index(entity: &mut Entity, own: &[Token<'_>], unread: &mut Vec<Span>) {
    let Some(span) = all_of(own) else { return };
    let is_unique = own.iter().take(2).any(|token| token.is("unique"));
    let open = own.iter().position(|token| token.is("(")).unwrap_or(own.len());
    let fields = columns(&own[open..]);
    let filter = own.iter().position(|token| token.is("where"));
    match (fields, filter, is_unique) {
        (Some(fields), None, true) if !own.iter().any(|token| token.is("nulls")) => {
            push_key(entity, IndexKind::Unique, fields, span);
        }
        (Some(fields), None, false) => push_key(entity, IndexKind::Plain, fields, span),
        (Some(fields), Some(at), true) if !own[..at].iter().any(|token| token.is("nulls")) => {
            let known: Option<Vec<_>> = fields.into_iter().map(|(name, _)| of(entity, name)).collect();
            match known.zip(covered(entity, &own[at..]).flatten()) {
                Some((fields, filter)) => {
                    let kind = TableRuleKind::Unique { fields, filter };
                    entity.table_rules.push(TableRule { kind, span });
                }
                None => unread.push(span),
            }
        }
        (_, _, true) => unread.push(span),
        // An index that is for speed alone promises nothing.
        (_, _, false) => {}
    }
}

/// A name as its field is declared.
fn of(entity: &Entity, name: Spanned<String>) -> Option<Spanned<String>> {
    let known = entity.fields.iter().find(|field| field.name.value.eq_ignore_ascii_case(&name.value))?;
    Some(Spanned::new(known.name.value.clone(), name.span))
}
