//! What the document says about the answer of a mocked operation, found once: an example of the output, the declared
//! output, what its prose names, or else what was sent.

use super::example;
use super::shape::{Leaf, Member, Shape};
use formwork_check::Analysis;
use formwork_language::constraint::FieldRules;
use formwork_language::program::{EntityId, EntitySchema, Operation, PathPart, Schema};
use formwork_model::facts::{Field, Location};
use formwork_model::names::{name_key, same_name};
use formwork_model::sections::interface::{self, OutputKind};
use formwork_model::values::Type;

/// How deep interfaces are put into one another.
const DEEPEST: usize = 4;

/// What the document says about the answer of an operation.
pub(super) fn shape(operation: &Operation, declared: &interface::Operation, analysis: &Analysis) -> Shape {
    let reader = Shapes { analysis, schema: &analysis.compiled.program.schema };
    let kind = &declared.output.kind;
    match kind {
        OutputKind::Nothing => return Shape::Nothing,
        OutputKind::Redirect => return Shape::Redirect,
        _ if operation.output.status == Some(204) => return Shape::Nothing,
        _ => {}
    }
    if let Some(shape) = reader.example(operation, declared) {
        return shape;
    }
    let named = match kind {
        OutputKind::Row(name) | OutputKind::List(name) | OutputKind::Page(name) => {
            reader.named(&name.value, declared)
        }
        OutputKind::Fields => Some(reader.fields(&declared.output.fields, 0)),
        _ => None,
    };
    match (named, kind) {
        (Some(shape), OutputKind::List(_)) => Shape::Many(Box::new(shape)),
        (Some(shape), OutputKind::Page(_)) => Shape::Page(Box::new(shape)),
        (Some(shape), _) => shape,
        (None, OutputKind::Missing) => reader.by_route(operation),
        (None, _) => reader.prose(declared).unwrap_or(Shape::Sent),
    }
}

struct Shapes<'a> {
    analysis: &'a Analysis,
    schema: &'a Schema,
}

impl Shapes<'_> {
    /// An entity or interface by name; of a row only what Output lists, if it does.
    fn named(&self, name: &str, declared: &interface::Operation) -> Option<Shape> {
        let listed = &declared.output.fields;
        match self.entity(name) {
            Some(entity) if listed.is_empty() => Some(self.row(entity)),
            _ if !listed.is_empty() => Some(self.fields(listed, 0)),
            _ => self.interface(name, 0),
        }
    }

    fn entity(&self, name: &str) -> Option<EntityId> {
        let found = |fits: &dyn Fn(&EntitySchema) -> bool| self.schema.entities.iter().position(fits);
        let at = found(&|entity| *entity.name == *name)
            .or_else(|| found(&|entity| same_name(&entity.name, name)))?;
        EntityId::try_from(at).ok()
    }

    fn row(&self, entity: EntityId) -> Shape {
        let table = &self.schema.entities[usize::from(entity)];
        let shown: Vec<usize> = (0..table.fields.len()).filter(|at| !table.fields[*at].hidden).collect();
        let key = match table.primary_key.as_slice() {
            [key] => shown.iter().position(|at| *at == usize::from(*key)),
            _ => None,
        };
        let member = |at: &usize| {
            let field = &table.fields[*at];
            let leaf = Leaf { ty: field.ty.clone(), rules: field.rules.clone() };
            (field.name.clone(), Shape::Leaf(Box::new(leaf)))
        };
        Shape::Row(table.name.clone(), key, shown.iter().map(member).collect())
    }

    fn interface(&self, name: &str, depth: usize) -> Option<Shape> {
        let interfaces = &self.analysis.model.interfaces;
        let exact = interfaces.iter().find(|interface| interface.name.value == name);
        let found =
            exact.or_else(|| interfaces.iter().find(|interface| same_name(&interface.name.value, name)))?;
        let fence = || found.fence.as_ref().and_then(|fence| self.fence(fence));
        match found.fields.is_empty() {
            true => fence(),
            false => Some(self.fields(&found.fields, depth + 1)),
        }
    }

    fn fields(&self, fields: &[Field], depth: usize) -> Shape {
        let member = |field: &Field| (field.name.value.as_str().into(), self.field(field, depth));
        Shape::Object(fields.iter().filter(|field| !is_secret(field)).map(member).collect())
    }

    fn field(&self, field: &Field, depth: usize) -> Shape {
        let name = &field.name.value;
        let written = field.ty.as_ref().map(|ty| &ty.value);
        match written {
            Some(Type::Named(of)) => self.nested(of, depth),
            Some(Type::List(of)) if matches!(&**of, Type::Named(_)) => {
                let Type::Named(of) = &**of else { return Shape::Array(Vec::new()) };
                Shape::Many(Box::new(self.nested(of, depth)))
            }
            Some(Type::Unknown(_)) | None => match self.field_named(name) {
                Some(leaf) => Shape::Leaf(Box::new(leaf)),
                None => Shape::Leaf(Box::new(Leaf { ty: guessed(name), rules: FieldRules::default() })),
            },
            Some(ty) => {
                let rules = self.field_named(name).filter(|known| known.ty == *ty).map(|known| known.rules);
                Shape::Leaf(Box::new(Leaf { ty: ty.clone(), rules: rules.unwrap_or_default() }))
            }
        }
    }

    fn nested(&self, name: &str, depth: usize) -> Shape {
        if depth > DEEPEST {
            return Shape::Raw("{}".to_owned());
        }
        let row = || self.entity(name).map(|entity| self.row(entity));
        row().or_else(|| self.interface(name, depth + 1)).unwrap_or_else(|| Shape::Raw("{}".to_owned()))
    }

    /// The field of this name in any entity.
    fn field_named(&self, name: &str) -> Option<Leaf> {
        let mut all = self.schema.entities.iter().flat_map(|entity| &entity.fields);
        let found = all.find(|field| *field.name == *name && !field.hidden)?;
        Some(Leaf { ty: found.ty.clone(), rules: found.rules.clone() })
    }

    /// The first fence that is an example of the answer and not of the input.
    fn example(&self, operation: &Operation, declared: &interface::Operation) -> Option<Shape> {
        let output = declared.output.span?;
        let known = |name: &str| operation.input.fields.iter().any(|field| *field.name == *name);
        declared.examples.iter().find_map(|fence| {
            let shape = self.fence(fence)?;
            let below_output = fence.span.start > output.start
                && declared.behavior_span.is_some_and(|behavior| fence.span.start < behavior.start);
            let has_body = operation.input.fields.iter().any(|field| field.location == Location::Body);
            let is_input = match &shape {
                Shape::Object(members) => has_body && members.iter().all(|(name, _)| known(name)),
                _ => false,
            };
            let unknown_body =
                !has_body && !matches!(&*operation.method, "GET" | "DELETE") && !declared.input.none;
            let is_answer =
                below_output || !is_input && (!unknown_body || self.fits_output(&shape, declared));
            is_answer.then_some(shape)
        })
    }

    /// Whether an example has a member that Output names.
    fn fits_output(&self, shape: &Shape, declared: &interface::Operation) -> bool {
        let Shape::Object(members) = shape else { return false };
        let listed = declared.output.fields.iter().map(|field| field.name.value.as_str());
        let text =
            declared.output.text.as_ref().map(|text| text.plain(&self.analysis.source)).unwrap_or_default();
        let words: Vec<&str> =
            text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').chain(listed).collect();
        members.iter().any(|(name, _)| words.iter().any(|word| same_name(word, name)))
    }

    fn fence(&self, fence: &formwork_syntax::Fence) -> Option<Shape> {
        let text: String = fence.lines.iter().map(|line| line.slice(&self.analysis.source)).collect();
        let json = crate::json::read(text.as_bytes()).ok()?;
        let shape = example::shape(&json);
        let is_schema = matches!(&shape, Shape::Object(members) if members.iter().any(|(name, _)| {
            matches!(&**name, "$schema" | "properties")
        }));
        (!is_schema && matches!(shape, Shape::Object(_) | Shape::Array(_))).then_some(shape)
    }

    /// What prose names: an entity in the singular or plural, or fields in code.
    fn prose(&self, declared: &interface::Operation) -> Option<Shape> {
        let source = &self.analysis.source;
        let text = declared.output.text.as_ref()?;
        let plain = text.plain(source);
        // What follows is another outcome: `the order, or 409 with …`.
        let end =
            [", or ", ";", ". "].iter().filter_map(|mark| plain.find(mark)).min().unwrap_or(plain.len());
        let plain = &plain[..end];
        let lower = plain.to_lowercase();
        if ["number of", "count of", "how many"].iter().any(|words| lower.starts_with(words)) {
            let leaf = Leaf { ty: Type::Integer, rules: FieldRules::default() };
            return Some(Shape::Object(vec![("count".into(), Shape::Leaf(Box::new(leaf)))]));
        }
        let words: Vec<&str> = plain
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
            .collect();
        // Names of two words are written apart in prose: `dead letters`.
        let pairs = words.windows(2).map(|pair| (pair.concat(), pair[1]));
        let singles = words.iter().map(|word| ((*word).to_owned(), *word));
        let found = pairs.chain(singles).take(40).find_map(|(name, last)| Some((self.entity(&name)?, last)));
        if let Some((entity, word)) = found {
            let is_plural = name_key(word) != word.to_lowercase().replace('_', "");
            let row = Box::new(self.row(entity));
            return Some(match () {
                () if words.iter().take(4).any(|word| word.eq_ignore_ascii_case("page")) => Shape::Page(row),
                () if is_plural || lower.starts_with("list") || lower.starts_with("array") => {
                    Shape::Many(row)
                }
                () => *row,
            });
        }
        let mut members: Vec<Member> = Vec::new();
        for (_, code) in text.codes() {
            let name = code.text(source).trim().to_owned();
            let leaf = self.field_named(&name).filter(|_| members.iter().all(|(other, _)| **other != *name));
            members.extend(leaf.map(|leaf| (name.as_str().into(), Shape::Leaf(Box::new(leaf)))));
        }
        (!members.is_empty()).then_some(Shape::Object(members))
    }

    /// Without Output: the entity whose collection the path names.
    fn by_route(&self, operation: &Operation) -> Shape {
        let (one, collection) = match operation.path.as_slice() {
            [.., PathPart::Fixed(name), PathPart::Parameter(_)] => (true, name),
            [.., PathPart::Fixed(name)] => (false, name),
            _ => return Shape::Sent,
        };
        match (self.entity(collection), &*operation.method) {
            (_, "DELETE") => Shape::Nothing,
            (Some(entity), "GET") if !one => Shape::Many(Box::new(self.row(entity))),
            (Some(entity), _) => self.row(entity),
            (None, _) => Shape::Sent,
        }
    }
}

fn is_secret(field: &Field) -> bool {
    use formwork_model::facts::Constraint as C;
    field.constraints.iter().any(|constraint| matches!(constraint.value, C::WriteOnly | C::Secret))
}

/// The type of a field of which only the name is known.
fn guessed(name: &str) -> Type {
    let lower = name.to_lowercase();
    match () {
        () if lower.ends_with("_at") => Type::Timestamp,
        () if lower == "id" || lower.ends_with("_id") => Type::Uuid,
        () if ["count", "total", "size", "number"].iter().any(|word| lower.ends_with(word)) => Type::Integer,
        () if lower.starts_with("is_") || lower.starts_with("has_") => Type::Boolean,
        () => Type::String,
    }
}
