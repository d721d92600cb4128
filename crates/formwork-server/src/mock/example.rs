//! Examples as authors write them: JSON whose values are meant, or are words for types (`"uuid"`, `"integer, optional"`).

use super::shape::{Leaf, Shape};
use crate::json::Json;
use formwork_language::constraint::FieldRules;
use formwork_language::value::Decimal;
use formwork_model::values::Type;

/// The shape of an example.
pub(super) fn shape(json: &Json<'_>) -> Shape {
    match json {
        Json::Null => Shape::Raw("null".to_owned()),
        Json::Boolean(value) => Shape::Raw(value.to_string()),
        Json::Number(number) => Shape::Raw((*number).to_owned()),
        Json::Text(text) => of_text(text),
        Json::Array(items, _) => Shape::Array(items.iter().map(shape).collect()),
        Json::Object(members, _) => {
            let member =
                |(name, value): &(std::borrow::Cow<'_, str>, Json<'_>)| (name.as_ref().into(), shape(value));
            Shape::Object(members.iter().map(member).collect())
        }
    }
}

/// A text is what it says, unless it is words for a type.
fn of_text(text: &str) -> Shape {
    let first = text.split([',', ';', '(']).next().unwrap_or(text).trim();
    let alternatives: Vec<&str> = first.split('|').map(str::trim).collect();
    let is_word = |word: &&str| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
    };
    if alternatives.len() > 1 && alternatives.iter().all(is_word) {
        if let Some(ty) = type_word(alternatives[0]) {
            return leaf(ty, FieldRules::default());
        }
        let values = alternatives.iter().map(|word| (*word).into()).collect();
        return leaf(Type::Enum(values), FieldRules::default());
    }
    let (word, rest) = first.split_once(' ').unwrap_or((first, ""));
    match type_word(word.trim_end_matches('?')) {
        Some(ty) => leaf(ty, range(rest)),
        None => {
            let mut quoted = Vec::new();
            crate::json::write_text(&mut quoted, text);
            Shape::Raw(String::from_utf8(quoted).unwrap_or_default())
        }
    }
}

fn leaf(ty: Type, rules: FieldRules) -> Shape {
    Shape::Leaf(Box::new(Leaf { ty, rules }))
}

/// `0..9`
fn range(text: &str) -> FieldRules {
    let bound = |text: &str| Some((Decimal { units: text.trim().parse().ok()?, scale: 0 }, false));
    let (min, max) = match text.trim().split_once("..") {
        Some((min, max)) => (bound(min), bound(max)),
        None => (None, None),
    };
    FieldRules { min, max, ..FieldRules::default() }
}

/// The type that a word of an example stands for. Words that may as well be meant (`"time"`, `"object"`) are left.
fn type_word(word: &str) -> Option<Type> {
    if let Some(of) = word.strip_suffix("[]") {
        return type_word(of).map(|of| Type::List(of.into()));
    }
    Some(match word.to_ascii_lowercase().as_str() {
        "string" | "text" | "str" => Type::String,
        "integer" | "int" | "bigint" => Type::Integer,
        "number" | "float" | "double" => Type::Double,
        "decimal" | "money" => Type::Decimal { precision: 18, scale: 2 },
        "boolean" | "bool" => Type::Boolean,
        "uuid" => Type::Uuid,
        "timestamp" | "datetime" | "timestamptz" => Type::Timestamp,
        "date" => Type::Date,
        "duration" => Type::Duration,
        "uri" | "url" => Type::Uri,
        "email" => Type::Email,
        _ => return None,
    })
}
