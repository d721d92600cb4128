//! One module per section of the form: its typed facts, and the reader that finds them.

pub mod closing;
pub mod components;
pub mod data_model;
pub mod deployment;
pub mod flows;
pub mod interface;
pub mod observability;
pub mod overview;
pub mod performance;
pub mod security;
pub mod testing;
