//! Which labels of the shipped form the model has facts for, whatever the document calls them.

use crate::context::Context;
use formwork_model::Section;
use formwork_model::facts::Constraint;
use formwork_model::sections::components::Component;
use formwork_model::sections::data_model::Entity;
use formwork_model::sections::interface::Operation;
use formwork_model::sections::performance::CacheLayer;
use formwork_syntax::Span;
use rustc_hash::FxHashSet;

/// Whether a section has the facts of a part; `label` in lower case.
pub(crate) fn has_part(cx: &Context<'_>, section: Section, label: &str) -> bool {
    let model = cx.model;
    let is = |words: &[&str]| words.iter().any(|word| label.contains(word));
    match section {
        Section::Goals if is(&["non"]) => !model.non_goals.is_empty(),
        Section::Goals => !model.goals.is_empty(),
        Section::Performance if is(&["slo"]) => !model.slos.is_empty(),
        Section::Performance if is(&["cach"]) => !model.caches.is_empty(),
        Section::Performance => !model.optimizations.is_empty(),
        Section::Security if is(&["authn", "authentication"]) => !model.authentication.is_empty(),
        Section::Security if is(&["authz", "authorization"]) => model.authorization.span.is_some(),
        Section::Security if is(&["quota", "limit"]) => !model.limits.is_empty(),
        Section::Security if is(&["audit"]) => !model.audit.is_empty(),
        Section::Security => !model.budgets.is_empty(),
        Section::Observability if is(&["metric"]) => !model.metrics.is_empty(),
        Section::Observability if is(&["trac"]) => !model.traces.is_empty(),
        Section::Observability => !model.events.is_empty(),
        Section::Deployment if is(&["deploy"]) => !model.deployment.statements.is_empty(),
        Section::Deployment if is(&["release"]) => !model.release.statements.is_empty(),
        Section::Deployment => !model.recovery.statements.is_empty(),
        Section::Testing if is(&["unit", "integration"]) => !model.testing.unit.is_empty(),
        Section::Testing if is(&["quality"]) => !model.testing.quality.is_empty(),
        Section::Testing if is(&["resilience"]) => !model.testing.resilience.is_empty(),
        Section::Testing => !model.testing.load.is_empty(),
        Section::Roadmap => !model.roadmap.is_empty(),
        _ => false,
    }
}

/// Whether a section that repeats a thing has one at all; for sections whose content may be none, always.
pub(crate) fn has_items(cx: &Context<'_>, section: Section) -> Option<(&'static str, bool)> {
    let model = cx.model;
    match section {
        Section::Components => Some(("Component", !model.components.is_empty())),
        Section::Interface => Some(("Operation", !model.operations.is_empty())),
        Section::DataModel => Some(("Entity", !model.entities.is_empty())),
        Section::Flows => Some(("Flow", !model.flows.is_empty())),
        _ => None,
    }
}

/// A thing of a kind that repeats.
pub(crate) struct Item<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: Span,
    pub(crate) span: Span,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Component(&'a Component),
    Operation(&'a Operation),
    /// An entity, and whether a relationship names it.
    Entity(&'a Entity, bool),
    Cache(&'a CacheLayer),
}

/// The things that a section repeats, and what they are called.
pub(crate) fn items<'a>(cx: &Context<'a>, section: Section) -> (&'static str, Vec<Item<'a>>) {
    let model = cx.model;
    let operations = |operations: &'a [Operation]| {
        let item = |it: &'a Operation| Item {
            name: &it.name.value,
            place: it.name.span,
            span: it.span,
            kind: Kind::Operation(it),
        };
        // A procedure is part of operations, and asked for nothing by itself.
        operations.iter().filter(|it| !it.procedure).map(item).collect()
    };
    match section {
        Section::Components => {
            let item = |it: &'a Component| Item {
                name: &it.name.value,
                place: it.name.span,
                span: it.span,
                kind: Kind::Component(it),
            };
            ("components", model.components.iter().filter(|it| !it.external).map(item).collect())
        }
        Section::Interface => ("operations", operations(&model.operations)),
        Section::Internal => ("endpoints", operations(&model.endpoints)),
        Section::DataModel => {
            let related = Related::of(cx);
            let item = |it: &'a Entity| Item {
                name: &it.name.value,
                place: it.name.span,
                span: it.span,
                kind: Kind::Entity(it, related.has(&it.name.value)),
            };
            ("entities", model.entities.iter().map(item).collect())
        }
        Section::Performance => {
            let item = |it: &'a CacheLayer| Item {
                name: &it.name.value,
                place: it.name.span,
                span: it.span,
                kind: Kind::Cache(it),
            };
            ("cache layers", model.caches.iter().map(item).collect())
        }
        _ => ("things", Vec::new()),
    }
}

/// Whether a thing has the facts of a label; `label` in lower case.
pub(crate) fn has_label(item: &Item<'_>, label: &str) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| label.contains(word));
    match item.kind {
        Kind::Component(it) if is(&["purpose"]) => it.purpose.is_some(),
        Kind::Component(it) if is(&["responsib"]) => !it.responsibilities.is_empty(),
        Kind::Component(it) => it.technology.is_some(),
        Kind::Operation(it) if is(&["input", "request"]) => it.input.span.is_some(),
        Kind::Operation(it) if is(&["output", "response"]) => it.output.span.is_some(),
        Kind::Operation(it) if is(&["behav"]) => it.behavior_span.is_some(),
        Kind::Operation(it) if is(&["transport"]) => it.transport.is_some(),
        Kind::Operation(it) => it.purpose.is_some(),
        Kind::Entity(it, _) if is(&["field"]) => !it.fields.is_empty(),
        Kind::Entity(it, related) if is(&["relation"]) => related || has_reference(it),
        Kind::Entity(it, _) => {
            let keyed = |constraint: &Constraint| {
                matches!(constraint, Constraint::PrimaryKey | Constraint::Unique(_) | Constraint::Indexed)
            };
            let mut constraints = it.fields.iter().flat_map(|field| &field.constraints);
            !it.indexes.is_empty() || constraints.any(|constraint| keyed(&constraint.value))
        }
        Kind::Cache(it) if is(&["what"]) => it.what.is_some(),
        Kind::Cache(it) if is(&["ttl"]) => it.ttl.is_some(),
        Kind::Cache(it) => it.invalidation.is_some(),
    }
}

fn has_reference(entity: &Entity) -> bool {
    let mut constraints = entity.fields.iter().flat_map(|field| &field.constraints);
    constraints.any(|constraint| matches!(constraint.value, Constraint::References { .. }))
}

/// The entities that relationships name; a table of them stands for all.
struct Related<'a> {
    all: bool,
    names: FxHashSet<&'a str>,
}

impl<'a> Related<'a> {
    fn of(cx: &Context<'a>) -> Self {
        let relationships = &cx.model.relationships;
        let mut entities: Vec<Span> = cx.model.entities.iter().map(|entity| entity.span).collect();
        entities.sort_unstable();
        // How far the entities up to each one reach: what begins behind one and ends before that is inside one.
        let reach = entities.iter().scan(0, |reach, span| {
            *reach = span.end.max(*reach);
            Some(*reach)
        });
        let reach: Vec<u32> = reach.collect();
        let is_inside = |span: Span| {
            let before = entities.partition_point(|entity| entity.start <= span.start);
            before.checked_sub(1).is_some_and(|last| span.end <= reach[last])
        };
        let names = relationships.iter().flat_map(|it| [it.from.value.as_str(), it.to.value.as_str()]);
        Self { all: relationships.iter().any(|it| !is_inside(it.span)), names: names.collect() }
    }

    fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}
