//! `computed as EXPR`: fields that follow from others of the row, each behind those that it needs.

use super::{Rules, shown};
use crate::expression;
use crate::program::{EntityId, FieldId};
use crate::rules::Computed;
use formwork_model::facts::Constraint;
use formwork_model::sections::data_model::Entity;
use formwork_syntax::Span;

/// A computed field, and the fields that it names.
struct Found {
    computed: Computed,
    needs: Vec<FieldId>,
    span: Span,
}

impl Rules<'_> {
    /// The computed fields of a table.
    pub(super) fn computed(&mut self, at: EntityId, entity: &Entity) {
        let mut found = Vec::new();
        for field in &entity.fields {
            for constraint in &field.constraints {
                if let Constraint::Computed(text) = &constraint.value {
                    found.extend(self.one_computed(at, &field.name.value, &text.value, text.span));
                }
            }
        }
        let ordered = self.in_order(at, found);
        self.schema.entities[usize::from(at)].rules.computed = ordered;
    }

    fn one_computed(&mut self, at: EntityId, name: &str, text: &str, span: Span) -> Option<Found> {
        let fields = &self.schema.entities[usize::from(at)].fields;
        let position = fields.iter().position(|field| *field.name == *name)?;
        let (ty, optional) = (fields[position].ty.clone(), fields[position].optional);
        let ast = self.parse(text, &|offset| (span.start + offset).min(span.end))?;
        let typed = self.over_row(at, &ast)?;
        let context = format!("field `{name}`");
        match expression::coerce(typed, &ty, optional, self.schema, &context) {
            Ok(value) => {
                let (needs, _) = self.named_fields(at, &ast);
                let field = FieldId::try_from(position).ok()?;
                Some(Found {
                    computed: Computed { field, text: shown(self.source, span), value },
                    needs,
                    span,
                })
            }
            Err(kind) => {
                self.note(kind, span);
                None
            }
        }
    }

    /// Each field behind those that it needs; notes a circle.
    fn in_order(&mut self, at: EntityId, mut open: Vec<Found>) -> Vec<Computed> {
        let mut ordered = Vec::new();
        while !open.is_empty() {
            let waiting: Vec<FieldId> = open.iter().map(|found| found.computed.field).collect();
            let ready =
                open.iter().position(|found| found.needs.iter().all(|field| !waiting.contains(field)));
            let Some(ready) = ready else {
                let names: Vec<String> = waiting
                    .iter()
                    .map(|field| {
                        self.schema.entities[usize::from(at)].fields[usize::from(*field)].name.to_string()
                    })
                    .collect();
                let span = open.first().map_or(Span::default(), |found| found.span);
                self.other("circular_computation", names.join("`, `"), span);
                return ordered;
            };
            ordered.push(open.remove(ready).computed);
        }
        ordered
    }
}
