//! Lowers entities to tables: keys, references with their types, defaults, rules and indexes.
//!
//! Source: language reference, *Data model*.

use crate::constraint::{FieldRules, Member};
use crate::expression::{self, Bare, Equals, Expression, Names, StaticType, SyntaxProblem};
use crate::lower::places::Places;
use crate::notes::{Note, NoteKind};
use crate::program::{
    Condition, EntityId, EntitySchema, FieldId, FieldSchema, PlainIndex, Reference, Schema, UniqueKey,
};
use crate::rules::EntityRules;
use crate::sql;
use crate::value::{Decimal, Value};
use formwork_model::Model;
use formwork_model::facts::{Constraint, Field, OnDelete, RawExpression};
use formwork_model::names::{NameIndex, nearest};
use formwork_model::sections::data_model::{Entity, Index, IndexKind};
use formwork_model::values::Type;
use formwork_syntax::{Span, Spanned};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::sync::Arc;

/// The tables of a model. They are built in three rounds, because references need the other table's key, and
/// defaults and filters need the types of all fields.
pub(super) fn lower(source: &str, model: &Model, patterns: &Patterns, notes: &mut Vec<Note>) -> Schema {
    let mut schema = Schema::default();
    for entity in &model.entities {
        schema.entities.push(columns(source, entity, patterns, notes));
    }
    set_apart(&mut schema);
    let names = NameIndex::new(model.entities.iter().map(|entity| entity.name.value.as_str()));
    let places: Vec<Places> = schema.entities.iter().map(Places::of).collect();
    for (at, entity) in model.entities.iter().enumerate() {
        for field in &entity.fields {
            refer(&mut schema, &names, &places, at, field, notes);
        }
        keys(&mut schema.entities[at], &places[at], entity, notes);
    }
    resolve_types(&mut schema);
    for (at, entity) in model.entities.iter().enumerate() {
        defaults(source, &mut schema, &places[at], at, entity, notes);
        indexes(source, &mut schema, &places[at], at, entity, notes);
    }
    schema
}

/// Of two entities of one name the first has it; `check` names the second, which gets a table of its own.
fn set_apart(schema: &mut Schema) {
    let mut known: FxHashMap<String, usize> = FxHashMap::default();
    for entity in &mut schema.entities {
        let count = known.entry(entity.name.to_lowercase()).or_default();
        *count += 1;
        if *count > 1 {
            entity.name = format!("{} ({count})", entity.name).into();
        }
    }
}

/// A table with its columns, before anything refers to anything. An entity without a primary key gets an `id`.
fn columns(source: &str, entity: &Entity, patterns: &Patterns, notes: &mut Vec<Note>) -> EntitySchema {
    let mut fields = Vec::new();
    let keyed =
        entity.indexes.iter().any(|index| index.kind == IndexKind::Primary && !index.fields.is_empty())
            || entity.fields.iter().any(|field| has(field, &Constraint::PrimaryKey));
    let named_id = entity.fields.iter().any(|field| field.name.value == "id");
    if !keyed && !named_id {
        fields.push(hidden_id());
    }
    let mut known: FxHashSet<String> = fields.iter().map(|field| field.name.to_ascii_lowercase()).collect();
    for field in &entity.fields {
        // The first of two fields of one name counts; `check` names the second.
        if known.insert(field.name.value.to_ascii_lowercase()) {
            fields.push(column(source, field, patterns, notes));
        }
    }
    EntitySchema {
        name: entity.name.value.as_str().into(),
        fields,
        primary_key: Vec::new(),
        unique: Vec::new(),
        indexes: Vec::new(),
        rules: EntityRules::default(),
        span: entity.span,
    }
}

fn hidden_id() -> FieldSchema {
    FieldSchema {
        name: "id".into(),
        ty: Type::Uuid,
        optional: false,
        default: None,
        generated: true,
        on_create: false,
        on_update: false,
        immutable: true,
        hidden: false,
        secret: false,
        personal: false,
        computed: false,
        references: None,
        rules: FieldRules::default(),
    }
}

fn column(source: &str, field: &Field, patterns: &Patterns, notes: &mut Vec<Note>) -> FieldSchema {
    FieldSchema {
        name: field.name.value.as_str().into(),
        ty: field.ty.as_ref().map_or(Type::Json, |ty| usable(&ty.value, field)),
        optional: field.optional,
        default: None,
        generated: has(field, &Constraint::Generated),
        on_create: has(field, &Constraint::OnCreate),
        on_update: has(field, &Constraint::OnUpdate),
        immutable: has(field, &Constraint::Immutable),
        hidden: has(field, &Constraint::WriteOnly) || has(field, &Constraint::Secret),
        secret: has(field, &Constraint::Secret),
        personal: has(field, &Constraint::Personal),
        computed: field.constraints.iter().any(|found| matches!(found.value, Constraint::Computed(_))),
        references: None,
        rules: rules(source, field, patterns, notes),
    }
}

/// The type as values are tested against it: an enumeration has its values from the constraints; where the document
/// names none, any text is one.
pub(super) fn usable(ty: &Type, field: &Field) -> Type {
    if !matches!(ty, Type::Enum(values) if values.is_empty()) {
        return ty.clone();
    }
    let values = field.constraints.iter().find_map(|constraint| match &constraint.value {
        Constraint::OneOf(values) => Some(values.iter().map(|value| value.as_str().into()).collect()),
        _ => None,
    });
    values.map_or(Type::String, Type::Enum)
}

fn has(field: &Field, constraint: &Constraint) -> bool {
    field.constraints.iter().any(|found| found.value == *constraint)
}

/// The rules of a field, for tables and inputs alike.
pub(super) fn rules(source: &str, field: &Field, patterns: &Patterns, notes: &mut Vec<Note>) -> FieldRules {
    let member = |field: &Field| {
        let name: Arc<str> = field.name.value.as_str().into();
        let default = default_of(field).and_then(|text| {
            let ty = field.ty.as_ref().map_or(Type::Json, |ty| ty.value.clone());
            // A constant needs no tables.
            match default_value(source, &Schema::default(), &ty, field.optional, &name, text, notes)? {
                Expression::Constant(value) => Some(value),
                _ => {
                    let problem = "expected a constant as the default of a member".to_owned();
                    let kind = NoteKind::ExpressionSyntax { problem };
                    notes.push(Note { kind, span: text.span, related: None, fix: None });
                    None
                }
            }
        });
        let optional = field.optional || default.is_some();
        Member { name, optional, default, rules: rules(source, field, patterns, notes) }
    };
    let members = field.members.iter().map(member).collect();
    let mut rules = FieldRules { members, ..FieldRules::default() };
    for constraint in &field.constraints {
        let span = constraint.span;
        match &constraint.value {
            Constraint::Min { value, exclusive } => {
                rules.min = decimal(value, span, notes).map(|value| (value, *exclusive));
            }
            Constraint::Max { value, exclusive } => {
                rules.max = decimal(value, span, notes).map(|value| (value, *exclusive));
            }
            Constraint::MinLength(least) => rules.length.0 = Some(*least),
            Constraint::MaxLength(most) => rules.length.1 = Some(*most),
            Constraint::MinItems(least) => rules.items.0 = Some(*least),
            Constraint::MaxItems(most) => rules.items.1 = Some(*most),
            Constraint::OneOf(values) => {
                rules.one_of = Some(values.iter().map(|value| Arc::from(value.as_str())).collect());
            }
            Constraint::Format(name) => {
                rules.format = crate::constraint::Format::named_so(name);
                if rules.format.is_none() {
                    let kind = NoteKind::Other { entry: "unknown_format", subject: name.clone() };
                    notes.push(Note { kind, span, related: None, fix: None });
                }
            }
            Constraint::Pattern(pattern) => rules.pattern = patterns.compiled(pattern, span, notes),
            _ => {}
        }
    }
    rules
}

/// The regular expressions of a document, each compiled once: entities and inputs write the same ones.
#[derive(Default)]
pub(crate) struct Patterns(RefCell<FxHashMap<String, Result<regex::Regex, String>>>);

impl Patterns {
    /// A regular expression in linear time with `\d \w \s` of ASCII.
    fn compiled(&self, pattern: &str, span: Span, notes: &mut Vec<Note>) -> Option<regex::Regex> {
        let known = self.0.borrow().get(pattern).cloned();
        let found = known.unwrap_or_else(|| {
            let found = crate::constraint::pattern(pattern);
            self.0.borrow_mut().insert(pattern.to_owned(), found.clone());
            found
        });
        if let Err(problem) = &found {
            let kind = NoteKind::Other { entry: "bad_pattern", subject: problem.clone() };
            notes.push(Note { kind, span, related: None, fix: None });
        }
        found.ok()
    }
}

fn decimal(text: &str, span: Span, notes: &mut Vec<Note>) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 30);
    let digits = format!("{whole}{fraction}").replace('−', "-");
    let parsed = scale.zip(digits.parse::<i128>().ok()).map(|(scale, units)| Decimal { units, scale });
    if parsed.is_none() {
        let kind = NoteKind::Other { entry: "bad_number", subject: text.to_owned() };
        notes.push(Note { kind, span, related: None, fix: None });
    }
    parsed
}

/// The field of a table by name, with a note when there is none.
fn field_of(
    schema: &EntitySchema,
    places: &Places,
    name: &Spanned<String>,
    notes: &mut Vec<Note>,
) -> Option<FieldId> {
    let found = places.find(schema, &name.value);
    if found.is_none() {
        let near = nearest(&name.value, schema.fields.iter().map(|field| &*field.name)).map(str::to_owned);
        let kind =
            NoteKind::UnknownField { of: schema.name.to_string(), field: name.value.clone(), nearest: near };
        notes.push(Note { kind, span: name.span, related: None, fix: None });
    }
    FieldId::try_from(found?).ok()
}

/// Resolves *references*; a type that is an entity's name is a reference as well.
fn refer(
    schema: &mut Schema,
    names: &NameIndex,
    places: &[Places],
    at: usize,
    field: &Field,
    notes: &mut Vec<Note>,
) {
    let find_entity = |name: &str| EntityId::try_from(names.find(name)?).ok();
    let declared = field.constraints.iter().find_map(|constraint| match &constraint.value {
        Constraint::References { entity, field, on_delete } => Some((entity, field.as_ref(), *on_delete)),
        _ => None,
    });
    let named = match field.ty.as_ref().map(|ty| (&ty.value, ty.span)) {
        Some((Type::Named(name), span)) => Some(Spanned::new(name.to_string(), span)),
        _ => None,
    };
    let (other, other_field, on_delete) = match (declared, &named) {
        (Some((entity, field, on_delete)), _) => (entity, field, on_delete),
        (None, Some(name)) if find_entity(&name.value).is_some() => (name, None, OnDelete::default()),
        _ => return,
    };
    let Some(entity) = find_entity(&other.value) else {
        let near =
            nearest(&other.value, schema.entities.iter().map(|entity| &*entity.name)).map(str::to_owned);
        let kind = NoteKind::UnknownName { what: "entity", name: other.value.clone(), nearest: near };
        notes.push(Note { kind, span: other.span, related: None, fix: None });
        return;
    };
    let target = match other_field {
        Some(name) => {
            let entity = usize::from(entity);
            field_of(&schema.entities[entity], &places[entity], name, notes)
        }
        None => key_of(&schema.entities[usize::from(entity)]),
    };
    let Some(target) = target else { return };
    if let Some(column) = places[at].find(&schema.entities[at], &field.name.value) {
        schema.entities[at].fields[column].references = Some(Reference { entity, field: target, on_delete });
    }
}

/// The single field of a key that is declared at the field, or the implicit `id`.
fn key_of(schema: &EntitySchema) -> Option<FieldId> {
    match schema.primary_key.as_slice() {
        [key] => Some(*key),
        _ => FieldId::try_from(schema.fields.iter().position(|field| *field.name == *"id").unwrap_or(0)).ok(),
    }
}

/// Primary key, and unique keys and indexes that stand at a field.
fn keys(schema: &mut EntitySchema, places: &Places, entity: &Entity, notes: &mut Vec<Note>) {
    let id_of = |schema: &EntitySchema, name: &str| FieldId::try_from(places.find(schema, name)?).ok();
    let mut key: Vec<FieldId> = Vec::new();
    for index in entity.indexes.iter().filter(|index| index.kind == IndexKind::Primary) {
        key.extend(index.fields.iter().filter_map(|(name, _)| field_of(schema, places, name, notes)));
    }
    if key.is_empty() {
        let at_field = entity.fields.iter().filter(|field| has(field, &Constraint::PrimaryKey));
        key.extend(at_field.filter_map(|field| id_of(schema, &field.name.value)));
    }
    if key.is_empty() {
        key.extend(id_of(schema, "id"));
    }
    for field in &key {
        schema.fields[usize::from(*field)].optional = false;
    }
    schema.primary_key = key;
    for field in &entity.fields {
        let is_key =
            |it: &Spanned<Constraint>| matches!(it.value, Constraint::Unique(_) | Constraint::Indexed);
        if !field.constraints.iter().any(is_key) {
            continue;
        }
        let Some(own) = id_of(schema, &field.name.value) else { continue };
        for constraint in &field.constraints {
            match &constraint.value {
                Constraint::Unique(others) => {
                    let mut fields = vec![own];
                    fields.extend(others.iter().filter_map(|name| field_of(schema, places, name, notes)));
                    add_unique(schema, UniqueKey { fields, filter: None, otherwise: None });
                }
                Constraint::Indexed => {
                    add_index(schema, PlainIndex { fields: vec![(own, false)], filter: None })
                }
                _ => {}
            }
        }
    }
}

/// Adds a unique key, unless its fields are one already; a refusal that only the second names is kept.
pub(super) fn add_unique(schema: &mut EntitySchema, key: UniqueKey) {
    let same = |one: &[FieldId], other: &[FieldId]| {
        one.len() == other.len() && one.iter().all(|field| other.contains(field))
    };
    if key.filter.is_none() && same(&key.fields, &schema.primary_key) {
        return;
    }
    let known = schema.unique.iter_mut().find(|known| {
        same(&known.fields, &key.fields) && format!("{:?}", known.filter) == format!("{:?}", key.filter)
    });
    match known {
        Some(known) => known.otherwise = known.otherwise.take().or(key.otherwise),
        None => schema.unique.push(key),
    }
}

pub(super) fn add_index(schema: &mut EntitySchema, index: PlainIndex) {
    let known = schema.indexes.iter().any(|known| {
        known.fields == index.fields && format!("{:?}", known.filter) == format!("{:?}", index.filter)
    });
    if !known {
        schema.indexes.push(index);
    }
}

/// A reference by name has the type of the other's key; a chain of them is followed to its end.
fn resolve_types(schema: &mut Schema) {
    for at in 0..schema.entities.len() {
        for field in 0..schema.entities[at].fields.len() {
            if !matches!(schema.entities[at].fields[field].ty, Type::Named(_)) {
                continue;
            }
            let mut target = schema.entities[at].fields[field].references;
            let mut ty = schema.entities[at].fields[field].ty.clone();
            let mut chain = vec![(at, field)];
            while let (Type::Named(_), Some(to)) = (&ty, target) {
                let next = (usize::from(to.entity), usize::from(to.field));
                let other = &schema.entities[next.0].fields[next.1];
                (ty, target) = (other.ty.clone(), other.references);
                chain.push(next);
                if chain.len() > schema.entities.len() + 1 {
                    ty = Type::Uuid;
                    break;
                }
            }
            // All on the way have the same type, so that no part of a chain is walked twice.
            for (entity, field) in chain {
                schema.entities[entity].fields[field].ty = ty.clone();
            }
        }
    }
}

/// Compiles the values of new rows.
fn defaults(
    source: &str,
    schema: &mut Schema,
    places: &Places,
    at: usize,
    entity: &Entity,
    notes: &mut Vec<Note>,
) {
    for field in &entity.fields {
        let Some(default) = default_of(field) else { continue };
        let position = places.find(&schema.entities[at], &field.name.value);
        let Some(position) = position else { continue };
        let (ty, optional) = {
            let column = &schema.entities[at].fields[position];
            (column.ty.clone(), column.optional)
        };
        let value = default_value(source, schema, &ty, optional, &field.name.value, default, notes);
        schema.entities[at].fields[position].default = value;
    }
}

/// The text of a field's default.
pub(super) fn default_of(field: &Field) -> Option<&Spanned<String>> {
    field.constraints.iter().find_map(|constraint| match &constraint.value {
        Constraint::Default(text) => Some(text),
        _ => None,
    })
}

/// The value of a default: an expression, or a bare word for a text.
pub(super) fn default_value(
    source: &str,
    schema: &Schema,
    ty: &Type,
    optional: bool,
    name: &str,
    default: &Spanned<String>,
    notes: &mut Vec<Note>,
) -> Option<Expression> {
    let lower = default.value.trim().to_ascii_lowercase();
    let text = match (default.value.trim(), ty) {
        (_, Type::Timestamp | Type::Date | Type::Time)
            if matches!(&*lower, "now" | "now()" | "current_timestamp" | "current_date") =>
        {
            "now()"
        }
        (_, Type::Date | Type::Timestamp) if matches!(&*lower, "today" | "today()") => "today()",
        // `FALSE` as in SQL.
        (_, Type::Boolean) if matches!(&*lower, "true" | "false") => &lower,
        ("empty", Type::List(_)) => "[]",
        ("none" | "null" | "nothing", _) => return None,
        (text, _) => text,
    };
    // An enum whose values the document does not list in a form that is read takes any word.
    if matches!(ty, Type::Enum(values) if values.is_empty()) {
        return Some(Expression::Constant(Value::Text(text.trim_matches(['"', '\'']).into())));
    }
    let number = text.replace(',', "");
    let text = if number.parse::<i128>().is_ok() { number.as_str() } else { text };
    // The type is not known, so neither is the value's: a text until someone says more.
    if matches!(ty, Type::Json | Type::Unknown(_))
        && expression::parse(text, Equals::Refused, &|_| 0).is_err()
    {
        return Some(Expression::Constant(Value::Text(text.into())));
    }
    let is_text =
        matches!(ty, Type::String | Type::Uri | Type::Email | Type::Enum(_) | Type::Json | Type::Unknown(_));
    let is_literal = text.parse::<f64>().is_ok() || matches!(text, "true" | "false");
    let is_word = is_text && !(is_literal && matches!(ty, Type::Json | Type::Unknown(_)));
    let bare = text.chars().all(|character| character.is_alphanumeric() || "_-./:".contains(character));
    if is_word && bare {
        let value = Expression::Constant(Value::Text(text.into()));
        let kind = StaticType::of(&Type::String, false, schema);
        let typed = expression::Typed { expression: value, ty: kind, uses_fields: false };
        let typed = match ty {
            // A word that the enum does not have is told by the coercion of a literal, as in any assignment.
            Type::Enum(values) if values.iter().any(|value| **value == *text) => {
                return Some(typed.expression);
            }
            _ => typed,
        };
        return coerced(typed, ty, optional, schema, name, default.span, notes);
    }
    let at = default.span;
    let map = |offset: u32| {
        if at.slice(source).len() >= text.len() { (at.start + offset).min(at.end) } else { at.start }
    };
    let ast = match expression::parse(text, Equals::Refused, &map) {
        Ok(ast) => ast,
        Err(SyntaxProblem { problem, span, fix }) => {
            notes.push(Note { kind: NoteKind::ExpressionSyntax { problem }, span, related: None, fix });
            return None;
        }
    };
    let typed = expression::compile(&ast, &Names::new(schema), notes)?;
    coerced(typed, ty, optional, schema, name, default.span, notes)
}

fn coerced(
    typed: expression::Typed,
    ty: &Type,
    optional: bool,
    schema: &Schema,
    name: &str,
    span: Span,
    notes: &mut Vec<Note>,
) -> Option<Expression> {
    match expression::coerce(typed, ty, optional, schema, &format!("field `{name}`")) {
        Ok(expression) => Some(expression),
        Err(kind) => {
            notes.push(Note { kind, span, related: None, fix: None });
            None
        }
    }
}

/// Unique keys and indexes of *Indexes/Keys*.
fn indexes(
    source: &str,
    schema: &mut Schema,
    places: &Places,
    at: usize,
    entity: &Entity,
    notes: &mut Vec<Note>,
) {
    for index in entity.indexes.iter().filter(|index| index.kind != IndexKind::Primary) {
        let fields: Vec<(FieldId, bool)> = index
            .fields
            .iter()
            .filter_map(|(name, descending)| {
                Some((field_of(&schema.entities[at], places, name, notes)?, *descending))
            })
            .collect();
        if fields.len() != index.fields.len() || fields.is_empty() {
            continue;
        }
        let Ok(filter) = filter_of(source, schema, at, index, notes) else { continue };
        let table = &mut schema.entities[at];
        match index.kind {
            IndexKind::Unique => {
                let fields = fields.into_iter().map(|(field, _)| field).collect();
                add_unique(table, UniqueKey { fields, filter, otherwise: index.otherwise.clone() });
            }
            _ => add_index(table, PlainIndex { fields, filter }),
        }
    }
}

/// The condition of an index. It must not need parameters, because a table is not made anew for each request.
fn filter_of(
    source: &str,
    schema: &Schema,
    at: usize,
    index: &Index,
    notes: &mut Vec<Note>,
) -> Result<Option<Condition>, ()> {
    let Some(RawExpression { code, span }) = &index.filter else { return Ok(None) };
    let mut names = Names::new(schema);
    names.bare = Bare::Searched(EntityId::try_from(at).map_err(|_| ())?);
    let mut text = code.text(source).into_owned();
    // ``where `deleted_at` is null``, half in words.
    let words = source.get(span.end as usize..).unwrap_or_default().trim_start_matches('`').trim_start();
    for (said, meant) in [("is not null", " != null"), ("is null", " == null")] {
        if words.starts_with(said) {
            text.push_str(meant);
        }
    }
    let ast = match expression::parse(&text, Equals::Compares, &|offset| code.source_offset(offset)) {
        Ok(ast) => ast,
        Err(SyntaxProblem { problem, span, fix }) => {
            notes.push(Note { kind: NoteKind::ExpressionSyntax { problem }, span, related: None, fix });
            return Err(());
        }
    };
    let lowered = sql::condition(&ast, &names, 0, notes).ok_or(())?;
    // What was computed before is a constant here, or it cannot stand in an index.
    match constants(lowered.item, &lowered.parameters) {
        Some(condition) => Ok(Some(condition)),
        None => {
            let kind = NoteKind::NotInSql { what: "a value that changes, in an index".to_owned() };
            notes.push(Note { kind, span: *span, related: None, fix: None });
            Err(())
        }
    }
}

/// The condition with constants in place of its parameters.
pub(super) fn constants(condition: Condition, parameters: &[Expression]) -> Option<Condition> {
    use crate::program::Operand;
    let value = |operand: Operand| match operand {
        Operand::Parameter(number) => match parameters.get(usize::from(number))? {
            Expression::Constant(value) => Some(Operand::Constant(value.clone())),
            _ => None,
        },
        other => Some(other),
    };
    let all = |parts: Vec<Condition>| -> Option<Vec<Condition>> {
        parts.into_iter().map(|part| constants(part, parameters)).collect()
    };
    Some(match condition {
        Condition::All(parts) => Condition::All(all(parts)?),
        Condition::Any(parts) => Condition::Any(all(parts)?),
        Condition::Not(inner) => Condition::Not(Box::new(constants(*inner, parameters)?)),
        Condition::Compare(how, left, right) => Condition::Compare(how, value(left)?, value(right)?),
        other if parameters.is_empty() => other,
        other @ (Condition::IsNull(_) | Condition::IsNotNull(_) | Condition::IsTrue(_)) => other,
        _ => return None,
    })
}
