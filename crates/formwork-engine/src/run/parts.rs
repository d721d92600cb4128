//! Where a part ends: `Commits`, `Waits`, and what is kept of the variables for the next one.

use super::{Again, NOTHING, Next, Run, refusal};
use crate::outcome::{Refusal, What};
use crate::parts::{KeptOperation, Pending, Resume};
use crate::resume;
use formwork_language::eval::Host;
use formwork_language::expression::Expression;
use formwork_language::program::{Label, StatementId, slots};
use formwork_language::value::{Row, RowIndex, Value};
use std::sync::Arc;

/// The longest that `Waits` waits: a day.
const LONGEST_WAIT: i64 = 86_400_000_000;

/// Headers of the request that are not kept between parts: what they hold lets a caller in.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-signature"];

impl Run<'_> {
    /// Ends the transaction here; `at` is where the next one begins.
    pub(super) fn ends_part(&mut self, at: Label, pending: Pending) -> Next {
        self.again = Some(Again { at, after: None, pending });
        Next::Ended(NOTHING)
    }

    /// `Waits`: ends the transaction, and looks in others until there is a row or the time is up.
    pub(super) fn wait(
        &mut self,
        statement: StatementId,
        parameters: &[Expression],
        at_most: &Expression,
        at: Label,
    ) -> Result<Next, Refusal> {
        self.in_time()?;
        let now = self.host.now();
        let (was_waiting, end) = match self.pending.take() {
            Some(Pending::Wait { until }) => (true, until),
            _ => match self.evaluate(at_most)? {
                Value::Duration(length) => (false, now.saturating_add(length.clamp(0, LONGEST_WAIT))),
                _ => (false, now),
            },
        };
        let parameters = self.all(parameters)?;
        let exists = self.transaction.value(statement, &parameters).map_err(refusal)?;
        if exists.is_true() || now >= end {
            // What was looked at in a transaction of its own is read on in the same one.
            return Ok(if was_waiting { Next::Following } else { self.ends_part(at + 1, Pending::Commit) });
        }
        Ok(self.ends_part(at, Pending::Wait { until: end }))
    }

    /// What the next part begins with, kept by the store when something would be lost without it; nothing when this
    /// part was the last one. `before` is the step of the state that this part went on from, when the store keeps it.
    pub(super) fn end_part(&mut self, what: What, before: Option<u64>) -> Result<Option<Resume>, Refusal> {
        let Some(Again { at, after, pending }) = self.again.take() else {
            if let (Some(part), Some(step)) = (&self.part, before) {
                self.transaction.forget_operation(&part.operation, step).map_err(refusal)?;
            }
            return Ok(None);
        };
        let (slots, rows, pages) = (self.slots.clone(), self.rows.all().to_vec(), self.pages.clone());
        let (was_kept, step) = (before.is_some(), before.unwrap_or(0));
        let mut resume = Resume { at, slots, rows, after, pages, pending, kept: was_kept, step };
        let Some(part) = &self.part else {
            // A store that is used by itself goes on with what it is given back.
            if resume.pending == Pending::Batch {
                return Ok(Some(resume));
            }
            return Err(Refusal::Internal("an operation with parts has no id".into()));
        };
        drop_unreachable(&mut resume);
        hide_secrets(&mut resume.slots);
        if matches!(what, What::Handler { .. }) {
            // It is kept beside what the handler is told, by who removes that.
            return Ok(Some(resume));
        }
        let calls =
            matches!(&resume.pending, Pending::Call(call) if !matches!(&*call.method, "GET" | "HEAD"));
        let changed = self.written > 0 || self.emitted || self.reserved;
        // What only looks again looks for the same.
        let is_new = changed || !matches!(resume.pending, Pending::Wait { .. }) || !was_kept;
        resume.kept = was_kept || changed || calls;
        if resume.kept && is_new {
            resume.step += 1;
            let (job, index, name) = match what {
                What::Operation(index) => {
                    (false, index, self.program.operations.get(index as usize).map(|it| &it.name))
                }
                What::Job(index) => (true, index, self.program.jobs.get(index as usize).map(|it| &it.name)),
                _ => return Err(Refusal::Internal("only operations and jobs have parts".into())),
            };
            let kept = KeptOperation {
                id: part.operation,
                name: name.cloned().unwrap_or_default(),
                job,
                index,
                program: Arc::clone(&part.program),
                started: part.started,
                once: part.once.clone(),
                key: part.key.clone(),
                step: resume.step,
                state: resume::encode(&resume).map_err(|_| Refusal::TooMuchWork)?,
            };
            self.transaction.keep_operation(&kept).map_err(refusal)?;
        }
        Ok(Some(resume))
    }
}

/// Leaves out the rows that no variable holds any more, so that many parts need no more than one.
fn drop_unreachable(resume: &mut Resume) {
    let mut kept: Vec<Row> = Vec::new();
    let mut moved: Vec<Option<RowIndex>> = vec![None; resume.rows.len()];
    for value in &mut resume.slots {
        renumber(value, &resume.rows, &mut moved, &mut kept);
    }
    resume.rows = kept;
}

fn renumber(value: &mut Value, rows: &[Row], moved: &mut [Option<RowIndex>], kept: &mut Vec<Row>) {
    match value {
        Value::Row(index) => {
            let (Some(place), Some(row)) = (moved.get_mut(*index as usize), rows.get(*index as usize)) else {
                return;
            };
            *index = *place.get_or_insert_with(|| {
                kept.push(row.clone());
                (kept.len() - 1) as RowIndex
            });
        }
        Value::List(items) if items.iter().any(may_hold_rows) => {
            let mut all = items.to_vec();
            all.iter_mut().for_each(|item| renumber(item, rows, moved, kept));
            *items = all.into();
        }
        Value::Map(entries) if entries.iter().any(|(_, value)| may_hold_rows(value)) => {
            let mut all = entries.to_vec();
            all.iter_mut().for_each(|(_, value)| renumber(value, rows, moved, kept));
            *entries = all.into();
        }
        _ => {}
    }
}

fn may_hold_rows(value: &Value) -> bool {
    matches!(value, Value::Row(_) | Value::List(_) | Value::Map(_))
}

/// Takes what lets a caller in out of the request's headers.
fn hide_secrets(all: &mut [Value]) {
    if let Some(Value::Map(entries)) = all.get_mut(usize::from(slots::REQUEST_HEADERS)) {
        let is_secret = |key: &Value| matches!(key, Value::Text(name) if SECRET_HEADERS.contains(&&**name));
        if entries.iter().any(|(key, _)| is_secret(key)) {
            *entries = entries.iter().filter(|(key, _)| !is_secret(key)).cloned().collect();
        }
    }
}
