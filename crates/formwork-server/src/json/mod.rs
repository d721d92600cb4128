//! JSON at the edge: bytes of a request to a tree that keeps numbers as written, and values to bytes of an answer.

mod read;
mod write;

pub(crate) use read::{Json, read};
pub(crate) use write::{Columns, Writer, every_entity, plain_text, write_text};

/// A value as JSON text again: as sent, but for the escapes of a text.
pub(crate) fn written(json: &Json<'_>) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Boolean(boolean) => boolean.to_string(),
        Json::Number(text) | Json::Array(_, text) | Json::Object(_, text) => (*text).to_owned(),
        Json::Text(text) => {
            let mut out = Vec::with_capacity(text.len() + 2);
            write_text(&mut out, text);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}
