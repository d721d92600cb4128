//! The clock of a flow: ``The clock advances by `1 h`.`` and ``The clock stands at `2026-02-28T12:00:00Z`.``

use super::Reading;
use super::names::Scope;
use crate::behaviour::FlowAction;
use crate::expression::Expression;
use crate::steps::clause::{Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::{Sentence, Token};
use crate::value::Value;
use crate::value::text::{parse_date, parse_timestamp};
use crate::value::timestamp_of;
use formwork_model::values::{Type, parse_duration};

/// For messages.
pub(super) static FORM: Form = Form {
    name: "clock",
    heads: &[],
    notation: "The clock advances by `1 h`. · The clock stands at `2026-02-28T12:00:00Z`.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// Reads a sentence about the clock; nothing when it is none.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Reading {
    let tokens = &sentence.tokens;
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    if !(has("clock") || has("time")) {
        return None;
    }
    let starts = |words: &[&str]| {
        tokens.len() > words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
    };
    if starts(&["the", "clock", "stands"]) || starts(&["the", "clock", "is", "at"]) {
        return Some(stands(scope, sentence));
    }
    let subject = tokens.iter().take_while(|token| !token.is("advances") && !token.is("advance"));
    let plain = subject.clone().all(|token| token.word().is_some()) && subject.count() < tokens.len();
    (plain && (has("advances") || has("advance"))).then(|| advance(scope, sentence))
}

fn stands(scope: &mut Scope<'_>, sentence: &Sentence) -> Result<Option<FlowAction>, Misread> {
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, &sentence.tokens, sentence.span);
    while reader.word("clock") || reader.word("stands") || reader.word("is") || reader.word("at") {}
    let code = reader.code("an instant, such as `2026-02-28T12:00:00Z`")?;
    reader.end("the end of the sentence")?;
    let text = code.text(scope.world.source).trim().trim_matches('"').to_owned();
    let at = parse_timestamp(&text).or_else(|| parse_date(&text).map(|days| timestamp_of(days, 0)));
    if let Some(at) = at {
        let value = Expression::Constant(Value::Timestamp(at));
        return Ok(Some(FlowAction::ClockStands { at: Some(at), value, text }));
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(Misread {
            word: Some(text),
            expected: "an instant, such as `2026-02-28T12:00:00Z`".to_owned(),
            span: code.span(),
        });
    }
    let Some(value) = scope.typed(&code, &Type::Timestamp, "the clock") else { return Ok(None) };
    let at = match &value {
        Expression::Constant(Value::Timestamp(at)) => Some(*at),
        _ => None,
    };
    Ok(Some(FlowAction::ClockStands { at, value, text }))
}

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
