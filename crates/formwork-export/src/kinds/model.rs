//! The typed model as JSON, also of a document with errors. Absent facts are `null` or left out, never invented.
//!
//! Source: interfaces, *The model as JSON*; keys beyond it are additions. One file for each group of sections.

mod caches;
mod closing;
mod formal;
mod matrix;
mod opening;
mod promises;
mod schema;

use formwork_check::Analysis;
use formwork_model::facts::Prose;
use formwork_model::{Class, Section};
use formwork_syntax::{Span, Spanned};
use serde_json::{Value, json};

/// The version of this shape.
const VERSION: u32 = 1;

/// The typed model of a document.
pub fn model(analysis: &Analysis) -> Value {
    let out = Out { analysis };
    let mut object = serde_json::Map::new();
    object.insert("version".to_owned(), json!(VERSION));
    for part in [opening::write(&out), formal::write(&out), promises::write(&out), closing::write(&out)] {
        object.extend(part);
    }
    object.insert("access".to_owned(), matrix::write(&out));
    Value::Object(object)
}

/// What every part's writer needs.
struct Out<'a> {
    analysis: &'a Analysis,
}

impl Out<'_> {
    /// A place, for people and for machines.
    fn span(&self, span: Span) -> Value {
        let at = |offset| {
            let position = self.analysis.lines.position(&self.analysis.source, offset);
            json!({"line": position.line, "column": position.column, "offset": position.offset})
        };
        json!({"start": at(span.start), "end": at(span.end)})
    }

    /// A piece of prose as an object with its place.
    fn text(&self, prose: &Prose) -> Value {
        json!({"text": prose.value, "span": self.span(prose.span)})
    }

    fn texts(&self, list: &[Prose]) -> Value {
        list.iter().map(|prose| self.text(prose)).collect()
    }

    /// The bytes of a place, as written.
    fn written(&self, span: Span) -> &str {
        span.slice(&self.analysis.source)
    }
}

/// The value alone, or `null`.
fn value<T: Into<Value> + Clone>(spanned: Option<&Spanned<T>>) -> Value {
    spanned.map_or(Value::Null, |spanned| spanned.value.clone().into())
}

/// An exact decimal as a JSON number where that keeps its digits, else as the text.
fn number(text: &str) -> Value {
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => Value::from(text),
    }
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Understood => "understood",
        Class::Narrative => "narrative",
        Class::Unfinished => "unfinished",
        Class::NotUnderstood => "not_understood",
    }
}

/// The number of a section in the form.
fn section(section: Section) -> u8 {
    section as u8
}
