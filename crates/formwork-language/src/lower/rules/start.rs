//! ``**Rows at start:** `{…}` [as `x`]``: rows that are inserted when they are missing, and stay as they are.

use super::Rules;
use super::invariants::equal;
use crate::expression::{self, Ast, AstKind, Expression, Names};
use crate::lower::follows::follows;
use crate::notes::NoteKind;
use crate::program::{EntityId, FieldId, Limit, Lock, Select, Statement, UniqueKey};
use crate::rules::StartRow;
use crate::steps::clause::{Misread, Reader};
use crate::value::Value;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

const NOTATION: &str = "a row in backticks: `{\"id\": \"basic\", \"price\": 0}` as `x`";

impl Rules<'_> {
    pub(super) fn rows_at_start(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        let mut any = false;
        while super::more(reader) {
            any = true;
            let code = reader.code(NOTATION)?;
            let name = match reader.word("as") {
                true => Some(reader.code("the variable in backticks")?),
                false => None,
            };
            self.start_row(at, &code, name.as_ref());
        }
        if any { Ok(()) } else { Err(reader.misread(NOTATION)) }
    }

    fn start_row(&mut self, at: EntityId, code: &Code, name: Option<&Code>) -> Option<()> {
        let ast = self.parse_code(code)?;
        let AstKind::Map(entries) = &ast.kind else {
            let subject = NOTATION.to_owned();
            self.other("rule_not_understood", subject, code.span());
            return None;
        };
        let mut values = Vec::new();
        for (key, value) in entries {
            values.push(self.start_value(at, key, value)?);
        }
        self.complete_start(at, &values, code.span())?;
        let key = self.start_key(at, &values, code.span())?;
        let filter = Some(equal(&key));
        let select = Select {
            entity: at,
            filter,
            order: Vec::new(),
            limit: Limit::Rows(1),
            after: None,
            lock: Lock::None,
        };
        let select = self.statements.add(Statement::Select(select));
        let insert = self.statements.add(Statement::Insert { entity: at });
        let name = name.map(|name| Arc::from(name.text(self.source).trim()));
        self.schema.rows_at_start.push(StartRow { name, entity: at, key, values, select, insert });
        Some(())
    }

    /// `"field": value`, also with the name bare.
    fn start_value(&mut self, at: EntityId, key: &Ast, value: &Ast) -> Option<(FieldId, Expression)> {
        let name = match &key.kind {
            AstKind::Name(name) => name.clone(),
            AstKind::Literal(Value::Text(name)) => name.clone(),
            _ => {
                self.other("rule_not_understood", "the name of a field before `:`".to_owned(), key.span);
                return None;
            }
        };
        let field = self.field_named(at, &name, key.span)?;
        let column = &self.schema.entities[usize::from(at)].fields[usize::from(field)];
        if column.computed {
            let (entity, field) = (self.schema.entities[usize::from(at)].name.to_string(), name.to_string());
            self.note(NoteKind::FieldNotWritable { entity, field, reason: "computed" }, key.span);
            return None;
        }
        let (ty, optional) = (column.ty.clone(), column.optional);
        let typed = expression::compile(value, &Names::new(self.schema), self.notes)?;
        match expression::coerce(typed, &ty, optional, self.schema, &format!("field `{name}`")) {
            Ok(value) => Some((field, value)),
            Err(kind) => {
                self.note(kind, value.span);
                None
            }
        }
    }

    /// Whether every field that nothing else fills is given.
    fn complete_start(&mut self, at: EntityId, values: &[(FieldId, Expression)], span: Span) -> Option<()> {
        let table = &self.schema.entities[usize::from(at)];
        let given = |at: usize| values.iter().any(|(field, _)| usize::from(*field) == at);
        let missing =
            table.fields.iter().enumerate().find(|(at, field)| !field.may_be_left_out() && !given(*at));
        let Some((_, field)) = missing else { return Some(()) };
        let (entity, field) = (table.name.to_string(), field.name.to_string());
        self.note(NoteKind::FieldNotSet { entity, field }, span);
        None
    }

    /// The primary key, or else the first unique key, whose values are all given as constants.
    fn start_key(
        &mut self,
        at: EntityId,
        values: &[(FieldId, Expression)],
        span: Span,
    ) -> Option<Vec<FieldId>> {
        let table = &self.schema.entities[usize::from(at)];
        let given = |field: &FieldId| {
            let constant =
                |value: &Expression| matches!(value, Expression::Constant(value) if !value.is_absent());
            values.iter().any(|(other, value)| other == field && constant(value))
                && !table.fields[usize::from(*field)].secret
        };
        let constants: Vec<(FieldId, &Value)> = values
            .iter()
            .filter_map(|(field, value)| match value {
                Expression::Constant(value) => Some((*field, value)),
                _ => None,
            })
            .collect();
        // A conditional key tells rows apart where its condition holds, and it must hold of this one.
        let holds = |key: &&UniqueKey| key.filter.as_ref().is_none_or(|filter| follows(filter, &constants));
        let unique = table.unique.iter().filter(holds).map(|key| &key.fields);
        let found = [&table.primary_key].into_iter().chain(unique).find(|key| key.iter().all(given)).cloned();
        if found.is_none() {
            let subject = table.name.to_string();
            self.other("row_without_key", subject, span);
        }
        found
    }
}
