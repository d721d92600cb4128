//! Formatting, fixing and asking, held from outside.

mod fixing;
mod interview;
mod laws;
mod notations;
