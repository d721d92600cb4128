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
    /// The address of a database cannot be read.
    #[error("`{place}` is no address of a database: {cause}; write `postgres://user@host/database`")]
    Address {
        /// The address without its password.
        place: String,
        /// What is wrong.
        cause: String,
    },
    /// The server of a database cannot be reached.
    #[error("the database {place} cannot be reached: {cause}")]
    Away {
        /// The address without its password.
        place: String,
        /// What was said.
        cause: String,
    },
    /// The server lets this user not in, or not do what is needed.
    #[error("the database {place} does not admit this user: {cause}")]
    NotAdmitted {
        /// The address without its password.
        place: String,
        /// What the server said.
        cause: String,
    },
    /// The server has no such database.
    #[error("there is no database {0}; make it with `createdb`")]
    NoDatabase(String),
    /// The database holds tables of something else.
    #[error("the database {0} holds tables that are not Formwork's; name an empty one")]
    Foreign(String),
    /// A later version of Formwork wrote the database.
    #[error("the database {place} was written by a newer Formwork (format {found}, this one knows {known})")]
    NewerDatabase {
        /// The address without its password.
        place: String,
        /// Its format.
        found: i64,
        /// The newest format that this version knows.
        known: i64,
    },
    /// Anything else that the server of a database said.
    #[error("cannot open the database {place}: {cause}")]
    Database {
        /// The address without its password.
        place: String,
        /// What was said.
        cause: String,
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
