//! Steps of a flow that are no calls: rows that there are, events that were emitted, the clock, components.

use crate::behaviour::{FlowAction, RowCount};
use crate::flows::Reading;
use crate::flows::names::Scope;
use crate::notes::NoteKind;
use crate::steps::clause::{Joined, Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::{Sentence, Token};
use formwork_model::names::nearest;
use formwork_model::values::parse_duration;
use formwork_syntax::Code;
use std::sync::Arc;

/// For messages.
pub(super) static FORM: Form = Form {
    name: "flow step",
    heads: &[],
    notation: "There are N `E` [where `EXPR`]. · A `E` exists where `EXPR`. · No `E` exists where `EXPR`. · \
               Event `e` was emitted [N times] [with `EXPR`]. · The clock advances by `1 h`. · `Component` runs.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// Reads a sentence that is no call; nothing when it is none of these forms.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Reading {
    let tokens = &sentence.tokens;
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    let first = |word: &str| tokens.first().is_some_and(|token| token.is(word));
    let codes = tokens.iter().filter(|token| token.code().is_some()).count();
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, tokens.clone(), sentence.span);
    if first("there") && codes > 0 {
        return Some(there_are(scope, &mut reader));
    }
    if codes > 0 && (has("exists") || has("exist")) {
        return Some(exists(scope, &mut reader));
    }
    if codes > 0 && has("emitted") {
        return Some(emitted(scope, &mut reader));
    }
    if (has("clock") || has("time")) && (has("advances") || has("advance")) {
        return Some(advance(scope, sentence));
    }
    runs(scope, sentence)
}

/// The name of a form that the language has and this version does not carry out, if the sentence is one.
pub(super) fn unsupported(scope: &Scope<'_>, sentence: &Sentence) -> Option<&'static str> {
    let tokens = &sentence.tokens;
    let starts = |words: &[&str]| {
        tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
    };
    let ends = |words: &[&str]| {
        tokens.len() > words.len()
            && words.iter().rev().zip(tokens.iter().rev()).all(|(word, token)| token.is(word))
    };
    let has_code = tokens.iter().any(|token| token.code().is_some());
    let colon = tokens.last().is_some_and(|token| token.is_sign(':'));
    let component = || component_before(scope, tokens, tokens.len()).is_some();
    Some(match () {
        () if starts(&["given"]) && has_code => "Given",
        () if starts(&["metric"]) && has_code => "Metric … is",
        () if starts(&["the", "sum", "of"]) && has_code => "The sum of … is",
        () if starts(&["the", "clock", "stands", "at"]) => "The clock stands at",
        () if starts(&["begins", "where", "flow"]) => "Begins where flow … ended",
        () if starts(&["at", "once"]) && colon => "At once:",
        () if starts(&["twice"]) && colon => "Twice:",
        () if colon && ends(&["times"]) => "N times:",
        () if ends(&["is", "unavailable"]) && component() => "Component is unavailable",
        () if ends(&["is", "back"]) && component() => "Component is back",
        () => return None,
    })
}

/// ``There are N `E` [where `EXPR`].``
fn there_are(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<FlowAction>, Misread> {
    reader.word("there");
    if !reader.word("are") && !reader.word("is") {
        return Err(reader.misread("`are`"));
    }
    reader.word("exactly");
    let count = if reader.word("no") {
        RowCount::Exactly(0)
    } else if reader.exact_words(&["at", "least"]) {
        RowCount::AtLeast(reader.number("how many")?)
    } else if let Ok(number) = reader.number("how many") {
        RowCount::Exactly(number)
    } else {
        return Err(reader.misread("how many"));
    };
    let entity = reader.code("the name of an entity in backticks")?;
    let filter = if reader.word("where") { Some(reader.conditions()?) } else { None };
    reader.end("`where` or the end of the sentence")?;
    Ok(count_rows(scope, &entity, count, filter.as_ref()))
}

/// ``A `E` exists where `EXPR`.`` · ``No `E` exists where `EXPR`.``
fn exists(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<FlowAction>, Misread> {
    let none = reader.word("no");
    let entity = reader.code("the name of an entity in backticks")?;
    if !reader.word("exists") && !reader.word("exist") {
        return Err(reader.misread("`exists`"));
    }
    let filter = if reader.word("where") { Some(reader.conditions()?) } else { None };
    reader.end("`where` or the end of the sentence")?;
    let count = if none { RowCount::Exactly(0) } else { RowCount::AtLeast(1) };
    Ok(count_rows(scope, &entity, count, filter.as_ref()))
}

fn count_rows(
    scope: &mut Scope<'_>,
    entity: &Code,
    count: RowCount,
    filter: Option<&Joined>,
) -> Option<FlowAction> {
    let name = entity.text(scope.world.source).trim().to_owned();
    let Some(id) = scope.world.find_entity(&name) else {
        let kind = scope.world.unknown_entity(&name);
        scope.note(kind, entity.span());
        return None;
    };
    let text = match filter {
        None => None,
        Some(joined) => {
            for code in &joined.codes {
                scope.filter(id, code)?;
            }
            let parts: Vec<String> =
                joined.codes.iter().map(|code| code.text(scope.world.source).into_owned()).collect();
            Some(match parts.as_slice() {
                [one] => one.clone(),
                many => format!("({})", many.join(if joined.any { ") || (" } else { ") && (" })),
            })
        }
    };
    let variables = if text.is_some() { scope.remembered() } else { Vec::new() };
    let entity = scope.world.table(id).name.clone();
    Some(FlowAction::CountRows { entity, count, filter: text.map(Arc::from), variables })
}

/// ``Event `e` was emitted [N times] [with `EXPR`].``
fn emitted(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<FlowAction>, Misread> {
    let no = reader.word("no");
    reader.word("event");
    let event = reader.code("the name of an event in backticks")?;
    if !reader.word("was") && !reader.word("is") && !reader.word("were") {
        return Err(reader.misread("`was emitted`"));
    }
    let not = reader.word("not") || reader.word("never");
    if !reader.word("emitted") {
        return Err(reader.misread("`emitted`"));
    }
    let mut times = if no || not { Some(0) } else { None };
    reader.word("exactly");
    if times.is_none() {
        if reader.word("once") {
            times = Some(1);
        } else if reader.word("twice") {
            times = Some(2);
        } else if let Ok(number) = reader.number("how many") {
            times = Some(u32::try_from(number).unwrap_or(u32::MAX));
            if !reader.word("times") && !reader.word("time") {
                return Err(reader.misread("`times`"));
            }
        }
    }
    let with = if reader.word("with") { Some(reader.code("a condition in backticks")?) } else { None };
    reader.end("`times`, `with` or the end of the sentence")?;
    let name = event.text(scope.world.source).trim().to_owned();
    if !scope.targets.has_event(&name) {
        let near = nearest(&name, scope.program.events.iter().map(|known| &*known.name)).map(str::to_owned);
        let kind = NoteKind::UnknownName { what: "event", name, nearest: near };
        scope.note(kind, event.span());
        return Ok(None);
    }
    let with = match with {
        Some(code) => match scope.event_condition(&code) {
            Some(condition) => Some(condition),
            None => return Ok(None),
        },
        None => None,
    };
    Ok(Some(FlowAction::EventEmitted { event: name.into(), times, with }))
}

/// ``The clock advances by `1 h`.``
fn advance(scope: &Scope<'_>, sentence: &Sentence) -> Result<Option<FlowAction>, Misread> {
    let tokens = &sentence.tokens;
    let verb = tokens.iter().position(|token| token.is("advances") || token.is("advance")).unwrap_or(0);
    let rest: Vec<&Token> = tokens[verb + 1..].iter().filter(|token| !token.is("by")).collect();
    let text = rest.iter().map(|token| token.shown(scope.world.source)).collect::<Vec<_>>().join(" ");
    match parse_duration(text.trim()).filter(|duration| *duration > 0) {
        Some(duration) => Ok(Some(FlowAction::Advance(duration))),
        None => Err(Misread {
            word: Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            expected: "a duration, such as `1 h`".to_owned(),
            span: rest.first().map_or(sentence.span, |token| token.span),
        }),
    }
}

/// `` `Component` runs.``
fn runs(scope: &mut Scope<'_>, sentence: &Sentence) -> Reading {
    let tokens = &sentence.tokens;
    let (last, before) = tokens.split_last()?;
    if !last.is("runs") && !last.is("run") {
        return None;
    }
    if let Some(name) = component_before(scope, tokens, before.len()) {
        return Some(Ok(Some(FlowAction::RunComponent(name))));
    }
    let [only] = before else { return None };
    only.code()?;
    let name = only.shown(scope.world.source);
    let components = scope.world.model.components.iter().map(|component| component.name.value.as_str());
    let nearest = nearest(&name, components).map(str::to_owned);
    scope.note(NoteKind::UnknownName { what: "component", name, nearest }, only.span);
    Some(Ok(None))
}

/// More words than a name has.
const LONGEST_NAME: usize = 8;

/// The component that the sentence begins with.
fn component_before(scope: &Scope<'_>, tokens: &[Token], end: usize) -> Option<Arc<str>> {
    let from = usize::from(tokens.first().is_some_and(|token| token.is("the")));
    let tokens = tokens.get(from..end)?;
    let joined = |count: usize| {
        tokens[..count].iter().map(|token| token.shown(scope.world.source)).collect::<Vec<_>>().join(" ")
    };
    (1..=tokens.len().min(LONGEST_NAME)).rev().find_map(|count| {
        let name = joined(count);
        let found = scope.world.find_component(&name)?;
        Some(Arc::from(found.name.value.as_str()))
    })
}
