//! What a caller says it knows of the row that it wants to change: compared inside the transaction with the row that
//! the behaviour updates or deletes. Source: language reference, *What running means*; RFC 9110, 13.1.

use formwork_language::program::{FieldSchema, Schema};
use formwork_language::value::{Row, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The conditions of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// One of these must be the tag of a row that is updated or deleted.
    pub if_match: Option<Tags>,
    /// None of these may be.
    pub if_none_match: Option<Tags>,
    /// The caller wants to know how the call would end, and nothing of it may hold.
    pub rehearsal: bool,
}

impl Precondition {
    /// That nothing holds.
    pub fn rehearsal() -> Self {
        Self { rehearsal: true, ..Self::default() }
    }
}

/// Tags as a caller sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: that of any row.
    Any,
    /// Any of these; each as [`row_tag`] gives it.
    These(Vec<String>),
}

impl Tags {
    /// Whether a tag is among them.
    pub fn have(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|known| known == tag),
        }
    }
}

/// The tag of a row's state: its version, and a hash of what may be seen of it, so that a row that was deleted and made
/// anew has another. Two states with one tag are sent as the same bytes.
pub fn row_tag(schema: &Schema, row: &Row) -> String {
    let mut hasher = DefaultHasher::new();
    if let Some(entity) = schema.entities.get(usize::from(row.entity)) {
        entity.name.hash(&mut hasher);
        for (field, value) in entity.fields.iter().zip(&row.values) {
            digest(field, value, &mut hasher);
        }
    }
    format!("{:x}-{:016x}", row.version, hasher.finish())
}

fn digest(field: &FieldSchema, value: &Value, hasher: &mut DefaultHasher) {
    if field.hidden {
        return;
    }
    field.name.hash(hasher);
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Absent | Value::Null => {}
        Value::Text(text) | Value::Json(text) => text.hash(hasher),
        Value::Uuid(bytes) => bytes.hash(hasher),
        Value::Integer(number) | Value::Timestamp(number) => number.hash(hasher),
        Value::Boolean(truth) => truth.hash(hasher),
        value => value.to_plain().hash(hasher),
    }
}

/// What a call has seen of the rows that its conditions are about.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    matched: bool,
    excluded: bool,
}

impl Seen {
    /// A row is about to be updated or deleted.
    pub(crate) fn touch(&mut self, condition: &Precondition, schema: &Schema, row: &Row) {
        let tag = row_tag(schema, row);
        let has = |tags: &Option<Tags>| tags.as_ref().is_some_and(|tags| tags.have(&tag));
        self.matched |= has(&condition.if_match);
        self.excluded |= has(&condition.if_none_match);
    }

    /// Whether the conditions hold of all that was touched. Where nothing was, no tag matches.
    pub(crate) fn holds(&self, condition: &Precondition) -> bool {
        (condition.if_match.is_none() || self.matched) && !self.excluded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_language::program::EntitySchema;
    use formwork_model::values::Type;

    fn schema() -> Schema {
        let field = |name: &str, hidden| FieldSchema {
            name: name.into(),
            ty: Type::String,
            optional: true,
            default: None,
            generated: false,
            on_create: false,
            on_update: false,
            immutable: false,
            hidden,
            secret: false,
            personal: false,
            computed: false,
            references: None,
            rules: Default::default(),
        };
        Schema {
            entities: vec![EntitySchema {
                name: "note".into(),
                fields: vec![field("a", false), field("b", false), field("secret", true)],
                primary_key: vec![0],
                unique: Vec::new(),
                indexes: Vec::new(),
                rules: Default::default(),
                span: Default::default(),
            }],
            ..Schema::default()
        }
    }

    fn tag(values: [Value; 3], version: i64) -> String {
        row_tag(&schema(), &Row { entity: 0, values: values.into(), version, deleted: false })
    }

    #[test]
    fn a_tag_tells_versions_and_values_apart_and_no_secret() {
        let text = |text: &str| Value::Text(text.into());
        let first = tag([text("x"), text("y"), text("s")], 1);
        assert_eq!(first, tag([text("x"), text("y"), text("t")], 1));
        assert_ne!(first, tag([text("x"), text("y"), text("s")], 2));
        assert_ne!(first, tag([text("y"), text("x"), text("s")], 1));
        assert_ne!(tag([text("x"), text(""), Value::Null], 1), tag([text("x"), Value::Null, Value::Null], 1));
    }
}
