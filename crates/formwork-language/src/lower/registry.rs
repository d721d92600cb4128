//! What behaviours add to the lists of the program: events and metrics; and what they answer with.

use crate::expression::{Expression, Kind, StaticType};
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
        if let Some(at) = self.shared.event_at.get(name.as_str()).copied() {
            let event = &mut self.shared.events[usize::from(at)];
            if event.data.is_empty() {
                event.data = members;
            }
            return (at, event.data.clone());
        }
        let declared = self.shared.events[..self.shared.declared_events].iter().map(|event| &*event.name);
        let near = nearest(&name, declared).map(str::to_owned);
        self.note(NoteKind::EventNotDeclared { event: name.clone(), nearest: near }, code.span());
        let (name, at): (Arc<str>, _) = (name.into(), self.shared.events.len() as u16);
        self.shared.event_at.insert(name.clone(), at);
        self.shared.events.push(EventShape { name, data: members.clone() });
        (at, members)
    }

    /// The metric that a code span names.
    pub(crate) fn metric(&mut self, code: &Code, histogram: bool) -> Option<u16> {
        let name = code.text(self.source()).trim().to_owned();
        let declared = &self.world.model.metrics;
        let Some(metric) = self.world.find_metric(&name) else {
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
        if let Some(at) = self.shared.metric_at.get(name.as_str()) {
            return Some(*at);
        }
        let help = metric.description.as_ref().map_or("", |prose| &prose.value).into();
        let (name, at): (Arc<str>, _) = (name.into(), u16::try_from(self.shared.metrics.len()).ok()?);
        self.shared.metric_at.insert(name.clone(), at);
        self.shared.metrics.push(MetricShape { name, histogram, help });
        Some(at)
    }

    /// The body of an answer, and what it is.
    pub(crate) fn answered(&mut self, code: &Code) -> Option<(Answered, StaticType)> {
        let name = code.text(self.source()).trim().to_owned();
        let slot = self.names.variable(&name).map(|bound| bound.slot);
        let answer = self.candidates.iter().find(|answer| Some(answer.slot) == slot).copied();
        if let Some(Answer { kind: AnswerKind::Page, entity, slot }) = answer {
            self.answered_entity = Some(entity);
            let rows = Kind::List(Box::new(self.row(entity).required())).required();
            return Some((Answered::Page(slot), rows));
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
        Some((Answered::Value(value.expression), value.ty))
    }
}
