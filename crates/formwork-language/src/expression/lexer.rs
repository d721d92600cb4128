//! Splits the text of an expression into tokens.
//!
//! Source: the CEL specification, *Syntax*; a literal with a point is an exact decimal (language reference, *Numbers*).

use super::literals;
use crate::value::Value;
use std::sync::Arc;

/// A token with its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// First byte in the text.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
}

#[derive(Clone, Debug)]
pub(super) enum TokenKind {
    /// An integer without sign; `i64::MIN` needs the minus before it.
    Integer(u64),
    /// Any other literal but `true`, `false`, `null`.
    Literal(Value),
    Name(Arc<str>),
    /// A member name in backquotes.
    Quoted(Arc<str>),
    Symbol(&'static str),
    End,
}

/// What the lexer cannot read: a problem, and its place in the text.
pub(super) type LexProblem = (String, usize, usize);

/// All tokens, the last of which is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, LexProblem> {
    let mut lexer = Lexer { text, at: 0 };
    // Most tokens take several characters; the vector grows for the others.
    let mut tokens = Vec::with_capacity((text.len() / 4).clamp(4, 1_000));
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let kind = lexer.token()?;
        let done = matches!(kind, TokenKind::End);
        tokens.push(Token { kind, start, end: lexer.at });
        if done {
            return Ok(tokens);
        }
    }
}

/// Whether a character may stand first in a name.
pub(super) fn starts_name(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

/// Whether a character may stand in a name.
pub(super) fn continues_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) {
        // What is ASCII needs no decoding.
        let bytes = self.text.as_bytes()[self.at..].iter();
        self.at += bytes.take_while(|byte| byte.is_ascii() && fits(char::from(**byte))).count();
        if self.text.as_bytes().get(self.at).is_some_and(|byte| !byte.is_ascii()) {
            let rest = self.rest();
            self.at += rest.find(|character| !fits(character)).unwrap_or(rest.len());
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            if matches!(self.text.as_bytes().get(self.at), Some(byte) if byte.is_ascii_graphic() && *byte != b'/')
            {
                return;
            }
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|character| character != '\n');
        }
    }

    fn token(&mut self) -> Result<TokenKind, LexProblem> {
        let Some(first) = self.rest().chars().next() else { return Ok(TokenKind::End) };
        let second = self.rest()[first.len_utf8()..].chars().next().unwrap_or(' ');
        if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
            return self.number();
        }
        let may_be_quoted = matches!(first, '"' | '\'') || matches!(first, 'r' | 'R' | 'b' | 'B');
        if may_be_quoted && let Some((prefix, quote)) = literals::opening(self.rest()) {
            return self.quoted(prefix, quote);
        }
        if starts_name(first) {
            let start = self.at;
            self.take_while(continues_name);
            return Ok(TokenKind::Name(self.text[start..self.at].into()));
        }
        if first == '`' {
            return self.backquoted();
        }
        if let Some(symbol) = self.symbol(first, second) {
            self.at += symbol.len();
            return Ok(TokenKind::Symbol(symbol));
        }
        Err((format!("`{first}` has no meaning in an expression"), self.at, self.at + first.len_utf8()))
    }

    /// The symbol that begins with these characters; of two that begin alike the longer one.
    fn symbol(&self, first: char, second: char) -> Option<&'static str> {
        Some(match (first, second) {
            ('?', '?') => "??",
            ('=', '=') => "==",
            ('!', '=') => "!=",
            ('<', '=') => "<=",
            ('>', '=') => ">=",
            ('&', '&') => "&&",
            ('|', '|') => "||",
            ('[', '?') => "[?",
            // One symbol only before a name.
            ('.', '?') if self.rest()[2..].starts_with(starts_name) => ".?",
            ('(', _) => "(",
            (')', _) => ")",
            ('[', _) => "[",
            (']', _) => "]",
            ('{', _) => "{",
            ('}', _) => "}",
            ('.', _) => ".",
            (',', _) => ",",
            (':', _) => ":",
            ('?', _) => "?",
            ('!', _) => "!",
            ('<', _) => "<",
            ('>', _) => ">",
            ('=', _) => "=",
            ('+', _) => "+",
            ('-', _) => "-",
            ('*', _) => "*",
            ('/', _) => "/",
            ('%', _) => "%",
            _ => return None,
        })
    }

    fn backquoted(&mut self) -> Result<TokenKind, LexProblem> {
        let start = self.at;
        let Some(length) = self.rest()[1..].find('`') else {
            return Err(("a name in backquotes does not end".to_owned(), start, self.text.len()));
        };
        let name = self.text[start + 1..start + 1 + length].into();
        self.at += length + 2;
        Ok(TokenKind::Quoted(name))
    }

    fn number(&mut self) -> Result<TokenKind, LexProblem> {
        let start = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            self.take_while(|character| character.is_ascii_hexdigit());
            let digits = self.text[start + 2..self.at].to_owned();
            return self.integer(start, u64::from_str_radix(&digits, 16).ok());
        }
        self.take_while(|character| character.is_ascii_digit());
        let mut whole = true;
        if self.rest().starts_with('.') && self.rest()[1..].starts_with(|next: char| next.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|character| character.is_ascii_digit());
            whole = false;
        }
        let exponent = self.exponent();
        if whole && !exponent {
            return self.integer(start, self.text[start..self.at].parse().ok());
        }
        let value = literals::fraction(&self.text[start..self.at], exponent);
        self.end_of_number(start)?;
        Ok(TokenKind::Literal(value))
    }

    fn exponent(&mut self) -> bool {
        let rest = self.rest().strip_prefix(['e', 'E']).map(|rest| rest.trim_start_matches(['+', '-']));
        let Some(rest) = rest.filter(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit())) else {
            return false;
        };
        if self.rest().len() - rest.len() > 2 {
            return false;
        }
        self.at = self.text.len() - rest.len();
        self.take_while(|character| character.is_ascii_digit());
        true
    }

    fn integer(&mut self, start: usize, value: Option<u64>) -> Result<TokenKind, LexProblem> {
        let unsigned = self.rest().starts_with(['u', 'U']);
        if unsigned {
            self.at += 1;
        }
        self.end_of_number(start)?;
        match value {
            None => Err(("the number does not fit in 64 bits".to_owned(), start, self.at)),
            Some(value) if unsigned => Ok(TokenKind::Literal(Value::Unsigned(value))),
            Some(value) => Ok(TokenKind::Integer(value)),
        }
    }

    fn end_of_number(&mut self, start: usize) -> Result<(), LexProblem> {
        if self.rest().starts_with(continues_name) {
            self.take_while(continues_name);
            let text = &self.text[start..self.at];
            return Err((format!("`{text}` is neither a number nor a name"), start, self.at));
        }
        Ok(())
    }

    fn quoted(&mut self, prefix: literals::Prefix, quote: &'static str) -> Result<TokenKind, LexProblem> {
        let start = self.at;
        let body = start + prefix.length + quote.len();
        let Some(end) = literals::closing(&self.text[body..], quote, prefix.raw) else {
            return Err((format!("the text does not end: {quote} is missing"), start, self.text.len()));
        };
        self.at = body + end + quote.len();
        let content = &self.text[body..body + end];
        match literals::unescape(content, prefix) {
            Ok(value) => Ok(TokenKind::Literal(value)),
            Err((problem, from, to)) => Err((problem, body + from, body + to)),
        }
    }
}
