//! Reads tokens from left to right: code spans, numbers, conditions, refusals. Every form and every tail is read with
//! it, so that each is written the same way wherever it may stand.
//!
//! Source: language reference, *Steps*, *Discipline of a step*.

use crate::steps::{Glossary, STEPS, begins_head};
use crate::tokens::{Sentence, Token, TokenKind};
use formwork_model::facts::Outcome;
use formwork_model::values::parse_outcome;
use formwork_syntax::{Code, Span};
use std::borrow::Cow;

/// Whether a word is without meaning. Any other word that a form does not know makes its step *not understood*: to skip it
/// could turn a promise into its opposite.
pub(crate) fn is_glue(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "a"
            | "an"
            | "new"
            | "newly"
            | "already"
            | "then"
            | "also"
            | "now"
            | "corresponding"
            | "finally"
            | "this"
            | "that"
    )
}

/// What a form does not know.
#[derive(Clone, Debug)]
pub(crate) struct Misread {
    /// The word or span.
    pub(crate) word: Option<String>,
    /// What was expected there.
    pub(crate) expected: String,
    /// Where.
    pub(crate) span: Span,
}

/// Conditions that *and* or *or* join.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    /// The conditions.
    pub(crate) codes: Vec<Code>,
    /// Whether one of them is enough.
    pub(crate) any: bool,
}

/// A refusal as written: `409 slug_taken`, with a message.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// Status and code.
    pub(crate) outcome: Outcome,
    /// The message's characters with their places.
    pub(crate) message: Vec<(Span, char)>,
}

/// Reads tokens from left to right; glue is skipped.
pub(crate) struct Reader<'s> {
    source: &'s str,
    names: &'s Glossary,
    tokens: Cow<'s, [Token]>,
    at: usize,
    span: Span,
}

impl<'s> Reader<'s> {
    /// Looks at tokens; `span` is where something is missing when they end too soon.
    pub(crate) fn over(
        source: &'s str,
        names: &'s Glossary,
        tokens: impl Into<Cow<'s, [Token]>>,
        span: Span,
    ) -> Self {
        Self { source, names, tokens: tokens.into(), at: 0, span }
    }

    /// The next token that has a meaning, without taking it.
    pub(crate) fn peek(&mut self) -> Option<&Token> {
        loop {
            let rest = &self.tokens[self.at..];
            let skipped = match rest.first() {
                Some(token) if token.word().is_some_and(is_glue) => 1,
                _ => self.named(rest),
            };
            if skipped == 0 {
                return self.tokens.get(self.at);
            }
            self.at += skipped;
        }
    }

    /// How many tokens are the name of an entity or component in plain words before a code span.
    fn named(&self, rest: &[Token]) -> usize {
        // Words only can be a name, and so the code span must be the first token that is none.
        let Some(length) = rest.iter().position(|token| token.word().is_none()) else { return 0 };
        let before_code = rest[length].code().is_some();
        if before_code && self.names.is_name(&rest[..length]) { length } else { 0 }
    }

    /// Takes the next token, glue or not.
    pub(crate) fn take_any(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned()?;
        self.at += 1;
        Some(token)
    }

    /// Takes a word if it comes next.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(found);
        found
    }

    /// Takes a word exactly at this place, glue or not.
    pub(crate) fn exact_words(&mut self, words: &[&str]) -> bool {
        let rest = &self.tokens[self.at..];
        let found = rest.len() >= words.len() && words.iter().zip(rest).all(|(word, token)| token.is(word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// Takes a sign if it comes next.
    pub(crate) fn sign(&mut self, sign: char) -> bool {
        let found = self.peek().is_some_and(|token| token.is_sign(sign));
        self.at += usize::from(found);
        found
    }

    /// Takes a code span.
    pub(crate) fn code(&mut self, expected: &str) -> Result<Code, Misread> {
        match self.peek().and_then(Token::code).cloned() {
            Some(code) => {
                self.at += 1;
                Ok(code)
            }
            None => Err(self.misread(expected)),
        }
    }

    /// Takes a code span if one comes next.
    pub(crate) fn opt_code(&mut self) -> Option<Code> {
        let code = self.peek().and_then(Token::code).cloned()?;
        self.at += 1;
        Some(code)
    }

    /// Takes a whole number, with or without backticks.
    pub(crate) fn number(&mut self, expected: &str) -> Result<u64, Misread> {
        let source = self.source;
        let text = self.peek().map(|token| token.shown(source)).unwrap_or_default();
        let number = text.replace(['_', ','], "").parse().map_err(|_| self.misread(expected))?;
        self.at += 1;
        Ok(number)
    }

    /// Whether nothing but glue is left.
    pub(crate) fn is_done(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Takes two signs that stand together.
    pub(crate) fn signs(&mut self, signs: [char; 2]) -> bool {
        let rest = &self.tokens[self.at..];
        let found = rest.len() >= 2 && rest[0].is_sign(signs[0]) && rest[1].is_sign(signs[1]);
        self.at += if found { 2 } else { 0 };
        found
    }

    /// Where the reader stands, for [`Self::rewind`].
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to where the reader stood.
    pub(crate) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    /// Gives the last token back.
    pub(crate) fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Whether ``a `E` exists`` comes next.
    pub(crate) fn entity_exists(&mut self) -> bool {
        self.peek().is_some_and(|token| token.code().is_some())
            && self.tokens.get(self.at + 1).is_some_and(|token| token.is("exists") || token.is("exist"))
    }

    /// Whether a sentence begins with a head of the language, so that the comma before it may be missing.
    pub(crate) fn began_with_step(&self, rest: &Sentence) -> bool {
        let first = rest.tokens.first().and_then(Token::word);
        first.is_some_and(|word| STEPS.iter().flat_map(|form| form.heads).any(|head| begins_head(head, word)))
    }

    /// Code spans of which one is enough: joined by commas and *or*.
    pub(crate) fn alternatives(&mut self, expected: &str) -> Result<Vec<Code>, Misread> {
        let mut codes = vec![self.code(expected)?];
        loop {
            let before = self.at;
            let comma = self.sign(',');
            let or = self.word("or");
            self.word("role");
            match self.opt_code() {
                Some(code) if comma || or => codes.push(code),
                _ if or => return Err(self.misread(expected)),
                _ => {
                    self.at = before;
                    return Ok(codes);
                }
            }
        }
    }

    /// Code spans joined by commas and *and*.
    pub(crate) fn codes(&mut self, expected: &str) -> Result<Vec<Code>, Misread> {
        let mut codes = vec![self.code(expected)?];
        loop {
            let before = self.at;
            let comma = self.sign(',');
            let and = self.word("and");
            if (comma || and)
                && let Some(code) = self.opt_code()
            {
                codes.push(code);
                continue;
            }
            self.at = before;
            return Ok(codes);
        }
    }

    /// Conditions joined by *and* or by *or*, to the end.
    pub(crate) fn conditions(&mut self) -> Result<Joined, Misread> {
        let joined = self.open_conditions()?;
        self.end("`and`, `or` or the end of the sentence")?;
        Ok(joined)
    }

    /// Conditions joined by *and* or by *or*; more may follow.
    pub(crate) fn open_conditions(&mut self) -> Result<Joined, Misread> {
        let mut joined = Joined { codes: vec![self.code("a condition in backticks")?], any: false };
        loop {
            let before = self.at;
            self.sign(',');
            let any = match () {
                () if self.word("and") => false,
                () if self.word("or") => true,
                () => {
                    self.at = before;
                    break;
                }
            };
            if joined.codes.len() > 1 && any != joined.any {
                self.at = before;
                return Err(self.misread("either `and` or `or` between conditions, not both"));
            }
            joined.any = any;
            joined.codes.push(self.code("a condition in backticks")?);
        }
        Ok(joined)
    }

    /// A refusal: `409 slug_taken`, then a message in quotes if there is one.
    pub(crate) fn refusal(&mut self) -> Result<Refusal, Misread> {
        let code = self.code("a status and a code, such as `409 slug_taken`")?;
        let text = code.text(self.source);
        let Some(outcome) = parse_outcome(&text) else {
            self.at -= 1;
            return Err(self.misread("a status and a code, such as `409 slug_taken`"));
        };
        let before = self.at;
        let comma = self.sign(',');
        let message = match self.peek().map(|token| token.kind.clone()) {
            Some(TokenKind::Quote(characters)) => {
                self.at += 1;
                characters
            }
            _ => {
                if comma {
                    self.at = before;
                }
                Vec::new()
            }
        };
        Ok(Refusal { outcome, message })
    }

    /// Nothing but commas may be left.
    pub(crate) fn end(&mut self, expected: &str) -> Result<(), Misread> {
        while self.sign(',') || self.sign(';') {}
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unknown(expected)),
        }
    }

    /// What to say about the next token when it begins a step of its own, is a tail of other forms, or neither.
    fn unknown(&mut self, expected: &str) -> Misread {
        let and = self.word("and");
        let is_head = self
            .peek()
            .and_then(Token::word)
            .is_some_and(|word| STEPS.iter().flat_map(|form| form.heads).any(|head| begins_head(head, word)));
        let mut misread = self.misread(expected);
        if is_head {
            misread.expected = "one step in one sentence: end this one with a full stop".to_owned();
        } else if and && misread.word.is_none() {
            misread.word = Some("and".to_owned());
        }
        misread
    }

    /// That something else was expected at the next token.
    pub(crate) fn misread(&mut self, expected: &str) -> Misread {
        let source = self.source;
        let end = self.span;
        let (word, span) = match self.peek() {
            Some(token) => (Some(token.shown(source)), token.span),
            None => (None, end),
        };
        Misread { word, expected: expected.to_owned(), span }
    }
}
