//! What the store promises, each law against a real database file.

mod conditions;
mod documents;
mod durability;
mod harness;
mod laws;
mod opening;
mod pages;
mod vfs;
