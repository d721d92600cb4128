//! Calls of a flow: who calls what with what, and what must come back.

use crate::behaviour::{Expectation, FlowAction, FlowCall, Target, flow_slots};
use crate::expression::{Expression, Kind};
use crate::flows::Reading;
use crate::flows::actors::{Subject, subject};
use crate::flows::blocks::WORDS;
use crate::flows::names::Scope;
use crate::lower::read_path;
use crate::notes::NoteKind;
use crate::program::{PathPart, Surface};
use crate::steps::clause::{Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::{Sentence, Token};
use formwork_model::facts::Outcome;
use formwork_model::names::nearest;
use formwork_model::values::parse_outcome;
use formwork_syntax::Code;
use std::sync::Arc;

/// For messages.
pub(super) static FORM: Form = Form {
    name: "calls",
    heads: &[],
    notation: "`actor` [as `id`] [with claim `name` = `EXPR`] calls `operation` [with `{…}`] and gets \
               `STATUS [code]` [with `EXPR`] [; remembers `x` = `EXPR`]. · N `actor` at once call `operation` …; \
               exactly M get `STATUS`.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

const CALLS: [&str; 9] =
    ["calls", "call", "sends", "send", "requests", "request", "calling", "sending", "requesting"];
const GETS: [&str; 8] = ["gets", "get", "returns", "return", "responds", "respond", "receives", "receive"];
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Reads a sentence that calls; nothing when it does not.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Reading {
    let tokens = &sentence.tokens;
    let verb = verb(tokens)?;
    let before = subject(scope.world.source, &tokens[..verb]);
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, &tokens[verb + 1..], sentence.span);
    let told = scope.notes.len();
    let read = match before.at_once {
        true => {
            scope.knowing("n", flow_slots::N, Kind::Integer, |scope| read_call(scope, &before, &mut reader))
        }
        false => read_call(scope, &before, &mut reader),
    };
    if !matches!(read, Ok(Some(_))) && !is_formal(scope.world.source, tokens) {
        // Prose that tells who calls whom: it promises no answer that a test could look at.
        scope.notes.truncate(told);
        return None;
    }
    Some(read)
}

/// Where the verb of a call stands.
fn verb(tokens: &[Token]) -> Option<usize> {
    let is_verb = |at: usize| {
        let named = tokens[at].word().is_some_and(|word| CALLS.contains(&word));
        let rest = tokens[at + 1..].iter();
        let mut rest = rest.skip_while(|token| {
            token.word().is_some_and(|word| ["the", "a", "an", "to", "request", "operation"].contains(&word))
        });
        named && rest.next().is_some_and(|token| token.code().is_some())
    };
    (0..tokens.len()).find(|at| is_verb(*at))
}

/// Whether somebody calls something.
pub(super) fn is_call(tokens: &[Token]) -> bool {
    verb(tokens).is_some()
}

/// Whether a sentence that calls says what goes in or what must come back.
pub(super) fn is_formal(source: &str, tokens: &[Token]) -> bool {
    tokens.iter().filter(|token| token.code().is_some()).any(|token| {
        let text = token.shown(source);
        parse_outcome(text.trim()).is_some() || text.trim_start().starts_with('{')
    })
}

/// Reads what a call before must give: `and gets …`, `→ …`.
pub(super) fn continuation(
    scope: &mut Scope<'_>,
    sentence: &Sentence,
) -> Option<Result<Expectation, Misread>> {
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, &sentence.tokens, sentence.span);
    while reader.word("and") || reader.word("it") || reader.word("they") {}
    if !gets(&mut reader) {
        return None;
    }
    Some(expectation(scope, &mut reader).and_then(|found| {
        reader.end("the end of the sentence")?;
        Ok(found)
    }))
}

fn read_call(
    scope: &mut Scope<'_>,
    before: &Subject,
    reader: &mut Reader<'_>,
) -> Result<Option<FlowAction>, Misread> {
    while ["to", "request", "operation"].iter().any(|word| reader.word(word)) {}
    let target = reader.code("an operation or `METHOD /path` in backticks")?;
    let found = resolve(scope, &target);
    let operation = match &found {
        Some((Target::Operation(index), _)) => Some(*index),
        _ => None,
    };
    let actor = scope.actor(before, operation);
    let (mut input, mut headers, mut again, mut complete) = (None, Vec::new(), false, true);
    loop {
        let start = reader.position();
        reader.sign(',');
        if reader.exact_words(&["with", "header"]) {
            let (name, value) = crate::steps::read_header(reader)?;
            let name: Arc<str> = name.text(scope.world.source).trim().to_lowercase().into();
            let value = scope.value(&value);
            complete &= value.is_some();
            headers.extend(value.map(|value| (name, value)));
        } else if input.is_none() && !again && reader.word("with") {
            input = Some(reader.code("the input in backticks")?);
        } else if !again && (reader.word("again") || reader.exact_words(&["once", "more"])) {
            again = true;
        } else {
            reader.rewind(start);
            break;
        }
    }
    let input = match input {
        Some(code) => {
            if let Some(object) = as_object(&code.text(scope.world.source)) {
                return Err(Misread {
                    word: Some(code.text(scope.world.source).trim().to_owned()),
                    expected: format!("an object, such as `{object}`"),
                    span: code.span(),
                });
            }
            let value = scope.value(&code);
            complete &= value.is_some();
            value
        }
        None => None,
    };
    let action = if before.count.is_some() || before.at_once {
        at_once(scope, before, reader)?
    } else {
        while reader.sign(',') || reader.sign(';') || reader.word("and") || reader.word("which") {}
        let expect = if gets(reader) { Some(expectation(scope, reader)?) } else { None };
        After::Call(expect)
    };
    reader.end("`and gets`, `→`, `with` or the end of the sentence")?;
    let (Some((target, path)), Some(actor), true) = (found, actor, complete) else { return Ok(None) };
    scope.called(operation, actor.clone());
    let call = FlowCall { actor, target, path, input, again, headers };
    Ok(Some(match action {
        After::Call(expect) => FlowAction::Call { call, expect },
        After::AtOnce { count, tally } => {
            FlowAction::AtOnce { count, call, exactly: tally.exactly, others: tally.others }
        }
    }))
}

/// What is written as an assignment, as an object.
fn as_object(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=').filter(|(_, value)| !value.starts_with('='))?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    is_name.then(|| format!("{{\"{name}\": {value}}}"))
}

/// What follows the call itself.
enum After {
    Call(Option<Expectation>),
    AtOnce { count: u32, tally: Tally },
}

/// How many of several calls get what.
#[derive(Default)]
pub(super) struct Tally {
    /// `exactly M get`
    pub(super) exactly: Vec<(u32, Expectation)>,
    /// `the others get`
    pub(super) others: Option<Expectation>,
}

/// Reads a sentence of its own that says how many of the calls before it get what; nothing when it does not.
pub(super) fn tally(
    scope: &mut Scope<'_>,
    sentence: &Sentence,
    count: u32,
) -> Option<Result<Tally, Misread>> {
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, &sentence.tokens, sentence.span);
    while reader.word("and") || reader.sign(',') || reader.sign(';') {}
    let begins = ["exactly", "all", "each", "others", "rest"].iter().any(|word| reader.word(word));
    if !begins {
        return None;
    }
    reader.back();
    Some(read_tally(scope, count, &mut reader))
}

/// `; exactly 1 gets …, exactly 2 get …, the others get …`, or `and all get …`
fn at_once(scope: &mut Scope<'_>, before: &Subject, reader: &mut Reader<'_>) -> Result<After, Misread> {
    let Some(count) = before.count.filter(|count| (1..=1_000).contains(count)) else {
        return Err(reader.misread("how many call at once, from 1 to 1,000, before the actor"));
    };
    read_tally(scope, count, reader).map(|tally| After::AtOnce { count, tally })
}

fn read_tally(scope: &mut Scope<'_>, count: u32, reader: &mut Reader<'_>) -> Result<Tally, Misread> {
    let (mut exactly, mut others) = (Vec::new(), None);
    loop {
        while reader.sign(',') || reader.sign(';') || reader.word("and") {}
        if reader.is_done() {
            break;
        }
        if reader.word("exactly") {
            let before = reader.position();
            let word = (0..).zip(WORDS).find(|(_, word)| reader.word(word)).map(|(number, _)| number);
            let wanted = word.map_or_else(|| reader.number("how many"), Ok)?;
            let Some(wanted) = u32::try_from(wanted).ok().filter(|wanted| *wanted <= count) else {
                reader.rewind(before);
                return Err(reader.misread(&format!("at most {count}: there are no more calls")));
            };
            if reader.word("of") && !reader.word("them") {
                return Err(reader.misread("`of them`"));
            }
            expect_gets(reader)?;
            exactly.push((wanted, expectation(scope, reader)?));
        } else if reader.word("others") || reader.word("rest") {
            expect_gets(reader)?;
            others = Some(expectation(scope, reader)?);
        } else {
            let all = reader.word("all") || reader.word("each");
            if !gets(reader) {
                return Err(reader.misread("`exactly` and how many get what"));
            }
            let _ = all;
            exactly.push((count, expectation(scope, reader)?));
        }
    }
    Ok(Tally { exactly, others })
}

fn expect_gets(reader: &mut Reader<'_>) -> Result<(), Misread> {
    if gets(reader) { Ok(()) } else { Err(reader.misread("`gets`")) }
}

/// Takes `gets`, `returns`, `→`, `->`.
fn gets(reader: &mut Reader<'_>) -> bool {
    let verb = GETS.iter().any(|word| reader.word(word));
    let arrow = !verb
        && (reader.sign('→') || reader.sign('⇒') || reader.signs(['-', '>']) || reader.signs(['=', '>']));
    verb || arrow
}

/// `` `STATUS [code]` [or `STATUS [code]`] [with `EXPR`] [; remembers `x` = `EXPR`] ``
fn expectation(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Expectation, Misread> {
    // `responds with 201`
    reader.word("with");
    let mut outcomes = vec![outcome(scope, reader)?];
    while reader.word("or") {
        outcomes.push(outcome(scope, reader)?);
    }
    let mut with = None;
    if outcomes.len() == 1 && reader.word("with") {
        let code = reader.code("a condition in backticks")?;
        with = scope.condition(&code);
    }
    let mut remembers = Vec::new();
    // ``gets `200` as `claim` ``: the whole answer.
    if reader.word("as") {
        let name = reader.code("the name of a variable in backticks")?;
        let text = name.text(scope.world.source).trim().to_owned();
        let slot = scope.variable(&text, name.span());
        remembers.extend(slot.map(|slot| (slot, Expression::Slot(flow_slots::RESPONSE))));
    }
    loop {
        let start = reader.position();
        while reader.sign(';') || reader.sign(',') || reader.word("and") {}
        if !reader.word("remembers") && !reader.word("remember") {
            reader.rewind(start);
            break;
        }
        remembers.extend(remembered(scope, reader)?);
    }
    Ok(Expectation { outcomes, with, remembers })
}

fn remembered(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<(u16, Expression)>, Misread> {
    let name = reader.code("`x` = `EXPR`")?;
    if !reader.sign('=') {
        let Some(assignment) = scope.assignment(&name) else { return Ok(None) };
        let value = scope.compiled(&assignment.value);
        return Ok(scope.remember(&assignment.name, assignment.name_span, value));
    }
    let value = reader.code("the value in backticks")?;
    let value = scope.value(&value);
    let text = name.text(scope.world.source).trim().to_owned();
    Ok(scope.remember(&text, name.span(), value))
}

fn outcome(scope: &Scope<'_>, reader: &mut Reader<'_>) -> Result<Outcome, Misread> {
    let expected = "a status, such as `201` or `409 slug_taken`";
    let text = reader.peek().map(|token: &Token| token.shown(scope.world.source)).unwrap_or_default();
    match parse_outcome(text.trim()) {
        Some(outcome) => {
            reader.take_any();
            Ok(outcome)
        }
        None => Err(reader.misread(expected)),
    }
}

/// A method and a path in one code span: `POST /v1/charges`.
pub(super) fn method_and_path(text: &str) -> Option<(String, String)> {
    let mut words = text.split_whitespace();
    let (method, path) = (words.next()?.to_uppercase(), words.next()?);
    let fits = METHODS.contains(&&*method) && path.starts_with('/') && words.next().is_none();
    fits.then(|| (method, path.to_owned()))
}

/// The operation that a span names, or the route that it spells, with the concrete path.
fn resolve(scope: &mut Scope<'_>, code: &Code) -> Option<(Target, Option<Arc<str>>)> {
    let text = code.text(scope.world.source).trim().to_owned();
    if let Some((method, path)) = method_and_path(&text) {
        return Some(route(scope, &method, &path));
    }
    let name = text.strip_suffix("()").unwrap_or(&text);
    let operations = &scope.program.operations;
    match scope.targets.operation(name).and_then(|at| u32::try_from(at).ok()) {
        Some(at) => Some((Target::Operation(at), None)),
        None => {
            let near = nearest(name, operations.iter().map(|operation| &*operation.name)).map(str::to_owned);
            let kind = NoteKind::UnknownName { what: "operation", name: name.to_owned(), nearest: near };
            scope.note(kind, code.span());
            None
        }
    }
}

/// The operation that answers a path: of one listener, fixed pieces before parameters; section 4 before section 5.
fn route(scope: &Scope<'_>, method: &str, path: &str) -> (Target, Option<Arc<str>>) {
    let wanted = read_path(path);
    let parameters = |route: &[PathPart]| {
        let is_parameter = |part: &PathPart| matches!(part, PathPart::Parameter(_));
        route.iter().map(is_parameter).collect::<Vec<bool>>()
    };
    let operations = scope.targets.routes(&wanted).map(|at| (at, &scope.program.operations[at]));
    let found =
        operations.filter(|(_, operation)| &*operation.method == method).min_by_key(|(at, operation)| {
            (operation.surface != Surface::Public, parameters(&operation.path), *at)
        });
    let is_template = wanted.iter().any(|piece| matches!(piece, PathPart::Parameter(_)));
    match found.and_then(|(at, _)| u32::try_from(at).ok()) {
        Some(at) => (Target::Operation(at), (!is_template).then(|| path.into())),
        None => (Target::Path { method: method.into(), path: path.into() }, Some(path.into())),
    }
}
