//! What all behaviours of a document share: the model, the tables, and the growing lists of the program.

use crate::lower::proofs;
use crate::lower::schema::Patterns;
use crate::notes::{Note, NoteKind};
use crate::program::{
    Budget, EntityId, EntitySchema, EventShape, FieldId, Handler, MetricShape, Schema, Statement, StatementId,
};
use crate::steps::{Glossary, Sentences, read_items};
use formwork_model::Model;
use formwork_model::names::{NameIndex, name_key, nearest};
use formwork_model::sections::closing::Interface;
use formwork_model::sections::components::Component;
use formwork_model::sections::interface::{Operation, OutputKind};
use formwork_model::sections::observability::Metric;
use formwork_model::sections::security::{BudgetKind, Grant};
use formwork_syntax::{Span, threads};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::Arc;

/// What a behaviour may refer to.
pub(crate) struct World<'w> {
    /// The document.
    pub(crate) source: &'w str,
    /// Its facts.
    pub(crate) model: &'w Model,
    /// Its tables.
    pub(crate) schema: &'w Schema,
    /// Its regular expressions.
    pub(crate) patterns: &'w Patterns,
    index: Rc<Index<'w>>,
}

/// An operation or endpoint as it was read.
pub(crate) struct Declared<'w> {
    /// Its facts.
    pub(crate) operation: &'w Operation,
    /// Its behaviour.
    pub(crate) sentences: Sentences,
}

/// What is found by name or place in the same time however large the document is.
struct Index<'w> {
    /// The names of entities and components in words, for subjects and glue.
    names: Glossary,
    /// Operations and endpoints with their sentences, in the order of the document, and their names.
    declared: Vec<Declared<'w>>,
    callables: NameIndex,
    entities: NameIndex,
    components: NameIndex,
    interfaces: NameIndex,
    metrics: NameIndex,
    /// Grants by the name of the operation, and those of every operation.
    grants: FxHashMap<&'w str, Vec<usize>>,
    general_grants: Vec<usize>,
    /// Whether a grant is of every operation or of one that exists.
    grants_something: bool,
    /// The operations with a signature line of their own.
    signed: FxHashSet<Arc<str>>,
    /// The lines of section 9 that price an operation, by what names that mean it have in common.
    prices: FxHashMap<String, Vec<usize>>,
    /// The fields that refer to each table.
    referrers: Vec<Vec<(EntityId, FieldId)>>,
    /// Where the operations stand that answer a list or page.
    lists: FxHashSet<Span>,
}

impl<'w> World<'w> {
    /// Gathers what steps may name.
    pub(crate) fn new(source: &'w str, model: &'w Model, schema: &'w Schema, patterns: &'w Patterns) -> Self {
        let components = model.components.iter().map(|component| &component.name.value);
        let entities = model.entities.iter().map(|entity| &entity.name.value);
        let names = Glossary::new(components.chain(entities).map(|name| words(name)));
        let declared: Vec<&str> =
            model.operations.iter().chain(&model.endpoints).map(|it| it.name.value.as_str()).collect();
        let named = NameIndex::new(declared.iter().copied());
        let mut grants: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        let mut general_grants = Vec::new();
        for (at, grant) in model.authorization.grants.iter().enumerate() {
            if grant.all {
                general_grants.push(at);
            }
            // A grant in another spelling is of the operation that it means.
            let meant =
                grant.operations.iter().filter_map(|name| named.find(&name.value)).map(|it| declared[it]);
            meant.for_each(|name| grants.entry(name).or_default().push(at));
        }
        let mut prices: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (at, line) in model.budgets.iter().enumerate() {
            let BudgetKind::Cost { operations, .. } = &line.kind else { continue };
            let mut keys: Vec<String> = operations.iter().map(|name| name_key(&name.value)).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.into_iter()
                .filter(|key| !key.is_empty())
                .for_each(|key| prices.entry(key).or_default().push(at));
        }
        let operations = model.operations.iter().chain(&model.endpoints);
        let grants_known = !grants.is_empty();
        let is_list = |kind: &OutputKind| matches!(kind, OutputKind::List(_) | OutputKind::Page(_));
        let read = |operation: &'w Operation| Declared {
            operation,
            sentences: read_items(source, &names, &operation.behavior),
        };
        let threads = threads::worth(source.len());
        let mut all: Vec<Declared<'_>> = threads::map(threads, &model.operations, read);
        all.extend(threads::map(threads, &model.endpoints, read));
        let index = Index {
            names,
            declared: all,
            callables: named,
            entities: NameIndex::new(schema.entities.iter().map(|entity| &*entity.name)),
            components: NameIndex::new(model.components.iter().map(|component| &*component.name.value)),
            interfaces: NameIndex::new(model.interfaces.iter().map(|interface| &*interface.name.value)),
            metrics: NameIndex::new(model.metrics.iter().map(|metric| &*metric.name.value)),
            grants_something: !general_grants.is_empty()
                || grants_known
                || !model.authorization.scoped.is_empty(),
            grants,
            general_grants,
            signed: proofs::signatures(model).into_iter().flat_map(|rule| rule.operations).collect(),
            prices,
            referrers: referrers(schema),
            lists: operations.filter(|it| is_list(&it.output.kind)).map(|it| it.span).collect(),
        };
        Self { source, model, schema, patterns, index: Rc::new(index) }
    }

    /// The same facts for a text that stands in no document.
    pub(crate) fn over(&self, source: &'w str) -> Self {
        Self { source, index: self.index.clone(), ..*self }
    }

    /// The names of entities and components in words, for subjects and glue.
    pub(crate) fn names(&self) -> &Glossary {
        &self.index.names
    }

    /// Operations and endpoints with their sentences, in the order of the document.
    pub(crate) fn declared(&self) -> &[Declared<'w>] {
        &self.index.declared
    }

    /// The operation, endpoint or procedure of this name.
    pub(crate) fn find_callable(&self, name: &str) -> Option<&Declared<'w>> {
        self.index.declared.get(self.index.callables.find(name)?)
    }

    /// Whether a grant is of every operation or of one that exists.
    pub(crate) fn grants_something(&self) -> bool {
        self.index.grants_something
    }

    /// Whether section 9 has a signature line of the operation's own.
    pub(crate) fn is_signed(&self, operation: &str) -> bool {
        self.index.signed.contains(operation)
    }

    /// The table of this name: an exact name wins, else one that differs in case, separators or plural.
    pub(crate) fn find_entity(&self, name: &str) -> Option<EntityId> {
        EntityId::try_from(self.index.entities.find(name)?).ok()
    }

    /// The component of this name.
    pub(crate) fn find_component(&self, name: &str) -> Option<&'w Component> {
        self.model.components.get(self.index.components.find(name)?)
    }

    /// The interface of exactly this name.
    pub(crate) fn find_interface(&self, name: &str) -> Option<&'w Interface> {
        self.model.interfaces.get(self.index.interfaces.exact(name)?)
    }

    /// The metric of exactly this name.
    pub(crate) fn find_metric(&self, name: &str) -> Option<&'w Metric> {
        self.model.metrics.get(self.index.metrics.exact(name)?)
    }

    /// The grants of an operation, in the order of section 9.
    pub(crate) fn grants_of(&self, operation: &str) -> impl Iterator<Item = &'w Grant> {
        let mut all = self.index.general_grants.clone();
        all.extend(self.index.grants.get(operation).into_iter().flatten());
        all.sort_unstable();
        all.dedup();
        all.into_iter().filter_map(|at| self.model.authorization.grants.get(at))
    }

    /// The lines that price an operation, in the order of section 9.
    pub(crate) fn prices_of(&self, operation: &str) -> impl Iterator<Item = &'w BudgetKind> {
        let lines = self.index.prices.get(&name_key(operation)).map_or(&[][..], Vec::as_slice);
        lines.iter().filter_map(|at| Some(&self.model.budgets.get(*at)?.kind))
    }

    /// The fields that refer to a table, in the order of the tables.
    pub(crate) fn referrers(&self, entity: EntityId) -> &[(EntityId, FieldId)] {
        self.index.referrers.get(usize::from(entity)).map_or(&[], Vec::as_slice)
    }

    /// Whether the operation declared at this place answers a list or page.
    pub(crate) fn answers_many(&self, operation: Span) -> bool {
        self.index.lists.contains(&operation)
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

/// For each table the fields that refer to it.
fn referrers(schema: &Schema) -> Vec<Vec<(EntityId, FieldId)>> {
    let mut found = vec![Vec::new(); schema.entities.len()];
    for (child, table) in (0..).zip(&schema.entities).take_while(|(child, _)| *child < EntityId::MAX) {
        for (field, declared) in (0..).zip(&table.fields).take_while(|(field, _)| *field < FieldId::MAX) {
            let to = declared.references.as_ref().map(|to| usize::from(to.entity));
            if let Some(list) = to.and_then(|to| found.get_mut(to)) {
                list.push((child, field));
            }
        }
    }
    found
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
    /// The names that `secret("…")` reads.
    pub(crate) secrets: Vec<Arc<str>>,
    /// The budgets of section 9, what their lines say besides, and what is wrong with them.
    pub(crate) budgets: Vec<Budget>,
    pub(crate) budget_lines: Vec<super::costs::Declared>,
    pub(crate) cost_notes: Vec<Note>,
    /// The budgets of every operation, and those of some by what names that mean one have in common.
    general_payers: Vec<u16>,
    payers: FxHashMap<String, Vec<u16>>,
    /// What runs after a commit.
    pub(crate) handlers: Vec<Handler>,
    /// Positions of events and metrics by name.
    pub(crate) event_at: FxHashMap<Arc<str>, u16>,
    pub(crate) metric_at: FxHashMap<Arc<str>, u16>,
}

impl Shared {
    /// Begins with the events that section 10 declares.
    pub(crate) fn new(model: &Model) -> Self {
        let shape = |event: &formwork_model::sections::observability::Event| EventShape {
            name: event.name.value.as_str().into(),
            data: event.data.iter().map(|member| member.value.as_str().into()).collect(),
        };
        let events: Vec<EventShape> = model.events.iter().map(shape).collect();
        let mut event_at = FxHashMap::default();
        for (at, event) in (0..u16::MAX).zip(&events) {
            event_at.entry(event.name.clone()).or_insert(at);
        }
        Self {
            statements: Statements::default(),
            declared_events: events.len(),
            events,
            metrics: Vec::new(),
            secrets: Vec::new(),
            budgets: Vec::new(),
            budget_lines: Vec::new(),
            cost_notes: Vec::new(),
            general_payers: Vec::new(),
            payers: FxHashMap::default(),
            handlers: Vec::new(),
            event_at,
            metric_at: FxHashMap::default(),
        }
    }
}

impl Shared {
    /// Adds a budget, which pays for these operations; for all when none is named.
    pub(crate) fn add_budget(&mut self, budget: Budget, line: super::costs::Declared, operations: &[String]) {
        let at = u16::try_from(self.budgets.len());
        self.budgets.push(budget);
        self.budget_lines.push(line);
        // Places of budgets in instructions have 16 bits; no document that a person wrote has as many.
        let Ok(at) = at else { return };
        if operations.is_empty() {
            self.general_payers.push(at);
        }
        for operation in operations {
            let of = self.payers.entry(name_key(operation)).or_default();
            if of.last() != Some(&at) {
                of.push(at);
            }
        }
    }

    /// The budgets that pay for an operation, in the order of section 9.
    pub(crate) fn budgets_of(&self, operation: &str) -> Vec<u16> {
        let mut found = self.general_payers.clone();
        found.extend(self.payers.get(&name_key(operation)).into_iter().flatten());
        found.sort_unstable();
        found
    }
}

/// Statements, each once.
#[derive(Default)]
pub(crate) struct Statements {
    /// In the order of first use.
    pub(crate) list: Vec<Statement>,
    /// By their hash; one with the hash of another has the next number that is free.
    known: FxHashMap<u64, StatementId>,
}

impl Statements {
    /// The id of a statement; an equal one is shared.
    pub(crate) fn add(&mut self, statement: Statement) -> StatementId {
        let mut place = FxBuildHasher.hash_one(&statement);
        while let Some(id) = self.known.get(&place) {
            if self.list.get(*id as usize) == Some(&statement) {
                return *id;
            }
            place = place.wrapping_add(1);
        }
        let id = self.list.len() as StatementId;
        self.known.insert(place, id);
        self.list.push(statement);
        id
    }
}
