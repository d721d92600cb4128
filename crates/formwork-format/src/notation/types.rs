//! The names of types.

use formwork_model::values::Type;

/// The canonical name of a type that is written as `text`, with the `?` of an optional one. Enums, objects, decimals
/// and names of the document stay as they are written.
pub(super) fn canonical(ty: &Type, text: &str) -> String {
    let (bare, mark) = match text.strip_suffix('?') {
        Some(bare) => (bare.trim_end(), "?"),
        None => (text, ""),
    };
    match ty {
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
        | Type::Email => format!("{ty}{mark}"),
        Type::List(of) if is_plain(of) => format!("{ty}{mark}"),
        _ => format!("{bare}{mark}"),
    }
}

fn is_plain(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::List(_)
            | Type::Enum(_)
            | Type::Object(_)
            | Type::Named(_)
            | Type::Unknown(_)
            | Type::Decimal { .. }
            | Type::Json
    )
}
