//! Lowers operations and endpoints: route, input, access, steps, output; and says how each behaviour was taken.

use crate::behaviour::{Behaviour, Inference, Inferred, Step, Touches};
use crate::expression::Names;
use crate::infer;
use crate::lower::input::Setup;
use crate::lower::lowering::{Finished, Setting};
use crate::lower::world::Declared;
use crate::lower::{
    Answer, AnswerKind, Lowering, Shared, World, access, costs, grants, input, output, upstreams,
};
use crate::notes::{Note, NoteKind};
use crate::program::{
    AccessRule, Code, Granted, InputShape, Mode, Operation, OutputShape, PathPart, Procedure, Slot, slots,
};
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
    /// Procedures, which are not.
    pub(super) procedures: Vec<Procedure>,
    /// All of them.
    pub(super) behaviours: Vec<Behaviour>,
}

/// Where the input of a procedure travels: nowhere, and so as in the body of a `POST`.
pub(super) const PROCEDURE: &str = "POST";

/// Lowers sections 4 and 5, in this order.
pub(super) fn lower_all(world: &World<'_>, shared: &mut Shared, notes: &mut Vec<Note>) -> Operations {
    let mut found = Operations { operations: Vec::new(), procedures: Vec::new(), behaviours: Vec::new() };
    let natural = is_natural(world);
    for Declared { operation, sentences } in world.declared() {
        let executed = !natural && is_executed(sentences);
        if operation.procedure && executed {
            let (lowered, behaviour) = lower_procedure(world, shared, operation, sentences, notes);
            found.procedures.push(lowered);
            found.behaviours.push(behaviour);
            continue;
        }
        if !is_served(world, operation) {
            found.behaviours.push(unserved(world, operation, sentences));
            continue;
        }
        let index = found.operations.len();
        let (lowered, behaviour) = lower_one(world, shared, operation, sentences, (index, executed), notes);
        found.operations.push(lowered);
        found.behaviours.push(behaviour);
    }
    let served =
        world.model.operations.iter().chain(&world.model.endpoints).filter(|it| is_served(world, it));
    let places: Vec<Span> =
        served.map(|it| it.path.as_ref().map_or(it.name.span, |path| path.span)).collect();
    collisions(&found.operations, &places, notes);
    output::locate(world, &mut found.operations);
    found
}

/// Whether the behaviours of a document are prose in which a sentence happens to be a step (``Returns the `order`.``):
/// none is wholly understood, and most sentences are not even begun like a step. Then nothing is executed.
fn is_natural(world: &World<'_>) -> bool {
    let (mut begun, mut prose) = (0usize, 0usize);
    for Declared { sentences, .. } in world.declared() {
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

/// Whether an operation is served over HTTP: a command line is not, nor what section 5 says is carried by something
/// else (a function call, a pipe) and that has no route, nor what an external component serves.
fn is_served(world: &World<'_>, operation: &interface::Operation) -> bool {
    if upstreams::owner(world, operation).is_some() {
        return false;
    }
    let by_http = |transport: &str| {
        let transport = transport.to_lowercase();
        ["http", "rest", "json", "grpc", "rpc"].iter().any(|word| transport.contains(word))
    };
    let routed = operation.method.is_some() || operation.path.is_some();
    let carried = operation.transport.as_ref().is_some_and(|transport| !by_http(&transport.value));
    !operation.command && !operation.procedure && (routed || operation.surface == Surface::Public || !carried)
}

/// Whether a behaviour has steps that run.
pub(super) fn is_executed(sentences: &Sentences) -> bool {
    sentences.flat().iter().any(|read| read.executes())
}

/// A procedure as it runs by itself.
fn lower_procedure(
    world: &World<'_>,
    shared: &mut Shared,
    operation: &interface::Operation,
    sentences: &Sentences,
    notes: &mut Vec<Note>,
) -> (Procedure, Behaviour) {
    let setup = Setup { executed: true, page: false, owner: None };
    let input = input::lower(world, operation, (PROCEDURE, &[]), setup, notes);
    let output = output::lower(world, operation, true, notes);
    tell(world, sentences, true, notes);
    let access = AccessRule::default();
    let edge = Edge { operation, input: &input, access: &access, output: &output, page: false };
    let finished = lower_steps(world, shared, &edge, sentences, notes);
    let steps = steps(world, sentences, true, &finished.errors);
    let name: Arc<str> = operation.name.value.as_str().into();
    let procedure = Procedure {
        name: name.clone(),
        input,
        code: finished.code,
        writes: finished.writes,
        errors: errors(&steps, Vec::new(), operation),
        span: operation.span,
    };
    let inference = Inference::default();
    let (mode, touches) = (Mode::Executed, finished.touches);
    (procedure, Behaviour { operation: name, program: None, mode, steps, touches, inference })
}

fn unserved(world: &World<'_>, operation: &interface::Operation, sentences: &Sentences) -> Behaviour {
    Behaviour {
        operation: operation.name.value.as_str().into(),
        program: None,
        mode: Mode::Mocked,
        steps: steps(world, sentences, false, &FxHashMap::default()),
        touches: Touches::default(),
        inference: Inference::default(),
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
    let page = executed && pages(sentences);
    let (method, path) = route(operation);
    let setup = Setup { executed, page, owner: None };
    let mut input = input::lower(world, operation, (&method, &path), setup, notes);
    let access = access::lower(world, operation, sentences, executed, notes);
    input.ignores_query = access.public && method == "GET";
    let mut output = output::lower(world, operation, executed, notes);
    tell(world, sentences, executed, notes);

    let (mut mode, mut inference) = (Mode::Executed, Inference::NotNeeded);
    let finished = if executed {
        let edge = Edge { operation, input: &input, access: &access, output: &output, page };
        lower_steps(world, shared, &edge, sentences, notes)
    } else {
        let route = (method.as_str(), path.as_slice());
        let found = inferred(world, shared, operation, sentences, route, (&input, &access, output.status));
        match found {
            Ok((found, shape, finished)) => {
                (mode, inference, input) = (Mode::Inferred, Inference::Steps(found), shape);
                finished
            }
            Err(reason) => {
                (mode, inference) = (Mode::Mocked, Inference::Refused(reason.into()));
                input.ignores_others |= is_unknown(operation);
                input.ignores_query |= is_unknown(operation);
                if let Some((span, subject)) =
                    access.grants.as_ref().and_then(|_| grants::row_condition(world, operation))
                {
                    let kind = NoteKind::Other { entry: "grant_condition", subject };
                    notes.push(Note { kind, span, related: None, fix: None });
                }
                demands(world, shared, operation, sentences, (&input, &access))
                    .unwrap_or_else(|| nothing(first_free(&input)))
            }
        }
    };
    output.entity = output.entity.or(finished.answered_entity);
    let steps = steps(world, sentences, executed, &finished.errors);
    let name: Arc<str> = operation.name.value.as_str().into();
    let raised = if executed { Vec::new() } else { in_order(&finished.errors) };
    let behaviour = Behaviour {
        operation: name.clone(),
        program: u32::try_from(index).ok(),
        mode,
        steps,
        touches: finished.touches,
        inference,
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
        errors: errors(&behaviour.steps, raised, operation),
        span: operation.span,
    };
    (lowered, behaviour)
}

/// What the steps of an operation are lowered with.
struct Edge<'e> {
    operation: &'e interface::Operation,
    input: &'e InputShape,
    access: &'e AccessRule,
    output: &'e OutputShape,
    page: bool,
}

fn lower_steps(
    world: &World<'_>,
    shared: &mut Shared,
    edge: &Edge<'_>,
    sentences: &Sentences,
    notes: &mut Vec<Note>,
) -> Finished {
    let Edge { operation, input, access, output, page } = edge;
    let mut names = Names::new(world.schema);
    names.input = Some(input::names(world, operation, input));
    (names.caller, names.request) = (true, true);
    if !access.public {
        names.present.push(vec!["caller".into(), "id".into()]);
    }
    let first = usize::from(slots::INPUT) + input.fields.len();
    let last = |back: usize| Slot::try_from(first - back).unwrap_or(Slot::MAX);
    let page = page.then(|| (last(2), last(1)));
    let setting = Setting {
        job: false,
        operation: Some(operation.span),
        asks: !operation.procedure,
        status: output.status,
        page,
    };
    let mut own = Names::new(world.schema);
    (own.input, own.caller, own.request) = (names.input.clone(), true, true);
    let held =
        access.grants.as_ref().and_then(|_| grants::held(world, operation, (own, access.public), notes));
    let mut cx = Lowering::new(world, shared, names, first, setting);
    let in_path = input.fields.iter().filter(|field| field.location == Location::Path);
    cx.send_parts(&operation.output);
    cx.set_output(output);
    cx.set_path_inputs(in_path.map(|field| field.name.clone()).collect());
    if let Some(held) = held {
        cx.hold(held);
    }
    if !operation.procedure {
        cx.set_costs(&operation.name.value);
    }
    lower_behaviour(&mut cx, operation, sentences);
    cx.hold_end();
    cx.finish(notes)
}

/// The steps of an operation, and the answer at their end.
pub(super) fn lower_behaviour(
    cx: &mut Lowering<'_>,
    operation: &interface::Operation,
    sentences: &Sentences,
) {
    let ended = lower_block(cx, sentences);
    // A sentence that is no step may have been the one that answers: it has its note already.
    let all = sentences.flat();
    let all_read = all.iter().all(|read| matches!(read.reading, Reading::Step(_) | Reading::Remark));
    if !ended {
        answer(cx, operation, all_read);
    }
}

/// Whether a step answers a page.
fn pages(sentences: &Sentences) -> bool {
    sentences.flat().iter().filter_map(|read| read.step()).any(|step| step.action.pages())
}

/// Whether the document says that there is input and not which.
fn is_unknown(operation: &interface::Operation) -> bool {
    let input = &operation.input;
    input.fields.is_empty() && input.reference.is_none() && !input.none
}

/// The steps that the other facts of an operation determine, with the input that they read, compiled from their
/// text. What does not compile without a note is not inferred.
fn inferred(
    world: &World<'_>,
    shared: &mut Shared,
    operation: &interface::Operation,
    sentences: &Sentences,
    (method, path): (&str, &[PathPart]),
    (input, access, status): (&InputShape, &AccessRule, Option<u16>),
) -> Result<(Inferred, InputShape, Finished), infer::Reason> {
    let plan = infer::plan(world, operation, sentences, path, input)?;
    let mut ignored = Vec::new();
    let setup = Setup { executed: false, page: plan.page, owner: Some(plan.entity) };
    let mut shape = input::lower(world, operation, (method, path), setup, &mut ignored);
    shape.ignores_query = input.ignores_query;
    let who_may = sentences.flat().into_iter().filter(|read| read.says_who_may());
    let kept = who_may.map(|read| read.span.slice(world.source).replace('\n', " "));
    let all: Vec<String> = kept.chain(plan.steps.iter().cloned()).collect();
    let (text, items) = infer::document(&all);
    let own = world.over(&text);
    let written = read_items(own.source, own.names(), &items);
    let mut found = Vec::new();
    tell(&own, &written, true, &mut found);
    let output = OutputShape { status, ..OutputShape::default() };
    let edge = Edge { operation, input: &shape, access, output: &output, page: plan.page };
    let mut finished = lower_steps(&own, shared, &edge, &written, &mut found);
    if let Some(note) = found.first() {
        let word = note.span.slice(&text);
        return Err(format!("its plain steps would not hold: `{}`", word.trim_matches('`')));
    }
    // The instructions came from text that no reader has: they point to what the author wrote.
    let place = operation.behavior_span.unwrap_or(operation.name.span);
    finished.code.spans.fill(place);
    let inferred = Inferred {
        summary: plan.summary.into(),
        edits: infer::insertion(world.source, operation, sentences, &plan.steps),
        steps: plan.steps.into_iter().map(Arc::from).collect(),
    };
    Ok((inferred, shape, finished))
}

/// The checks of a behaviour that is mocked: an understood *Requires* with a condition is enforced even then.
fn demands(
    world: &World<'_>,
    shared: &mut Shared,
    operation: &interface::Operation,
    sentences: &Sentences,
    (input, access): (&InputShape, &AccessRule),
) -> Option<Finished> {
    let who_may = sentences.flat().into_iter().filter(|read| read.says_who_may());
    let mut steps: Vec<String> =
        who_may.map(|read| read.span.slice(world.source).replace('\n', " ")).collect();
    let has_condition = |grant: &Granted| grant.condition.is_some();
    let is_priced = costs::is_priced(world, &operation.name.value);
    if steps.is_empty() && !is_priced && !access.grants.iter().flatten().any(has_condition) {
        return None;
    }
    steps.push("Returns nothing.".to_owned());
    let (text, items) = infer::document(&steps);
    let own = world.over(&text);
    let written = read_items(own.source, own.names(), &items);
    let mut found = Vec::new();
    let output = OutputShape::default();
    let edge = Edge { operation, input, access, output: &output, page: false };
    let mut finished = lower_steps(&own, shared, &edge, &written, &mut found);
    finished.code.spans.fill(operation.behavior_span.unwrap_or(operation.name.span));
    let checks = finished.code.instructions.len() > 1;
    (checks && found.is_empty()).then_some(finished)
}

/// The failures of steps in their order.
fn in_order(errors: &FxHashMap<Span, Vec<Outcome>>) -> Vec<Outcome> {
    let mut spans: Vec<&Span> = errors.keys().collect();
    spans.sort_by_key(|span| span.start);
    spans.into_iter().flat_map(|span| errors[span].iter().cloned()).collect()
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
fn errors(steps: &[Step], inferred: Vec<Outcome>, operation: &interface::Operation) -> Vec<Outcome> {
    let listed = operation.errors.iter().map(|error| &error.value);
    let mut all: Vec<Outcome> = Vec::new();
    for outcome in steps.iter().flat_map(|step| &step.errors).chain(&inferred).chain(listed) {
        if !all.contains(outcome) {
            all.push(outcome.clone());
        }
    }
    all
}

/// Method and path; `POST /name` when the document gives none.
fn route(operation: &interface::Operation) -> (String, Vec<PathPart>) {
    let method = operation.method.as_ref().map_or("POST", |method| &method.value).to_uppercase();
    let named = |letter: char| if letter.is_whitespace() || letter == '/' { '_' } else { letter };
    let own = format!("/{}", operation.name.value.chars().map(named).collect::<String>());
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
fn answer(cx: &mut Lowering<'_>, operation: &interface::Operation, all_read: bool) {
    let world = cx.world();
    let output = &operation.output;
    let status = output.status.as_ref().map(|status| status.value);
    let (name, fits): (_, fn(AnswerKind) -> bool) = match &output.kind {
        OutputKind::Row(name) => (name, |kind| matches!(kind, AnswerKind::Row | AnswerKind::Upserted(_))),
        OutputKind::List(name) => (name, |kind| kind == AnswerKind::List),
        OutputKind::Page(name) => (name, |kind| kind == AnswerKind::Page),
        OutputKind::Nothing => return cx.answer_nothing(),
        OutputKind::Missing if operation.procedure => return cx.answer_nothing(),
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
