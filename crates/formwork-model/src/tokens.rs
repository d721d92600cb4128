//! Inline text to words, marks, quoted texts and code spans with exact places.
//!
//! The readers of facts look at these instead of characters, so that a separator in code, quotes or a number
//! (`1,000`) is never taken for one. Source: language reference, *Finding the places*.

use formwork_syntax::{Code, PieceKind, Span, Spanned, Text};
use std::borrow::Cow;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word or number, with inner points, hyphens, slashes and grouping commas, and signs such as `%`.
    Word,
    /// Punctuation: one character, or one of `<=`, `>=`, `==`, `->`, `=>`, `..`.
    Mark,
    /// A code span.
    Code,
    /// A text in double quotes, without them.
    Quoted,
}

/// One token.
#[derive(Clone, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: TokenKind,
    /// Its content: code without backticks, a quoted text without quotes.
    pub(crate) text: Cow<'t, str>,
    /// The bytes of the content.
    pub(crate) span: Span,
    /// With backticks or quotes.
    pub(crate) outer: Span,
    /// The code span itself.
    pub(crate) code: Option<&'t Code>,
}

impl Token<'_> {
    /// Whether it is this mark.
    pub(crate) fn is_mark(&self, mark: &str) -> bool {
        self.kind == TokenKind::Mark && self.text == mark
    }

    /// Whether it is this word, in any case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is a code span.
    pub(crate) fn is_code(&self) -> bool {
        self.kind == TokenKind::Code
    }

    /// Its content with its place.
    pub(crate) fn spanned(&self) -> Spanned<String> {
        Spanned::new(self.text.to_string(), self.span)
    }
}

/// The marks of more than one character, longest first.
const LONG_MARKS: [&str; 6] = ["<=", ">=", "==", "->", "=>", ".."];

/// The longest text in quotes, in characters; keeps many open quotes in one text linear.
const LONGEST_QUOTED: usize = 1_000;

/// Cuts a text into tokens.
pub(crate) fn tokens<'t>(source: &'t str, text: &'t Text) -> Vec<Token<'t>> {
    // A word takes six bytes or so; the vector grows for texts of shorter ones.
    let mut found = Vec::with_capacity((text.span.len() as usize / 6).clamp(4, 1_000));
    for piece in &text.pieces {
        match &piece.kind {
            PieceKind::Text => cut(source, piece.span, &mut found),
            PieceKind::Entity(shown) => found.push(Token {
                kind: TokenKind::Mark,
                text: Cow::Borrowed(shown),
                span: piece.span,
                outer: piece.span,
                code: None,
            }),
            PieceKind::Code(code) => found.push(Token {
                kind: TokenKind::Code,
                text: code.text(source),
                span: code.span(),
                outer: piece.span,
                code: Some(code),
            }),
            PieceKind::Break | PieceKind::Html => {}
        }
    }
    found
}

fn cut<'t>(source: &'t str, span: Span, found: &mut Vec<Token<'t>>) {
    let text = span.slice(source);
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length, quotes) = next(rest, first);
        let outer = span.part(at as u32, (at + length) as u32);
        let inner = Span::new(outer.start + quotes as u32, outer.end - quotes as u32);
        found.push(Token { kind, text: Cow::Borrowed(inner.slice(source)), span: inner, outer, code: None });
        at += length;
    }
}

/// Kind, length in bytes, and length of each quote of the token at the start of `rest`.
fn next(rest: &str, first: char) -> (TokenKind, usize, usize) {
    let quote = match first {
        '"' => Some('"'),
        '“' => Some('”'),
        _ => None,
    };
    if let Some(close) = quote {
        let width = first.len_utf8();
        let closes = |(_, character): &(usize, char)| *character == close;
        if let Some((end, _)) = rest[width..].char_indices().take(LONGEST_QUOTED).find(closes) {
            return (TokenKind::Quoted, width + end + close.len_utf8(), width);
        }
    }
    if matches!(first, '<' | '>' | '=' | '-' | '.')
        && let Some(mark) = LONG_MARKS.iter().find(|mark| rest.starts_with(**mark))
    {
        return (TokenKind::Mark, mark.len(), 0);
    }
    match word_length(rest) {
        0 => (TokenKind::Mark, first.len_utf8(), 0),
        length => (TokenKind::Word, length, 0),
    }
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '€' | '£' | '%' | '\'' | '’' | '@' | '#')
}

/// How many bytes at the start are one word; 0 if none.
fn word_length(rest: &str) -> usize {
    // Letters and digits of ASCII, which is most of a word, need no look at what stands around them.
    let plain = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    match rest.as_bytes().get(plain) {
        None => return plain,
        Some(b' ' | b'(' | b')' | b':' | b'|' | b';') => return plain,
        Some(_) => {}
    }
    let mut before = None;
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map(|(_, after)| *after);
        let joins = match character {
            ',' => before.is_some_and(|before: char| before.is_ascii_digit()) && is_group(&rest[at + 1..]),
            '-' | '.' | '/' => {
                before.is_some() && after.is_some_and(|after| after.is_alphanumeric() || after == '_')
            }
            _ => is_word_character(character),
        };
        if !joins {
            return at;
        }
        before = Some(character);
    }
    rest.len()
}

/// Whether exactly three digits follow, as in `1,000`.
fn is_group(rest: &str) -> bool {
    rest.bytes().take_while(u8::is_ascii_digit).count() == 3
}

/// The place from the first to the last token, with backticks and quotes.
pub(crate) fn outer(tokens: &[Token<'_>]) -> Option<Span> {
    Some(tokens.first()?.outer.to(tokens.last()?.outer))
}

/// What a reader sees of these tokens, which are consecutive ones of `text`.
pub(crate) fn prose(source: &str, text: &Text, tokens: &[Token<'_>]) -> Option<Spanned<String>> {
    let place = outer(tokens)?;
    let part = text.slice(source, place.start, place.end);
    Some(Spanned::new(part.plain(source), part.span))
}

/// Splits at a mark outside parentheses, brackets and braces; empty pieces stay.
pub(crate) fn split<'a, 't>(
    tokens: &'a [Token<'t>],
    is_separator: impl Fn(&Token<'t>) -> bool,
) -> Vec<&'a [Token<'t>]> {
    let mut parts = Vec::with_capacity(1);
    let mut depth = 0usize;
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        match (token.kind, &*token.text) {
            (TokenKind::Mark, "(" | "[" | "{") => depth += 1,
            (TokenKind::Mark, ")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && is_separator(token) {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// The index of the parenthesis that closes the one at `open`.
pub(crate) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_mark("(") {
            depth += 1;
        } else if token.is_mark(")") {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Where these words stand one after the other, in any case.
pub(crate) fn find_words(tokens: &[Token<'_>], words: &[&str]) -> Option<usize> {
    tokens.windows(words.len()).position(|window| starts_with_words(window, words))
}

/// Whether the tokens begin with these words, in any case.
pub(crate) fn starts_with_words(tokens: &[Token<'_>], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.is_word(word))
}
