//! Lowers *Input*: which fields, of which type, where each travels, and what must hold of it.

use crate::expression::{Bound, StaticType};
use crate::infer;
use crate::lower::World;
use crate::lower::schema::{default_of, default_value, rules, usable};
use crate::notes::{Note, NoteKind};
use crate::program::{EntityId, InputField, InputShape, PathPart, Slot, slots};
use formwork_model::facts::{Constraint, Field, Location};
use formwork_model::names::nearest;
use formwork_model::sections::interface::{Operation, OutputKind};
use formwork_model::values::Type;
use formwork_syntax::{Span, Spanned};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The hidden fields of an operation with a page.
pub(super) const PAGE_FIELDS: [&str; 2] = ["cursor", "limit"];

/// What is known of an operation before its input is read.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    /// Whether its behaviour is executed.
    pub(super) executed: bool,
    /// Whether it answers a page.
    pub(super) page: bool,
    /// The entity that it is inferred to be about, whose fields give inputs their types.
    pub(super) owner: Option<EntityId>,
}

/// What an operation accepts.
pub(super) fn lower(
    world: &World<'_>,
    operation: &Operation,
    (method, path): (&str, &[PathPart]),
    Setup { executed, page, owner }: Setup,
    notes: &mut Vec<Note>,
) -> InputShape {
    let mut shape = InputShape { ignores_others: operation.input.ignores_others, ..InputShape::default() };
    let parameters: Vec<Arc<str>> = parameters(path);
    let in_query = matches!(method, "GET" | "DELETE" | "HEAD");
    let owner = owner.or_else(|| output_entity(world, operation));
    let mut known: FxHashSet<String> = FxHashSet::default();
    for field in declared(world, operation, notes) {
        let hidden = page && PAGE_FIELDS.contains(&field.name.value.as_str());
        if hidden || !known.insert(field.name.value.clone()) {
            continue;
        }
        let mut lowered = lower_field(world, &field, &parameters, in_query, owner, notes);
        lowered.optional |= !executed && is_paging(&field, &lowered);
        shape.fields.push(lowered);
    }
    check_path(world, operation, (path, executed, owner), &mut shape, notes);
    if page {
        shape.fields.extend(page_fields(operation.span));
    }
    shape
}

/// The names of a route's parameters, in order.
pub(super) fn parameters(path: &[PathPart]) -> Vec<Arc<str>> {
    path.iter()
        .filter_map(|part| match part {
            PathPart::Parameter(name) => Some(name.clone()),
            PathPart::Fixed(_) => None,
        })
        .collect()
}

/// The declared fields: listed, or those of the entity or interface that Input refers to.
fn declared(world: &World<'_>, operation: &Operation, notes: &mut Vec<Note>) -> Vec<Field> {
    let mut fields = operation.input.fields.clone();
    let Some(reference) = &operation.input.reference else { return fields };
    let interface = world.find_interface(&reference.value);
    if let Some(entity) = world.find_entity(&reference.value) {
        // A field that begins in the first state of *Transitions* need not be sent either.
        let begins = |field: &Field| {
            let columns = &world.table(entity).fields;
            columns.iter().any(|column| *column.name == *field.name.value && column.default.is_some())
        };
        let mended = |field: &Field| {
            let optional = field.optional || (begins(field) && default_of(field).is_none());
            Field { optional, ..field.clone() }
        };
        let entity = world.model.entities.get(usize::from(entity));
        let given = |field: &&Field| {
            !field.constraints.iter().any(|constraint| {
                use Constraint as C;
                matches!(constraint.value, C::Generated | C::OnCreate | C::OnUpdate | C::Computed(_))
            })
        };
        fields.extend(entity.into_iter().flat_map(|entity| entity.fields.iter().filter(given).map(mended)));
    } else if let Some(interface) = interface {
        fields.extend(interface.fields.iter().cloned());
    } else {
        let interfaces = world.model.interfaces.iter().map(|interface| interface.name.value.as_str());
        let names = world.schema.entities.iter().map(|entity| &*entity.name).chain(interfaces);
        let near = nearest(&reference.value, names).map(str::to_owned);
        let kind = NoteKind::UnknownName { what: "entity", name: reference.value.clone(), nearest: near };
        notes.push(Note { kind, span: reference.span, related: None, fix: None });
    }
    fields
}

/// Whether an input says where to go on or how much to show. In prose nobody marks it as optional, and no first call
/// could give it.
fn is_paging(field: &Field, lowered: &InputField) -> bool {
    const NAMES: [&str; 9] =
        ["cursor", "limit", "page", "per_page", "page_size", "page_token", "offset", "after", "before"];
    let required = field.constraints.iter().any(|constraint| constraint.value == Constraint::Required);
    lowered.location == Location::Query && !required && NAMES.contains(&&*lowered.name)
}

fn lower_field(
    world: &World<'_>,
    field: &Field,
    parameters: &[Arc<str>],
    in_query: bool,
    owner: Option<EntityId>,
    notes: &mut Vec<Note>,
) -> InputField {
    let name: Arc<str> = field.name.value.as_str().into();
    let in_path = parameters.contains(&name);
    let in_header = matches!(field.location.as_ref().map(|place| &place.value), Some(Location::Header(_)));
    let in_query =
        in_query || matches!(field.location.as_ref().map(|place| &place.value), Some(Location::Query));
    // A value of the address or of a header that nobody typed is the text that it is.
    let untyped = if in_path || in_query || in_header { Type::String } else { Type::Json };
    let ty = match &field.ty {
        Some(ty) => resolved(world, &usable(&ty.value, field)),
        None => type_by_name(world, &name, owner).unwrap_or(untyped),
    };
    let location = match &field.location {
        Some(location) => location.value.clone(),
        None if in_path => Location::Path,
        None if in_query => Location::Query,
        None => Location::Body,
    };
    let default: Option<&Spanned<String>> = default_of(field);
    let default = default
        .and_then(|text| default_value(world.source, world.schema, &ty, field.optional, &name, text, notes));
    let optional = location != Location::Path && (field.optional || default.is_some());
    InputField {
        name,
        ty,
        optional,
        default,
        location,
        rules: rules(world.source, field, world.patterns, notes),
        span: field.span,
    }
}

/// A field of an answer: as an input, but for a type that names an entity, which is the row itself there. What is wrong
/// with it is said where it is declared.
pub(super) fn answered(world: &World<'_>, field: &Field, owner: Option<EntityId>) -> InputField {
    let lowered = lower_field(world, field, &[], false, owner, &mut Vec::new());
    match &field.ty {
        Some(ty) => InputField { ty: usable(&ty.value, field), ..lowered },
        None => lowered,
    }
}

/// A type that names an entity is that of its key.
fn resolved(world: &World<'_>, ty: &Type) -> Type {
    let name = match ty {
        Type::Named(name) => name,
        Type::List(of) => return Type::List(resolved(world, of).into()),
        Type::Object(members) => {
            let member = |(name, ty): &(Arc<str>, Type)| (name.clone(), resolved(world, ty));
            return Type::Object(members.iter().map(member).collect());
        }
        _ => return ty.clone(),
    };
    let Some(entity) = world.find_entity(name) else { return ty.clone() };
    let table = world.table(entity);
    match table.primary_key.as_slice() {
        [key] => table.fields[usize::from(*key)].ty.clone(),
        _ => ty.clone(),
    }
}

/// The type of the entity field of this name: that of the answered entity first, then of any.
fn type_by_name(world: &World<'_>, name: &str, owner: Option<EntityId>) -> Option<Type> {
    let own = owner.map(|entity| world.table(entity)).into_iter();
    let mut fields = own.chain(&world.schema.entities).flat_map(|table| &table.fields);
    fields.find(|field| *field.name == *name).map(|field| field.ty.clone())
}

/// The type of the key that a parameter of the path names: that of the collection before it (`/orders/{id}`), else of
/// the entity that the operation is about.
fn key_type(world: &World<'_>, name: &Arc<str>, path: &[PathPart], owner: Option<EntityId>) -> Option<Type> {
    let at = path.iter().position(|part| *part == PathPart::Parameter(name.clone()));
    let collection = match at.and_then(|at| path.get(at.checked_sub(1)?)) {
        Some(PathPart::Fixed(collection)) => world.find_entity(collection),
        _ => None,
    };
    let of = |entity: EntityId| {
        let table = world.table(entity);
        infer::field_of(table, name).map(|field| table.fields[field].ty.clone())
    };
    collection.and_then(of).or_else(|| of(owner?))
}

/// The entity that Output names.
pub(super) fn output_entity(world: &World<'_>, operation: &Operation) -> Option<EntityId> {
    match &operation.output.kind {
        OutputKind::Row(name) | OutputKind::List(name) | OutputKind::Page(name) => {
            world.find_entity(&name.value)
        }
        _ => None,
    }
}

/// Every parameter of the path must be declared, and every input in the path must be in it. Prose need not declare
/// what its path says already.
fn check_path(
    world: &World<'_>,
    operation: &Operation,
    (path, executed, owner): (&[PathPart], bool, Option<EntityId>),
    shape: &mut InputShape,
    notes: &mut Vec<Note>,
) {
    let (parameters, shown) = (parameters(path), show_path(path));
    for name in &parameters {
        if shape.fields.iter().any(|field| field.name == *name) {
            continue;
        }
        let span = operation.path.as_ref().map_or(operation.name.span, |path| path.span);
        let known = key_type(world, name, path, owner);
        // Without an Input part the path says which row it is, if it names a key.
        let is_said = operation.input.span.is_none() && known.is_some();
        if executed && !is_said {
            let kind = NoteKind::PathParameter { name: name.to_string(), path: shown.clone() };
            notes.push(Note { kind, span, related: None, fix: None });
        }
        let ty = known.or_else(|| type_by_name(world, name, owner)).unwrap_or(Type::String);
        let (optional, default, rules) = (false, None, Default::default());
        let field =
            InputField { name: name.clone(), ty, optional, default, location: Location::Path, rules, span };
        shape.fields.push(field);
    }
    for field in &shape.fields {
        if field.location == Location::Path && !parameters.contains(&field.name) {
            let kind = NoteKind::PathParameter { name: field.name.to_string(), path: shown.clone() };
            notes.push(Note { kind, span: field.span, related: None, fix: None });
        }
    }
}

/// A route as it is written.
pub(super) fn show_path(path: &[PathPart]) -> String {
    let mut shown = String::new();
    for part in path {
        shown.push('/');
        match part {
            PathPart::Fixed(text) => shown.push_str(text),
            PathPart::Parameter(name) => {
                shown.push('{');
                shown.push_str(name);
                shown.push('}');
            }
        }
    }
    if shown.is_empty() { "/".to_owned() } else { shown }
}

fn page_fields(span: Span) -> [InputField; 2] {
    let field = |name: &str, ty| InputField {
        name: name.into(),
        ty,
        optional: true,
        default: None,
        location: Location::Query,
        rules: Default::default(),
        span,
    };
    [field(PAGE_FIELDS[0], Type::String), field(PAGE_FIELDS[1], Type::Integer)]
}

/// The names under which expressions find the input. Those of a page are hidden unless the document declares them.
pub(super) fn names(world: &World<'_>, operation: &Operation, shape: &InputShape) -> Vec<Bound> {
    let is_declared = |name: &str| operation.input.fields.iter().any(|field| field.name.value == name);
    let visible = |field: &InputField| !PAGE_FIELDS.contains(&&*field.name) || is_declared(&field.name);
    shape
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| visible(field))
        .filter_map(|(at, field)| {
            let slot = Slot::try_from(at).ok()?.checked_add(slots::INPUT)?;
            let optional = field.optional && field.default.is_none();
            let ty = StaticType::of(&field.ty, optional, world.schema).with_members(&field.rules);
            Some(Bound { name: field.name.clone(), slot, ty })
        })
        .collect()
}
