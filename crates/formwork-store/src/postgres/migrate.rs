//! Brings the tables of a database to those of the document, in one transaction that no other node disturbs.

use super::address::Address;
use super::cascades::Cascades;
use super::dialect::{FUNCTIONS, LONGEST_NAME, Postgres};
use super::errors::{Constraints, Failed, not_open};
use super::session::Session;
use super::transaction::{PostgresTransaction, Shared};
use crate::commits::Commits;
use crate::error::OpenError;
use crate::releases::Releases;
use crate::statements::{Compiled, quoted};
use crate::tables::{FORMAT, Found, LookedAt, Misfit, Plan, plan};
use formwork_engine::IdSource;
use formwork_language::program::{Program, Schema};
use std::sync::Arc;
use tokio_postgres::error::SqlState;

/// Only one node brings a database up at a time; the number is any that others will not take by accident.
const ONE_AT_A_TIME: &str = "SELECT pg_advisory_xact_lock(7038432561128346223)";

/// Makes the tables of a new database, or brings those of an old one to the schema.
pub(crate) fn bring_up(session: &mut Session, address: &Address, program: &Program) -> Result<(), OpenError> {
    let schema = &program.schema;
    let failed = |failed: Failed| not_open(address.place(), &failed);
    long_names(address, schema)?;
    let encoding = one_text(session, "SELECT current_setting('server_encoding')").map_err(failed)?;
    if encoding.as_deref() != Some("UTF8") {
        let cause = format!("its encoding is {}, and must be UTF8", encoding.unwrap_or_default());
        return Err(OpenError::Database { place: address.place().to_owned(), cause });
    }
    // The lock has to be waited for, and tables of any size may have to be looked through for an index.
    session.batch("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 30000; SET LOCAL statement_timeout = 0").map_err(failed)?;
    session.batch(ONE_AT_A_TIME).map_err(failed)?;
    if let Some(name) = address.schema() {
        session.batch(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name))).map_err(failed)?;
    }
    let found = look(session).map_err(failed)?;
    let done = match plan(&Postgres, schema, &found) {
        Ok(plan) => match apply(session, &plan, program) {
            Ok(broken) if broken.is_empty() => Ok(()),
            Ok(broken) => Err(OpenError::SchemaChanged(broken)),
            Err(Unfit::Failed(cause)) => Err(failed(cause)),
            Err(Unfit::Misfit(misfit)) => Err(not_fitting(address, misfit)),
        },
        Err(misfit) => Err(not_fitting(address, misfit)),
    };
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = session.batch(end).map_err(failed);
    done.and(ended)
}

fn long_names(address: &Address, schema: &Schema) -> Result<(), OpenError> {
    let fields = schema.entities.iter().flat_map(|entity| &entity.fields).map(|field| &*field.name);
    let mut names = schema.entities.iter().map(|entity| &*entity.name).chain(fields);
    match names.find(|name| name.len() > LONGEST_NAME) {
        None => Ok(()),
        Some(name) => Err(OpenError::Database {
            place: address.place().to_owned(),
            cause: format!(
                "`{name}` is longer than the {LONGEST_NAME} bytes that PostgreSQL keeps of a name"
            ),
        }),
    }
}

fn one_text(session: &mut Session, sql: &str) -> Result<Option<String>, Failed> {
    let rows = session.rows(usize::MAX, sql, &[])?;
    Ok(match rows.first() {
        Some(row) => row.try_get(0).map_err(Failed::Server)?,
        None => None,
    })
}

fn look(session: &mut Session) -> Result<Found, Failed> {
    let sql = "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') \
        AND relnamespace = current_schema()::regnamespace";
    let rows = session.rows(usize::MAX, sql, &[])?;
    let tables = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    if !tables.iter().any(|name| name == "_formwork") {
        return Ok(Found { tables, ..Found::default() });
    }
    let format = one_text(session, r#"SELECT "value" FROM "_formwork" WHERE "name" = 'format'"#)?;
    let schema = one_text(session, r#"SELECT "value" FROM "_formwork" WHERE "name" = 'schema'"#)?;
    let sql = "SELECT c.relname::text, a.attname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND left(c.relname::text, 1) = '_' \
        AND a.attnum > 0 AND NOT a.attisdropped";
    let rows = session.rows(usize::MAX, sql, &[])?;
    let columns = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let columns = columns.collect::<Result<_, tokio_postgres::Error>>()?;
    Ok(Found { tables, columns, format, schema })
}

/// Why a plan was not carried out.
enum Unfit {
    Failed(Failed),
    Misfit(Misfit),
}

impl From<Failed> for Unfit {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// Carries out a plan; gives what rows that exist break of it, one line each.
fn apply(session: &mut Session, plan: &Plan, program: &Program) -> Result<Vec<String>, Unfit> {
    if plan.statements.is_empty() && plan.schema.is_none() {
        return Ok(Vec::new());
    }
    let mut misfits = Vec::new();
    for (question, line) in &plan.fits {
        let found: Option<i64> = match session.rows(usize::MAX, question, &[])?.first() {
            Some(row) => row.try_get(0).map_err(Failed::Server)?,
            None => None,
        };
        misfits.extend(found.filter(|found| *found > 0).map(|_| line.clone()));
    }
    if !misfits.is_empty() {
        return Ok(misfits);
    }
    for statement in FUNCTIONS.iter().copied().chain(plan.statements.iter().map(String::as_str)) {
        session.batch(statement)?;
    }
    let mut broken = Vec::new();
    for (statement, line) in &plan.keys {
        session.batch("SAVEPOINT key")?;
        match session.batch(statement) {
            Err(Failed::Server(error)) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                session.batch("ROLLBACK TO key")?;
                broken.push(line.clone());
            }
            done => done?,
        }
    }
    if broken.is_empty() && !plan.looked_at.is_empty() {
        broken = look_at_rows(session, &plan.looked_at, program)?;
    }
    if !broken.is_empty() {
        return Ok(broken);
    }
    let write = r#"INSERT INTO "_formwork" ("name", "value") VALUES ($1, $2)
        ON CONFLICT ("name") DO UPDATE SET "value" = excluded."value""#;
    session.touched(usize::MAX, write, &[&"format", &FORMAT.to_string()])?;
    if let Some(schema) = &plan.schema {
        session.touched(usize::MAX, write, &[&"schema", schema])?;
    }
    Ok(Vec::new())
}

/// Rows that exist and break a rule that is new, one line each.
fn look_at_rows(
    session: &mut Session,
    looked_at: &LookedAt,
    program: &Program,
) -> Result<Vec<String>, Unfit> {
    let impossible = |cause: String| Unfit::Misfit(Misfit::Impossible(cause));
    let (program, tables) = looked_at.program(program);
    let shared = Shared {
        // Rows are taken over, and no operation is under way.
        vault: Arc::default(),
        releases: Releases::default(),
        is_earlier: false,
        commits: Arc::new(Commits::new(&program, false)),
        node: String::new(),
        compiled: Compiled::new(&Postgres, &program).map_err(impossible)?,
        constraints: Constraints::new(&program.schema).map_err(impossible)?,
        cascades: Cascades::new(&program.schema),
        program: Arc::new(program),
    };
    let mut broken = Vec::new();
    for call in looked_at.calls(&tables) {
        let mut transaction = PostgresTransaction::new(session, &shared).unbounded();
        let ended =
            formwork_engine::run(&shared.program, call, &mut transaction, &mut IdSource::new(), &|| false);
        broken.extend(LookedAt::found(ended).map_err(impossible)?);
    }
    Ok(broken)
}

fn not_fitting(address: &Address, misfit: Misfit) -> OpenError {
    let place = address.place().to_owned();
    match misfit {
        Misfit::Foreign => OpenError::Foreign(place),
        Misfit::Newer(found) => OpenError::NewerDatabase { place, found, known: FORMAT },
        Misfit::OtherDocument(tables) => {
            OpenError::OtherDocument { place: format!("the database {place}"), tables }
        }
        Misfit::Changed(lines) => OpenError::SchemaChanged(lines),
        Misfit::Impossible(cause) => OpenError::Database { place, cause },
    }
}
