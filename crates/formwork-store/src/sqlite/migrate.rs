//! Brings the tables of a database to those of the document, in one transaction.

use super::dialect::Sqlite;
use crate::error::OpenError;
use crate::tables::{FORMAT, Found, Misfit, Plan, plan};
use formwork_language::program::Schema;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use std::path::Path;

/// Makes the tables of a new database, or brings those of an old one to the schema.
pub(crate) fn bring_up(connection: &mut Connection, path: &Path, schema: &Schema) -> Result<(), OpenError> {
    let found = look(connection).map_err(|error| not_open(path, &error))?;
    let plan = plan(&Sqlite, schema, &found).map_err(|misfit| not_fitting(path, misfit))?;
    apply(connection, &plan).map_err(|error| not_open(path, &error))
}

fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let mut names = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let tables = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    if !tables.iter().any(|name| name == "_formwork") {
        return Ok(Found { tables, ..Found::default() });
    }
    let read = |name: &str| {
        let sql = r#"SELECT "value" FROM "_formwork" WHERE "name" = ?1"#;
        connection.query_row(sql, [name], |row| row.get::<_, String>(0)).optional()
    };
    Ok(Found { format: read("format")?, schema: read("schema")?, tables })
}

fn apply(connection: &mut Connection, plan: &Plan) -> rusqlite::Result<()> {
    if plan.statements.is_empty() && plan.schema.is_none() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for statement in &plan.statements {
        transaction.execute_batch(statement)?;
    }
    let write = r#"INSERT OR REPLACE INTO "_formwork" ("name", "value") VALUES (?1, ?2)"#;
    transaction.execute(write, ["format", &FORMAT.to_string()])?;
    if let Some(schema) = &plan.schema {
        transaction.execute(write, ["schema", schema])?;
    }
    transaction.commit()
}

fn not_fitting(path: &Path, misfit: Misfit) -> OpenError {
    match misfit {
        Misfit::Foreign => OpenError::NotADatabase(path.to_owned()),
        Misfit::Newer(found) => OpenError::Newer { path: path.to_owned(), found, known: FORMAT },
        Misfit::OtherDocument(tables) => {
            OpenError::OtherDocument { place: path.display().to_string(), tables }
        }
        Misfit::Changed(lines) => OpenError::SchemaChanged(lines),
        Misfit::Impossible(cause) => OpenError::Other { path: path.to_owned(), cause },
    }
}

/// What SQLite said about opening, as one of our reasons.
pub(crate) fn not_open(path: &Path, error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::NotADatabase(path.to_owned())
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            OpenError::NotWritable {
                path: path.parent().unwrap_or(path).to_owned(),
                cause: error.to_string(),
            }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::InUse(path.parent().unwrap_or(path).to_owned())
        }
        _ => OpenError::Other { path: path.to_owned(), cause: error.to_string() },
    }
}
