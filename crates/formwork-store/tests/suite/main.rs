//! What the store promises, each law against a real database file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it cannot go on")]

mod conditions;
mod documents;
mod durability;
mod folder;
mod harness;
mod laws;
mod opening;
mod pages;
mod place;
mod queries;
mod rules;
mod vfs;
