//! The values of an enum as people write them beside a field: `one of draft, published`, `draft | published`,
//! ``either `short` or `long` ``, and, where the type says `enum`, a plain list of words.
//!
//! Words of prose are never taken for values: each value is one word, code span or quoted text, and there are at least
//! two of them. Source: language reference, *Types*.

use crate::constraints::{self, Reading};
use crate::facts::{Constraint, Field};
use crate::tokens::{Token, TokenKind, find_words, outer, split};
use crate::values::Type;
use formwork_syntax::Spanned;
use std::sync::Arc;

/// Takes the values that a description names, if the field may have some: the type is `enum`, `string`, or not given.
pub(crate) fn take(field: &mut Field, said: &[Token<'_>]) {
    let is_enum =
        matches!(field.ty.as_ref().map(|ty| &ty.value), Some(Type::Enum(values)) if values.is_empty());
    let is_text = matches!(field.ty.as_ref().map(|ty| &ty.value), Some(Type::String));
    let has_values = field.constraints.iter().any(|own| matches!(own.value, Constraint::OneOf(_)));
    if !(is_enum || is_text || field.ty.is_none()) || has_values {
        return;
    }
    let found = introduced(said).or_else(|| alone(said, is_enum));
    let Some((values, place)) = found.and_then(|values| Some((texts(&values), outer(&values)?))) else {
        return;
    };
    match is_text {
        true => field.constraints.push(Spanned::new(Constraint::OneOf(values), place)),
        false => {
            let place = field.ty.as_ref().map_or(place, |ty| ty.span);
            let values = values.iter().map(|value| Arc::from(value.as_str()));
            field.ty = Some(Spanned::new(Type::Enum(values.collect()), place));
        }
    }
}

/// The values of columns between bars that are one word each: `` `size`: S | M | L ``.
pub(crate) fn columns<'t>(columns: &[&[Token<'t>]]) -> Option<Vec<Token<'t>>> {
    let values: Vec<Token<'t>> = columns
        .iter()
        .map(|column| match column {
            [only] if is_value(only) && matches!(constraints::read(column), Reading::Prose) => {
                Some(only.clone())
            }
            _ => None,
        })
        .collect::<Option<_>>()?;
    (values.len() > 1).then_some(values)
}

/// The values of a list in parentheses that says of itself that it is one: `S, M or L`.
pub(crate) fn in_parentheses<'t>(inside: &[Token<'t>]) -> Option<Vec<Token<'t>>> {
    let says_or = inside.iter().any(|token| token.is_word("or") || token.is_mark("|"));
    says_or.then(|| listed(inside)).flatten().map(|(values, _)| values).filter(|values| {
        // `uuid or string` is a choice of types.
        values.iter().all(|value| !crate::values::TYPE_WORDS.contains(&&*value.text))
    })
}

/// What stands behind `one of` or `either`.
fn introduced<'t>(said: &[Token<'t>]) -> Option<Vec<Token<'t>>> {
    let one_of = find_words(said, &["one", "of"]).map(|at| at + 2);
    let either = said.iter().position(|token| token.is_word("either")).map(|at| at + 1);
    let from = one_of.or(either)?;
    let from = from + usize::from(said.get(from).is_some_and(|token| token.is_mark(":")));
    listed(&said[from..]).map(|(values, _)| values)
}

/// A column that is nothing but values.
fn alone<'t>(said: &[Token<'t>], is_enum: bool) -> Option<Vec<Token<'t>>> {
    let (values, used) = listed(said)?;
    let is_whole = used == said.len();
    let has_bars = said.iter().any(|token| token.is_mark("|"));
    let are_quoted = values.iter().all(|value| value.kind != TokenKind::Word);
    // A list that begins like a sentence describes.
    let begins_low = values.first().is_some_and(|first| first.text.starts_with(|c: char| !c.is_uppercase()));
    let is_enum = is_enum && (begins_low || are_quoted || says_or(said));
    let is_slashed = said.iter().any(|token| token.is_mark("/"));
    (is_whole && (is_enum || has_bars || (are_quoted && (is_slashed || says_or(said))))).then_some(values)
}

fn says_or(said: &[Token<'_>]) -> bool {
    said.iter().any(|token| token.is_word("or"))
}

/// The values at the start, each between separators, and how many tokens they take; none if there are fewer than two.
fn listed<'t>(said: &[Token<'t>]) -> Option<(Vec<Token<'t>>, usize)> {
    let is_end = |token: &Token<'_>| [".", ";", "—", "–", "("].iter().any(|mark| token.is_mark(mark));
    let end = said.iter().position(is_end).unwrap_or(said.len());
    let own = &said[..end];
    let is_separator =
        |token: &Token<'_>| [",", "|", "/"].iter().any(|mark| token.is_mark(mark)) || token.is_word("or");
    let mut values: Vec<Token<'t>> = Vec::new();
    for piece in split(own, is_separator) {
        match piece {
            [] => {}
            [only] if is_value(only) => values.push(only.clone()),
            _ => return None,
        }
    }
    let is_mixed = values.iter().any(Token::is_code) && !values.iter().all(Token::is_code);
    let used = if end < said.len() && said[end].is_mark(".") { end + 1 } else { end };
    (values.len() > 1 && !is_mixed).then_some((values, used))
}

fn is_value(token: &Token<'_>) -> bool {
    match token.kind {
        TokenKind::Mark => false,
        TokenKind::Word => token.text.chars().any(char::is_alphanumeric),
        TokenKind::Code | TokenKind::Quoted => !token.text.contains(char::is_whitespace),
    }
}

fn texts(values: &[Token<'_>]) -> Vec<String> {
    values.iter().map(|value| value.text.trim_matches('"').to_owned()).collect()
}
