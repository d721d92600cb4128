//! The document's tables: what they look like as SQL, and how those of an old database become them.

mod carried;
mod migration;
mod shape;
mod widening;

pub(crate) use carried::changed;
pub(crate) use migration::{FORMAT, Found, LookedAt, Misfit, Plan, plan};
pub(crate) use shape::{key_name, reference_name, unique_name};
