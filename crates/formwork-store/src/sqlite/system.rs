//! The store's own tables on a connection of SQLite.

use super::errors::plain_fault;
use crate::system::{SystemConnection, SystemRow, SystemValue};
use formwork_engine::StoreError;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

/// A connection as the store's own tables need it.
pub(crate) struct OnSqlite<'c>(pub(crate) &'c Connection);

impl SystemConnection for OnSqlite<'_> {
    fn execute(&mut self, sql: &str, values: &[SystemValue]) -> Result<u64, StoreError> {
        let run = || self.0.prepare_cached(sql)?.execute(params_from_iter(values));
        run().map(|rows| rows as u64).map_err(|error| plain_fault(&error))
    }

    fn query(&mut self, sql: &str, values: &[SystemValue]) -> Result<Vec<SystemRow>, StoreError> {
        let run = || {
            let mut statement = self.0.prepare_cached(sql)?;
            let columns = statement.column_count();
            let rows = statement.query_map(params_from_iter(values), |row| {
                (0..columns).map(|at| row.get_ref(at).map(read)).collect::<rusqlite::Result<Vec<_>>>()
            })?;
            rows.map(|row| row.map(SystemRow)).collect::<rusqlite::Result<Vec<_>>>()
        };
        run().map_err(|error| plain_fault(&error))
    }

    fn present(&self) -> &'static str {
        "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"
    }
}

impl ToSql for SystemValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read(value: ValueRef<'_>) -> SystemValue {
    match value {
        ValueRef::Null => SystemValue::Null,
        ValueRef::Integer(number) => SystemValue::Integer(number),
        // No table of ours has a column of doubles.
        ValueRef::Real(number) => SystemValue::Text(number.to_string()),
        ValueRef::Text(text) => SystemValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => SystemValue::Bytes(bytes.to_vec()),
    }
}
