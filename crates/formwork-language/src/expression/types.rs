//! What the compiler knows about a value before it exists.
//!
//! A [`StaticType`] mirrors [`formwork_model::values::Type`] and adds what only expressions have: rows, maps, null,
//! unsigned integers, and `Dynamic` for JSON and answers, whose shape shows at run time. Source: language reference,
//! *Types* and *Expressions*.

use crate::constraint::{FieldRules, Member};
use crate::program::{EntityId, FieldSchema, Schema};
use formwork_model::values::Type;
use std::fmt;
use std::sync::Arc;

/// A type, and whether the value may be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticType {
    /// What it is when it is there.
    pub kind: Kind,
    /// Whether it may be absent (or null).
    pub optional: bool,
}

/// The kinds of a [`StaticType`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Shown at run time only: JSON, an answer, a member of either.
    Dynamic,
    /// The literal `null`.
    Null,
    /// True or false.
    Boolean,
    /// 64 bit signed.
    Integer,
    /// CEL's `uint`.
    Unsigned,
    /// Exact decimal, with the digits behind the point where they are known.
    Decimal(Option<u8>),
    /// A double.
    Double,
    /// A text; also uris and emails.
    Text,
    /// One of these texts.
    Enum(Arc<[Arc<str>]>),
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// An instant.
    Timestamp,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A length of time.
    Duration,
    /// A list.
    List(Box<StaticType>),
    /// A map: keys and values.
    Map(Box<StaticType>, Box<StaticType>),
    /// An object with known members.
    Object(Arc<[(Arc<str>, StaticType)]>),
    /// A row of a table, with the table's name.
    Row(EntityId, Arc<str>),
    /// A secret text, of which only the digest is kept: it is compared and read in no other way.
    Secret,
    /// A CEL type, as `type(x)` gives it.
    Type,
}

impl Kind {
    /// The type of a value that is always there.
    pub fn required(self) -> StaticType {
        StaticType { kind: self, optional: false }
    }

    /// The type of a value that may be absent.
    pub fn optional(self) -> StaticType {
        StaticType { kind: self, optional: true }
    }

    /// A list of required values of this kind.
    pub fn list(self) -> Self {
        Self::List(Box::new(self.required()))
    }

    /// Whether it is text at run time.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Enum(_))
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Integer | Self::Unsigned | Self::Decimal(_) | Self::Double)
    }

    /// The kind of a declared type. A name that is no entity, and what the language does not know, is dynamic; an
    /// entity's name stands for its key (language reference, *Types*).
    pub fn of(ty: &Type, schema: &Schema) -> Self {
        match ty {
            Type::String | Type::Uri | Type::Email => Self::Text,
            Type::Integer => Self::Integer,
            Type::Decimal { scale, .. } => Self::Decimal(Some(*scale)),
            Type::Double => Self::Double,
            Type::Boolean => Self::Boolean,
            Type::Uuid => Self::Uuid,
            Type::Timestamp => Self::Timestamp,
            Type::Date => Self::Date,
            Type::Time => Self::Time,
            Type::Duration => Self::Duration,
            Type::Bytes => Self::Bytes,
            Type::Enum(values) => Self::Enum(values.clone()),
            Type::List(of) => Self::of(of, schema).list(),
            Type::Object(members) => Self::Object(
                members.iter().map(|(name, ty)| (name.clone(), Self::of(ty, schema).optional())).collect(),
            ),
            Type::Named(name) => Self::of_key(name, schema),
            Type::Json | Type::Unknown(_) => Self::Dynamic,
        }
    }

    fn of_key(name: &str, schema: &Schema) -> Self {
        let entity = schema.entities.iter().find(|entity| *entity.name == *name);
        let key = entity.and_then(|entity| match entity.primary_key.as_slice() {
            [key] => entity.fields.get(usize::from(*key)),
            _ => None,
        });
        match key.map(|field| &field.ty) {
            None | Some(Type::Named(_)) => Self::Dynamic,
            Some(ty) => Self::of(ty, schema),
        }
    }
}

impl StaticType {
    /// The type of a declared field or input.
    pub fn of(ty: &Type, optional: bool, schema: &Schema) -> Self {
        Self { kind: Kind::of(ty, schema), optional }
    }

    /// The type of a field of a table.
    pub fn of_field(field: &FieldSchema, schema: &Schema) -> Self {
        let kind = if field.secret { Kind::Secret } else { Kind::of(&field.ty, schema) };
        Self { kind, optional: field.optional }.with_members(&field.rules)
    }

    /// The same, knowing which members of an object are always there.
    pub fn with_members(mut self, rules: &FieldRules) -> Self {
        self.kind = refined(self.kind, &rules.members);
        self
    }

    /// The same kind, perhaps absent.
    pub fn or_absent(mut self, optional: bool) -> Self {
        self.optional |= optional;
        self
    }
}

fn refined(kind: Kind, members: &[Member]) -> Kind {
    if members.is_empty() {
        return kind;
    }
    match kind {
        Kind::List(of) => Kind::List(Box::new(StaticType { kind: refined(of.kind, members), ..*of })),
        Kind::Object(all) => {
            let known = |(name, ty): &(Arc<str>, StaticType)| {
                let rules = members.iter().find(|member| member.name == *name);
                let ty = match rules {
                    Some(member) => StaticType {
                        kind: refined(ty.kind.clone(), &member.rules.members),
                        optional: member.optional && member.default.is_none(),
                    },
                    None => ty.clone(),
                };
                (name.clone(), ty)
            };
            Kind::Object(all.iter().map(known).collect())
        }
        other => other,
    }
}

impl fmt::Display for Kind {
    /// Writes the type in the notation of the form.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Dynamic => "json",
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned integer",
            Self::Decimal(_) => "decimal",
            Self::Double => "double",
            Self::Text => "string",
            Self::Enum(values) => return write!(formatter, "enum({})", values.join(", ")),
            Self::Bytes => "bytes",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::List(of) => return write!(formatter, "{}[]", of.kind),
            Self::Map(..) => "map",
            Self::Object(_) => "object",
            Self::Row(_, name) => return write!(formatter, "`{name}`"),
            Self::Secret => "secret",
            Self::Type => "type",
        };
        formatter.write_str(word)
    }
}

impl fmt::Display for StaticType {
    /// Writes the type in the notation of the form, with `?` when it may be absent.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.kind, if self.optional { "?" } else { "" })
    }
}
