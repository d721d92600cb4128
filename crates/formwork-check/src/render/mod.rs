//! Diagnostics to what people and programs read: text for a terminal, JSON for scripts and editors,
//! SARIF for code scanning, workflow commands for GitHub. Pure: returns
//! strings; where they go, and whether colours are wanted, is the binary's business.

mod github;
mod json;
mod places;
mod sarif;
mod text;

pub use github::render_github;
pub use json::render_json;
pub use sarif::render_sarif;
pub use text::{render_text, summary};

use crate::analysis::Analysis;

/// A document that was checked, with the name under which it is shown.
#[derive(Clone, Copy, Debug)]
pub struct CheckedFile<'a> {
    /// As the user wrote it.
    pub path: &'a str,
    /// What is known about it.
    pub analysis: &'a Analysis,
}
