//! The rules of a table of SQL: checks, unique keys over some rows, and exclusions of intervals.
//!
//! The model gives them in the notation of the language. One that does not fit, because SQL compares what the language
//! does not, is a line that is not kept and no mistake of the author: it is told as a whole.

use super::Rules;
use crate::expression::Ast;
use crate::lower::schema::add_unique;
use crate::program::{Condition, EntityId, FieldId, UniqueKey};
use formwork_model::facts::Formula;
use formwork_model::sections::table_rules::{TableRule, TableRuleKind};
use formwork_syntax::Spanned;

impl Rules<'_> {
    /// Adds a rule of a table, or tells that it is not kept.
    pub(super) fn table_rule(&mut self, at: EntityId, rule: &TableRule) {
        let before = self.notes.len();
        let is_kept = self.add_table_rule(at, rule).is_some();
        self.notes.truncate(before);
        if !is_kept {
            self.other("table_rule_not_kept", rule.span.slice(self.source).to_owned(), rule.span);
        }
    }

    fn add_table_rule(&mut self, at: EntityId, rule: &TableRule) -> Option<()> {
        match &rule.kind {
            TableRuleKind::Check(formula) => {
                let ast = self.formula(formula)?;
                self.add_check(at, &ast, formula.text.as_str().into(), None)
            }
            TableRuleKind::Unique { fields, filter } => {
                let fields = self.table_fields(at, fields)?;
                let (_, filter) = self.rows_of(at, filter)?;
                let table = &mut self.schema.entities[usize::from(at)];
                add_unique(table, UniqueKey { fields, filter: Some(filter), otherwise: None });
                Some(())
            }
            TableRuleKind::NoOverlap { group, starts, ends, filter } => {
                let group = self.table_fields(at, group)?;
                let span = starts.span;
                let starts = self.field_named(at, &starts.value, span)?;
                let ends = self.field_named(at, &ends.value, ends.span)?;
                let filter = match filter {
                    Some(filter) => Some(self.rows_of(at, filter)?),
                    None => None,
                };
                self.add_overlap(at, group, (starts, ends, span), filter, None)
            }
        }
    }

    fn formula(&mut self, formula: &Formula) -> Option<Ast> {
        self.parse(&formula.text, &|offset| formula.source_offset(offset))
    }

    /// The rows that a rule is for, as syntax and as a condition of a statement.
    fn rows_of(&mut self, at: EntityId, formula: &Formula) -> Option<(Ast, Condition)> {
        let ast = self.formula(formula)?;
        let condition = self.condition_over_rows(at, &ast)?;
        Some((ast, condition))
    }

    fn table_fields(&mut self, at: EntityId, names: &[Spanned<String>]) -> Option<Vec<FieldId>> {
        names.iter().map(|name| self.field_named(at, &name.value, name.span)).collect()
    }
}
