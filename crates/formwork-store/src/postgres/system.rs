//! The store's own tables on a connection of PostgreSQL.

use super::errors::{Failed, Fault};
use super::session::Session;
use super::values::Raw;
use crate::system::{SystemConnection, SystemRow, SystemValue};
use bytes::{BufMut, BytesMut};
use formwork_engine::StoreError;
use std::error::Error;
use tokio_postgres::types::{IsNull, ToSql, Type as PgType, to_sql_checked};

/// A connection as the store's own tables need it. What other transactions did in its way is kept for who repeats it.
pub(crate) struct OnPostgres<'s> {
    session: &'s mut Session,
    /// Why it has to be repeated or given up.
    pub(crate) trouble: Option<Fault>,
}

impl<'s> OnPostgres<'s> {
    /// A connection within or without a transaction.
    pub(crate) fn new(session: &'s mut Session) -> Self {
        Self { session, trouble: None }
    }

    fn fault(&mut self, failed: &Failed) -> StoreError {
        match Fault::of(failed) {
            Fault::Store(error) => error,
            fault => {
                let error = StoreError::Unavailable(match &fault {
                    Fault::Lost(cause) => cause.clone(),
                    _ => "another transaction is in the way".into(),
                });
                self.trouble = Some(fault);
                error
            }
        }
    }
}

impl SystemConnection for OnPostgres<'_> {
    fn execute(&mut self, sql: &str, values: &[SystemValue]) -> Result<u64, StoreError> {
        let (sql, types, parameters) = spelled(sql, values);
        let done = self
            .session
            .keep(&sql, &types)
            .and_then(|()| self.session.touched(usize::MAX, &sql, &parameters));
        done.map_err(|failed| self.fault(&failed))
    }

    fn query(&mut self, sql: &str, values: &[SystemValue]) -> Result<Vec<SystemRow>, StoreError> {
        let (sql, types, parameters) = spelled(sql, values);
        let rows =
            self.session.keep(&sql, &types).and_then(|()| self.session.rows(usize::MAX, &sql, &parameters));
        let rows = rows.map_err(|failed| self.fault(&failed))?;
        let read = |row: &tokio_postgres::Row| {
            let columns = row.columns().iter().enumerate();
            let values = columns.map(|(at, column)| {
                let raw: Raw<'_> =
                    row.try_get(at).map_err(|error| StoreError::Internal(error.to_string()))?;
                Ok(value(&raw, column.type_()))
            });
            values.collect::<Result<Vec<_>, StoreError>>().map(SystemRow)
        };
        rows.iter().map(read).collect()
    }

    fn as_others_commit(&mut self) -> Result<(), StoreError> {
        self.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", &[]).map(|_| ())
    }

    fn present(&self) -> &'static str {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    }
}

/// `?1` as `$1`, and what the parameters are. No statement of the store's own has a question mark in a text.
fn spelled<'v>(sql: &str, values: &'v [SystemValue]) -> (String, Vec<PgType>, Vec<&'v (dyn ToSql + Sync)>) {
    let types = values.iter().map(|value| match value {
        SystemValue::Text(_) => PgType::TEXT,
        SystemValue::Integer(_) => PgType::INT8,
        SystemValue::Bytes(_) => PgType::BYTEA,
        // The server knows from the place.
        SystemValue::Null => PgType::UNKNOWN,
    });
    let parameters = values.iter().map(|value| value as &(dyn ToSql + Sync));
    (sql.replace('?', "$"), types.collect(), parameters.collect())
}

impl ToSql for SystemValue {
    fn to_sql(&self, _: &PgType, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Text(text) => out.put_slice(text.as_bytes()),
            Self::Integer(number) => out.put_i64(*number),
            Self::Bytes(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &PgType) -> bool {
        true
    }

    to_sql_checked!();
}

fn value(raw: &Raw<'_>, ty: &PgType) -> SystemValue {
    let Some(bytes) = raw.bytes() else { return SystemValue::Null };
    match *ty {
        PgType::INT8 => raw.integer().map_or(SystemValue::Null, SystemValue::Integer),
        PgType::INT4 => <[u8; 4]>::try_from(bytes)
            .map_or(SystemValue::Null, |bytes| SystemValue::Integer(i64::from(i32::from_be_bytes(bytes)))),
        PgType::BOOL => SystemValue::Integer(i64::from(bytes.first().is_some_and(|byte| *byte != 0))),
        PgType::BYTEA => SystemValue::Bytes(bytes.to_vec()),
        _ => SystemValue::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}
