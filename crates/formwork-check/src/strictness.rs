//! How strict a place is read: what is executed must be right, what is not is told as a hint.
//!
//! A document need not be written in the language. Where no step of a behaviour, flow or component is executed, and
//! no executed step uses an entity, what the language does not understand there is prose, not a fault; facts that
//! contradict each other are faults everywhere. Source: language reference, *Kinds of text*.

use crate::diagnostic::{Diagnostic, Severity};
use formwork_language::behaviour::Compiled;
use formwork_language::program::Mode;
use formwork_model::Model;
use formwork_syntax::Span;
use rustc_hash::FxHashSet;

/// What of a document is executed.
pub(crate) struct Strictness {
    /// Operations, components, flows and entities by place, with whether they are executed or used by what is.
    regions: Vec<(Span, bool)>,
    /// Whether anything is executed.
    speaks: bool,
}

impl Strictness {
    /// Looks at what was compiled.
    pub(crate) fn of(model: &Model, compiled: &Compiled) -> Self {
        let mut touched: FxHashSet<&str> = FxHashSet::default();
        let behaviours = compiled.behaviours.iter().map(|behaviour| &behaviour.touches);
        for touches in behaviours.chain(compiled.standing.iter().map(|standing| &standing.touches)) {
            touched.extend(touches.reads.iter().chain(&touches.writes).map(|name| &**name));
        }
        let active: FxHashSet<&str> = compiled
            .standing
            .iter()
            .filter(|standing| standing.job.is_some() || standing.steps.iter().any(is_step))
            .map(|standing| &*standing.component)
            .collect();
        let mut regions: Vec<(Span, bool)> = Vec::new();
        let operations = model.operations.iter().chain(&model.endpoints).zip(&compiled.behaviours);
        regions.extend(operations.map(|(operation, found)| (operation.span, found.mode == Mode::Executed)));
        let components = model.components.iter();
        regions.extend(components.map(|it| (it.span, active.contains(it.name.value.as_str()))));
        regions.extend(compiled.flows.iter().map(|flow| {
            let mut steps = flow.steps.iter().chain(&flow.errors);
            (flow.span, steps.any(|step| step.action.is_some()))
        }));
        let speaks = regions.iter().any(|(_, executed)| *executed);
        let entities = model.entities.iter();
        regions.extend(entities.map(|it| (it.span, touched.contains(it.name.value.as_str()))));
        regions.sort_by_key(|(span, _)| span.start);
        Self { regions, speaks }
    }

    /// Whether anything of the document is executed.
    pub(crate) fn speaks(&self) -> bool {
        self.speaks
    }

    /// Whether what stands at a place is executed, or used by what is.
    pub(crate) fn is_executed(&self, place: Span) -> bool {
        let after = self.regions.partition_point(|(region, _)| region.start <= place.start);
        let region = after.checked_sub(1).map(|at| self.regions[at]);
        region.filter(|(span, _)| span.contains(place)).map_or(self.speaks, |(_, executed)| executed)
    }

    /// The finding, at most this grave where nothing is executed.
    pub(crate) fn at_most(&self, severity: Severity, mut found: Diagnostic) -> Diagnostic {
        if !self.is_executed(found.span) {
            found.severity = found.severity.min(severity);
        }
        found
    }
}

fn is_step(step: &formwork_language::behaviour::Step) -> bool {
    step.class == formwork_model::Class::Understood
}
