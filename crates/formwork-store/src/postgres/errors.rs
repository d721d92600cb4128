//! What PostgreSQL says, as what the engine and the user understand.

use super::dialect::Postgres;
use crate::error::OpenError;
use crate::statements::Dialect;
use crate::tables::{key_name, reference_name, unique_name};
use formwork_engine::StoreError;
use formwork_language::program::{EntityId, FieldId, Schema, Statement};
use rustc_hash::FxHashMap;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// The names of the constraints of a schema's tables, as the database keeps them.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    keys: FxHashMap<String, (EntityId, Vec<FieldId>)>,
    references: FxHashMap<String, (EntityId, FieldId)>,
}

impl Constraints {
    /// Those of a schema.
    pub(crate) fn new(schema: &Schema) -> Result<Self, String> {
        let mut named = Self::default();
        for (at, entity) in (0..).zip(&schema.entities) {
            let key = Postgres.identifier(&key_name(entity));
            named.keys.insert(key, (at, entity.primary_key.clone()));
            for key in &entity.unique {
                let name = Postgres.identifier(&unique_name(&Postgres, schema, at, entity, key)?);
                named.keys.insert(name, (at, key.fields.clone()));
            }
            for (field, schema) in (0..).zip(&entity.fields).filter(|(_, field)| field.references.is_some()) {
                named.references.insert(Postgres.identifier(&reference_name(entity, schema)), (at, field));
            }
        }
        Ok(named)
    }

    /// The fault of a statement.
    pub(crate) fn fault(&self, failed: &Failed, entity: EntityId, statement: Option<&Statement>) -> Fault {
        let error = match failed {
            Failed::Server(error) => error,
            Failed::Silent => return Fault::of(failed),
        };
        let kind = Fault::of_server(error);
        let constraint = error.as_db_error().and_then(|error| error.constraint()).unwrap_or_default();
        match (kind, error.code()) {
            (Fault::Store(_), Some(code)) if *code == SqlState::UNIQUE_VIOLATION => {
                match self.keys.get(constraint) {
                    Some((entity, fields)) => {
                        Fault::Store(StoreError::Unique { entity: *entity, fields: fields.clone() })
                    }
                    None => Fault::Store(StoreError::Internal(words(error))),
                }
            }
            (Fault::Store(_), Some(code)) if *code == SqlState::FOREIGN_KEY_VIOLATION => {
                let writes = |field: FieldId| match statement {
                    Some(Statement::Insert { .. }) => true,
                    Some(Statement::UpdateByKey { fields, .. }) => fields.contains(&field),
                    Some(Statement::UpdateWhere { assignments, .. }) => {
                        assignments.iter().any(|(assigned, _)| *assigned == field)
                    }
                    _ => false,
                };
                Fault::Store(match self.references.get(constraint) {
                    Some((child, field)) if *child == entity && writes(*field) => {
                        StoreError::MissingReference { entity, fields: vec![*field] }
                    }
                    _ => StoreError::Referenced { entity },
                })
            }
            (kind, _) => kind,
        }
    }
}

/// Why a statement failed, as its transaction has to know it.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// Another transaction was in the way: this one is repeated whole.
    Conflict,
    /// The connection is of no use any more.
    Lost(String),
    /// What the engine is told.
    Store(StoreError),
}

/// What came instead of an answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The server or the connection said so.
    Server(Error),
    /// Nothing came for longer than the server itself lets a statement run.
    Silent,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl Fault {
    /// What a failure means when nothing is known of the statement.
    pub(crate) fn of(failed: &Failed) -> Self {
        match failed {
            Failed::Server(error) => Self::of_server(error),
            Failed::Silent => Self::Lost("the database does not answer".into()),
        }
    }

    fn of_server(error: &Error) -> Self {
        let Some(code) = error.code() else {
            return match error.is_closed() || std::error::Error::source(error).is_some_and(is_io) {
                true => Self::Lost(words(error)),
                false => Self::Store(StoreError::Internal(words(error))),
            };
        };
        let conflicts = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        let arithmetic = [
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            SqlState::DATETIME_FIELD_OVERFLOW,
            SqlState::INTERVAL_FIELD_OVERFLOW,
            SqlState::DIVISION_BY_ZERO,
        ];
        if conflicts.contains(code) {
            return Self::Conflict;
        }
        if arithmetic.contains(code) {
            return Self::Store(StoreError::Arithmetic);
        }
        match code.code().get(..2) {
            _ if *code == SqlState::QUERY_CANCELED => Self::Store(StoreError::TooMuchWork),
            // Connection, resources, shut-down, input and output; a standby that takes no writes; a transaction that
            // the server has given up.
            Some("08" | "53" | "57" | "58") => Self::Lost(words(error)),
            _ if [
                SqlState::READ_ONLY_SQL_TRANSACTION,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                SqlState::IN_FAILED_SQL_TRANSACTION,
            ]
            .contains(code) =>
            {
                Self::Lost(words(error))
            }
            _ => Self::Store(StoreError::Internal(words(error))),
        }
    }
}

fn is_io(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<std::io::Error>()
}

/// One line of what was said.
pub(crate) fn words(error: &Error) -> String {
    let said = match error.as_db_error() {
        Some(error) => without_values(error.code(), error.message()).to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    };
    said.lines().collect::<Vec<_>>().join(" ")
}

/// A message about data (classes 22 and 23) without the value that it quotes: what a row or a caller brought belongs
/// in no log.
fn without_values<'m>(code: &SqlState, message: &'m str) -> &'m str {
    match code.code().get(..2) {
        Some("22" | "23") => message.split([':', '"']).next().unwrap_or_default().trim_end(),
        _ => message,
    }
}

/// Why a server does not let us in.
pub(crate) fn not_open(place: &str, failed: &Failed) -> OpenError {
    let place = place.to_owned();
    let Failed::Server(error) = failed else {
        return OpenError::Away { place, cause: "it does not answer".into() };
    };
    match error.code() {
        Some(code)
            if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) =>
        {
            OpenError::NotAdmitted { place, cause: words(error) }
        }
        Some(code) if *code == SqlState::UNDEFINED_DATABASE => OpenError::NoDatabase(place),
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            OpenError::NotAdmitted { place, cause: words(error) }
        }
        _ => match Fault::of_server(error) {
            Fault::Lost(cause) => OpenError::Away { place, cause },
            _ if error.code().is_none() => {
                let cause = words(error);
                // The client itself says so when the URL names no password and the server wants one.
                if cause.contains("password") {
                    OpenError::NotAdmitted { place, cause }
                } else {
                    OpenError::Away { place, cause }
                }
            }
            _ => OpenError::Database { place, cause: words(error) },
        },
    }
}
