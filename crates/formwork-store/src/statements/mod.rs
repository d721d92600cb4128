//! Statements of a program as SQL, for both databases: each is compiled once, with how its parameters are written
//! and what it gives.
//!
//! What the two databases spell differently stands behind [`Dialect`], one implementation beside each driver; here
//! is what they share. A new kind of statement gets its text here, and only where its spelling differs a method of
//! the dialect.

mod compiled;
mod condition;
mod dialect;
mod encode;
mod operand;
mod reading;
mod sql;
mod writing;

pub(crate) use compiled::{Compiled, statement};
pub(crate) use dialect::{Dialect, quoted};
pub(crate) use encode::{Encode, Rounding, rank, rounded, units};
pub(crate) use sql::{Gives, Prepared};
pub(crate) use writing::{constant, index_filter};
