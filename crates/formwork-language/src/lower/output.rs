//! Lowers *Output*: status, projection, and where a created row is found afterwards.

use crate::lower::World;
use crate::lower::input::{self, parameters};
use crate::notes::Note;
use crate::program::{BodyShape, EntityId, FieldId, Operation, OutputShape};
use formwork_model::facts::Field;
use formwork_model::sections::interface::{self, OutputKind, Surface};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What an operation answers, as far as Output says it. Of a behaviour that is not executed Output may be prose with
/// any word in code.
pub(super) fn lower(
    world: &World<'_>,
    operation: &interface::Operation,
    executed: bool,
    notes: &mut Vec<Note>,
) -> OutputShape {
    let output = &operation.output;
    let names = |fields: &[Field]| -> Vec<Arc<str>> {
        fields.iter().map(|field| field.name.value.as_str().into()).collect()
    };
    let mut shape =
        OutputShape { status: output.status.as_ref().map(|status| status.value), ..Default::default() };
    shape.body = match &output.kind {
        OutputKind::Missing | OutputKind::Prose => BodyShape::Unsaid,
        OutputKind::Nothing => BodyShape::Nothing,
        OutputKind::Redirect => BodyShape::Redirect,
        OutputKind::Row(_) | OutputKind::Fields => BodyShape::One,
        OutputKind::List(_) => BodyShape::Many,
        OutputKind::Page(_) => BodyShape::Page,
    };
    let part = |part: &interface::RowPart| {
        Some((part.name.value.as_str().into(), world.find_entity(&part.entity.value)?))
    };
    shape.parts = output.parts.iter().filter_map(part).collect();
    let mut fields = output.fields.as_slice();
    if let OutputKind::Row(name) | OutputKind::List(name) | OutputKind::Page(name) = &output.kind {
        shape.entity = world.find_entity(&name.value);
        let interface = world.find_interface(&name.value);
        match (shape.entity, interface) {
            (None, Some(interface)) => {
                shape.projection = Some(names(&interface.fields));
                if fields.is_empty() {
                    fields = &interface.fields;
                }
            }
            (None, None) if executed => {
                let kind = world.unknown_entity(&name.value);
                notes.push(Note { kind, span: name.span, related: None, fix: None });
            }
            _ => {}
        }
    }
    if !output.fields.is_empty() {
        shape.projection = Some(names(&output.fields));
    }
    shape.fields = fields.iter().map(|field| input::answered(world, field, shape.entity)).collect();
    shape
}

/// Finds for each operation that answers a row the GET whose path the row determines.
pub(super) fn locate(world: &World<'_>, operations: &mut [Operation]) {
    let mut gets: FxHashMap<EntityId, (u32, Vec<FieldId>)> = FxHashMap::default();
    for (at, get) in (0..).zip(operations.iter()) {
        if let Some(entity) = get.output.entity
            && !gets.contains_key(&entity)
            && let Some(fields) = key_fields(world, entity, get)
        {
            gets.insert(entity, (at, fields));
        }
    }
    for operation in operations {
        if &*operation.method != "GET" && operation.surface == Surface::Public {
            operation.output.location = operation.output.entity.and_then(|entity| gets.get(&entity).cloned());
        }
    }
}

/// The fields of a row that give the path of a GET which answers that row.
fn key_fields(world: &World<'_>, entity: EntityId, get: &Operation) -> Option<Vec<FieldId>> {
    let names = parameters(&get.path);
    let answers = &*get.method == "GET" && get.surface == Surface::Public;
    if !answers || names.is_empty() || world.answers_many(get.span) {
        return None;
    }
    let table = world.table(entity);
    let field =
        |name: &Arc<str>| FieldId::try_from(table.fields.iter().position(|field| field.name == *name)?).ok();
    names.iter().map(field).collect()
}
