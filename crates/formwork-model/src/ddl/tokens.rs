//! A fence of SQL to pieces, statements and lists. What they say is left to [`super`] and its other rooms.

use crate::json::place_of;
use formwork_syntax::{Fence, Span, Spanned};

/// A piece of SQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    /// Without the quotes of a name or string.
    pub(super) text: &'s str,
    pub(super) span: Span,
    /// With the quotes.
    pub(super) outer: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A quoted name.
    Name,
    /// Quotes inside it are still doubled.
    String,
    Mark,
    /// What stands behind `--`, without it.
    Comment,
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Name)
    }

    pub(super) fn is_number(&self) -> bool {
        self.kind == Kind::Word && self.text.starts_with(|c: char| c.is_ascii_digit())
    }

    pub(super) fn spanned(&self) -> Spanned<String> {
        Spanned::new(self.text.to_owned(), self.span)
    }

    /// A name without the schema or table before it.
    pub(super) fn bare(&self) -> Spanned<String> {
        let bare = match self.kind {
            Kind::Name => self.text,
            _ => self.text.rsplit('.').next().unwrap_or(self.text),
        };
        let from = (self.text.len() - bare.len()) as u32;
        Spanned::new(bare.to_owned(), self.span.part(from, self.text.len() as u32))
    }
}

/// Marks of several characters; a longer one before its beginning.
const MARKS: [&str; 9] = ["<=", ">=", "<>", "!=", "!~", "~*", "::", "&&", "||"];

/// Where the text between quotes ends; a doubled quote is part of it.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut at = 0;
    loop {
        let end = at + rest[at..].find(quote)?;
        if !rest[end + 1..].starts_with(quote) {
            return Some(end);
        }
        at = end + 2;
    }
}

pub(super) fn cut<'s>(source: &'s str, fence: &Fence) -> Vec<Token<'s>> {
    let Some(place) = place_of(fence) else { return Vec::new() };
    let text = place.slice(source);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, skipped, length, closed) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => {
                (Kind::Comment, 2, rest.find('\n').unwrap_or(rest.len()).max(2) - 2, 0)
            }
            '/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            '"' | '`' | '\'' => {
                let end = closing(&rest[1..], first).unwrap_or(rest.len() - 1);
                let kind = if first == '\'' { Kind::String } else { Kind::Name };
                (kind, 1, end, usize::from(1 + end < rest.len()))
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
                (Kind::Word, 0, rest.find(|c| !is_word(c)).unwrap_or(rest.len()), 0)
            }
            _ => {
                let known = MARKS.iter().find(|mark| rest.starts_with(**mark));
                (Kind::Mark, 0, known.map_or(first.len_utf8(), |mark| mark.len()), 0)
            }
        };
        let (from, to) = (at + skipped, at + skipped + length);
        let [span, outer] =
            [(from, to), (at, to + closed)].map(|(from, to)| place.part(from as u32, to as u32));
        found.push(Token { text: &text[from..to], span, outer, kind });
        at = to + closed;
    }
    found
}

pub(super) fn statements<'a, 's>(tokens: &'a [Token<'s>]) -> impl Iterator<Item = &'a [Token<'s>]> {
    tokens.split(|token| token.is(";")).filter(|statement| !statement.is_empty())
}

/// The statement without the comments before it.
pub(super) fn uncommented<'a, 's>(statement: &'a [Token<'s>]) -> &'a [Token<'s>] {
    let from = statement.iter().position(|token| token.kind != Kind::Comment).unwrap_or(statement.len());
    &statement[from..]
}

/// The parts between commas inside the parenthesis at the start, and how many tokens it takes.
pub(super) fn list<'a, 's>(tokens: &'a [Token<'s>]) -> (Vec<&'a [Token<'s>]>, usize) {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut start = 1;
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                parts.push(&tokens[start.min(at)..at]);
                return (parts, at + 1);
            }
        } else if token.is(",") && depth == 1 {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(tokens.get(start..).unwrap_or_default());
    (parts, tokens.len())
}

/// From the first to the last.
pub(super) fn all_of(tokens: &[Token<'_>]) -> Option<Span> {
    Some(tokens.first()?.outer.to(tokens.last()?.outer))
}
