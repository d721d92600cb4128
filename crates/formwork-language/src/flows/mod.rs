//! Reads the flows of section 7 into actions that `formwork-prove` carries out. A sentence without a known form is
//! narrative; one that begins like a form and does not parse is told.
//!
//! `calls` reads who calls what and what must come back, `checks` everything else. Source: language reference,
//! *Flows are acceptance tests*.

mod actors;
mod calls;
mod checks;
mod commands;
mod names;
mod targets;

use crate::behaviour::{Flow, FlowAction, FlowStep};
use crate::lower::World;
use crate::notes::{Note, NoteKind};
use crate::program::Program;
use crate::steps::clause::Misread;
use crate::tokens::{self, Sentence};
use formwork_model::Class;
use formwork_model::facts::StepItem;
use formwork_model::sections::flows;
use names::Scope;
use targets::Targets;

/// Reads every flow, in the order of the document.
pub(crate) fn read_all(world: &World<'_>, program: &Program, notes: &mut Vec<Note>) -> Vec<Flow> {
    let targets = Targets::new(program);
    world.model.flows.iter().map(|flow| read(Scope::new(world, program, &targets), flow, notes)).collect()
}

fn read(mut scope: Scope<'_>, flow: &flows::Flow, notes: &mut Vec<Note>) -> Flow {
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
        for sentence in tokens::sentences(scope.world.source, &item.text) {
            read_sentence(scope, item, &sentence, steps);
        }
        read_items(scope, &item.nested, steps);
    }
}

/// An item of *Errors*: one call and what must come back.
fn read_case(scope: &mut Scope<'_>, item: &StepItem) -> FlowStep {
    let mut steps = Vec::new();
    read_items(scope, std::slice::from_ref(item), &mut steps);
    let many = steps.iter().filter(|step| step.action.is_some()).count() > 1;
    if many {
        let kind = NoteKind::StepNotSupported { form: "error case of several steps" };
        scope.notes.push(Note { kind, span: item.span, related: None, fix: None });
    }
    let whole = FlowStep {
        text: item.text.plain(scope.world.source),
        span: item.text.span,
        class: if many { Class::NotUnderstood } else { Class::Narrative },
        action: None,
    };
    match (many, steps.into_iter().find(|step| step.action.is_some() || step.class != Class::Narrative)) {
        (false, Some(step)) => FlowStep { class: step.class, action: step.action, ..whole },
        _ => whole,
    }
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

fn read_sentence(scope: &mut Scope<'_>, item: &StepItem, sentence: &Sentence, steps: &mut Vec<FlowStep>) {
    let source = scope.world.source;
    let text = item.text.slice(source, sentence.span.start, sentence.span.end).plain(source);
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
    steps.push(FlowStep { text, span: sentence.span, class, action });
}

/// Tries the forms, the more particular ones first.
fn take(scope: &mut Scope<'_>, sentence: &Sentence, last: Option<&mut FlowStep>) -> Taken {
    let call = last.and_then(|step| match &mut step.action {
        Some(FlowAction::Call { expect: expect @ None, .. }) => Some(expect),
        _ => None,
    });
    if let Some(expect) = call
        && let Some(read) = calls::continuation(scope, sentence)
    {
        return match read {
            Ok(found) => {
                *expect = Some(found);
                Taken::Continues
            }
            Err(misread) => not_understood(scope, &calls::FORM, misread),
        };
    }
    if let Some(form) = checks::unsupported(scope, sentence) {
        let kind = NoteKind::StepNotSupported { form };
        scope.notes.push(Note { kind, span: sentence.span, related: None, fix: None });
        return Taken::NotUnderstood;
    }
    let command = commands::read(scope, sentence).map(|read| (&commands::FORM, read));
    let read = command
        .or_else(|| checks::read(scope, sentence).map(|read| (&checks::FORM, read)))
        .or_else(|| calls::read(scope, sentence).map(|read| (&calls::FORM, read)));
    match read {
        None => Taken::Narrative,
        Some((_, Ok(Some(action)))) => Taken::Action(Box::new(action)),
        // A note has told what is wrong with the names in it.
        Some((_, Ok(None))) => Taken::NotUnderstood,
        Some((form, Err(misread))) => not_understood(scope, form, misread),
    }
}

fn not_understood(scope: &mut Scope<'_>, form: &crate::steps::Form, misread: Misread) -> Taken {
    let (kind, span) = crate::steps::not_understood(form, misread);
    scope.notes.push(Note { kind, span, related: None, fix: None });
    Taken::NotUnderstood
}

/// What a form of flow step gives: nothing when it is another form's sentence; `Ok(None)` when names in it are wrong,
/// which notes have told.
type Reading = Option<Result<Option<FlowAction>, Misread>>;
