//! Lowers what runs after a commit: ``When `event` is emitted:``, ``When a `E` is created / updated / deleted:``, and what
//! `Schedules` puts off. Source: language reference, *Standing steps* and *Schedules*.

use crate::behaviour::StandingStep;
use crate::expression::{Ast, AstKind, Expression, Kind, Names, StaticType};
use crate::lower::carried::Given;
use crate::lower::input::Setup;
use crate::lower::jobs::Body;
use crate::lower::lowering::{Finished, Setting};
use crate::lower::operations::{PROCEDURE, steps, tell};
use crate::lower::world::Declared;
use crate::lower::{Lowering, Refused, Shared, World, input};
use crate::notes::{Note, NoteKind};
use crate::program::{
    Change, EntityId, FieldSchema, Handler, InputShape, Instruction, Schema, Slot, Told, Trigger, slots,
};
use crate::steps::clause::Misread;
use crate::steps::{Form, Grammar, SCHEDULES, lower_block};
use crate::tokens::{Sentence, Token};
use formwork_model::Model;
use formwork_model::names::{NameIndex, nearest};
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// For messages; a trigger is no step.
pub(super) static WHEN: Form = Form {
    name: "When",
    heads: &[],
    notation: "When `event` is emitted: · When a `E` is created / updated / deleted:",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// What a standing step waits for, as written.
#[derive(Clone, Debug)]
pub(super) enum When {
    /// An event.
    Emitted(Code),
    /// Changes of rows.
    Changes(Code, Vec<Change>),
}

/// Reads what stands between `When` and the colon.
pub(super) fn read(tokens: &[Token], span: Span) -> Result<When, Misread> {
    let mut rest =
        tokens.iter().filter(|token| !["a", "an", "the", "event", "row"].iter().any(|word| token.is(word)));
    let misread = |token: Option<&Token>, expected: &str| Misread {
        word: token.and_then(Token::word).map(str::to_owned),
        expected: expected.to_owned(),
        span: token.map_or(span, |token| token.span),
    };
    let first = rest.next();
    let Some(code) = first.and_then(Token::code).cloned() else {
        return Err(misread(first, "the name of an event or entity in backticks"));
    };
    let is = rest.next();
    if !is.is_some_and(|token| token.is("is") || token.is("was")) {
        return Err(misread(is, "`is emitted`, `is created`, `is updated` or `is deleted`"));
    }
    let mut changes = Vec::new();
    let mut emitted = false;
    for token in rest {
        match token.word() {
            Some("emitted") => emitted = true,
            Some("created") => changes.push(Change::Created),
            Some("updated" | "changed") => changes.push(Change::Updated),
            Some("deleted" | "removed") => changes.push(Change::Deleted),
            Some("or" | "and") => {}
            _ if token.is_sign(',') => {}
            _ => return Err(misread(Some(token), "`emitted`, `created`, `updated` or `deleted`")),
        }
    }
    match (emitted, changes.is_empty()) {
        (true, true) => Ok(When::Emitted(code)),
        (false, false) => Ok(When::Changes(code, changes)),
        _ => Err(misread(None, "`emitted`, or `created`, `updated` and `deleted`")),
    }
}

/// The entities of whose updates and deletions handlers are told: the engine must see each of their rows.
pub(super) fn told_of(source: &str, model: &Model, schema: &Schema) -> FxHashSet<EntityId> {
    let names = NameIndex::new(schema.entities.iter().map(|entity| &*entity.name));
    let mut told = FxHashSet::default();
    for item in model.components.iter().flat_map(|component| &component.responsibilities) {
        let Some(head) = crate::tokens::sentences(source, &item.text).into_iter().next() else { continue };
        let Some(Ok(When::Changes(code, changes))) = when_of(&head) else { continue };
        if changes.iter().any(|change| *change != Change::Created) {
            let found = names.find(code.text(source).trim());
            told.extend(found.and_then(|at| EntityId::try_from(at).ok()));
        }
    }
    told
}

fn when_of(sentence: &Sentence) -> Option<Result<When, Misread>> {
    let tokens = &sentence.tokens;
    let colon = tokens.iter().rposition(|token| token.is_sign(':')).unwrap_or(tokens.len());
    let is_when = tokens.first().is_some_and(|token| token.is("when"));
    is_when.then(|| read(&tokens[1..colon], sentence.span))
}

impl Lowering<'_> {
    /// Appends what has an operation or procedure carried out later; what is given is tested now.
    pub(crate) fn schedule(
        &mut self,
        name: &str,
        given: &Given,
        place: Span,
        due: Option<Expression>,
    ) -> Result<(), Refused> {
        let (handler, shape) = self.scheduled(name)?;
        let inputs = self.accept(&SCHEDULES, name, &shape, given, place).ok_or(Refused::Input)?;
        let named = shape.fields.iter().map(|field| field.name.clone());
        let data = named.zip(inputs.into_iter().map(Expression::Slot)).collect();
        let due = due.ok_or(Refused::Input)?;
        self.push(Instruction::Schedule { handler, data, due });
        Ok(())
    }

    /// The handler that carries out an operation or procedure later, made when it is first scheduled; and its input.
    fn scheduled(&mut self, name: &str) -> Result<(u16, InputShape), Refused> {
        let world = self.world;
        let Some(Declared { operation, sentences }) = world.find_callable(name) else {
            let names = world.declared().iter().map(|declared| declared.operation.name.value.as_str());
            return Err(Refused::Unknown(nearest(name, names).map(str::to_owned)));
        };
        if !crate::lower::operations::is_executed(sentences) {
            return Err(Refused::WithoutSteps);
        }
        let name: Arc<str> = operation.name.value.as_str().into();
        let is_it = |handler: &Handler| handler.trigger == Trigger::Scheduled && handler.name == name;
        let setup = Setup { executed: true, page: false, owner: None };
        let shape = input::lower(world, operation, (PROCEDURE, &[]), setup, &mut Vec::new());
        if let Some(at) = self.shared.handlers.iter().position(is_it) {
            return u16::try_from(at).map(|at| (at, shape)).map_err(|_| Refused::TooLarge);
        }
        let members = shape.fields.iter().map(|field| Told {
            name: field.name.clone(),
            ty: field.ty.clone(),
            // A default is put in when it is scheduled.
            optional: field.optional && field.default.is_none(),
        });
        let members = members.collect();
        let at = u16::try_from(self.shared.handlers.len()).map_err(|_| Refused::TooLarge)?;
        self.shared.handlers.push(Handler {
            name,
            component: "".into(),
            trigger: Trigger::Scheduled,
            members,
            code: Default::default(),
            span: operation.span,
        });
        Ok((at, shape))
    }
}

/// Lowers the steps of what is scheduled, which may schedule more.
pub(super) fn lower_scheduled(world: &World<'_>, shared: &mut Shared) {
    let mut at = 0;
    while let Some(handler) = shared.handlers.get(at) {
        if handler.trigger == Trigger::Scheduled {
            let (name, members, span) = (handler.name.clone(), handler.members.clone(), handler.span);
            let mut names = names(world);
            bind_event(&mut names, Some(&members));
            let mut cx = Lowering::new(world, shared, names, usize::from(slots::BEFORE) + 1, setting());
            let given = members.iter().map(|told| (told.name.clone(), datum(&told.name, span))).collect();
            // What does not fit was noted where it is scheduled.
            let _ = cx.carry_out(&name, &given, span, false);
            let finished = cx.finish(&mut Vec::new());
            shared.handlers[at].code = finished.code;
        }
        at += 1;
    }
}

/// `event.data.NAME`
fn datum(name: &Arc<str>, span: Span) -> Ast {
    let event = Ast { kind: AstKind::Name("event".into()), span };
    let data = AstKind::Member { of: Box::new(event), name: "data".into(), name_span: span };
    let data = Ast { kind: data, span };
    Ast { kind: AstKind::Member { of: Box::new(data), name: name.clone(), name_span: span }, span }
}

fn setting() -> Setting {
    Setting { job: false, asks: false, ..Setting::default() }
}

fn names<'w>(world: &World<'w>) -> Names<'w> {
    let mut names = Names::new(world.schema);
    names.caller = true;
    names.present.push(vec!["caller".into(), "id".into()]);
    names
}

fn bind_event(names: &mut Names<'_>, data: Option<&[Told]>) {
    let mut members: Vec<(Arc<str>, StaticType)> = vec![("id".into(), Kind::Uuid.required())];
    if let Some(data) = data {
        let data = data
            .iter()
            .map(|told| (told.name.clone(), StaticType::of(&told.ty, told.optional, names.schema)));
        members.push(("data".into(), Kind::Object(data.collect()).required()));
    }
    names.bind("event", slots::EVENT, Kind::Object(members.into()).required());
}

/// Lowers a standing step that waits for something; gives its handlers, one for each change.
pub(super) fn lower(
    world: &World<'_>,
    shared: &mut Shared,
    name: &str,
    when: &When,
    body: &Body<'_>,
    standing: &mut StandingStep,
    notes: &mut Vec<Note>,
) {
    let triggers = triggers(world, shared, when, notes);
    if triggers.is_empty() {
        standing.steps.extend(steps(world, body.sentences, true, &Default::default()));
        return;
    }
    tell(world, body.sentences, true, notes);
    for (number, trigger) in triggers.into_iter().enumerate() {
        let finished = lower_for(world, shared, trigger, body, notes);
        if number == 0 {
            standing.steps.extend(steps(world, body.sentences, true, &finished.errors));
            standing.touches = finished.touches;
        }
        let suffix = if number == 0 { String::new() } else { format!("/{}", number + 1) };
        shared.handlers.push(Handler {
            name: format!("{name}{suffix}").into(),
            component: standing.component.clone(),
            trigger,
            members: members(world, shared, trigger),
            code: finished.code,
            span: body.span,
        });
    }
}

fn triggers(world: &World<'_>, shared: &Shared, when: &When, notes: &mut Vec<Note>) -> Vec<Trigger> {
    match when {
        When::Emitted(code) => {
            let name = code.text(world.source).trim().to_owned();
            if let Some(event) = shared.event_at.get(name.as_str()) {
                return vec![Trigger::Event(*event)];
            }
            let declared = shared.events[..shared.declared_events].iter().map(|event| &*event.name);
            let near = nearest(&name, declared).map(str::to_owned);
            let kind = NoteKind::EventNotDeclared { event: name, nearest: near };
            notes.push(Note { kind, span: code.span(), related: None, fix: None });
            Vec::new()
        }
        When::Changes(code, changes) => {
            let name = code.text(world.source).trim().to_owned();
            match world.find_entity(&name) {
                Some(entity) => changes.iter().map(|change| Trigger::Change(*change, entity)).collect(),
                None => {
                    let kind = world.unknown_entity(&name);
                    notes.push(Note { kind, span: code.span(), related: None, fix: None });
                    Vec::new()
                }
            }
        }
    }
}

fn told(field: &FieldSchema) -> Told {
    Told { name: field.name.clone(), ty: field.ty.clone(), optional: field.optional }
}

/// The members of the data with their types: those of the entity that the event's first word names, where it has a
/// field of that name; anything else shows when it comes.
fn members(world: &World<'_>, shared: &Shared, trigger: Trigger) -> Vec<Told> {
    let fields = |entity: EntityId| world.table(entity).fields.iter();
    match trigger {
        Trigger::Scheduled => Vec::new(),
        Trigger::Change(_, entity) => fields(entity).map(told).collect(),
        Trigger::Event(event) => {
            let Some(event) = shared.events.get(usize::from(event)) else { return Vec::new() };
            let first = event.name.split(['.', ':', '/']).next().unwrap_or(&event.name);
            let entity = world.find_entity(first).or_else(|| world.find_entity(first.split('_').next()?));
            let known = |member: &str| fields(entity?).find(|field| *field.name == *member).map(told);
            let unknown = |name: &Arc<str>| Told { name: name.clone(), ty: Type::Json, optional: false };
            event.data.iter().map(|member| known(member).unwrap_or_else(|| unknown(member))).collect()
        }
    }
}

fn lower_for(
    world: &World<'_>,
    shared: &mut Shared,
    trigger: Trigger,
    body: &Body<'_>,
    notes: &mut Vec<Note>,
) -> Finished {
    let mut names = names(world);
    match trigger {
        Trigger::Event(_) | Trigger::Scheduled => {
            let members = members(world, shared, trigger);
            bind_event(&mut names, Some(&members));
        }
        Trigger::Change(change, entity) => {
            bind_event(&mut names, None);
            let table = world.table(entity);
            let fields = table
                .fields
                .iter()
                .map(|field| (field.name.clone(), StaticType::of(&field.ty, field.optional, world.schema)));
            let copy = Kind::Object(fields.collect());
            names.bind(&table.name, slots::CHANGED, copy.clone().required());
            if change != Change::Created {
                names.bind("before", slots::BEFORE, copy.required());
            }
        }
    }
    let first: Slot = slots::BEFORE + 1;
    let mut cx = Lowering::new(world, shared, names, usize::from(first), setting());
    lower_block(&mut cx, body.sentences);
    cx.finish(notes)
}
