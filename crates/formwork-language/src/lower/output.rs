//! Lowers *Output*: status, projection, and where a created row is found afterwards.

use crate::lower::World;
use crate::lower::input::parameters;
use crate::notes::Note;
use crate::program::{FieldId, Operation, OutputShape};
use formwork_model::facts::Field;
use formwork_model::sections::interface::{self, OutputKind, Surface};
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
    if let OutputKind::Row(name) | OutputKind::List(name) | OutputKind::Page(name) = &output.kind {
        shape.entity = world.find_entity(&name.value);
        let interface = world.model.interfaces.iter().find(|interface| interface.name.value == name.value);
        match (shape.entity, interface) {
            (None, Some(interface)) => shape.projection = Some(names(&interface.fields)),
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
    shape
}

/// Finds for each operation that answers a row the GET whose path the row determines.
pub(super) fn locate(world: &World<'_>, operations: &mut [Operation]) {
    let found: Vec<Option<(u32, Vec<FieldId>)>> =
        operations.iter().map(|operation| location_of(world, operations, operation)).collect();
    for (operation, location) in operations.iter_mut().zip(found) {
        operation.output.location = location;
    }
}

fn location_of(world: &World<'_>, all: &[Operation], operation: &Operation) -> Option<(u32, Vec<FieldId>)> {
    let entity = operation.output.entity?;
    if &*operation.method == "GET" || operation.surface != Surface::Public {
        return None;
    }
    let table = world.table(entity);
    all.iter().enumerate().find_map(|(at, get)| {
        let answers =
            &*get.method == "GET" && get.surface == Surface::Public && get.output.entity == Some(entity);
        let names = parameters(&get.path);
        if !answers || names.is_empty() || is_many(world, get) {
            return None;
        }
        let field = |name: &Arc<str>| {
            FieldId::try_from(table.fields.iter().position(|field| field.name == *name)?).ok()
        };
        let fields = names.iter().map(field).collect::<Option<Vec<_>>>()?;
        Some((u32::try_from(at).ok()?, fields))
    })
}

/// Whether an operation answers a list or page.
fn is_many(world: &World<'_>, operation: &Operation) -> bool {
    let all = world.model.operations.iter().chain(&world.model.endpoints);
    let declared = all.into_iter().find(|declared| declared.span == operation.span);
    declared.is_some_and(|declared| matches!(declared.output.kind, OutputKind::List(_) | OutputKind::Page(_)))
}
