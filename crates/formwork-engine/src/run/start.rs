//! What is done with a store besides operations and jobs: rows at start, rows of a document that has changed, and a
//! test of all invariants.

use super::rules::broken_invariants;
use super::{Run, refusal};
use crate::assign::accept;
use crate::masked::shown;
use crate::outcome::{Answer, Body, Refusal};
use formwork_language::expression::Expression;
use formwork_language::program::{EntityId, FieldId, Statement, StatementId};
use formwork_language::value::Value;

/// How many broken rows are told.
const MOST_TOLD: usize = 100;

/// A table whose rows are looked at: see [`crate::What::Stored`].
struct Table {
    entity: EntityId,
    first: StatementId,
    behind: StatementId,
    change: Option<StatementId>,
}

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

    /// Tests the rows that are there against the rules of the document as it is now, and computes what is computed.
    pub(super) fn stored_rows(&mut self) -> Result<Answer, Refusal> {
        let mut broken = Vec::new();
        let tables = match self.slot(0).clone() {
            Value::List(tables) => tables,
            _ => [].into(),
        };
        for table in tables.iter().filter_map(table) {
            self.stored_table(&table, &mut broken)?;
        }
        Ok(sentences(broken))
    }

    fn stored_table(&mut self, table: &Table, broken: &mut Vec<String>) -> Result<(), Refusal> {
        let program = self.program;
        let schema = self.entity(table.entity)?;
        let (mut statement, mut parameters) = (table.first, Vec::new());
        loop {
            let mut rows: Vec<Vec<Value>> = Vec::new();
            let mut take = |values: Vec<Value>, _| rows.push(values);
            self.transaction.rows(statement, &parameters, &mut take).map_err(refusal)?;
            let of = |values: &Vec<Value>| -> Vec<Value> {
                let value = |field: &FieldId| values.get(usize::from(*field)).cloned().unwrap_or(Value::Null);
                schema.primary_key.iter().map(value).collect()
            };
            let Some(last) = rows.last().map(of) else { return Ok(()) };
            for mut values in rows {
                let key = of(&values);
                if let Some(change) = table.change {
                    let mut faults = Vec::new();
                    self.follow(table.entity, schema, &mut values, &mut faults)?;
                    let Some(Statement::UpdateByKey { fields, .. }) = program.statements.get(change as usize)
                    else {
                        return Err(Refusal::Internal(format!("statement {change} updates no row")));
                    };
                    let mut parameters: Vec<Value> =
                        fields.iter().filter_map(|field| values.get(usize::from(*field)).cloned()).collect();
                    parameters.extend(key.iter().cloned());
                    if faults.is_empty() {
                        self.transaction.write(change, &parameters).map_err(refusal)?;
                    }
                }
                if let Some(what) = self.broken_in(table.entity, &mut values)? {
                    let key = shown(&program.schema, table.entity, &schema.primary_key, &key);
                    broken.push(format!("`{}` {key}: {what}", schema.name));
                    if broken.len() >= MOST_TOLD {
                        return Ok(());
                    }
                }
            }
            (statement, parameters) = (table.behind, last);
        }
    }

    /// The first rule that a row breaks.
    fn broken_in(&mut self, entity: EntityId, values: &mut Vec<Value>) -> Result<Option<String>, Refusal> {
        let schema = self.entity(entity)?;
        let mut faults = Vec::new();
        for (at, field) in (0..).zip(&schema.fields) {
            // Of a secret only the digest is left, which has no rules.
            if let Some(value) = values.get(usize::from(at)).filter(|_| !field.secret) {
                accept(value.clone(), field, (entity, at), &mut faults)?;
            }
        }
        if let Some(fault) = faults.first() {
            let name = schema.fields.get(usize::from(fault.field)).map_or("", |field| &field.name);
            return Ok(Some(format!("`{name}` {}", fault.detail)));
        }
        let before = values.clone();
        let kept = self
            .checks(entity, schema, values)
            .and_then(|()| self.all_apart(entity, schema, Some(&before), values));
        match kept {
            Ok(()) => Ok(None),
            Err(Refusal::Rule(fault)) => Ok(Some(fault.detail)),
            Err(other) => Err(other),
        }
    }

    /// What is broken, as a list of sentences.
    pub(super) fn invariants(&mut self) -> Result<Answer, Refusal> {
        broken_invariants(self).map(sentences)
    }
}

fn table(listed: &Value) -> Option<Table> {
    let Value::List(parts) = listed else { return None };
    let number = |at: usize| match parts.get(at) {
        Some(Value::Integer(number)) => u32::try_from(*number).ok(),
        _ => None,
    };
    let entity = EntityId::try_from(number(0)?).ok()?;
    Some(Table { entity, first: number(1)?, behind: number(2)?, change: number(3) })
}

fn sentences(broken: Vec<String>) -> Answer {
    let list = broken.into_iter().map(|text| Value::Text(text.into())).collect();
    Answer { status: 200, body: Body::Value(Value::List(list)), headers: Vec::new() }
}
