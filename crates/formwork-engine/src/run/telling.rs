//! Telling handlers: what they are told is written beside what they are told of, in the same transaction. Source:
//! language reference, *Standing steps*, `When`.

use super::{Run, refusal};
use crate::json;
use crate::outcome::Refusal;
use crate::ports::{Delivery, StoreError};
use formwork_language::eval::Host;
use formwork_language::expression::Expression;
use formwork_language::program::{Change, EntityId, Handler, Trigger};
use formwork_language::value::{Value, json as plain_json};
use std::sync::Arc;

/// How many links a chain of events has before the next is kept as failed instead of delivered.
pub const MOST_LINKS: u8 = 16;

impl<'a> Run<'a> {
    fn key_of(&self, entity: EntityId, values: &[Value]) -> Vec<Value> {
        let Some(entity) = self.program.schema.entities.get(usize::from(entity)) else { return Vec::new() };
        let key = entity.primary_key.iter().map(|field| values.get(usize::from(*field)).cloned());
        key.map(Option::unwrap_or_default).collect()
    }

    /// Tells every handler of an event.
    pub(super) fn tell_event(
        &mut self,
        event: u16,
        id: [u8; 16],
        about: Option<&(EntityId, String)>,
        data: &str,
    ) -> Result<(), Refusal> {
        if self.program.handlers.is_empty() {
            return Ok(());
        }
        let order = about.map(|(entity, key)| self.order(*entity, key));
        let payload = format!("{{\"data\":{data}}}");
        self.tell(Trigger::Event(event), id, order, payload)
    }

    /// Tells every handler of what became of a row.
    pub(super) fn tell_change(
        &mut self,
        change: Change,
        entity: EntityId,
        values: &[Value],
        before: Option<&[Value]>,
    ) -> Result<(), Refusal> {
        self.record(change, entity, values, before);
        let told = |handler: &Handler| handler.trigger == Trigger::Change(change, entity);
        if !self.tells || !self.program.handlers.iter().any(told) {
            return Ok(());
        }
        let mut payload = String::from("{\"row\":");
        self.push_fields(&mut payload, entity, values);
        payload.push_str(",\"before\":");
        match before {
            Some(before) => self.push_fields(&mut payload, entity, before),
            None => payload.push_str("null"),
        }
        payload.push('}');
        let key = super::writing::key_text(&self.key_of(entity, values));
        let (id, order) = (self.host.uuid(), self.order(entity, &key));
        self.tell(Trigger::Change(change, entity), id, Some(order), payload)
    }

    /// Every field: a handler may read what a caller may not.
    fn push_fields(&self, out: &mut String, entity: EntityId, values: &[Value]) {
        let fields = self.program.schema.entities.get(usize::from(entity)).map(|entity| &entity.fields);
        out.push('{');
        for (at, (field, value)) in fields.into_iter().flatten().zip(values).enumerate() {
            if at > 0 {
                out.push(',');
            }
            plain_json::quote(&field.name, out);
            out.push(':');
            plain_json::write(value, out, &mut |_, out| out.push_str("null"));
        }
        out.push('}');
    }

    fn order(&self, entity: EntityId, key: &str) -> String {
        let entity = self.program.schema.entities.get(usize::from(entity));
        format!("{} {key}", entity.map_or("", |entity| &entity.name))
    }

    fn tell(
        &mut self,
        trigger: Trigger,
        id: [u8; 16],
        order: Option<String>,
        payload: String,
    ) -> Result<(), Refusal> {
        let program = self.program;
        let now = self.host.now();
        for handler in program.handlers.iter().filter(|handler| handler.trigger == trigger) {
            let delivery = Delivery {
                event: id,
                handler: Arc::clone(&handler.name),
                order: order.clone(),
                payload: payload.clone(),
                links: self.links.saturating_add(1),
                created: now,
                due: now,
            };
            self.transaction.deliver(&delivery).map_err(refusal)?;
        }
        Ok(())
    }

    /// `Schedules`
    pub(super) fn schedule(
        &mut self,
        handler: u16,
        data: &[(Arc<str>, Expression)],
        due: &Expression,
    ) -> Result<(), Refusal> {
        self.in_time()?;
        let Some(handler) = self.program.handlers.get(usize::from(handler)) else {
            return Err(refusal(StoreError::Internal(format!("there is no handler {handler}"))));
        };
        let now = self.host.now();
        let due = match self.evaluate(due)? {
            Value::Timestamp(at) => at.max(now),
            Value::Duration(after) => now.saturating_add(after.max(0)),
            // An absent time is no time: nothing is put off.
            _ => return Ok(()),
        };
        let mut payload = String::from("{\"data\":{");
        for (name, expression) in data {
            let value = self.evaluate(expression)?;
            let value = self.stored(value);
            // What is not given is no null: a default may stand for it.
            if matches!(value, Value::Absent) {
                continue;
            }
            if !payload.ends_with('{') {
                payload.push(',');
            }
            plain_json::quote(name, &mut payload);
            payload.push(':');
            json::push_json(&mut payload, &value, &self.program.schema, self.rows.all());
        }
        payload.push_str("}}");
        let delivery = Delivery {
            event: self.host.uuid(),
            handler: Arc::clone(&handler.name),
            order: None,
            payload,
            // What waits for its time runs no chain away.
            links: if due > now { 1 } else { self.links.saturating_add(1) },
            created: now,
            due,
        };
        self.transaction.deliver(&delivery).map_err(refusal)
    }
}
