//! Loops whose elements are transactions of their own: which element comes next, decided at the end of the part before.
//!
//! What fails in an element is no matter of this file: who runs the parts goes on at the instruction again, which then
//! passes over the element. Source: language reference, *For each*.

use super::{MAX_ROWS_READ, Next, Run};
use crate::outcome::Refusal;
use crate::parts::Pending;
use crate::rows::key;
use formwork_language::program::{Label, Limit, NextElement, PagedRows};
use formwork_language::value::Value;

impl Run<'_> {
    /// Ends the part; the next one is the next element, or what stands behind the loop.
    pub(super) fn next_element(&mut self, next: &NextElement, at: Label) -> Result<Next, Refusal> {
        self.in_time()?;
        let begun = match self.slot(next.begun) {
            Value::Integer(begun) => *begun,
            _ => 0,
        };
        let mut left = match self.slot(next.left) {
            Value::List(items) => items.to_vec(),
            Value::Map(members) => members.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        match &next.rows {
            None if begun == 0 && left.len() > MAX_ROWS_READ => return Err(Refusal::TooManyRows),
            Some(rows) if !self.has_more(rows, begun) => left.clear(),
            Some(rows) if left.is_empty() => left = self.page_of_keys(rows, begun > 0)?,
            _ => {}
        }
        for slot in next.inside.0..next.inside.1 {
            self.bind(slot, Value::Absent);
        }
        if left.is_empty() {
            self.bind(next.begun, Value::Absent);
            self.bind(next.left, Value::Absent);
            return Ok(self.ends_part(next.end, Pending::Element));
        }
        let first = left.remove(0);
        let begun = begun.saturating_add(1);
        match (&next.rows, first) {
            (Some(_), Value::List(key)) => {
                next.binds.iter().zip(key.iter()).for_each(|(slot, value)| self.bind(*slot, value.clone()));
            }
            (_, item) => next.binds.iter().for_each(|slot| self.bind(*slot, item.clone())),
        }
        if let Some(number) = next.number {
            self.bind(number, Value::Integer(begun));
        }
        self.bind(next.begun, Value::Integer(begun));
        self.bind(next.left, Value::List(left.into()));
        Ok(self.ends_part(at + 1, Pending::Element))
    }

    fn has_more(&self, rows: &PagedRows, begun: i64) -> bool {
        match rows.at_most.map(|slot| self.slot(slot)) {
            Some(Value::Integer(most)) => begun < *most,
            Some(_) => false,
            None => true,
        }
    }

    /// The keys of the rows of the next page; none behind the last one.
    fn page_of_keys(&mut self, rows: &PagedRows, is_further: bool) -> Result<Vec<Value>, Refusal> {
        let mut parameters = self.all(&rows.parameters)?;
        let statement = match (is_further, self.slot(rows.last)) {
            (false, _) => rows.first,
            (true, Value::List(values)) => {
                parameters.extend(values.iter().cloned());
                rows.behind
            }
            (true, _) => return Ok(Vec::new()),
        };
        let found = self.rows_of(statement, &parameters, MAX_ROWS_READ)?;
        let is_full = match self.select(rows.first)?.limit {
            Limit::Rows(page) => found.len() >= page as usize,
            Limit::Parameter(_) => false,
        };
        let last = match found.last().filter(|_| is_full) {
            Some(last) => Value::List(self.order_values(rows.first, *last)?.into()),
            None => Value::Absent,
        };
        self.bind(rows.last, last);
        let keys = found.iter().filter_map(|row| self.rows.all().get(*row as usize));
        Ok(keys.map(|row| Value::List(key(&self.program.schema, row).into())).collect())
    }
}
