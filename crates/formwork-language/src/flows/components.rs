//! Components in a flow: their standing steps run, they fail and come back, and external ones are played by the test.

use super::calls::method_and_path;
use super::names::Scope;
use crate::behaviour::{Fault, FlowAction, PartnerAnswer, RowCount, flow_slots};
use crate::expression::Kind;
use crate::notes::NoteKind;
use crate::steps::clause::{Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::{Sentence, Token};
use formwork_model::names::nearest;
use formwork_model::sections::components::Component;
use formwork_model::values::{parse_duration, parse_outcome};
use formwork_syntax::Code;
use std::sync::Arc;

/// For messages.
pub(super) static FORM: Form = Form {
    name: "component",
    heads: &[],
    notation: "`Component` runs. · `Component` is unavailable. · `Component` is slow by `D`. · `Component` answers \
               `STATUS` [with `{…}`]. · `Component` is back.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// For messages about external components.
pub(super) static PARTNER: Form = Form {
    name: "external component",
    heads: &[],
    notation: "`Component` answers `POST /path` with `STATUS` [and `{…}`] [with header `Name` = `EXPR`] [after `D`] \
               [for the next `N` calls]. · `Component` does not answer `POST /path`. · `Component` was called \
               `POST /path` `N` times [with `EXPR`].",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// What a sentence says of its component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Runs,
    Answers,
    IsSilent,
    WasCalled,
    WasNotCalled,
    Unavailable,
    Slow,
    Back,
}

/// The words of each verb, longer ones first.
const VERBS: [(&[&str], Verb); 11] = [
    (&["was", "not", "called"], Verb::WasNotCalled),
    (&["was", "never", "called"], Verb::WasNotCalled),
    (&["does", "not", "answer"], Verb::IsSilent),
    (&["do", "not", "answer"], Verb::IsSilent),
    (&["is", "slow"], Verb::Slow),
    (&["was", "called"], Verb::WasCalled),
    (&["is", "unavailable"], Verb::Unavailable),
    (&["is", "back"], Verb::Back),
    (&["answers"], Verb::Answers),
    (&["runs"], Verb::Runs),
    (&["run"], Verb::Runs),
];

/// Reads a sentence about a component; nothing when it is none.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Option<(&'static Form, Found)> {
    let tokens = &sentence.tokens;
    let (at, length, verb) = (1..tokens.len()).find_map(|at| {
        let rest = &tokens[at..];
        let fits = |words: &[&str]| {
            rest.len() >= words.len() && words.iter().zip(rest).all(|(word, token)| token.is(word))
        };
        VERBS.iter().find(|(words, _)| fits(words)).map(|(words, verb)| (at, words.len(), *verb))
    })?;
    let rest = &tokens[at + length..];
    if !is_formal(scope.world.source, &tokens[..at], verb, rest) {
        return None;
    }
    let component = match subject(scope, &tokens[..at]) {
        Ok(component) => component,
        Err(Some((name, token))) => {
            let known = scope.world.model.components.iter().map(|it| it.name.value.as_str());
            let nearest = nearest(&name, known).map(str::to_owned);
            scope.note(NoteKind::UnknownName { what: "component", name, nearest }, token.span);
            return Some((&FORM, Ok(None)));
        }
        Err(None) => return None,
    };
    let is_played = match verb {
        Verb::WasCalled | Verb::WasNotCalled => true,
        Verb::IsSilent => !rest.is_empty(),
        Verb::Answers => {
            rest.first().is_some_and(|next| method_and_path(&next.shown(scope.world.source)).is_some())
        }
        _ => false,
    };
    if is_played && !component.external {
        let expected =
            "an external component: one whose title or Technology says *external*, or that has an Upstream";
        let span = tokens[..at].iter().fold(tokens[0].span, |span, token| span.to(token.span));
        let word = Some(component.name.value.clone());
        return Some((&PARTNER, Err(Misread { word, expected: expected.to_owned(), span })));
    }
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, rest, sentence.span);
    let name: Arc<str> = component.name.value.as_str().into();
    let fault = |fault| FlowAction::Fault { component: name.clone(), external: component.external, fault };
    let (form, found) = match verb {
        Verb::Runs => (&FORM, Ok(Some(FlowAction::RunComponent(name)))),
        Verb::Unavailable => (&FORM, Ok(Some(fault(Fault::Unavailable)))),
        Verb::Back => (&FORM, Ok(Some(fault(Fault::Back)))),
        Verb::Slow => (&FORM, slow(scope, &mut reader).map(|by| Some(fault(Fault::Slow(by))))),
        Verb::IsSilent if rest.is_empty() => (&FORM, Ok(Some(fault(Fault::Unavailable)))),
        Verb::IsSilent => (&PARTNER, silent(scope, component, &mut reader)),
        Verb::Answers => answers(scope, component, &mut reader),
        Verb::WasCalled => (&PARTNER, called(scope, component, &mut reader, false)),
        Verb::WasNotCalled => (&PARTNER, called(scope, component, &mut reader, true)),
    };
    Some((form, found))
}

/// Whether a sentence says what a test could do or look at: many flows tell in prose who answers what.
fn is_formal(source: &str, subject: &[Token], verb: Verb, rest: &[Token]) -> bool {
    let is_quoted = subject.last().is_some_and(|token| token.code().is_some());
    let mut codes = rest.iter().filter(|token| token.code().is_some()).map(|token| token.shown(source));
    let first = codes.next().unwrap_or_default();
    let mut has_status = || codes.any(|code| parse_outcome(code.trim()).is_some());
    let has_route = method_and_path(&first).is_some();
    match verb {
        Verb::Runs | Verb::Unavailable | Verb::Back => rest.is_empty(),
        Verb::Slow => true,
        Verb::Answers => has_route || (is_quoted && (parse_outcome(first.trim()).is_some() || has_status())),
        Verb::IsSilent => has_route || (is_quoted && rest.is_empty()),
        Verb::WasCalled | Verb::WasNotCalled => has_route || is_quoted,
    }
}

type Found = Result<Option<FlowAction>, Misread>;

/// The component that the sentence is about; otherwise the name that is none, when it stands alone in backticks.
fn subject<'w>(scope: &Scope<'w>, tokens: &[Token]) -> Result<&'w Component, Option<(String, Token)>> {
    let from = usize::from(tokens.first().is_some_and(|token| token.is("the") || token.is("and")));
    let words = tokens.get(from..).unwrap_or_default();
    let joined: Vec<String> = words.iter().map(|token| token.shown(scope.world.source)).collect();
    if let Some(component) = scope.world.find_component(joined.join(" ").trim()) {
        return Ok(component);
    }
    match words {
        [only] if only.code().is_some() => {
            let name = only.shown(scope.world.source).trim().to_owned();
            // Roles act, and what they run or answer is prose.
            let acts = scope.program.roles.iter().any(|role| **role == *name);
            Err((!acts).then(|| (name, only.clone())))
        }
        _ => Err(None),
    }
}

fn slow(scope: &Scope<'_>, reader: &mut Reader<'_>) -> Result<i64, Misread> {
    reader.word("by");
    let by = duration(scope, reader)?;
    reader.end("the end of the sentence")?;
    Ok(by)
}

/// A duration, with or without backticks.
fn duration(scope: &Scope<'_>, reader: &mut Reader<'_>) -> Result<i64, Misread> {
    let start = reader.position();
    let expected = "a duration, such as `30 s`";
    let mut text = String::new();
    for _ in 0..2 {
        let Some(token) = reader.take_any() else { break };
        text = format!("{text} {}", token.shown(scope.world.source));
        if let Some(duration) = parse_duration(text.trim()).filter(|it| *it >= 0) {
            return Ok(duration);
        }
    }
    reader.rewind(start);
    Err(reader.misread(expected))
}

/// `METHOD /path` in backticks, if it comes next.
fn route(scope: &Scope<'_>, reader: &mut Reader<'_>) -> Option<(Arc<str>, Arc<str>)> {
    let start = reader.position();
    let code = reader.opt_code()?;
    match method_and_path(&code.text(scope.world.source)) {
        Some((method, path)) => Some((method.into(), path.into())),
        None => {
            reader.rewind(start);
            None
        }
    }
}

const ROUTE: &str = "a method and a path, such as `POST /v1/charges`";

fn silent(scope: &mut Scope<'_>, component: &Component, reader: &mut Reader<'_>) -> Found {
    let Some((method, path)) = route(scope, reader) else { return Err(reader.misread(ROUTE)) };
    let times = for_the_next(reader)?;
    reader.end("`for the next` or the end of the sentence")?;
    let component = component.name.value.as_str().into();
    Ok(Some(FlowAction::PartnerAnswers { component, method, path, answer: None, times }))
}

/// ``for the next `2` calls``, `once`, `twice`
fn for_the_next(reader: &mut Reader<'_>) -> Result<Option<u32>, Misread> {
    reader.sign(',');
    for (word, times) in [("once", 1), ("twice", 2)] {
        if reader.word(word) {
            return Ok(Some(times));
        }
    }
    if !reader.word("for") {
        return Ok(None);
    }
    if !reader.word("next") {
        return Err(reader.misread("`the next` and how many calls"));
    }
    if reader.word("call") {
        return Ok(Some(1));
    }
    let before = reader.position();
    let times = reader.number("how many calls")?;
    let Some(times) = u32::try_from(times).ok().filter(|times| *times > 0) else {
        reader.rewind(before);
        return Err(reader.misread("how many calls, 1 or more"));
    };
    if !reader.word("calls") && !reader.word("call") {
        return Err(reader.misread("`calls`"));
    }
    Ok(Some(times))
}

fn answers(scope: &mut Scope<'_>, component: &Component, reader: &mut Reader<'_>) -> (&'static Form, Found) {
    let Some((method, path)) = route(scope, reader) else {
        return (&FORM, answers_everything(scope, component, reader));
    };
    (&PARTNER, partner_answers(scope, component, reader, method, path))
}

/// ``answers `STATUS` [with `json`]``
fn answers_everything(scope: &mut Scope<'_>, component: &Component, reader: &mut Reader<'_>) -> Found {
    while reader.word("with") || reader.word("everything") || reader.word("every") || reader.word("call") {}
    let status = status(reader, "a status, or a method and a path such as `POST /v1/charges`")?;
    let code = if reader.word("with") || reader.word("and") {
        Some(reader.code("the body in backticks")?)
    } else {
        None
    };
    reader.end("`with` or the end of the sentence")?;
    let (complete, body) = body(scope, code.as_ref());
    let fault = Fault::Answers { status, body };
    let (component, external) = (component.name.value.as_str().into(), component.external);
    Ok(complete.then_some(FlowAction::Fault { component, external, fault }))
}

fn status(reader: &mut Reader<'_>, expected: &str) -> Result<u16, Misread> {
    let before = reader.position();
    let number = reader.number(expected)?;
    u16::try_from(number).ok().filter(|status| (100..600).contains(status)).ok_or_else(|| {
        reader.rewind(before);
        reader.misread("a status from 100 to 599")
    })
}

/// The body of an answer; whether all of it was understood.
fn body(scope: &mut Scope<'_>, code: Option<&Code>) -> (bool, Option<crate::expression::Expression>) {
    let Some(code) = code else { return (true, None) };
    let value = scope.knowing("request", flow_slots::REQUEST, Kind::Dynamic, |scope| scope.value(code));
    (value.is_some(), value)
}

fn partner_answers(
    scope: &mut Scope<'_>,
    component: &Component,
    reader: &mut Reader<'_>,
    method: Arc<str>,
    path: Arc<str>,
) -> Found {
    if !reader.word("with") {
        return Err(reader.misread("`with` and a status"));
    }
    let status = status(reader, "a status, such as `201`")?;
    let mut answer = PartnerAnswer { status, body: None, headers: Vec::new(), after: 0 };
    let (mut times, mut complete) = (None, true);
    loop {
        let start = reader.position();
        reader.sign(',');
        if reader.exact_words(&["with", "header"]) || reader.exact_words(&["and", "header"]) {
            let (name, value) = crate::steps::read_header(reader)?;
            let name: Arc<str> = name.text(scope.world.source).trim().to_lowercase().into();
            let value = scope.value(&value);
            complete &= value.is_some();
            answer.headers.extend(value.map(|value| (name, value)));
        } else if answer.body.is_none() && (reader.word("and") || reader.word("with")) {
            let code = reader.code("the body in backticks")?;
            let (understood, found) = body(scope, Some(&code));
            complete &= understood;
            answer.body = found;
        } else if answer.after == 0 && reader.word("after") {
            answer.after = duration(scope, reader)?;
        } else {
            reader.rewind(start);
            times = match times {
                None => for_the_next(reader)?,
                some => some,
            };
            break;
        }
    }
    reader.end("`and` and the body, `with header`, `after`, `for the next` or the end of the sentence")?;
    let component = component.name.value.as_str().into();
    let answer = Some(answer);
    Ok(complete.then_some(FlowAction::PartnerAnswers { component, method, path, answer, times }))
}

/// ``was called [`POST /path`] [`N` times] [with `EXPR`]``
fn called(scope: &mut Scope<'_>, component: &Component, reader: &mut Reader<'_>, never: bool) -> Found {
    let found = route(scope, reader);
    let count = if never { RowCount::Exactly(0) } else { times(reader)? };
    let with = if reader.word("with") { Some(reader.code("a condition in backticks")?) } else { None };
    reader.end("a method and a path, how many `times`, `with` or the end of the sentence")?;
    let with = match with {
        Some(code) => match scope.request_condition(&code) {
            Some(condition) => Some(condition),
            None => return Ok(None),
        },
        None => None,
    };
    let (method, path) = found.unzip();
    let component = component.name.value.as_str().into();
    Ok(Some(FlowAction::PartnerCalled { component, method, path, count, with }))
}

/// `once`, `twice`, ``[exactly / at least / at most] `N` times``; at least once when nothing is said.
fn times(reader: &mut Reader<'_>) -> Result<RowCount, Misread> {
    for (word, times) in [("once", 1), ("twice", 2)] {
        if reader.word(word) {
            return Ok(RowCount::Exactly(times));
        }
    }
    let least = reader.exact_words(&["at", "least"]);
    let most = !least && reader.exact_words(&["at", "most"]);
    let exactly = reader.word("exactly");
    let Ok(number) = reader.number("how many") else {
        return match least || most || exactly {
            true => Err(reader.misread("how many times")),
            false => Ok(RowCount::AtLeast(1)),
        };
    };
    if !reader.word("times") && !reader.word("time") {
        return Err(reader.misread("`times`"));
    }
    Ok(match (least, most) {
        (true, _) => RowCount::AtLeast(number),
        (_, true) => RowCount::AtMost(number),
        _ => RowCount::Exactly(number),
    })
}
