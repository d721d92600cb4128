//! JSON at the edge: bytes of a request to a tree that keeps numbers as written, and values to bytes of an answer.

mod read;
mod write;

pub(crate) use read::{Json, Malformed, read};
pub(crate) use write::{Columns, Writer, every_entity, plain_text, write_text};
