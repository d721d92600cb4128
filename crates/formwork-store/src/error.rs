//! Why a store does not open: one line for the user each.

use std::path::PathBuf;

/// Why a store does not open. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the data folder.
    #[error("the data folder {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The folder or file cannot be written.
    #[error("the data folder {} cannot be written: {cause}", .path.display())]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file is something else.
    #[error("{} is not a Formwork database", .0.display())]
    NotADatabase(PathBuf),
    /// A later version of Formwork wrote it.
    #[error("{} was written by a newer Formwork (format {found}, this one knows {known})", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version knows.
        known: i64,
    },
    /// The document's tables changed in a way that would lose or invent data.
    #[error("the data does not fit the document any more:\n{}", .0.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n"))]
    SchemaChanged(Vec<String>),
    /// It keeps the rows of another document.
    #[error("{place} keeps the rows of another document ({})", .tables.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    OtherDocument {
        /// The database.
        place: String,
        /// The tables that it has.
        tables: Vec<String>,
    },
    /// Anything else that SQLite or the system said.
    #[error("cannot open {}: {cause}", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What was said.
        cause: String,
    },
}
