//! The row with its parts as an answer: ``the `order` with its `order_line` as `lines` ``. The rows are read right before
//! the answer, so that it shows what the operation has written. Source: language reference, *Operations*.

use crate::expression::{Expression, Kind, StaticType};
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{Answered, EntityId, FieldId, Instruction, Limit, Lock, Select, Statement};
use crate::steps::MOST_ROWS;
use formwork_model::sections::interface::{Output, OutputKind};
use std::sync::Arc;

/// Rows that are sent with a row.
pub(super) struct Part {
    /// Of which table.
    owner: EntityId,
    /// Where they are.
    entity: EntityId,
    /// Their field that refers to the row.
    field: FieldId,
    /// The row's field that it refers to.
    key: FieldId,
    /// The member that holds them.
    name: Arc<str>,
}

impl Lowering<'_> {
    /// Takes in which rows Output sends with a row; notes those that do not belong to it.
    pub(super) fn send_parts(&mut self, output: &Output) {
        let OutputKind::Row(name) = &output.kind else { return };
        let Some(owner) = self.world.find_entity(&name.value) else { return };
        for part in &output.parts {
            let Some(entity) = self.world.find_entity(&part.entity.value) else {
                self.note(self.world.unknown_entity(&part.entity.value), part.entity.span);
                continue;
            };
            let mut fields = self.world.referrers(owner).iter().filter(|(child, _)| *child == entity);
            let found = match (fields.next(), fields.next()) {
                (Some((_, field)), None) => Some(*field),
                _ => None,
            };
            let reference = found.and_then(|field| {
                self.world.table(entity).fields[usize::from(field)].references.map(|to| (field, to.field))
            });
            let Some((field, key)) = reference else {
                let (expected, context) = (
                    format!("entity with one reference to `{}`", self.entity_name(owner)),
                    "Output".to_owned(),
                );
                let found = format!("`{}`", self.entity_name(entity));
                self.note(NoteKind::TypeMismatch { expected, found, context }, part.entity.span);
                continue;
            };
            let name: Arc<str> = part.name.value.as_str().into();
            let taken = self.world.table(owner).fields.iter().any(|field| field.name == name);
            if taken || self.parts.iter().any(|other| other.name == name) {
                self.note(NoteKind::BoundTwice { name: name.to_string() }, part.name.span);
                continue;
            }
            self.parts.push(Part { owner, entity, field, key, name });
        }
    }

    /// The body of an answer with the parts of its row, which are read here.
    pub(super) fn with_parts(&mut self, body: Answered, ty: Option<&StaticType>) -> Answered {
        let row = match (body, ty.map(|ty| &ty.kind)) {
            (Answered::Value(row), Some(Kind::Row(entity, _)))
                if self.parts.iter().any(|part| part.owner == *entity) =>
            {
                row
            }
            (body, _) => return body,
        };
        let mut parts = Vec::new();
        for part in std::mem::take(&mut self.parts) {
            self.reads(part.entity);
            let filter = Some(self.equal_all(&[part.field]));
            let mut order: Vec<(FieldId, bool)> =
                self.created_at(part.entity).map(|field| (field, false)).into_iter().collect();
            for field in self.primary_key(part.entity) {
                if order.iter().all(|(other, _)| *other != field) {
                    order.push((field, false));
                }
            }
            let (entity, limit) = (part.entity, Limit::Rows(MOST_ROWS + 1));
            let select = Select { entity, filter, order, limit, after: None, lock: Lock::None };
            let statement = self.statement(Statement::Select(select));
            let slot = self.hidden_slot();
            let parameters =
                vec![Expression::Field { row: Box::new(row.clone()), field: part.key, withheld: None }];
            self.push(Instruction::ReadRows { statement, parameters, slot });
            parts.push((part.name.clone(), slot));
            self.parts.push(part);
        }
        Answered::RowWith { row, parts }
    }
}
