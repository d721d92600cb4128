//! Values that are written the same way everywhere in a document: types, durations, sizes, money, rates, …
//! One file per kind of value. Source: language reference, *Values and names*.

mod types;

pub use types::{SpannedType, Type};
