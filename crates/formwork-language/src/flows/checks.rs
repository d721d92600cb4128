//! What a flow looks at: rows that there are, events that were emitted, sums and metrics.

use crate::behaviour::{Amount, AmountComparison, FlowAction, RowCount};
use crate::expression::Expression;
use crate::flows::names::Scope;
use crate::notes::NoteKind;
use crate::program::{CACHE_HIT_RATIO, STANDING_FAILURES};
use crate::steps::clause::{Joined, Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::Sentence;
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_model::values::Type;
use formwork_syntax::Code;

/// For messages.
pub(super) static ROWS: Form = Form {
    name: "There are",
    heads: &[],
    notation: "There are [at least / at most] N `E` [where `EXPR`]. · A `E` exists [where `EXPR`]. · No `E` exists \
               [where `EXPR`].",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// For messages.
pub(super) static EVENT: Form = Form {
    name: "Event",
    heads: &[],
    notation: "Event `e` was emitted [once / twice / N times] [with `EXPR`]. · Event `e` was not emitted.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// For messages.
pub(super) static SUM: Form = Form {
    name: "The sum of",
    heads: &[],
    notation: "The sum of `E.f` [where `EXPR`] is [at least / at most] `EXPR`.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// For messages.
pub(super) static METRIC: Form = Form {
    name: "Metric",
    heads: &[],
    notation: "Metric `m` is [at least / at most] `EXPR`.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// What became of a sentence, see [`super::Reading`].
type Read = Result<Option<FlowAction>, Misread>;

/// Reads a sentence that is no call; nothing when it is none of these forms.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Option<(&'static Form, Read)> {
    let tokens = &sentence.tokens;
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    let first = |word: &str| tokens.first().is_some_and(|token| token.is(word));
    let codes = tokens.iter().filter(|token| token.code().is_some()).count();
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, tokens, sentence.span);
    if first("there") && codes > 0 {
        return Some((&ROWS, there_are(scope, &mut reader)));
    }
    if codes > 0 && (has("exists") || has("exist")) {
        return Some((&ROWS, exists(scope, &mut reader)));
    }
    if codes > 0 && has("emitted") {
        return Some((&EVENT, emitted(scope, &mut reader)));
    }
    let starts = |words: &[&str]| {
        tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
    };
    if codes > 0 && (starts(&["the", "sum", "of"]) || starts(&["sum", "of"])) {
        return Some((&SUM, sum(scope, &mut reader)));
    }
    if codes > 0 && (first("metric") || starts(&["the", "metric"])) {
        return Some((&METRIC, metric(scope, &mut reader)));
    }
    None
}

/// ``The sum of `E.f` [where `EXPR`] is `EXPR`.``
fn sum(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<FlowAction>, Misread> {
    reader.word("sum");
    reader.word("of");
    let code = reader.code("a field of an entity, such as `posting.amount`")?;
    let text = code.text(scope.world.source).trim().to_owned();
    let Some((entity, field)) = text.split_once('.') else {
        reader.back();
        return Err(reader.misread("a field of an entity, such as `posting.amount`"));
    };
    let filter = if reader.word("where") { Some(reader.open_conditions()?) } else { None };
    let amount = amount(scope, reader)?;
    let Some(id) = scope.world.find_entity(entity) else {
        let kind = scope.world.unknown_entity(entity);
        scope.note(kind, code.span());
        return Ok(None);
    };
    let table = scope.world.table(id);
    let Some(declared) = table.fields.iter().find(|declared| *declared.name == *field) else {
        let names = table.fields.iter().map(|declared| &*declared.name);
        let nearest = nearest(field, names).map(str::to_owned);
        let of = table.name.to_string();
        scope.note(NoteKind::UnknownField { of, field: field.to_owned(), nearest }, code.span());
        return Ok(None);
    };
    if !matches!(declared.ty, Type::Integer | Type::Decimal { .. } | Type::Double) {
        return Err(Misread {
            word: Some(text.clone()),
            expected: "a field that is a number".to_owned(),
            span: code.span(),
        });
    }
    let (Some(filter), Some(amount)) = (scope.filters(id, filter.as_ref()), amount) else { return Ok(None) };
    let (entity, field) = (table.name.clone(), declared.name.clone());
    let (filter, variables) = (filter.text, filter.variables);
    Ok(Some(FlowAction::Sum { entity, field, filter, variables, amount }))
}

/// ``Metric `m` is `EXPR`.``
fn metric(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<FlowAction>, Misread> {
    reader.word("metric");
    let code = reader.code("the name of a metric in backticks")?;
    let name = code.text(scope.world.source).trim().to_owned();
    let amount = amount(scope, reader)?;
    let filled = scope.program.metrics.iter().map(|metric| &*metric.name);
    let metrics = filled.chain([STANDING_FAILURES, CACHE_HIT_RATIO]);
    if !metrics.clone().any(|metric| metric == name) {
        let nearest = nearest(&name, metrics).map(str::to_owned);
        scope.note(NoteKind::UnknownName { what: "metric", name, nearest }, code.span());
        return Ok(None);
    }
    Ok(amount.map(|amount| FlowAction::Metric { metric: name.into(), amount }))
}

/// ``is [at least / at most] `EXPR` ``
fn amount(scope: &mut Scope<'_>, reader: &mut Reader<'_>) -> Result<Option<Amount>, Misread> {
    reader.sign(',');
    if !reader.word("is") {
        return Err(reader.misread("`is` and how much"));
    }
    let comparison = match () {
        () if reader.exact_words(&["at", "least"]) => AmountComparison::AtLeast,
        () if reader.exact_words(&["at", "most"]) => AmountComparison::AtMost,
        () => AmountComparison::Exactly,
    };
    let amount = match reader.opt_code() {
        Some(code) => {
            let text = code.text(scope.world.source).trim().to_owned();
            scope.value(&code).map(|value| Amount { comparison, value, text })
        }
        None => {
            let number = reader.number("how much, in backticks")?;
            let value = Expression::Constant(Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
            Some(Amount { comparison, value, text: number.to_string() })
        }
    };
    reader.end("the end of the sentence")?;
    Ok(amount)
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
    } else if reader.exact_words(&["at", "most"]) {
        RowCount::AtMost(reader.number("how many")?)
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
    let filter = scope.filters(id, filter)?;
    let entity = scope.world.table(id).name.clone();
    Some(FlowAction::CountRows { entity, count, filter: filter.text, variables: filter.variables })
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
