//! The audit trail: notes every row that is written and recorded, and writes the entries when the transaction is about
//! to end well, so that each has the call's result and none is of what is undone. Source: audit reference.

use super::{Run, refusal};
use crate::audit::AuditEntry;
use crate::masked::MASK;
use crate::outcome::{Refusal, What};
use formwork_language::eval::Host;
use formwork_language::program::{Change, EntityId, Recorded, Slot, Trigger, slots};
use formwork_language::value::{Value, json};

/// A row that was written.
pub(super) struct Written {
    change: Change,
    object: (String, String),
    before: Option<String>,
    after: Option<String>,
    kept: Option<i64>,
}

impl Run<'_> {
    /// Notes a row that was written, when the document has it recorded.
    pub(super) fn record(
        &mut self,
        change: Change,
        entity: EntityId,
        values: &[Value],
        before: Option<&[Value]>,
    ) {
        let by_entity = self.program.audit.entity(entity);
        let recorded = match (by_entity, self.recorded) {
            (Some(one), Some(other)) => one.with(other),
            (one, other) => match one.or(other) {
                Some(recorded) => recorded,
                None => return,
            },
        };
        if self.placed {
            return;
        }
        let Some(schema) = self.program.schema.entities.get(usize::from(entity)) else { return };
        let key = schema.primary_key.iter().map(|field| {
            let value = values.get(usize::from(*field)).map_or(String::new(), Value::to_plain);
            match schema.fields.get(usize::from(*field)) {
                Some(field) if !(field.personal || field.hidden || field.secret) => value,
                _ => MASK.to_owned(),
            }
        });
        let object = (schema.name.to_string(), key.collect::<Vec<_>>().join(","));
        let shown = |values: &[Value]| recorded.values.then(|| self.shown_row(entity, values));
        let (before, after) = match change {
            Change::Created => (None, shown(values)),
            Change::Updated => (before.and_then(shown), shown(values)),
            Change::Deleted => (shown(values), None),
        };
        self.written_rows.push(Written { change, object, before, after, kept: recorded.kept });
    }

    /// A row as an entry has it: what is personal, secret or write-only masked.
    fn shown_row(&self, entity: EntityId, values: &[Value]) -> String {
        let fields = self.program.schema.entities.get(usize::from(entity)).map(|entity| &entity.fields);
        let mut out = String::from("{");
        for (at, (field, value)) in fields.into_iter().flatten().zip(values).enumerate() {
            if at > 0 {
                out.push(',');
            }
            json::quote(&field.name, &mut out);
            out.push(':');
            match field.personal || field.hidden || field.secret {
                true if !value.is_absent() => json::quote(MASK, &mut out),
                _ => json::write(value, &mut out, &mut |_, out| out.push_str("null")),
            }
        }
        out.push('}');
        out
    }

    /// Writes the entries of this transaction; `status` is that of the answer, when this part is the last one.
    pub(super) fn write_audit(&mut self, what: What, status: Option<u16>) -> Result<(), Refusal> {
        let written = std::mem::take(&mut self.written_rows);
        // A recorded call that wrote nothing is recorded all the same; one that only reads has no transaction that
        // writes, and is left to the edge.
        let writes = |index: u32| self.program.operations.get(index as usize).is_some_and(|it| it.writes);
        let is_call = status.is_some() && matches!(what, What::Operation(index) if writes(index));
        let call = self.recorded.filter(|_| written.is_empty() && is_call);
        if written.is_empty() && call.is_none() {
            return Ok(());
        }
        let entry = self.about_call(what, status);
        let until = |kept: Option<i64>| kept.map(|kept| entry.time.saturating_add(kept));
        if let Some(Recorded { kept, .. }) = call {
            let called = AuditEntry { action: "called".into(), until: until(kept), ..entry.clone() };
            self.transaction.audit(&called).map_err(refusal)?;
        }
        for row in written {
            let action = match row.change {
                Change::Created => "created",
                Change::Updated => "updated",
                Change::Deleted => "deleted",
            };
            let one = AuditEntry {
                action: action.into(),
                object: Some(row.object),
                before: row.before,
                after: row.after,
                until: until(row.kept),
                ..entry.clone()
            };
            self.transaction.audit(&one).map_err(refusal)?;
        }
        Ok(())
    }

    /// Who calls what.
    fn about_call(&self, what: What, status: Option<u16>) -> AuditEntry {
        let text = |slot: Slot| match self.slot(slot) {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        };
        let roles: Vec<String> = match self.slot(slots::CALLER_ROLES) {
            Value::List(roles) => roles.iter().map(Value::to_plain).collect(),
            _ => Vec::new(),
        };
        let program = self.program;
        let (operation, by_itself) = match what {
            What::Operation(index) => (program.operations.get(index as usize).map(|it| &it.name), false),
            What::Job(index) => (program.jobs.get(index as usize).map(|it| &it.name), true),
            What::Handler { handler, .. } => {
                (program.handlers.get(handler as usize).map(|it| &it.name), true)
            }
            _ => (None, true),
        };
        let actor = text(slots::CALLER_ID);
        let kind = match &actor {
            _ if by_itself => "system",
            Some(_) => "caller",
            None if roles.iter().any(|role| role == "internal") => "internal",
            None => "anonymous",
        };
        AuditEntry {
            time: self.host.now(),
            actor: actor.or_else(|| by_itself.then(|| "system".to_owned())),
            kind: kind.into(),
            roles,
            operation: operation.map_or("start", |name| name).to_owned(),
            request: text(slots::REQUEST_ID),
            address: text(slots::REQUEST_IP),
            status: status.filter(|_| !by_itself),
            ..AuditEntry::default()
        }
    }

    /// What is recorded of the call itself, and so of every row that it writes.
    pub(super) fn recorded(program: &formwork_language::program::Program, what: What) -> Option<Recorded> {
        match what {
            What::Operation(index) => program.audit.operation(index as usize),
            What::Handler { handler, .. } => {
                let handler = program.handlers.get(handler as usize)?;
                let is_put_off = handler.trigger == Trigger::Scheduled;
                let mut operations = program.operations.iter();
                let at = operations.position(|operation| is_put_off && operation.name == handler.name)?;
                program.audit.operation(at)
            }
            _ => None,
        }
    }
}
