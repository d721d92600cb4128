//! Rows that a flow puts in place: ``Given `100` `job` with `kind = "k" + string(n)`, … as `jobs`.``
//!
//! What the row needs and nobody gives is told here; whether its values keep the rules shows when it is put in place.

use super::Reading;
use super::names::Scope;
use crate::behaviour::{FlowAction, Given, flow_slots};
use crate::expression::{Expression, Kind};
use crate::notes::NoteKind;
use crate::program::{EntityId, FieldSchema};
use crate::steps::clause::{Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::Sentence;
use formwork_model::names::nearest;
use formwork_syntax::Code;
use std::sync::Arc;

/// For messages.
pub(super) static FORM: Form = Form {
    name: "Given",
    heads: &[],
    notation: "Given [N] `E` [with `f = EXPR`, `g = EXPR`] [as `x`].",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// As many rows as one transaction may write.
const MOST: u64 = 10_000;

/// Reads a sentence that begins with *Given* and names something in backticks.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Reading {
    let tokens = &sentence.tokens;
    let is_given = tokens.first().is_some_and(|token| token.is("given"));
    let next = tokens.get(1)?;
    // `Given that …` and `Given Alice …` are prose, unless rows are said to exist: those are put in place.
    let exists = || tokens.iter().any(|token| token.is("exists") || token.is("exist"));
    let formal = next.code().is_some()
        || ["a", "an", "the"].iter().any(|word| next.is(word))
        || next.shown(scope.world.source).chars().all(|digit| digit.is_ascii_digit())
        || (next.is("that") && exists());
    if !(is_given && formal && tokens.iter().any(|token| token.code().is_some())) {
        return None;
    }
    Some(given(scope, sentence))
}

fn given(scope: &mut Scope<'_>, sentence: &Sentence) -> Result<Option<FlowAction>, Misread> {
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, &sentence.tokens, sentence.span);
    reader.word("given");
    let before = reader.position();
    let count = reader.number("how many").ok();
    let Some(number) = u32::try_from(count.unwrap_or(1)).ok().filter(|it| (1..=MOST).contains(&(*it).into()))
    else {
        reader.rewind(before);
        return Err(reader.misread("how many rows, from 1 to 10,000"));
    };
    let entity = reader.code("the name of an entity in backticks")?;
    let (mut codes, mut variable) = (Vec::new(), None);
    loop {
        reader.sign(',');
        if codes.is_empty() && reader.word("with") {
            codes = reader.codes("an assignment in backticks, such as `f = EXPR`")?;
        } else if variable.is_none() && reader.word("as") {
            variable = Some(reader.code("the variable in backticks")?);
        } else {
            break;
        }
    }
    reader.end("`with`, `as` or the end of the sentence")?;
    let name = entity.text(scope.world.source).trim().to_owned();
    let Some(id) = scope.world.find_entity(&name) else {
        let kind = scope.world.unknown_entity(&name);
        scope.note(kind, entity.span());
        return Ok(None);
    };
    let assignments = match count {
        Some(_) => {
            scope.knowing("n", flow_slots::N, Kind::Integer, |scope| assignments(scope, id, &codes, &entity))
        }
        None => assignments(scope, id, &codes, &entity),
    }?;
    let variable = match variable {
        Some(code) => {
            let name = code.text(scope.world.source).trim().to_owned();
            let Some(slot) = scope.variable(&name, code.span()) else { return Ok(None) };
            Some(slot)
        }
        None => None,
    };
    Ok(assignments.map(|assignments| {
        FlowAction::Given(Given { entity: id, count: number, assignments, variable, many: count.is_some() })
    }))
}

/// The fields that are set, each with its value.
type Assigned = Vec<(Arc<str>, Expression)>;

/// What is set; every mistake is told.
fn assignments(
    scope: &mut Scope<'_>,
    entity: EntityId,
    codes: &[Code],
    place: &Code,
) -> Result<Option<Assigned>, Misread> {
    let table = scope.world.table(entity);
    let mut set: Vec<(Arc<str>, Option<Expression>)> = Vec::new();
    let mut complete = true;
    for code in codes {
        let text = code.text(scope.world.source);
        let text = text.trim();
        if text.starts_with('{') || text.contains("==") && !text.replace("==", "").contains('=') {
            return Err(Misread {
                word: Some(text.to_owned()),
                expected: "the fields one by one, such as `name = \"x\"`, `n = 1`".to_owned(),
                span: code.span(),
            });
        }
        let Some(assignment) = scope.assignment(code) else {
            complete = false;
            continue;
        };
        let Some(field) = table.fields.iter().find(|field| field.name == assignment.name) else {
            let names = table.fields.iter().map(|field| &*field.name);
            let nearest = nearest(&assignment.name, names).map(str::to_owned);
            let (of, field) = (table.name.to_string(), assignment.name.to_string());
            scope.note(NoteKind::UnknownField { of, field, nearest }, assignment.name_span);
            complete = false;
            continue;
        };
        let value = scope.value_of(&assignment.value, &field.ty, &format!("field `{}`", field.name));
        set.push((field.name.clone(), value));
    }
    let is_set = |field: &FieldSchema| set.iter().any(|(name, _)| *name == field.name);
    // One mistake gives one diagnostic: a misspelt field is not missing as well.
    if complete {
        for field in table.fields.iter().filter(|field| !field.may_be_left_out() && !is_set(field)) {
            let (entity, field) = (table.name.to_string(), field.name.to_string());
            scope.note(NoteKind::FieldNotSet { entity, field }, place.span());
            complete = false;
        }
    }
    let values: Option<Vec<_>> = set.into_iter().map(|(name, value)| Some((name, value?))).collect();
    Ok(values.filter(|_| complete))
}
