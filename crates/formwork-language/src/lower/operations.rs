//! Lowers operations and endpoints: route, input, access, steps, output; and says how each behaviour was taken.

use crate::behaviour::{Behaviour, Step, Touches};
use crate::expression::Names;
use crate::lower::input::Setup;
use crate::lower::lowering::{Finished, Setting};
use crate::lower::{Answer, AnswerKind, Lowering, Shared, World, access, input, output};
use crate::notes::{Note, NoteKind};
use crate::program::{Code, Mode, Operation, PathPart, Slot, slots};
use crate::steps::clause::Misread;
use crate::steps::{Form, Grammar, Reading, Sentences, lower_block, not_understood, read_items};
use formwork_model::Class;
use formwork_model::facts::{Location, Outcome};
use formwork_model::sections::interface::{self, OutputKind, Surface};
use formwork_syntax::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The operations of a program, and how each behaviour of the model was taken.
pub(super) struct Operations {
    /// Those that are served over HTTP.
    pub(super) operations: Vec<Operation>,
    /// All of them.
    pub(super) behaviours: Vec<Behaviour>,
}

/// Lowers sections 4 and 5, in this order.
pub(super) fn lower_all(world: &World<'_>, shared: &mut Shared, notes: &mut Vec<Note>) -> Operations {
    let mut found = Operations { operations: Vec::new(), behaviours: Vec::new() };
    access::check_grants(world, notes);
    let declared = world.model.operations.iter().chain(&world.model.endpoints);
    let read: Vec<(&interface::Operation, Sentences)> = declared
        .map(|operation| (operation, read_items(world.source, &world.names, &operation.behavior)))
        .collect();
    let natural = is_natural(world, &read);
    for (operation, sentences) in read {
        if operation.command {
            found.behaviours.push(unserved(world, operation, &sentences));
            continue;
        }
        let index = found.operations.len();
        let executed = !natural && sentences.flat().iter().any(|read| read.executes());
        let (lowered, behaviour) = lower_one(world, shared, operation, &sentences, (index, executed), notes);
        found.operations.push(lowered);
        found.behaviours.push(behaviour);
    }
    let served = world.model.operations.iter().chain(&world.model.endpoints).filter(|it| !it.command);
    let places: Vec<Span> =
        served.map(|it| it.path.as_ref().map_or(it.name.span, |path| path.span)).collect();
    collisions(&found.operations, &places, notes);
    output::locate(world, &mut found.operations);
    found
}

/// Whether the behaviours of a document are prose in which a sentence happens to be a step (``Returns the `order`.``):
/// none is wholly understood, and most sentences are not even begun like a step. Then nothing is executed.
fn is_natural(world: &World<'_>, read: &[(&interface::Operation, Sentences)]) -> bool {
    let (mut begun, mut prose) = (0usize, 0usize);
    for (_, sentences) in read {
        let all = sentences.flat();
        let is_prose = |read: &crate::steps::reading::Read| match &read.reading {
            Reading::Prose => true,
            Reading::Misread(form, _) | Reading::Unsupported(form) => !is_formal(world, form, read.span),
            Reading::Step(_) | Reading::Remark => false,
        };
        let of_prose = all.iter().filter(|read| is_prose(read)).count();
        if of_prose == 0 && all.iter().any(|read| read.executes()) {
            return false;
        }
        prose += of_prose;
        begun += all.iter().filter(|read| !matches!(read.reading, Reading::Remark)).count() - of_prose;
    }
    begun < prose
}

fn unserved(world: &World<'_>, operation: &interface::Operation, sentences: &Sentences) -> Behaviour {
    Behaviour {
        operation: operation.name.value.as_str().into(),
        program: None,
        mode: Mode::Mocked,
        steps: steps(world, sentences, false, &FxHashMap::default()),
        touches: Touches::default(),
    }
}

fn lower_one(
    world: &World<'_>,
    shared: &mut Shared,
    operation: &interface::Operation,
    sentences: &Sentences,
    (index, executed): (usize, bool),
    notes: &mut Vec<Note>,
) -> (Operation, Behaviour) {
    let all = sentences.flat();
    let page = executed && all.iter().filter_map(|read| read.step()).any(|step| step.action.pages());
    let (method, path) = route(operation);
    let mut input = input::lower(world, operation, (&method, &path), Setup { executed, page }, notes);
    let access = access::lower(world, operation, sentences, executed, notes);
    input.ignores_query = access.public && method == "GET";
    let mut output = output::lower(world, operation, executed, notes);
    tell(world, sentences, executed, notes);

    let finished = executed.then(|| {
        let mut names = Names::new(world.schema);
        names.input = Some(input::names(world, operation, &input));
        (names.caller, names.request) = (true, true);
        if !access.public {
            names.present.push(vec!["caller".into(), "id".into()]);
        }
        let first = usize::from(slots::INPUT) + input.fields.len();
        let last = |back: usize| Slot::try_from(first - back).unwrap_or(Slot::MAX);
        let setting = Setting { job: false, status: output.status, page: page.then(|| (last(2), last(1))) };
        let mut cx = Lowering::new(world, shared, names, first, setting);
        let in_path = input.fields.iter().filter(|field| field.location == Location::Path);
        cx.set_path_inputs(in_path.map(|field| field.name.clone()).collect());
        let ended = lower_block(&mut cx, sentences);
        // A sentence that is no step may have been the one that answers: it has its note already.
        let all_read = all.iter().all(|read| matches!(read.reading, Reading::Step(_) | Reading::Remark));
        if !ended {
            answer(&mut cx, world, operation, all_read);
        }
        cx.finish(notes)
    });
    let mode = if executed { Mode::Executed } else { Mode::Mocked };
    let finished = finished.unwrap_or_else(|| nothing(first_free(&input)));
    output.entity = output.entity.or(finished.answered_entity);
    let steps = steps(world, sentences, executed, &finished.errors);
    let name: Arc<str> = operation.name.value.as_str().into();
    let behaviour = Behaviour {
        operation: name.clone(),
        program: u32::try_from(index).ok(),
        mode,
        steps,
        touches: finished.touches,
    };
    let lowered = Operation {
        name,
        method: method.into(),
        path,
        surface: operation.surface,
        mode,
        input,
        access,
        code: finished.code,
        writes: finished.writes,
        output,
        errors: errors(&behaviour.steps, operation),
        span: operation.span,
    };
    (lowered, behaviour)
}

fn first_free(input: &crate::program::InputShape) -> Slot {
    slots::INPUT.saturating_add(Slot::try_from(input.fields.len()).unwrap_or(Slot::MAX))
}

fn nothing(slots: Slot) -> Finished {
    Finished {
        code: Code { slots, ..Code::default() },
        touches: Touches::default(),
        errors: FxHashMap::default(),
        writes: false,
        answered_entity: None,
    }
}

/// Every error that a step can raise, then those that the document lists besides.
fn errors(steps: &[Step], operation: &interface::Operation) -> Vec<Outcome> {
    let listed = operation.errors.iter().map(|error| &error.value);
    let mut all: Vec<Outcome> = Vec::new();
    for outcome in steps.iter().flat_map(|step| &step.errors).chain(listed) {
        if !all.contains(outcome) {
            all.push(outcome.clone());
        }
    }
    all
}

/// Method and path; `POST /name` when the document gives none.
fn route(operation: &interface::Operation) -> (String, Vec<PathPart>) {
    let method = operation.method.as_ref().map_or("POST", |method| &method.value).to_uppercase();
    let own = format!("/{}", operation.name.value);
    let path = operation.path.as_ref().map_or(own.as_str(), |path| &path.value);
    (method, read_path(path))
}

/// A path in pieces; `{name}` and `:name` are parameters.
pub(crate) fn read_path(path: &str) -> Vec<PathPart> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let piece = |piece: &str| {
        let braced = piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match braced.or_else(|| piece.strip_prefix(':')).filter(|name| !name.is_empty()) {
            Some(name) => PathPart::Parameter(name.into()),
            None => PathPart::Fixed(piece.into()),
        }
    };
    path.split('/').filter(|piece| !piece.is_empty()).map(piece).collect()
}

/// Two operations of one listener with one method and path, parameters taken as equal.
fn collisions(operations: &[Operation], places: &[Span], notes: &mut Vec<Note>) {
    let mut known: FxHashMap<(bool, Arc<str>, String), usize> = FxHashMap::default();
    for (at, operation) in operations.iter().enumerate() {
        let shape: String = operation
            .path
            .iter()
            .map(|part| match part {
                PathPart::Fixed(text) => format!("/{text}"),
                PathPart::Parameter(_) => "/{}".to_owned(),
            })
            .collect();
        let key = (operation.surface == Surface::Public, operation.method.clone(), shape);
        match known.get(&key) {
            Some(first) => {
                let route = format!("{} {}", operation.method, input::show_path(&operation.path));
                let other = operations[*first].name.to_string();
                let kind = NoteKind::RouteCollision { route, other };
                notes.push(Note { kind, span: places[at], related: Some(places[*first]), fix: None });
            }
            None => {
                known.insert(key, at);
            }
        }
    }
}

/// Notes about sentences that are no steps.
pub(super) fn tell(world: &World<'_>, sentences: &Sentences, executed: bool, notes: &mut Vec<Note>) {
    for read in sentences.flat() {
        let (kind, span) = match &read.reading {
            Reading::Misread(form, misread) if executed || is_formal(world, form, read.span) => {
                let Misread { word, expected, span } = misread.clone();
                not_understood(form, Misread { word, expected, span })
            }
            Reading::Unsupported(form) if executed || is_formal(world, form, read.span) => {
                (NoteKind::StepNotSupported { form: form.name }, read.span)
            }
            Reading::Prose if executed => (NoteKind::StepSkipped, read.span),
            _ => continue,
        };
        notes.push(Note { kind, span, related: None, fix: None });
    }
}

/// Whether a sentence that begins with a form's head means it: prose that happens to begin so has no code span, or
/// begins with a word of everyday language such as *If*.
fn is_formal(world: &World<'_>, form: &Form, span: Span) -> bool {
    !matches!(form.grammar, Grammar::Whole(_)) && span.slice(world.source).contains('`')
}

/// How each sentence was taken.
pub(super) fn steps(
    world: &World<'_>,
    sentences: &Sentences,
    executed: bool,
    errors: &FxHashMap<Span, Vec<Outcome>>,
) -> Vec<Step> {
    let step = |read: &crate::steps::reading::Read| {
        let class = match &read.reading {
            Reading::Step(_) => Class::Understood,
            Reading::Remark => Class::Narrative,
            Reading::Prose if executed => Class::NotUnderstood,
            Reading::Prose => Class::Narrative,
            Reading::Misread(form, _) | Reading::Unsupported(form)
                if executed || is_formal(world, form, read.span) =>
            {
                Class::NotUnderstood
            }
            Reading::Misread(..) | Reading::Unsupported(_) => Class::Narrative,
        };
        Step { span: read.span, class, errors: errors.get(&read.span).cloned().unwrap_or_default() }
    };
    sentences.flat().into_iter().map(step).collect()
}

/// The answer of a behaviour whose end is reached: what Output names.
fn answer(cx: &mut Lowering<'_>, world: &World<'_>, operation: &interface::Operation, all_read: bool) {
    let output = &operation.output;
    let status = output.status.as_ref().map(|status| status.value);
    let (name, fits): (_, fn(AnswerKind) -> bool) = match &output.kind {
        OutputKind::Row(name) => (name, |kind| matches!(kind, AnswerKind::Row | AnswerKind::Upserted(_))),
        OutputKind::List(name) => (name, |kind| kind == AnswerKind::List),
        OutputKind::Page(name) => (name, |kind| kind == AnswerKind::Page),
        OutputKind::Nothing => return cx.answer_nothing(),
        _ if all_read => return never_answers(cx, operation),
        _ => return,
    };
    let entity = world.find_entity(&name.value);
    let found: Option<Answer> =
        cx.candidates().iter().rfind(|answer| Some(answer.entity) == entity && fits(answer.kind)).copied();
    match found {
        Some(answer) => cx.answer_with(answer, status),
        None if all_read && cx.is_sound() => never_answers(cx, operation),
        None => {}
    }
}

fn never_answers(cx: &mut Lowering<'_>, operation: &interface::Operation) {
    let span = operation.behavior_span.unwrap_or(operation.name.span);
    cx.note(NoteKind::NeverAnswers { operation: operation.name.value.clone() }, span);
}
