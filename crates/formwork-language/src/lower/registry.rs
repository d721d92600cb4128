//! What behaviours add to the lists of the program: events and metrics; and what they answer with.

use crate::expression::{Expression, Kind};
use crate::lower::{Answer, AnswerKind, Lowering, add_once};
use crate::notes::NoteKind;
use crate::program::{Answered, EventShape, MetricShape};
use formwork_model::names::nearest;
use formwork_model::sections::observability::MetricKind;
use formwork_syntax::Code;
use std::sync::Arc;

impl Lowering<'_> {
    /// The event that a code span names, and the members of its data.
    pub(crate) fn event(&mut self, code: &Code, given: &[(Arc<str>, Expression)]) -> (u16, Vec<Arc<str>>) {
        let name = code.text(self.source()).trim().to_owned();
        let members: Vec<Arc<str>> = given.iter().map(|(name, _)| name.clone()).collect();
        if let Some(at) = self.shared.events.iter().position(|event| *event.name == *name) {
            let event = &mut self.shared.events[at];
            if event.data.is_empty() {
                event.data = members;
            }
            return (at as u16, event.data.clone());
        }
        let declared = self.shared.events[..self.shared.declared_events].iter().map(|event| &*event.name);
        let near = nearest(&name, declared).map(str::to_owned);
        self.note(NoteKind::EventNotDeclared { event: name.clone(), nearest: near }, code.span());
        self.shared.events.push(EventShape { name: name.into(), data: members.clone() });
        ((self.shared.events.len() - 1) as u16, members)
    }

    /// The metric that a code span names.
    pub(crate) fn metric(&mut self, code: &Code, histogram: bool) -> Option<u16> {
        let name = code.text(self.source()).trim().to_owned();
        let declared = &self.world.model.metrics;
        let Some(metric) = declared.iter().find(|metric| metric.name.value == name) else {
            let near = nearest(&name, declared.iter().map(|metric| &*metric.name.value)).map(str::to_owned);
            self.note(NoteKind::UnknownName { what: "metric", name, nearest: near }, code.span());
            return None;
        };
        let fits = match metric.kind {
            None => true,
            Some(MetricKind::Counter) => !histogram,
            Some(MetricKind::Histogram) => histogram,
            Some(MetricKind::Gauge) => false,
        };
        if !fits {
            self.note(NoteKind::Other { entry: "metric_kind", subject: name }, code.span());
            return None;
        }
        add_once(&mut self.touches.metrics, &name);
        if let Some(at) = self.shared.metrics.iter().position(|shape| *shape.name == *name) {
            return Some(at as u16);
        }
        let help = metric.description.as_ref().map_or("", |prose| &prose.value).into();
        self.shared.metrics.push(MetricShape { name: name.into(), histogram, help });
        Some((self.shared.metrics.len() - 1) as u16)
    }

    /// The body of an answer.
    pub(crate) fn answered(&mut self, code: &Code) -> Option<Answered> {
        let name = code.text(self.source()).trim().to_owned();
        let slot = self.names.variable(&name).map(|bound| bound.slot);
        let answer = self.candidates.iter().find(|answer| Some(answer.slot) == slot).copied();
        if let Some(Answer { kind: AnswerKind::Page, entity, slot }) = answer {
            self.answered_entity = Some(entity);
            return Some(Answered::Page(slot));
        }
        let value = self.value(code)?;
        let entity = match &value.ty.kind {
            Kind::Row(entity, _) => Some(*entity),
            Kind::List(element) => match element.kind {
                Kind::Row(entity, _) => Some(entity),
                _ => None,
            },
            _ => None,
        };
        if value.ty.optional && matches!(value.ty.kind, Kind::Row(..)) {
            self.note(NoteKind::MayBeAbsent { context: "the answer".to_owned() }, code.span());
        }
        self.answered_entity = self.answered_entity.or(entity);
        Some(Answered::Value(value.expression))
    }
}
