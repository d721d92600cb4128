//! The names of types.

use formwork_model::values::Type;

/// Words for which the form has another one that says the same, or the same in another case. Words that tell a reader
/// more than the type that they stand for (`path`, `UInt64`, `number`) are none.
const SYNONYMS: [&str; 24] = [
    "bigint",
    "bool",
    "boolean",
    "bytes",
    "char",
    "date",
    "datetime",
    "double",
    "duration",
    "email",
    "float",
    "int",
    "integer",
    "real",
    "smallint",
    "string",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "uri",
    "url",
    "uuid",
    "varchar",
];

/// The canonical name of a type that is written as `text`, with the `?` of an optional one. Enums, objects, decimals,
/// names of the document and telling words stay as they are written.
pub(super) fn canonical(ty: &Type, text: &str) -> String {
    let (bare, mark) = match text.strip_suffix('?') {
        Some(bare) => (bare.trim_end(), "?"),
        None => (text, ""),
    };
    if is_synonym(bare) && is_plain(ty) { format!("{ty}{mark}") } else { format!("{bare}{mark}") }
}

/// Whether nothing but known words stand there, and a length or brackets.
fn is_synonym(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut words =
        lower.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| {
        let is_list = ["array", "list", "of"].contains(&word);
        let is_length = word.bytes().all(|byte| byte.is_ascii_digit());
        is_list || is_length || SYNONYMS.contains(&word)
    })
}

fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::List(of) => !matches!(**of, Type::List(_)) && is_plain(of),
        Type::Enum(_)
        | Type::Object(_)
        | Type::Named(_)
        | Type::Unknown(_)
        | Type::Decimal { .. }
        | Type::Json => false,
        Type::String
        | Type::Integer
        | Type::Double
        | Type::Boolean
        | Type::Uuid
        | Type::Timestamp
        | Type::Date
        | Type::Time
        | Type::Duration
        | Type::Bytes
        | Type::Uri
        | Type::Email => true,
    }
}
