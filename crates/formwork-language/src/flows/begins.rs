//! ``Begins where flow `NAME` ended.``: the other flow's steps, read over this flow's variables and carried out first.

use super::names::Scope;
use super::{Reading, read_items};
use crate::behaviour::FlowAction;
use crate::notes::NoteKind;
use crate::steps::clause::{Misread, Reader};
use crate::steps::{Form, Grammar, NO_NAMES};
use crate::tokens::Sentence;
use formwork_model::names::{nearest, same_name};
use formwork_syntax::Code;

/// For messages.
pub(super) static FORM: Form = Form {
    name: "Begins where",
    heads: &[],
    notation: "Begins where flow `NAME` ended.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// Flows that begin where others ended, one behind the other.
const LONGEST_CHAIN: usize = 16;

/// Reads a sentence that begins so.
pub(super) fn read(scope: &mut Scope<'_>, sentence: &Sentence) -> Reading {
    let mut reader = Reader::over(scope.world.source, &NO_NAMES, &sentence.tokens, sentence.span);
    (reader.exact_words(&["begins", "where"]) || reader.exact_words(&["starts", "where"]))
        .then(|| begins(scope, sentence, &mut reader))
}

fn begins(
    scope: &mut Scope<'_>,
    sentence: &Sentence,
    reader: &mut Reader<'_>,
) -> Result<Option<FlowAction>, Misread> {
    reader.word("flow");
    let code = reader.code("the name of a flow in backticks")?;
    if !reader.word("ended") && !reader.word("ends") {
        return Err(reader.misread("`ended`"));
    }
    reader.end("the end of the sentence")?;
    if scope.begun {
        let expected = "to be the first step of the flow: nothing may be done before it".to_owned();
        return Err(Misread { word: None, expected, span: sentence.span });
    }
    let model = scope.world.model;
    let name = code.text(scope.world.source).trim().to_owned();
    let exact = model.flows.iter().position(|flow| flow.name.value == name);
    let found = exact.or_else(|| model.flows.iter().position(|flow| same_name(&flow.name.value, &name)));
    let Some(at) = found else {
        let nearest = nearest(&name, model.flows.iter().map(|flow| &*flow.name.value)).map(str::to_owned);
        scope.note(NoteKind::UnknownName { what: "flow", name, nearest }, code.span());
        return Ok(None);
    };
    if scope.chain.contains(&at) || scope.chain.len() > LONGEST_CHAIN {
        // Told at the flow that is read, which is the outermost, and only if it is one of the circle.
        scope.endless = scope.chain.first() == Some(&at) || scope.chain.len() > LONGEST_CHAIN;
        return Err(endless(name, &code));
    }
    scope.chain.push(at);
    // What is wrong with the other flow's steps is told where they stand.
    let told = scope.notes.len();
    let mut steps = Vec::new();
    read_items(scope, &model.flows[at].steps, &mut steps);
    scope.notes.truncate(told);
    scope.chain.pop();
    if scope.endless && scope.chain.len() == 1 {
        return Err(endless(name, &code));
    }
    Ok(Some(FlowAction::Begins { flow: model.flows[at].name.value.as_str().into(), steps }))
}

fn endless(name: String, code: &Code) -> Misread {
    let expected = format!(
        "a flow that does not begin where this one ended, and at most {LONGEST_CHAIN} behind one another"
    );
    Misread { word: Some(name), expected, span: code.span() }
}
