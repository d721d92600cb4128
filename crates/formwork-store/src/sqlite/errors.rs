//! What SQLite says, as what the engine understands.

use super::functions::OVERFLOW;
use formwork_engine::StoreError;
use formwork_language::program::{EntityId, FieldId, Schema};
use rusqlite::{Error, ErrorCode};
use rustc_hash::FxHashMap;

/// What SQLite says, without the statement that it says it of.
fn words(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        error => error.to_string(),
    }
}

/// What a statement over the store's own tables failed of.
pub(crate) fn plain_fault(error: &Error) -> StoreError {
    let message = words(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation | ErrorCode::Unknown | ErrorCode::ApiMisuse) | None => {
            StoreError::Internal(message)
        }
        Some(_) => StoreError::Unavailable(message),
    }
}

/// The messages of broken unique keys. They are looked up whole: names may hold any character.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    messages: FxHashMap<String, (EntityId, Vec<FieldId>)>,
}

impl Keys {
    /// The messages of a schema's keys.
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut messages = FxHashMap::default();
        for (at, entity) in (0..).zip(&schema.entities) {
            let keys = entity.unique.iter().map(|key| &key.fields).chain([&entity.primary_key]);
            for fields in keys {
                let columns: Vec<String> = fields
                    .iter()
                    .filter_map(|field| entity.fields.get(usize::from(*field)))
                    .map(|field| format!("{}.{}", entity.name, field.name))
                    .collect();
                messages
                    .entry(format!("UNIQUE constraint failed: {}", columns.join(", ")))
                    .or_insert_with(|| (at, fields.clone()));
            }
        }
        Self { messages }
    }

    /// The fault of a statement. A broken reference comes as [`StoreError::Referenced`]; which one it is, the
    /// transaction finds out.
    pub(crate) fn fault(&self, error: Error, entity: EntityId) -> StoreError {
        let message = words(&error);
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => {
                if let Some((entity, fields)) = self.messages.get(&message) {
                    StoreError::Unique { entity: *entity, fields: fields.clone() }
                } else if message.contains("FOREIGN KEY constraint failed") {
                    StoreError::Referenced { entity }
                } else {
                    StoreError::Internal(message)
                }
            }
            Some(ErrorCode::OperationInterrupted) => StoreError::TooMuchWork,
            // SQLite's own `sum` says it in these words.
            _ if message.contains(OVERFLOW) || message.contains("integer overflow") => StoreError::Arithmetic,
            Some(ErrorCode::Unknown | ErrorCode::ApiMisuse | ErrorCode::TypeMismatch) => {
                StoreError::Internal(message)
            }
            Some(_) => StoreError::Unavailable(message),
            None => StoreError::Internal(message),
        }
    }
}
