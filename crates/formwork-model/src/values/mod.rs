//! Values that are written the same way everywhere in a document: types, durations, sizes, money, rates, …
//! One file per kind of value. Source: language reference, *Values and names*.

mod durations;
mod numbers;
mod outcome;
pub(crate) mod type_words;
mod types;

pub use durations::{Rate, parse_duration, parse_rate, parse_window};
pub use numbers::{
    is_currency, parse_comparator, parse_count, parse_money, parse_number, parse_percent, parse_percentile,
    parse_size,
};
pub use outcome::parse_outcome;
pub use type_words::{TYPE_WORDS, parse_type};
pub use types::{SpannedType, Type};
