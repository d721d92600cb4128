//! The types that fields may have. Source: language reference, *Types*.

use formwork_syntax::Spanned;
use std::fmt;
use std::sync::Arc;

/// A declared type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `string`, `text`, `varchar(n)` (the length becomes a constraint), …
    String,
    /// 64 bit, checked.
    Integer,
    /// Exact decimal: `precision` digits in all, at most 18, `scale` of them behind the point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// IEEE 754 double.
    Double,
    /// True or false.
    Boolean,
    /// RFC 9562.
    Uuid,
    /// An instant, to the microsecond.
    Timestamp,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// An exact length of time, to the microsecond.
    Duration,
    /// Any JSON, kept as sent.
    Json,
    /// Bytes; base64 in JSON.
    Bytes,
    /// An absolute URI (RFC 3986).
    Uri,
    /// An email address.
    Email,
    /// A list of one type.
    List(Arc<Type>),
    /// One of the given texts, in the order of their declaration.
    Enum(Arc<[Arc<str>]>),
    /// An object with typed members (nested fields).
    Object(Arc<[(Arc<str>, Type)]>),
    /// An entity or an interface of section 13, by its name as declared.
    Named(Arc<str>),
    /// Not a type that the language knows; treated as [`Type::Json`].
    Unknown(Arc<str>),
}

impl fmt::Display for Type {
    /// Writes the type in the canonical notation of the form.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => formatter.write_str("string"),
            Self::Integer => formatter.write_str("integer"),
            Self::Decimal { precision, scale } => write!(formatter, "decimal({precision},{scale})"),
            Self::Double => formatter.write_str("double"),
            Self::Boolean => formatter.write_str("boolean"),
            Self::Uuid => formatter.write_str("uuid"),
            Self::Timestamp => formatter.write_str("timestamp"),
            Self::Date => formatter.write_str("date"),
            Self::Time => formatter.write_str("time"),
            Self::Duration => formatter.write_str("duration"),
            Self::Json => formatter.write_str("json"),
            Self::Bytes => formatter.write_str("bytes"),
            Self::Uri => formatter.write_str("uri"),
            Self::Email => formatter.write_str("email"),
            Self::List(of) => write!(formatter, "{of}[]"),
            Self::Enum(values) => write!(formatter, "enum({})", values.join(", ")),
            Self::Object(_) => formatter.write_str("object"),
            Self::Named(name) | Self::Unknown(name) => formatter.write_str(name),
        }
    }
}

/// A type as written.
pub type SpannedType = Spanned<Type>;
