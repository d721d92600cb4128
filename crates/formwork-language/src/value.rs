//! Runtime values: what expressions compute, rows hold, and requests and answers carry.

mod calendar;
mod compare;
mod decimal;
pub mod json;
pub mod text;
mod written;

pub(crate) use calendar::{DURATIONS, TIMESTAMPS, days_in_month};
pub use calendar::{MICROSECONDS_PER_DAY, civil, days_of, timestamp_of};
pub use compare::{equal, order, same};
pub use decimal::Rounding;
pub(crate) use written::Written;

use std::sync::Arc;

/// A value.
///
/// Cheap to clone: texts, lists and maps are shared. `Absent` is "no value at all" (an input that was not sent, a
/// member that is not there), `Null` a value that was sent or stored as null; `x == null` holds for both.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value.
    #[default]
    Absent,
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// 64 bit signed.
    Integer(i64),
    /// CEL's `uint`; only in expressions, no field has it.
    Unsigned(u64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A double.
    Double(f64),
    /// A text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A UUID, big-endian.
    Uuid([u8; 16]),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds.
    Duration(i64),
    /// A list.
    List(Arc<[Value]>),
    /// A map, in the order of insertion; keys are boolean, integer, unsigned or text.
    Map(Arc<[(Value, Value)]>),
    /// JSON as sent, unparsed.
    Json(Arc<str>),
    /// A row of the running operation: index into its table of rows, so that all variables bound to one row show
    /// every change at once.
    Row(RowIndex),
    /// A CEL type, as `type(x)` gives it.
    Type(&'static str),
}

/// Most digits behind the point that an intermediate decimal keeps: all that 128 bits hold.
pub const MAX_SCALE: u8 = 38;

/// Index into [`crate::eval::Scope::rows`].
pub type RowIndex = u32;

/// An exact decimal: `units` · 10^-`scale`. Intermediates may use all of the 128 bits; storing checks p and s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The digits as an integer.
    pub units: i128,
    /// Digits behind the point.
    pub scale: u8,
}

/// A row that the running operation has read or made.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its entity: index into [`crate::program::Schema::entities`].
    pub entity: u16,
    /// Its fields' values, in the entity's order; never `Absent`, but `Null` where the column is null.
    pub values: Vec<Value>,
    /// The hidden version, for conditional requests; 1 for a new row.
    pub version: i64,
    /// Whether the operation has deleted it.
    pub deleted: bool,
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// Whether there is no value: absent or null.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    /// Whether it is true; an absent boolean counts as false.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Boolean(true))
    }
}
