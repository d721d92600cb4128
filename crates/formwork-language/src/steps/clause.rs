//! Cuts a sentence into object and tails. Forms take out what they know; what is left is not understood.
//!
//! Source: language reference, *Steps*, *Discipline of a step*.

use crate::steps::{Form, Glossary};
use crate::tokens::{Sentence, Token};
use formwork_syntax::{Code, Fence, Span};
use std::sync::LazyLock;

pub(crate) use crate::steps::reader::{Joined, Misread, Reader, Refusal, is_glue};

/// The tails of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TailKind {
    /// ``where `EXPR` ``
    Where,
    /// ``with …``
    With,
    /// ``with header `Name` = `EXPR` ``
    WithHeader,
    /// `from the input`
    FromInput,
    /// ``sorted by `f` descending``
    SortedBy,
    /// ``then by `g` ``
    ThenBy,
    /// `newest first`
    NewestFirst,
    /// `oldest first`
    OldestFirst,
    /// `at most N`
    AtMost,
    /// `N per page`
    PerPage,
    /// ``as `x` ``
    As,
    /// `when`, `if`
    When,
    /// `unless`
    Unless,
    /// `if any`
    IfAny,
    /// `or fails with`
    OrFails,
    /// `or stops`
    OrStops,
    /// `or creates it with`
    OrCreates,
    /// `locking it`, `locking them`
    Locking,
    /// `skipping those taken by others`
    Skipping,
    /// ``numbered `n` ``
    Numbered,
    /// `each in its own transaction`
    EachOwn,
    /// ``about the `x` ``
    About,
    /// ``by `EXPR` ``
    By,
    /// ``for each `x` ``
    ForEach,
    /// ``in `EXPR` ``
    In,
    /// `at`
    At,
    /// `be`
    Be,
    /// ``of `component` ``
    Of,
    /// `waiting at most D`
    Waiting,
    /// `trying N times`
    Trying,
    /// `if it answers`
    IfAnswers,
    /// ``failing as `why` ``
    FailingAs,
}

/// The words of a tail's keyword.
type Keyword = (&'static [&'static str], TailKind);

/// The keywords of tails, longest first.
static KEYWORDS: [Keyword; 43] = [
    (&["skipping", "those", "taken", "by", "others"], TailKind::Skipping),
    (&["each", "in", "its", "own", "transaction"], TailKind::EachOwn),
    (&["or", "creates", "it", "with"], TailKind::OrCreates),
    (&["or", "create", "it", "with"], TailKind::OrCreates),
    (&["from", "the", "input"], TailKind::FromInput),
    (&["or", "fails", "with"], TailKind::OrFails),
    (&["or", "fail", "with"], TailKind::OrFails),
    (&["from", "input"], TailKind::FromInput),
    (&["with", "header"], TailKind::WithHeader),
    (&["with", "headers"], TailKind::WithHeader),
    (&["sorted", "by"], TailKind::SortedBy),
    (&["ordered", "by"], TailKind::SortedBy),
    (&["then", "by"], TailKind::ThenBy),
    (&["newest", "first"], TailKind::NewestFirst),
    (&["oldest", "first"], TailKind::OldestFirst),
    (&["waiting", "at", "most"], TailKind::Waiting),
    (&["if", "it", "answers"], TailKind::IfAnswers),
    (&["failing", "as"], TailKind::FailingAs),
    (&["at", "most"], TailKind::AtMost),
    (&["per", "page"], TailKind::PerPage),
    (&["if", "any"], TailKind::IfAny),
    (&["if", "there", "is", "any"], TailKind::IfAny),
    (&["or", "stops"], TailKind::OrStops),
    (&["or", "stop"], TailKind::OrStops),
    (&["locking", "it"], TailKind::Locking),
    (&["locking", "them"], TailKind::Locking),
    (&["for", "each"], TailKind::ForEach),
    (&["for", "every"], TailKind::ForEach),
    (&["about", "the"], TailKind::About),
    (&["where"], TailKind::Where),
    (&["with"], TailKind::With),
    (&["as"], TailKind::As),
    (&["when"], TailKind::When),
    (&["if"], TailKind::When),
    (&["unless"], TailKind::Unless),
    (&["numbered"], TailKind::Numbered),
    (&["about"], TailKind::About),
    (&["by"], TailKind::By),
    (&["in"], TailKind::In),
    (&["at"], TailKind::At),
    (&["be"], TailKind::Be),
    (&["trying"], TailKind::Trying),
    (&["of"], TailKind::Of),
];

/// [`KEYWORDS`] by their first byte, so that most words are looked up nowhere.
static BY_LETTER: LazyLock<[Vec<&'static Keyword>; 128]> = LazyLock::new(|| {
    let mut keywords = [const { Vec::new() }; 128];
    for keyword in &KEYWORDS {
        let letter = keyword.0[0].bytes().next().and_then(|byte| keywords.get_mut(usize::from(byte)));
        letter.into_iter().for_each(|alike: &mut Vec<&Keyword>| alike.push(keyword));
    }
    keywords
});

/// A tail of a step.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    /// Which.
    pub(crate) kind: TailKind,
    /// What follows its keyword (for *per page*, what stands before it).
    pub(crate) tokens: Vec<Token>,
    /// Its keyword and what belongs to it.
    pub(crate) span: Span,
}

/// A step, cut into its parts. Forms take out what they know; what is left is not understood.
pub(crate) struct Clause<'s> {
    /// The document.
    pub(crate) source: &'s str,
    /// Words that name entities and components, each as a list of lower-case words; skipped before a code span.
    pub(crate) names: &'s Glossary,
    /// What stands between head and tails.
    pub(crate) object: Vec<Token>,
    /// The tails, in the order of the text.
    pub(crate) tails: Vec<Tail>,
    /// What stands behind a colon.
    pub(crate) after_colon: Option<Vec<Token>>,
    /// Whether items are nested below the step.
    pub(crate) nested: bool,
    /// Fences below the step.
    pub(crate) fences: Vec<Fence>,
    /// A step inside the sentence: ``If `EXPR`, STEP.``
    pub(crate) inline: Option<Sentence>,
    /// The sentence.
    pub(crate) span: Span,
}

impl<'s> Clause<'s> {
    /// Cuts what follows the head of `form` at the tails that it knows.
    pub(crate) fn cut(
        source: &'s str,
        names: &'s Glossary,
        form: &Form,
        whole: bool,
        (mut tokens, span): (Vec<Token>, Span),
        from: usize,
    ) -> Result<Self, Misread> {
        let mut clause = Self {
            source,
            names,
            object: Vec::new(),
            tails: Vec::new(),
            after_colon: None,
            nested: false,
            fences: Vec::new(),
            inline: None,
            span,
        };
        tokens.drain(..from.min(tokens.len()));
        if let Some(colon) = tokens.iter().position(|token| token.is_sign(':')) {
            clause.after_colon = Some(tokens.split_off(colon + 1));
            tokens.truncate(colon);
        }
        if whole {
            clause.object = tokens;
        } else {
            clause.cut_tails(tokens, form)?;
        }
        Ok(clause)
    }

    /// Cuts the object of a form that has looked at it as a whole and found tails in it.
    pub(crate) fn cut_object(&mut self, form: &Form) -> Result<(), Misread> {
        let tokens = std::mem::take(&mut self.object);
        self.cut_tails(tokens, form)
    }

    fn cut_tails(&mut self, tokens: Vec<Token>, form: &Form) -> Result<(), Misread> {
        let mut rest = tokens.into_iter();
        loop {
            if let Some((words, kind)) = keyword(rest.as_slice(), form) {
                self.begin_tail(kind, &rest.as_slice()[..words])?;
                rest.by_ref().take(words).for_each(drop);
                continue;
            }
            let Some(token) = rest.next() else { return Ok(()) };
            match self.tails.last_mut() {
                Some(tail) => {
                    tail.span = tail.span.to(token.span);
                    tail.tokens.push(token);
                }
                None => self.object.push(token),
            }
        }
    }

    fn begin_tail(&mut self, kind: TailKind, keyword: &[Token]) -> Result<(), Misread> {
        let span = keyword.iter().fold(keyword[0].span, |all, token| all.to(token.span));
        // The `where` behind `when a … exists` belongs to the guard.
        let guarded = kind == TailKind::Where
            && self.tails.last().is_some_and(|tail| matches!(tail.kind, TailKind::When | TailKind::Unless));
        let repeatable = guarded || matches!(kind, TailKind::WithHeader | TailKind::ThenBy);
        if !repeatable && self.tails.iter().any(|tail| tail.kind == kind) {
            let word = span.slice(self.source).to_owned();
            return Err(Misread { expected: format!("`{word}` only once"), word: Some(word), span });
        }
        let mut tokens = Vec::new();
        if kind == TailKind::PerPage {
            let before = match self.tails.last_mut() {
                Some(tail) => &mut tail.tokens,
                None => &mut self.object,
            };
            tokens.extend(before.pop());
        }
        self.tails.push(Tail { kind, tokens, span });
        Ok(())
    }

    /// Takes out a tail.
    pub(crate) fn take(&mut self, kind: TailKind) -> Option<Tail> {
        let at = self.tails.iter().position(|tail| tail.kind == kind)?;
        Some(self.tails.remove(at))
    }

    /// Takes out a tail that has nothing behind its keyword; gives whether it was there.
    pub(crate) fn take_flag(&mut self, kind: TailKind) -> Result<bool, Misread> {
        match self.take(kind) {
            None => Ok(false),
            Some(tail) => {
                let mut reader = self.reader(tail.tokens, tail.span);
                reader.end("a comma or the end of the sentence")?;
                Ok(true)
            }
        }
    }

    /// Looks at a sequence of tokens.
    pub(crate) fn reader(&self, tokens: Vec<Token>, span: Span) -> Reader<'s> {
        Reader::over(self.source, self.names, tokens, span)
    }

    /// Takes the object out for reading.
    pub(crate) fn take_object(&mut self) -> Reader<'s> {
        let tokens = std::mem::take(&mut self.object);
        self.reader(tokens, self.span)
    }

    /// Reads one code span from a tail, if the tail is there.
    pub(crate) fn one_code(
        &mut self,
        kind: TailKind,
        expected: &'static str,
    ) -> Result<Option<Code>, Misread> {
        let Some(tail) = self.take(kind) else { return Ok(None) };
        let mut reader = self.reader(tail.tokens, tail.span);
        let code = reader.code(expected)?;
        reader.end("a comma or the end of the sentence")?;
        Ok(Some(code))
    }

    /// Reads conditions from a tail, if the tail is there.
    pub(crate) fn conditions(&mut self, kind: TailKind) -> Result<Option<Joined>, Misread> {
        let Some(tail) = self.take(kind) else { return Ok(None) };
        let mut reader = self.reader(tail.tokens, tail.span);
        reader.conditions().map(Some)
    }

    /// Reads code spans joined by commas and *and* from a tail, if the tail is there.
    pub(crate) fn codes(
        &mut self,
        kind: TailKind,
        expected: &'static str,
    ) -> Result<Option<Vec<Code>>, Misread> {
        let Some(tail) = self.take(kind) else { return Ok(None) };
        let mut reader = self.reader(tail.tokens, tail.span);
        let codes = reader.codes(expected)?;
        reader.end("a comma and a code span, or the end of the sentence")?;
        Ok(Some(codes))
    }

    /// Reads a refusal from a tail, if the tail is there.
    pub(crate) fn refusal(&mut self, kind: TailKind) -> Result<Option<Refusal>, Misread> {
        let Some(tail) = self.take(kind) else { return Ok(None) };
        let mut reader = self.reader(tail.tokens, tail.span);
        let refusal = reader.refusal()?;
        reader.end("the end of the sentence")?;
        Ok(Some(refusal))
    }

    /// That something that the form needs is not there.
    pub(crate) fn missing(&self, expected: &str) -> Misread {
        Misread { word: None, expected: expected.to_owned(), span: self.span }
    }

    /// Ends the reading of a form: everything must have been taken.
    pub(crate) fn end(mut self) -> Result<(), Misread> {
        let mut object = self.take_object();
        object.end("a code span in backticks")?;
        if let Some(tail) = self.tails.first() {
            let word = tail.span.slice(self.source).to_owned();
            return Err(Misread {
                word: Some(word),
                expected: "the end of the sentence".to_owned(),
                span: tail.span,
            });
        }
        match self.after_colon.take() {
            Some(tokens) if !tokens.is_empty() => {
                let mut rest = self.reader(tokens, self.span);
                rest.end("the end of the sentence")
            }
            Some(_) => Err(Misread {
                word: Some(":".to_owned()),
                expected: "a full stop: this form takes no steps below it".to_owned(),
                span: self.span,
            }),
            None if self.nested => Err(Misread {
                word: None,
                expected: "no steps below it; only `If`, `Otherwise` and `For each` take them".to_owned(),
                span: self.span,
            }),
            None => Ok(()),
        }
    }
}

/// The tail whose keyword stands at the start of `tokens`, if the form knows it: how many tokens, and which tail.
fn keyword(tokens: &[Token], form: &Form) -> Option<(usize, TailKind)> {
    let first = tokens.first().and_then(Token::word)?;
    let alike = BY_LETTER.get(usize::from(first.bytes().next()?))?.iter();
    alike.filter(|(words, _)| words[0] == first).find_map(|(words, kind)| {
        let guard = matches!(kind, TailKind::When | TailKind::Unless | TailKind::Where);
        let known = guard || form.tails.contains(kind);
        let fits =
            tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word));
        (known && fits).then_some((words.len(), *kind))
    })
}
