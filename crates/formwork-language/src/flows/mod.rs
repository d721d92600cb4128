//! Reads the flows of section 7 into actions that `formwork-prove` carries out. A sentence without a known form is
//! narrative; one that begins like a form and does not parse is told.
//!
//! One file per kind of step: `calls` reads who calls what and what must come back, `checks` what there is, `givens`
//! what is put in place, `clock`, `components`, `commands`, `blocks` the steps that hold steps, and `begins` the flow
//! before this one. Source: language reference, *Flows*.

mod actors;
mod begins;
mod blocks;
mod calls;
mod checks;
mod clock;
mod commands;
mod components;
mod givens;
mod names;
mod targets;

use crate::behaviour::{Flow, FlowAction, FlowStep};
use crate::lower::World;
use crate::notes::Note;
use crate::program::Program;
use crate::steps::Form;
use crate::steps::clause::Misread;
use crate::tokens::{self, Sentence};
use formwork_model::Class;
use formwork_model::facts::StepItem;
use names::Scope;
use targets::Targets;

/// Every form of step of a flow, as findings name it.
static FORMS: [&Form; 13] = [
    &calls::FORM,
    &blocks::AT_ONCE,
    &blocks::TIMES,
    &givens::FORM,
    &begins::FORM,
    &clock::FORM,
    &components::FORM,
    &components::PARTNER,
    &checks::ROWS,
    &checks::EVENT,
    &checks::SUM,
    &checks::METRIC,
    &commands::FORM,
];

/// The names of all forms of step of a flow.
pub fn flow_forms() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.name)
}

/// Reads every flow, in the order of the document.
pub(crate) fn read_all(world: &World<'_>, program: &Program, notes: &mut Vec<Note>) -> Vec<Flow> {
    let targets = Targets::new(program);
    let flows = 0..world.model.flows.len();
    flows.map(|at| read(Scope::new(world, program, &targets), at, notes)).collect()
}

fn read(mut scope: Scope<'_>, at: usize, notes: &mut Vec<Note>) -> Flow {
    let flow = &scope.world.model.flows[at];
    scope.chain.push(at);
    let mut steps = Vec::new();
    read_items(&mut scope, &flow.steps, &mut steps);
    let mut errors = Vec::new();
    for item in &flow.errors {
        // Each case begins where the happy path ended, so what one case remembers is not there in the next.
        let mut case = scope.clone_for_case();
        errors.push(read_case(&mut case, item));
        scope.notes.append(&mut case.notes);
    }
    notes.append(&mut scope.notes);
    Flow { name: flow.name.value.as_str().into(), steps, errors, span: flow.span }
}

fn read_items(scope: &mut Scope<'_>, items: &[StepItem], steps: &mut Vec<FlowStep>) {
    for item in items {
        let sentences = tokens::sentences(scope.world.source, &item.text);
        let mut is_block = false;
        for (at, sentence) in sentences.iter().enumerate() {
            let last = at + 1 == sentences.len();
            match blocks::head(scope.world.source, sentence) {
                Some(head) if last => {
                    is_block = true;
                    steps.push(read_block(scope, item, sentence, head));
                }
                _ => read_sentence(scope, item, sentence, steps),
            }
        }
        if !is_block {
            read_items(scope, &item.nested, steps);
        }
    }
}

fn read_block(
    scope: &mut Scope<'_>,
    item: &StepItem,
    sentence: &Sentence,
    head: Result<blocks::Head, Misread>,
) -> FlowStep {
    let action = match head {
        Ok(head) => blocks::read(scope, item, sentence, head),
        Err(misread) => {
            note_misread(scope, blocks::form(sentence), misread);
            None
        }
    };
    scope.begun |= action.is_some();
    let class = if action.is_some() { Class::Understood } else { Class::NotUnderstood };
    FlowStep { text: text(scope, item, sentence), span: sentence.span, class, action }
}

/// An item of *Errors*: one call and what must come back, or nested steps of which the last says it.
fn read_case(scope: &mut Scope<'_>, item: &StepItem) -> FlowStep {
    let mut steps = Vec::new();
    read_items(scope, std::slice::from_ref(item), &mut steps);
    let whole = FlowStep {
        text: item.text.plain(scope.world.source),
        span: item.text.span,
        class: Class::Narrative,
        action: None,
    };
    let actions = steps.iter().filter(|step| step.action.is_some()).count();
    if actions <= 1 && (item.nested.is_empty() || steps.iter().any(|step| !step.nested().is_empty())) {
        let found = steps.into_iter().find(|step| step.action.is_some() || step.class != Class::Narrative);
        return match found {
            Some(step) => FlowStep { class: step.class, action: step.action, ..whole },
            None => whole,
        };
    }
    if actions == 0 {
        let class = steps.iter().map(|step| step.class).find(|class| *class != Class::Narrative);
        return FlowStep { class: class.unwrap_or(Class::Narrative), ..whole };
    }
    // A title says what the case is about and is shown as such.
    steps.retain(|step| step.action.is_some() || !whole.span.contains(step.span));
    if let Some(FlowStep { action: Some(FlowAction::Call { expect: None, .. }), span, .. }) =
        steps.iter().rfind(|step| step.action.is_some())
    {
        let expected = "`→` and what the last step of the case must give".to_owned();
        note_misread(scope, &calls::FORM, Misread { word: None, expected, span: *span });
    }
    FlowStep { class: Class::Understood, action: Some(FlowAction::Steps(steps)), ..whole }
}

/// What became of a sentence.
enum Taken {
    /// It does something.
    Action(Box<FlowAction>),
    /// It says what the call before it must give.
    Continues,
    /// A remark or prose.
    Narrative,
    /// It begins like a form; a note says what is wrong.
    NotUnderstood,
}

fn text(scope: &Scope<'_>, item: &StepItem, sentence: &Sentence) -> String {
    let source = scope.world.source;
    item.text.slice(source, sentence.span.start, sentence.span.end).plain(source)
}

fn read_sentence(scope: &mut Scope<'_>, item: &StepItem, sentence: &Sentence, steps: &mut Vec<FlowStep>) {
    // How many of the calls of `At once:` get what may be said behind it.
    if let Some(FlowAction::Together { branches }) = steps.last_mut().and_then(|step| step.action.as_mut())
        && blocks::take_tally(scope, item, sentence, branches)
    {
        return;
    }
    let text = text(scope, item, sentence);
    let is_remark = sentence.tokens.first().is_some_and(|token| token.is("note"))
        && sentence.tokens.get(1).is_some_and(|token| token.is_sign(':'));
    let taken = if is_remark { Taken::Narrative } else { take(scope, sentence, steps.last_mut()) };
    let (class, action) = match taken {
        Taken::Action(action) => (Class::Understood, Some(*action)),
        Taken::Narrative => (Class::Narrative, None),
        Taken::NotUnderstood => (Class::NotUnderstood, None),
        Taken::Continues => {
            if let Some(last) = steps.last_mut() {
                last.text = format!("{}. {text}", last.text);
                last.span = last.span.to(sentence.span);
            }
            return;
        }
    };
    scope.begun |= !matches!(action, None | Some(FlowAction::ClockStands { .. }));
    steps.push(FlowStep { text, span: sentence.span, class, action });
}

/// What the step before says of its answers, if it says nothing yet.
fn continued(
    scope: &mut Scope<'_>,
    sentence: &Sentence,
    last: Option<&mut FlowStep>,
) -> Option<Result<(), Misread>> {
    match last?.action.as_mut()? {
        FlowAction::Call { expect: expect @ None, .. } => {
            let read = calls::continuation(scope, sentence)?;
            Some(read.map(|found| *expect = Some(found)))
        }
        FlowAction::AtOnce { count, exactly, others: others @ None, .. } if exactly.is_empty() => {
            let read = calls::tally(scope, sentence, *count)?;
            Some(read.map(|tally| (*exactly, *others) = (tally.exactly, tally.others)))
        }
        _ => None,
    }
}

/// Tries the forms, the more particular ones first.
fn take(scope: &mut Scope<'_>, sentence: &Sentence, last: Option<&mut FlowStep>) -> Taken {
    match continued(scope, sentence, last) {
        Some(Ok(())) => return Taken::Continues,
        Some(Err(misread)) => return not_understood(scope, &calls::FORM, misread),
        None => {}
    }
    if let Some(misread) = blocks::in_one_line(scope.world.source, sentence) {
        return not_understood(scope, &blocks::TIMES, misread);
    }
    let read = commands::read(scope, sentence)
        .map(|read| (&commands::FORM, read))
        .or_else(|| begins::read(scope, sentence).map(|read| (&begins::FORM, read)))
        .or_else(|| givens::read(scope, sentence).map(|read| (&givens::FORM, read)))
        .or_else(|| clock::read(scope, sentence).map(|read| (&clock::FORM, read)))
        .or_else(|| components::read(scope, sentence))
        .or_else(|| checks::read(scope, sentence))
        .or_else(|| calls::read(scope, sentence).map(|read| (&calls::FORM, read)));
    match read {
        None => Taken::Narrative,
        Some((_, Ok(Some(action)))) => Taken::Action(Box::new(action)),
        // A note has told what is wrong with the names in it.
        Some((_, Ok(None))) => Taken::NotUnderstood,
        Some((form, Err(misread))) => not_understood(scope, form, misread),
    }
}

fn not_understood(scope: &mut Scope<'_>, form: &Form, misread: Misread) -> Taken {
    note_misread(scope, form, misread);
    Taken::NotUnderstood
}

fn note_misread(scope: &mut Scope<'_>, form: &Form, misread: Misread) {
    let (kind, span) = crate::steps::not_understood(form, misread);
    scope.notes.push(Note { kind, span, related: None, fix: None });
}

/// What a form of flow step gives: nothing when it is another form's sentence; `Ok(None)` when names in it are wrong,
/// which notes have told.
type Reading = Option<Result<Option<FlowAction>, Misread>>;
