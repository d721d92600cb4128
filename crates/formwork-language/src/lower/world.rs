//! What all behaviours of a document share: the model, the tables, and the growing lists of the program.

use crate::notes::NoteKind;
use crate::program::{EntityId, EntitySchema, EventShape, MetricShape, Schema, Statement, StatementId};
use formwork_model::Model;
use formwork_model::names::{nearest, same_name};
use rustc_hash::FxHashMap;

/// What a behaviour may refer to.
pub(crate) struct World<'w> {
    /// The document.
    pub(crate) source: &'w str,
    /// Its facts.
    pub(crate) model: &'w Model,
    /// Its tables.
    pub(crate) schema: &'w Schema,
    /// The names of entities and components in lower-case words, for subjects and glue.
    pub(crate) names: Vec<Vec<String>>,
}

impl<'w> World<'w> {
    /// Gathers what steps may name.
    pub(crate) fn new(source: &'w str, model: &'w Model, schema: &'w Schema) -> Self {
        let components = model.components.iter().map(|component| &component.name.value);
        let entities = model.entities.iter().map(|entity| &entity.name.value);
        let names =
            components.chain(entities).map(|name| words(name)).filter(|name| !name.is_empty()).collect();
        Self { source, model, schema, names }
    }

    /// The table of this name: an exact name wins, else one that differs in case, separators or plural.
    pub(crate) fn find_entity(&self, name: &str) -> Option<EntityId> {
        find_entity(self.schema, name)
    }

    /// The note about an entity that does not exist.
    pub(crate) fn unknown_entity(&self, name: &str) -> NoteKind {
        let names = self.schema.entities.iter().map(|entity| &*entity.name);
        NoteKind::UnknownName {
            what: "entity",
            name: name.to_owned(),
            nearest: nearest(name, names).map(str::to_owned),
        }
    }

    /// A table.
    pub(crate) fn table(&self, entity: EntityId) -> &'w EntitySchema {
        &self.schema.entities[usize::from(entity)]
    }
}

/// The table of this name: an exact name wins.
pub(crate) fn find_entity(schema: &Schema, name: &str) -> Option<EntityId> {
    let position = |fits: &dyn Fn(&str) -> bool| schema.entities.iter().position(|entity| fits(&entity.name));
    let at = position(&|other| other == name).or_else(|| position(&|other| same_name(other, name)))?;
    EntityId::try_from(at).ok()
}

/// A name in lower-case words: `Link API`, `link_store`.
pub(crate) fn words(name: &str) -> Vec<String> {
    name.split(|character: char| character.is_whitespace() || character == '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The lists of the program that behaviours add to.
pub(crate) struct Shared {
    /// Statements, each once.
    pub(crate) statements: Statements,
    /// Events: those of section 10 first.
    pub(crate) events: Vec<EventShape>,
    /// How many of the events section 10 declares.
    pub(crate) declared_events: usize,
    /// Metrics that steps fill.
    pub(crate) metrics: Vec<MetricShape>,
}

impl Shared {
    /// Begins with the events that section 10 declares.
    pub(crate) fn new(model: &Model) -> Self {
        let shape = |event: &formwork_model::sections::observability::Event| EventShape {
            name: event.name.value.as_str().into(),
            data: event.data.iter().map(|member| member.value.as_str().into()).collect(),
        };
        let events: Vec<EventShape> = model.events.iter().map(shape).collect();
        Self { statements: Statements::default(), declared_events: events.len(), events, metrics: Vec::new() }
    }
}

/// Statements, each once.
#[derive(Default)]
pub(crate) struct Statements {
    /// In the order of first use.
    pub(crate) list: Vec<Statement>,
    known: FxHashMap<String, StatementId>,
}

impl Statements {
    /// The id of a statement; an equal one is shared.
    pub(crate) fn add(&mut self, statement: Statement) -> StatementId {
        let key = format!("{statement:?}");
        let next = self.list.len() as StatementId;
        let id = *self.known.entry(key).or_insert(next);
        if id == next {
            self.list.push(statement);
        }
        id
    }
}
