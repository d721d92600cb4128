//! The words for types, and what people also write for them. Source: language reference, *Types*.

use super::Type;
use crate::facts::Constraint;
use crate::reader::Declared;
use std::sync::Arc;

/// The canonical words for types, for proposals.
pub const TYPE_WORDS: [&str; 17] = [
    "string",
    "integer",
    "decimal",
    "money",
    "number",
    "boolean",
    "uuid",
    "timestamp",
    "datetime",
    "date",
    "time",
    "duration",
    "json",
    "bytes",
    "uri",
    "email",
    "enum",
];

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeText {
    pub(crate) ty: Type,
    /// A `?` stands behind it.
    pub(crate) optional: bool,
    /// What the notation says besides (`varchar(20)`).
    pub(crate) constraints: Vec<Constraint>,
}

/// A type word, and whether a `?` makes it optional; nothing if the language does not know it.
pub fn parse_type(text: &str) -> Option<(Type, bool)> {
    let read = read_type(text, &Declared::of(Vec::new()));
    unknown(&read.ty).is_none().then_some((read.ty, read.optional))
}

/// Reads a type; `declared` are the names of entities and interfaces. A word that is no type gives
/// [`Type::Unknown`].
pub(crate) fn read_type(text: &str, declared: &Declared) -> TypeText {
    let text = text.trim();
    if let Some(inner) = text.strip_suffix('?') {
        return TypeText { optional: true, ..read_type(inner, declared) };
    }
    let plain = |ty| TypeText { ty, optional: false, constraints: Vec::new() };
    if let Some(of) = list_of(text) {
        let inner = read_type(of, declared);
        return plain(Type::List(Arc::new(inner.ty)));
    }
    if let Some(values) = alternatives(text) {
        return plain(Type::Enum(values));
    }
    if let Some((head, _)) = text.split_once('<').filter(|_| text.ends_with('>')) {
        let is_map =
            ["record", "map", "hashmap", "dict", "dictionary"].contains(&&*head.trim().to_lowercase());
        if is_map {
            return plain(Type::Json);
        }
    }
    let text = without_width(text);
    let (word, arguments) =
        match text.split_once('(').and_then(|(word, rest)| Some((word, rest.strip_suffix(')')?))) {
            Some((word, arguments)) => (word.trim(), Some(arguments)),
            None => (text, None),
        };
    known(&word.to_lowercase(), arguments).unwrap_or_else(|| plain(named(text, declared)))
}

/// Whether a text is a type of the language, entities and interfaces left aside.
pub(crate) fn is_type(text: &str) -> bool {
    unknown(&read_type(text, &Declared::default()).ty).is_none()
}

/// Without what databases add to a type: `int unsigned`, `timestamp without time zone`.
fn without_width(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    let tails = [" unsigned", " without time zone", " signed", " zerofill"];
    let tail = tails.iter().find(|tail| lower.ends_with(**tail));
    tail.map_or(text, |tail| text[..text.len() - tail.len()].trim_end())
}

fn known(word: &str, arguments: Option<&str>) -> Option<TypeText> {
    let mut constraints = Vec::new();
    let ty = match word {
        "varchar" | "char" | "character varying" | "character" | "string" | "text" | "citext" | "path"
        | "str" | "nvarchar" | "nchar" | "varchar2" | "bpchar" => {
            if let Some(length) = arguments {
                constraints.push(Constraint::MaxLength(length.trim().parse().ok()?));
            }
            Type::String
        }
        "decimal" | "numeric" | "money" => match arguments {
            Some(digits) => decimal(digits)?,
            None => Type::Decimal { precision: 18, scale: 6 },
        },
        "enum" => Type::Enum(arguments.map(values).unwrap_or_default()),
        "datetime64" | "timestamp" | "timestamptz" | "datetime" | "datetime2" => Type::Timestamp,
        "int" | "bigint" | "smallint" | "tinyint" | "mediumint" => Type::Integer,
        "varbinary" | "binary" => Type::Bytes,
        "map" | "record" | "dict" => Type::Json,
        "enum8" | "enum16" => Type::Enum(arguments.map(values).unwrap_or_default()),
        _ if arguments.is_some() => return None,
        "mediumtext" | "longtext" | "tinytext" | "clob" | "inet" | "cidr" | "macaddr" => Type::String,
        "integer" | "serial" | "bigserial" | "smallserial" | "int2" | "int4" | "int8" | "int16" | "int32"
        | "int64" | "uint" | "uint8" | "uint16" | "uint32" | "uint64" | "long" => Type::Integer,
        "number" | "float" | "float32" | "float64" | "double" | "real" | "double precision" | "float4"
        | "float8" => Type::Double,
        "boolean" | "bool" | "bit" => Type::Boolean,
        "uuid" | "guid" | "uniqueidentifier" => Type::Uuid,
        "timestamp with time zone" | "date-time" | "datetimeoffset" | "instant" => Type::Timestamp,
        "list" | "array" | "set" => Type::List(Arc::new(Type::Json)),
        "date" => Type::Date,
        "time" => Type::Time,
        "duration" | "interval" => Type::Duration,
        "json" | "jsonb" | "object" => Type::Json,
        "bytes" | "blob" | "bytea" | "longblob" => Type::Bytes,
        "uri" | "url" => Type::Uri,
        "email" => Type::Email,
        _ => return None,
    };
    Some(TypeText { ty, optional: false, constraints })
}

fn decimal(digits: &str) -> Option<Type> {
    let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
    let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=18).contains(&precision) && scale <= precision).then_some(Type::Decimal { precision, scale })
}

fn list_of(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let behind = || {
        let heads = ["array of ", "list of ", "set of "];
        heads.iter().find_map(|words| lower.starts_with(words).then(|| text[words.len()..].trim()))
    };
    let before = || {
        let tails = [" list", " array"];
        tails.iter().find_map(|words| lower.ends_with(words).then(|| text[..text.len() - words.len()].trim()))
    };
    let inside = || {
        let heads = ["array<", "list<", "array(", "list(", "set<"];
        let closed = text.strip_suffix(['>', ')'])?;
        heads.iter().find_map(|words| lower.starts_with(words).then(|| closed[words.len()..].trim()))
    };
    text.strip_suffix("[]").or_else(behind).or_else(before).or_else(inside)
}

/// `` `a` | `b` `` or `"a" | "b"`.
fn alternatives(text: &str) -> Option<Arc<[Arc<str>]>> {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let is_quoted = |part: &&str| {
        part.len() > 2 && part.starts_with(['`', '"', '\'']) && part.ends_with(['`', '"', '\''])
    };
    (parts.len() > 1 && parts.iter().all(is_quoted)).then(|| parts.iter().map(unquoted).collect())
}

fn values(list: &str) -> Arc<[Arc<str>]> {
    list.split([',', '|'])
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(|value| unquoted(&value))
        .collect()
}

fn unquoted(value: &&str) -> Arc<str> {
    Arc::from(value.trim_matches(['`', '"', '\'']))
}

fn named(text: &str, declared: &Declared) -> Type {
    let name = text.trim_matches('`');
    match declared.find(name) {
        Some(name) => Type::Named(Arc::from(name)),
        None => Type::Unknown(Arc::from(name)),
    }
}

/// The name of the innermost type that is not known.
pub(crate) fn unknown(ty: &Type) -> Option<&str> {
    match ty {
        Type::Unknown(name) => Some(name),
        Type::List(of) => unknown(of),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let read = read_type(text, &Declared::of(vec!["link".to_owned()]));
        let unknown = unknown(&read.ty).map_or("", |_| " unknown");
        format!("{}{}{unknown} {:?}", read.ty, if read.optional { " optional" } else { "" }, read.constraints)
    }

    #[test]
    fn types_have_one_canonical_notation() {
        assert_eq!(read("varchar(20)"), "string [MaxLength(20)]");
        assert_eq!(read("Int?"), "integer optional []");
        assert_eq!(read("money"), "decimal(18,6) []");
        assert_eq!(read("decimal(10, 2)"), "decimal(10,2) []");
        assert_eq!(read("array of url"), "uri[] []");
        assert_eq!(read("enum(a, `b`)"), "enum(a, b) []");
        assert_eq!(read("`a` | `b`"), "enum(a, b) []");
        assert_eq!(read("Links[]"), "link[] []");
    }

    #[test]
    fn what_is_no_type_stays_unknown() {
        assert_eq!(read("strng"), "strng unknown []");
        assert_eq!(read("decimal(40,2)"), "decimal(40,2) unknown []");
        assert_eq!(read("thing[]"), "thing[] unknown []");
    }
}
