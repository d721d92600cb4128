//! Turns the text of a step into sentences and tokens: words, numbers, code spans, quotes and signs, each with its
//! place. It knows no verb; `steps` gives tokens their meaning.
//!
//! Source: language reference, *Steps*, *Discipline of a step*.

use formwork_syntax::{Code, PieceKind, Span, Text};

/// One token of a sentence.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Where; a code span or quote with its marks.
    pub(crate) span: Span,
}

/// The kinds of [`Token`].
#[derive(Clone, Debug)]
pub(crate) enum TokenKind {
    /// A word, lower case. Numbers are words of digits; `10,000` is one word without its comma.
    Word(String),
    /// A code span.
    Code(Code),
    /// A text in quotes: its characters without the quotes, each with its place.
    Quote(Vec<(Span, char)>),
    /// Anything else that is shown: `,` `;` `:` `(` `→` ….
    Sign(char),
}

impl Token {
    /// The word, if it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The code span, if it is one.
    pub(crate) fn code(&self) -> Option<&Code> {
        match &self.kind {
            TokenKind::Code(code) => Some(code),
            _ => None,
        }
    }

    /// Whether it is this word.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    /// Whether it is this sign.
    pub(crate) fn is_sign(&self, sign: char) -> bool {
        matches!(self.kind, TokenKind::Sign(found) if found == sign)
    }

    /// As it stands in the source, code without backticks; for messages.
    pub(crate) fn shown(&self, source: &str) -> String {
        match &self.kind {
            TokenKind::Word(_) => self.span.slice(source).to_owned(),
            TokenKind::Code(code) => code.text(source).into_owned(),
            TokenKind::Quote(characters) => characters.iter().map(|(_, character)| character).collect(),
            TokenKind::Sign(sign) => sign.to_string(),
        }
    }
}

/// A sentence: its tokens without the full stop at its end.
#[derive(Clone, Debug)]
pub(crate) struct Sentence {
    /// Its tokens.
    pub(crate) tokens: Vec<Token>,
    /// From the first token to the last.
    pub(crate) span: Span,
}

/// The tokens of a text, and after which of them a sentence ends.
struct Lexer<'t> {
    source: &'t str,
    tokens: Vec<Token>,
    sentences: Vec<Sentence>,
    parentheses: usize,
    word: String,
    word_span: Span,
    quote: Option<Quote>,
}

/// A quote that is open.
struct Quote {
    closing: char,
    opened: Span,
    characters: Vec<(Span, char)>,
}

/// The sentences of a text. They end at `.` before a space and a capital, a code span or the end, never inside
/// code, quotes, parentheses or `e.g.`.
pub(crate) fn sentences(source: &str, text: &Text) -> Vec<Sentence> {
    let mut lexer = Lexer {
        source,
        tokens: Vec::new(),
        sentences: Vec::new(),
        parentheses: 0,
        word: String::new(),
        word_span: Span::default(),
        quote: None,
    };
    for (at, piece) in text.pieces.iter().enumerate() {
        match &piece.kind {
            PieceKind::Code(code) => lexer.code(piece.span, code),
            PieceKind::Html => {}
            PieceKind::Text => {
                let ends =
                    |rest: &str| ends_before(rest).unwrap_or_else(|| ends_before_piece(source, text, at));
                lexer.text(piece.span, &ends);
            }
            PieceKind::Entity(_) | PieceKind::Break => {
                let mut characters = piece.shown(source).peekable();
                while let Some((span, character)) = characters.next() {
                    let ends = character == '.' && ends_before_piece(source, text, at);
                    lexer.character(span, character, characters.peek().map(|(_, next)| *next), ends);
                }
            }
        }
    }
    lexer.finish()
}

/// Whether a full stop before these characters ends a sentence; the next piece decides when they say nothing.
fn ends_before(rest: &str) -> Option<bool> {
    if !rest.chars().next()?.is_whitespace() {
        return Some(false);
    }
    Some(starts_sentence(rest.trim_start().chars().next()?))
}

/// Whether a full stop behind which piece `at` has nothing but blanks ends a sentence, as far as the next pieces say.
fn ends_before_piece(source: &str, text: &Text, at: usize) -> bool {
    let mut blank = text.pieces[at].span.slice(source).ends_with(char::is_whitespace);
    for piece in &text.pieces[at + 1..] {
        match &piece.kind {
            PieceKind::Html => {}
            PieceKind::Break => blank = true,
            PieceKind::Code(_) => return blank,
            PieceKind::Entity(_) => return false,
            PieceKind::Text => {
                let words = piece.span.slice(source);
                let rest = words.trim_start();
                blank |= rest.len() < words.len();
                if let Some(first) = rest.chars().next() {
                    return blank && starts_sentence(first);
                }
            }
        }
    }
    true
}

fn starts_sentence(character: char) -> bool {
    character.is_uppercase() || character.is_ascii_digit() || matches!(character, '"' | '“' | '(' | '→')
}

/// Abbreviations whose points end no sentence.
const ABBREVIATIONS: [&str; 6] = ["e.g", "i.e", "etc", "vs", "cf", "approx"];

impl Lexer<'_> {
    fn code(&mut self, span: Span, code: &Code) {
        if let Some(Quote { characters, .. }) = &mut self.quote {
            let text = code.text(self.source);
            for (offset, character) in text.char_indices() {
                let start = code.source_offset(offset as u32);
                characters.push((Span::new(start, start + character.len_utf8() as u32), character));
            }
            return;
        }
        self.end_word();
        self.push(TokenKind::Code(code.clone()), span);
    }

    fn push(&mut self, kind: TokenKind, span: Span) {
        if self.tokens.is_empty() {
            // Most sentences are no longer, and need not be moved as they grow.
            self.tokens.reserve(12);
        }
        self.tokens.push(Token { kind, span });
    }

    /// Takes plain text; `ends` says whether a full stop before the rest of it ends a sentence.
    fn text(&mut self, span: Span, ends: &dyn Fn(&str) -> bool) {
        let text = span.slice(self.source);
        let mut at = 0;
        while at < text.len() {
            if text.as_bytes()[at] == b' ' && self.quote.is_none() {
                self.end_word();
                at += 1;
                continue;
            }
            let word = text.as_bytes()[at..].iter();
            let length = word.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            if length > 0 && self.quote.is_none() {
                let place = span.part(at as u32, (at + length) as u32);
                self.word_span = if self.word.is_empty() { place } else { self.word_span.to(place) };
                let letters = &text[at..at + length];
                if self.word.is_empty() {
                    self.word = letters.to_ascii_lowercase();
                } else {
                    self.word.extend(letters.chars().map(|letter| letter.to_ascii_lowercase()));
                }
                at += length;
                continue;
            }
            let mut rest = text[at..].chars();
            let Some(character) = rest.next() else { return };
            let place = span.part(at as u32, (at + character.len_utf8()) as u32);
            let ends = character == '.' && ends(rest.as_str());
            self.character(place, character, rest.clone().next(), ends);
            at += character.len_utf8();
        }
    }

    fn character(&mut self, span: Span, character: char, next: Option<char>, ends: bool) {
        if self.in_quote(span, character) {
            return;
        }
        if self.continues_word(character, next) {
            if self.word.is_empty() {
                self.word_span = span;
            }
            self.word_span = self.word_span.to(span);
            match character {
                _ if character.is_ascii() => self.word.push(character.to_ascii_lowercase()),
                _ => self.word.extend(character.to_lowercase()),
            }
            return;
        }
        if character == ',' && is_grouping(&self.word, next) {
            return;
        }
        let abbreviation = ABBREVIATIONS.contains(&self.word.as_str());
        self.end_word();
        match character {
            _ if character.is_whitespace() => {}
            '.' if ends && self.parentheses == 0 && !abbreviation => self.end_sentence(),
            '.' if abbreviation => {}
            '"' | '“' => {
                let closing = if character == '"' { '"' } else { '”' };
                self.quote = Some(Quote { closing, opened: span, characters: Vec::new() });
            }
            _ => {
                match character {
                    '(' => self.parentheses += 1,
                    ')' => self.parentheses = self.parentheses.saturating_sub(1),
                    _ => {}
                }
                self.push(TokenKind::Sign(character), span);
            }
        }
    }

    /// Takes a character of a quote that is open; gives whether there is one.
    fn in_quote(&mut self, span: Span, character: char) -> bool {
        let Some(Quote { closing, opened, characters }) = &mut self.quote else { return false };
        if character == *closing {
            let token = Token { kind: TokenKind::Quote(std::mem::take(characters)), span: opened.to(span) };
            self.tokens.push(token);
            self.quote = None;
        } else {
            characters.push((span, character));
        }
        true
    }

    /// Whether a character belongs to the word before it, or begins one.
    fn continues_word(&self, character: char, next: Option<char>) -> bool {
        let inside = !self.word.is_empty() && next.is_some_and(char::is_alphanumeric);
        match character {
            '_' => true,
            '-' | '\'' | '’' => inside,
            '.' => inside,
            _ => character.is_alphanumeric(),
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            let word = std::mem::take(&mut self.word);
            self.push(TokenKind::Word(word), self.word_span);
        }
    }

    fn end_sentence(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
            let span = first.span.to(last.span);
            self.sentences.push(Sentence { tokens, span });
        }
    }

    fn finish(mut self) -> Vec<Sentence> {
        self.end_word();
        if let Some(Quote { closing, opened, characters }) = self.quote.take() {
            // A quote that never closes is a sign and a text that no form knows, so that the step is refused.
            let end = characters.last().map_or(opened, |(at, _)| opened.to(*at));
            self.tokens.push(Token { kind: TokenKind::Sign(closing), span: end });
        }
        self.end_sentence();
        self.sentences
    }
}

/// Whether a comma groups digits, as in `10,000`.
fn is_grouping(word: &str, next: Option<char>) -> bool {
    !word.is_empty()
        && word.chars().all(|character| character.is_ascii_digit())
        && next.is_some_and(|character| character.is_ascii_digit())
}
