//! Reads the items of a behaviour or standing step into sentences, each a step, a remark or prose. Grammar alone:
//! whether a behaviour is executed is decided by what was read, before any name is looked at.

use crate::steps::clause::{Clause, Misread, Reader};
use crate::steps::heads::find_head;
use crate::steps::{Action, Form, Glossary, Grammar, Guard};
use crate::tokens::{self, Sentence, Token};
use formwork_model::facts::StepItem;
use formwork_syntax::{Fence, Span};

/// The sentences of a behaviour or block, in order.
#[derive(Debug, Default)]
pub(crate) struct Sentences(pub(crate) Vec<Read>);

/// A sentence that was read.
#[derive(Debug)]
pub(crate) struct Read {
    /// Where.
    pub(crate) span: Span,
    /// As what.
    pub(crate) reading: Reading,
    /// The sentences below it.
    pub(crate) nested: Sentences,
}

/// As what a sentence was read.
#[derive(Debug)]
pub(crate) enum Reading {
    /// A step.
    Step(Understood),
    /// `Note: …`
    Remark,
    /// No form begins so.
    Prose,
    /// A form that this version does not run.
    Unsupported(&'static Form),
    /// A form begins so and does not parse.
    Misread(&'static Form, Misread),
}

/// A step with what governs it.
#[derive(Debug)]
pub(crate) struct Understood {
    /// Its form.
    pub(crate) form: &'static Form,
    /// What it does.
    pub(crate) action: Box<dyn Action>,
    /// `when`, `if`, `unless`.
    pub(crate) guard: Option<Guard>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Sentences {
    /// Every sentence, nested ones after the one above them.
    pub(crate) fn flat(&self) -> Vec<&Read> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect<'r>(&'r self, all: &mut Vec<&'r Read>) {
        for read in &self.0 {
            all.push(read);
            read.nested.collect(all);
        }
    }
}

impl Read {
    /// The step, if it is one.
    pub(crate) fn step(&self) -> Option<&Understood> {
        match &self.reading {
            Reading::Step(step) => Some(step),
            _ => None,
        }
    }

    /// Whether it is a step that says who may call.
    pub(crate) fn says_who_may(&self) -> bool {
        self.step().is_some_and(|step| step.action.who_may().is_some())
    }

    /// Whether it is a step that makes a behaviour executable: any but *Requires* and *Public*.
    pub(crate) fn executes(&self) -> bool {
        match &self.reading {
            Reading::Step(step) => step.action.who_may().is_none(),
            _ => false,
        }
    }
}

/// Reads items; `names` are the names of entities and components in lower-case words.
pub(crate) fn read_items(source: &str, names: &Glossary, items: &[StepItem]) -> Sentences {
    let mut all = Vec::new();
    for item in items {
        let sentences = tokens::sentences(source, &item.text);
        let nested = read_items(source, names, &item.nested);
        let has_nested = !nested.0.is_empty();
        let last = sentences.len().saturating_sub(1);
        if sentences.is_empty() {
            all.extend(nested.0);
            continue;
        }
        let mut nested = Some(nested);
        for (at, sentence) in sentences.into_iter().enumerate() {
            let is_last = at == last;
            let below = Below {
                nested: is_last && has_nested,
                fences: if is_last { &item.fences } else { &[] },
                depth: DEEPEST,
            };
            let mut read = read_within(source, names, sentence, below);
            if is_last && let Some(Sentences(below)) = nested.take() {
                read.nested.0.extend(below);
            }
            all.push(read);
        }
    }
    Sentences(all)
}

/// How many steps may stand inside one another in one sentence: ``If `a`, if `b`, …``
const DEEPEST: usize = 8;

/// Reads one sentence.
pub(crate) fn read_sentence(source: &str, names: &Glossary, sentence: Sentence, nested: bool) -> Read {
    read_within(source, names, sentence, Below { nested, fences: &[], depth: DEEPEST })
}

/// What stands below a sentence.
#[derive(Clone, Copy)]
struct Below<'b> {
    /// Whether items do.
    nested: bool,
    fences: &'b [Fence],
    /// How many steps may still stand inside this one.
    depth: usize,
}

fn read_within(source: &str, names: &Glossary, sentence: Sentence, below: Below<'_>) -> Read {
    let Below { nested, fences, depth } = below;
    let Sentence { tokens, span } = sentence;
    let plain = |reading| Read { span, reading, nested: Sentences::default() };
    if tokens.first().is_some_and(|token| token.is("note"))
        && tokens.get(1).is_some_and(|token| token.is_sign(':'))
    {
        return plain(Reading::Remark);
    }
    let Some((form, from)) = find_form(source, names, &tokens) else { return plain(Reading::Prose) };
    let (read, whole) = match form.grammar {
        Grammar::Tails(read) => (read, false),
        Grammar::Whole(read) => (read, true),
        Grammar::Unsupported => return plain(Reading::Unsupported(form)),
    };
    let step = || {
        let mut clause = Clause::cut(source, names, form, whole, (tokens, span), from)?;
        clause.nested = nested;
        clause.fences = fences.to_vec();
        let guard = Guard::read(&mut clause)?;
        let action = read(&mut clause)?;
        let inline = clause.inline.take();
        if inline.is_some() && depth == 0 {
            return Err(clause.missing("fewer steps inside one another: put them below"));
        }
        clause.end()?;
        Ok((Understood { form, action, guard }, inline))
    };
    match step() {
        Err(misread) => plain(Reading::Misread(form, misread)),
        Ok((step, inline)) => {
            let mut read = plain(Reading::Step(step));
            if let Some(inline) = inline {
                let below = Below { nested: false, fences: &[], depth: depth.saturating_sub(1) };
                read.nested.0.push(read_within(source, names, inline, below));
            }
            read
        }
    }
}

/// The form whose head stands at the start of a sentence behind the subject, and the first token behind the head.
fn find_form(source: &str, names: &Glossary, tokens: &[Token]) -> Option<(&'static Form, usize)> {
    let at = |start: usize| {
        let (form, length) = find_head(tokens.get(start..)?)?;
        Some((form, start + length))
    };
    subjects(source, names, tokens).into_iter().find_map(at)
}

/// Where a head may begin: at the start, or behind `It`, `The service` or a component's name.
fn subjects(source: &str, names: &Glossary, tokens: &[Token]) -> Vec<usize> {
    let mut starts = vec![0];
    let article = usize::from(tokens.first().is_some_and(|token| token.is("the")));
    let rest = &tokens[article..];
    match rest.first() {
        Some(token) if token.is("it") || token.is("then") || token.is("and") => starts.push(article + 1),
        Some(token) if ["service", "system", "operation"].iter().any(|word| token.is(word)) => {
            starts.push(article + 1)
        }
        Some(token) if token.code().is_some() => {
            let shown = token.shown(source).to_lowercase();
            if names.has(&shown.replace(['_', '-'], " ")) {
                starts.push(article + 1);
            }
        }
        _ => {}
    }
    let longest = names.lengths(rest).into_iter().rfind(|length| rest.len() > *length);
    starts.extend(longest.map(|length| article + length));
    starts
}

/// A reader over a sentence, for forms that cut it themselves.
pub(crate) fn sentence_of(tokens: Vec<Token>) -> Option<Sentence> {
    let span = tokens.first()?.span.to(tokens.last()?.span);
    Some(Sentence { tokens, span })
}

/// The rest of a reader as a sentence.
pub(crate) fn rest_of(reader: &mut Reader<'_>) -> Option<Sentence> {
    let mut rest = Vec::new();
    while let Some(token) = reader.take_any() {
        rest.push(token);
    }
    sentence_of(rest)
}
