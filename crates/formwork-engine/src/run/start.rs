//! What is done with a store besides operations and jobs: rows at start, and a test of all invariants.

use super::Run;
use super::rules::broken_invariants;
use crate::outcome::{Answer, Body, Refusal};
use formwork_language::expression::Expression;
use formwork_language::program::FieldId;
use formwork_language::value::Value;

impl Run<'_> {
    /// Inserts the rows at start that are missing. They keep every rule of their tables.
    pub(super) fn rows_at_start(&mut self) -> Result<Answer, Refusal> {
        let program = self.program;
        for row in &program.schema.rows_at_start {
            let given = |field: &FieldId| row.values.iter().find(|(other, _)| other == field);
            let key: Vec<Expression> =
                row.key.iter().filter_map(given).map(|(_, value)| value.clone()).collect();
            let key = self.all(&key)?;
            if self.rows_of(row.select, &key, 1)?.is_empty() {
                self.insert(row.entity, row.insert, &row.values, None)?;
            }
        }
        Ok(super::NOTHING)
    }

    /// What is broken, as a list of sentences.
    pub(super) fn invariants(&mut self) -> Result<Answer, Refusal> {
        let broken = broken_invariants(self)?;
        let list = broken.into_iter().map(|text| Value::Text(text.into())).collect();
        Ok(Answer { status: 200, body: Body::Value(Value::List(list)), headers: Vec::new() })
    }
}
