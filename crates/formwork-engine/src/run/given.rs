//! Rows that a test puts in place, by the same insert and under the same rules as the rows of operations.

use super::Run;
use crate::outcome::{Answer, Body, Refusal};
use formwork_language::program::{EntityId, Statement, StatementId};
use formwork_language::value::Value;

impl Run<'_> {
    /// Inserts the rows that the first slot lists, and answers with them.
    pub(super) fn put_rows(&mut self, entity: EntityId) -> Result<Answer, Refusal> {
        let inserts =
            |one: &Statement| matches!(one, Statement::Insert { entity: other } if *other == entity);
        let found = self.program.statements.iter().position(inserts);
        let Some(statement) = found.and_then(|at| StatementId::try_from(at).ok()) else {
            return Err(Refusal::Internal("the program has no statement that makes such rows".into()));
        };
        let Value::List(rows) = self.slot(0).clone() else {
            return Err(Refusal::Internal("the rows to be put in place are no list".into()));
        };
        let mut made = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            let given = match row {
                Value::List(values) => values.to_vec(),
                _ => return Err(Refusal::Internal("a row to be put in place is no list".into())),
            };
            self.in_time()?;
            made.push(Value::Row(self.insert_row(entity, statement, given, None)?));
        }
        Ok(Answer { status: 201, body: Body::Value(Value::List(made.into())), headers: Vec::new() })
    }
}
