//! The functions of expressions: one registry with the types they take and give, and what they do.
//!
//! One file per group. A function gets values that are there (an absent argument makes the result absent before it is
//! called) and answers anything that its overloads do not name with [`EvaluationError::NoOverload`], because values of
//! unknown type reach it unchecked. Source: language reference, *Functions*; the CEL specification, *Standard
//! Definitions*.

/// An overload; a macro, because only a literal lives as long as the registry.
macro_rules! overload {
    ($takes:expr, $gives:expr $(,)?) => {
        $crate::functions::Overload { takes: $takes, gives: $gives }
    };
}

mod calendar;
mod conversion;
mod encoding;
mod lists;
mod numbers;
mod random;
mod texts;

pub(crate) use calendar::is_zone;
pub(crate) use conversion::PARSE_UUID;
pub use encoding::digest;
pub(crate) use encoding::digest_of;
pub(crate) use numbers::{FIT_NAMES, QUOTIENT_NAMES};

use crate::eval::{EvaluationError, Work};
use crate::value::Value;
use std::sync::LazyLock;

/// What a function does.
pub type Run = fn(&mut Work<'_>, &[Value]) -> Result<Value, EvaluationError>;

/// A function of the language.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it may be written.
    pub style: Style,
    /// The types that it takes and gives; the first that fits holds.
    pub overloads: &'static [Overload],
    /// Whether the same arguments always give the same value, so that it can be computed at compile time.
    pub pure: bool,
    /// Whether it is called with absent arguments, too.
    pub takes_absent: bool,
    /// What it does.
    pub run: Run,
}

/// How a function may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `f(a, b)`
    Call,
    /// `a.f(b)`
    Method,
    /// Both.
    Either,
}

/// The types of one form of a function.
pub struct Overload {
    /// Its parameters; for a method the receiver first.
    pub takes: &'static [Takes],
    /// Its result.
    pub gives: Gives,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Anything.
    Any,
    /// A boolean.
    Boolean,
    /// An integer.
    Integer,
    /// CEL's `uint`.
    Unsigned,
    /// An integer or a decimal.
    Exact,
    /// Any number.
    Number,
    /// A double, or a decimal literal beside one.
    Double,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// A timestamp.
    Timestamp,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A duration.
    Duration,
    /// A list.
    List,
    /// A list of texts.
    Texts,
    /// A list of numbers or durations.
    Numbers,
    /// A map.
    Map,
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A boolean.
    Boolean,
    /// An integer.
    Integer,
    /// CEL's `uint`.
    Unsigned,
    /// A decimal of unknown scale.
    Decimal,
    /// A decimal with as many digits as the second argument says, if it is a literal.
    Rounded,
    /// A double.
    Double,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// A timestamp.
    Timestamp,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A duration.
    Duration,
    /// A CEL type.
    Type,
    /// The type of the first argument.
    Same,
    /// What all arguments have in common.
    Common,
    /// The element type of the first argument; absent when the list is empty.
    Element,
    /// The element type of the first argument.
    Sum,
    /// The first argument's elements by text keys.
    Indexed,
    /// Known at run time only.
    Dynamic,
}

/// Every function; [`crate::expression::Expression::Call`] refers by index.
pub static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    [
        texts::functions(),
        numbers::functions(),
        conversion::functions(),
        calendar::functions(),
        encoding::functions(),
        lists::functions(),
        random::functions(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// The index of a function by its name and the way it is written.
pub fn find(name: &str, method: bool) -> Option<u16> {
    let at = FUNCTIONS.iter().position(|function| {
        function.name == name
            && match function.style {
                Style::Call => !method,
                Style::Method => method,
                Style::Either => true,
            }
    })?;
    u16::try_from(at).ok()
}

/// A function without side effects.
const fn pure(name: &'static str, style: Style, overloads: &'static [Overload], run: Run) -> Function {
    Function { name, style, overloads, pure: true, takes_absent: false, run }
}

/// A function whose value depends on clock or chance.
const fn varying(name: &'static str, overloads: &'static [Overload], run: Run) -> Function {
    Function { name, style: Style::Call, overloads, pure: false, takes_absent: false, run }
}

/// The answer to values that no overload takes.
const NO_OVERLOAD: EvaluationError = EvaluationError::NoOverload("the function does not take these values");

/// The answer to a result that does not fit.
const OVERFLOW: EvaluationError = EvaluationError::Arithmetic("overflow");

fn invalid(what: impl Into<String>) -> EvaluationError {
    EvaluationError::Invalid(what.into())
}
