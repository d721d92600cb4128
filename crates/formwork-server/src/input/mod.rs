//! From a request to the typed input slots of an operation: path, query, headers and body, all faults at once.
//!
//! What a document declares is compiled once into a [`Decoder`]. Source: language reference, *Types*, *Input*;
//! interfaces *HTTP, on the public listener*.

mod decoder;
mod query;
mod typed;

pub(crate) use decoder::{Decoder, Parts, Unreadable};
pub(crate) use query::percent_decode;
pub(crate) use typed::{Faults, decode};
