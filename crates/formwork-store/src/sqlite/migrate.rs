//! Brings the tables of a database to those of the document, in one transaction.

use super::connection::Statements;
use super::dialect::Sqlite;
use super::errors::Keys;
use super::transaction::{Shared, SqliteTransaction};
use crate::commits::Commits;
use crate::error::OpenError;
use crate::releases::Releases;
use crate::statements::Compiled;
use crate::tables::{FORMAT, Found, LookedAt, Misfit, Plan, plan};
use formwork_engine::IdSource;
use formwork_language::program::Program;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use std::path::Path;
use std::sync::Arc;

/// Makes the tables of a new database, or brings those of an old one to the schema.
pub(crate) fn bring_up(connection: &mut Connection, path: &Path, program: &Program) -> Result<(), OpenError> {
    let found = look(connection).map_err(|error| not_open(path, &error))?;
    let plan = plan(&Sqlite, &program.schema, &found).map_err(|misfit| not_fitting(path, misfit))?;
    // A table that is made anew would take along what refers to it; whether all still refer to something is tested at
    // the end instead.
    if plan.anew {
        tests_references(connection, false).map_err(|error| not_open(path, &error))?;
    }
    let done = apply(connection, &plan, program).map_err(|fault| match fault {
        Fault::Sqlite(error) => not_open(path, &error),
        Fault::Misfit(misfit) => not_fitting(path, misfit),
    });
    if plan.anew {
        tests_references(connection, true).map_err(|error| not_open(path, &error))?;
    }
    done
}

fn tests_references(connection: &Connection, does: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", does)
}

/// Why a plan was not carried out.
enum Fault {
    Sqlite(rusqlite::Error),
    Misfit(Misfit),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
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
    let mut columns = connection.prepare(
        "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
        WHERE m.type = 'table' AND m.name GLOB '_*'",
    )?;
    let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let columns = columns.collect::<rusqlite::Result<_>>()?;
    Ok(Found { format: read("format")?, schema: read("schema")?, columns, tables })
}

fn apply(connection: &mut Connection, plan: &Plan, program: &Program) -> Result<(), Fault> {
    if plan.statements.is_empty() && plan.schema.is_none() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let misfits = misfits(&transaction, plan)?;
    if !misfits.is_empty() {
        return Err(Fault::Misfit(Misfit::Changed(misfits)));
    }
    for statement in &plan.statements {
        transaction.execute_batch(statement)?;
    }
    let mut broken = Vec::new();
    for (statement, line) in &plan.keys {
        match transaction.execute_batch(statement) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                broken.push(line.clone());
            }
            done => done?,
        }
    }
    if broken.is_empty() && !plan.looked_at.is_empty() {
        broken = look_at_rows(&transaction, &plan.looked_at, program)?;
    }
    if !broken.is_empty() {
        return Err(Fault::Misfit(Misfit::Changed(broken)));
    }
    if plan.anew && transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
        let cause = "rows refer to rows that are not there".to_owned();
        return Err(Fault::Misfit(Misfit::Impossible(cause)));
    }
    let write = r#"INSERT OR REPLACE INTO "_formwork" ("name", "value") VALUES (?1, ?2)"#;
    transaction.execute(write, ["format", &FORMAT.to_string()])?;
    if let Some(schema) = &plan.schema {
        transaction.execute(write, ["schema", schema])?;
    }
    Ok(transaction.commit()?)
}

/// Which columns do not hold what rows that exist have, one line each.
fn misfits(connection: &Connection, plan: &Plan) -> rusqlite::Result<Vec<String>> {
    let mut lines = Vec::new();
    for (question, line) in &plan.fits {
        if connection.query_row(question, [], |row| row.get::<_, i64>(0))? > 0 {
            lines.push(line.clone());
        }
    }
    Ok(lines)
}

/// Rows that exist and break a rule that is new, one line each.
fn look_at_rows(
    connection: &Connection,
    looked_at: &LookedAt,
    program: &Program,
) -> Result<Vec<String>, Fault> {
    let impossible = |cause: String| Fault::Misfit(Misfit::Impossible(cause));
    let (program, tables) = looked_at.program(program);
    let compiled = Compiled::new(&Sqlite, &program).map_err(impossible)?;
    let shared = Shared {
        // Rows are taken over, and no operation is under way.
        vault: Arc::default(),
        releases: Releases::default(),
        commits: Arc::new(Commits::new(&program, false)),
        node: String::new(),
        keys: Keys::new(&program.schema),
        compiled,
        program: Arc::new(program),
    };
    let mut broken = Vec::new();
    for call in looked_at.calls(&tables) {
        let mut statements = Statements::Cached;
        let mut transaction = SqliteTransaction::new(connection, &mut statements, &shared).unbounded();
        let ended =
            formwork_engine::run(&shared.program, call, &mut transaction, &mut IdSource::new(), &|| false);
        broken.extend(LookedAt::found(ended).map_err(impossible)?);
    }
    Ok(broken)
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
