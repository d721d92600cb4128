//! Inputs as people write them in a sentence: `` `customer_id`, `lines` (1 to 50 items), optional `status` ``.
//!
//! A type that is not given is taken from the entity field of that name. Source: language reference, *Operations*.

use crate::constraints::{self, Reading};
use crate::enum_values;
use crate::facts::{Constraint, Field, Location};
use crate::fields;
use crate::reader::Reader;
use crate::tokens::{Token, TokenKind, closing, outer, split, tokens};
use crate::values::Type;
use formwork_syntax::{Spanned, Text};
use std::sync::Arc;

/// The fields that a sentence names. A sentence that names none gives none: it is prose.
pub(crate) fn sentence(reader: &mut Reader<'_>, text: &Text) -> Vec<Field> {
    let all = tokens(reader.source, text);
    let is_separator =
        |token: &Token<'_>| [",", ";", "."].iter().any(|mark| token.is_mark(mark)) || token.is_word("and");
    let pieces: Vec<&[Token<'_>]> =
        split(&all, is_separator).into_iter().filter(|piece| !piece.is_empty()).collect();
    let has_codes = pieces.iter().any(|piece| head(piece).is_some_and(|head| head.name.is_code()));
    if !has_codes && !is_plain_list(&pieces) {
        return Vec::new();
    }
    let mut found: Vec<Field> = Vec::new();
    for piece in pieces {
        match head(piece).filter(|head| head.name.is_code() || !has_codes) {
            Some(head) if head.name.text == "Idempotency-Key" => {}
            Some(head) if found.iter().any(|field| field.name.value == head.name.text) => {}
            Some(head) => {
                let field = field(reader, text, &head);
                reader.untyped.insert(field.name.span);
                found.push(field);
            }
            // What follows a comma without a name of its own speaks of the field before it.
            None => {
                if let (Some(field), Reading::Constraint(constraint), Some(place)) =
                    (found.last_mut(), constraints::read(piece), outer(piece))
                {
                    field.optional |= constraint == Constraint::Optional;
                    field.constraints.push(Spanned::new(constraint, place));
                }
            }
        }
    }
    found
}

/// How a piece of the sentence names a field.
struct Head<'a, 't> {
    name: &'a Token<'t>,
    optional: bool,
    header: bool,
    rest: &'a [Token<'t>],
}

/// Words that may stand before a name.
const LEADS: [&str; 13] = [
    "a",
    "an",
    "the",
    "with",
    "required",
    "optional",
    "optionally",
    "header",
    "and",
    "or",
    "plus",
    "either",
    "body",
];

fn head<'a, 't>(piece: &'a [Token<'t>]) -> Option<Head<'a, 't>> {
    let is_lead =
        |token: &&Token<'_>| token.kind == TokenKind::Word && LEADS.iter().any(|word| token.is_word(word));
    let leads = piece.iter().take_while(is_lead).count();
    let says = |word: &str| piece[..leads].iter().any(|token| token.is_word(word));
    // `customer_id` is a field, `optional` alone says something about the one before.
    let name = piece.get(leads).filter(|token| fields::is_name(token))?;
    let rest = &piece[leads + 1..];
    Some(Head { name, optional: says("optional") || says("optionally"), header: says("header"), rest })
}

/// Whether the pieces are bare names and nothing else: `tenant_id, serial, optional labels`.
fn is_plain_list(pieces: &[&[Token<'_>]]) -> bool {
    let is_bare = |piece: &&[Token<'_>]| {
        head(piece).is_some_and(|head| match head.rest {
            [] => true,
            [colon, rest @ ..] if colon.is_mark(":") => written_type(rest),
            [open, ..] => open.is_mark("(") && closing(head.rest, 0) == Some(head.rest.len() - 1),
        })
    };
    let starts_lower = |piece: &&[Token<'_>]| {
        head(piece).is_some_and(|head| head.name.text.starts_with(|first: char| first.is_lowercase()))
    };
    let has_identifier =
        pieces.iter().any(|piece| head(piece).is_some_and(|head| head.name.text.contains('_')));
    has_identifier && pieces.iter().all(|piece| is_bare(piece) && starts_lower(piece))
}

/// Whether tokens are one type and nothing else: `reason: string`.
fn written_type(tokens: &[Token<'_>]) -> bool {
    matches!(tokens, [only] if crate::values::type_words::is_type(&only.text))
}

fn field(reader: &mut Reader<'_>, text: &Text, head: &Head<'_, '_>) -> Field {
    let span = head.rest.last().map_or(head.name.outer, |last| head.name.outer.to(last.outer));
    let mut field = fields::new_field(head.name.spanned(), span);
    field.optional = head.optional;
    if head.header {
        field.location = Some(Spanned::new(Location::Header(head.name.text.to_string()), head.name.outer));
    }
    if let [colon, ty] = head.rest
        && colon.is_mark(":")
        && written_type(std::slice::from_ref(ty))
    {
        fields::part_in_parentheses(reader, &mut field, text, std::slice::from_ref(ty));
        return field;
    }
    let inside = match head.rest {
        [open, ..] if open.is_mark("(") => closing(head.rest, 0).map(|end| &head.rest[1..end]),
        _ => None,
    };
    let Some(inside) = inside else { return field };
    if let Some(values) = enum_values::in_parentheses(inside) {
        let place = outer(inside).unwrap_or(span);
        let values = values.iter().map(|value| Arc::from(&*value.text));
        field.ty = Some(Spanned::new(Type::Enum(values.collect()), place));
        return field;
    }
    let parts: Vec<&[Token<'_>]> = split(inside, |token| token.is_mark(",") || token.is_mark(";"))
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if let [one, of, values @ ..] = inside
        && one.is_word("one")
        && of.is_word("of")
        && let Some(place) = outer(values)
    {
        let named = values.iter().filter(|value| value.is_code() || value.kind == TokenKind::Quoted);
        let named = named.map(|value| value.text.to_string()).collect();
        field.constraints.push(Spanned::new(Constraint::OneOf(named), place));
        return field;
    }
    let is_value =
        |part: &&[Token<'_>]| matches!(part, [one] if one.is_code() || one.kind == TokenKind::Quoted);
    if parts.len() > 1 && parts.iter().all(is_value) {
        let values = inside.iter().filter(|token| !token.is_mark(",")).map(|value| value.text.to_string());
        let place = outer(inside).unwrap_or(span);
        field.constraints.push(Spanned::new(Constraint::OneOf(values.collect()), place));
        return field;
    }
    for part in parts {
        fields::part_in_parentheses(reader, &mut field, text, part);
    }
    field.optional |= field.constraints.iter().any(|constraint| constraint.value == Constraint::Optional);
    field
}
