//! Looks at a SQLite database beside its store: every row of every table in plain SQL, by nothing that operations use.
//!
//! For who holds the rows against the document's rules without trusting the statements that wrote them.

use super::dialect::Sqlite;
use super::values::read;
use crate::statements::{Dialect, quoted};
use formwork_engine::StoreError;
use formwork_language::program::{EntityId, EntitySchema, Program};
use formwork_language::value::{Row, Value};
use formwork_model::values::Type;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// How all rows of each table are read: plain SQL, and the types of the fields.
pub(super) struct Tables(Vec<(String, Vec<Type>)>);

impl Tables {
    pub(super) fn new(program: &Program) -> Self {
        let table = |entity: &EntitySchema| {
            let columns: Vec<String> = entity.fields.iter().map(|field| quoted(&field.name)).collect();
            let name = quoted(&Sqlite.identifier(&entity.name));
            let sql = format!(r#"SELECT {}, "_version" FROM {name}"#, columns.join(", "));
            (sql, entity.fields.iter().map(|field| field.ty.clone()).collect())
        };
        Self(program.schema.entities.iter().map(table).collect())
    }

    /// Every row of a table as a connection sees it, in no order.
    pub(super) fn rows(&self, connection: &Connection, entity: EntityId) -> Result<Vec<Row>, StoreError> {
        let Some((sql, types)) = self.0.get(usize::from(entity)) else { return Ok(Vec::new()) };
        let mut statement = connection.prepare_cached(sql).map_err(away)?;
        let mut found = statement.query([]).map_err(away)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(away)? {
            let mut values: Vec<Value> = Vec::with_capacity(types.len());
            for (at, ty) in types.iter().enumerate() {
                values.push(read(row.get_ref(at).map_err(away)?, ty)?);
            }
            let version = row.get(types.len()).map_err(away)?;
            rows.push(Row { entity, values, version, deleted: false });
        }
        Ok(rows)
    }
}

/// A second look at a database.
pub struct Inspector {
    connection: Connection,
    tables: Tables,
}

impl std::fmt::Debug for Inspector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inspector").finish_non_exhaustive()
    }
}

/// What a handler is still to be told, as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingDelivery {
    /// Its place in the order.
    pub sequence: i64,
    /// `Handler::name`
    pub handler: String,
    /// The row that it is about.
    pub order: Option<String>,
    /// Whether it is tried no more.
    pub failed: bool,
}

impl Inspector {
    /// Opens a database that a store keeps.
    pub fn open(path: &Path, program: &Program) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(away)?;
        connection.set_prepared_statement_cache_capacity(64);
        let tables = Tables::new(program);
        Ok(Self { connection, tables })
    }

    /// Every row of a table, in no order.
    pub fn rows(&self, entity: EntityId) -> Result<Vec<Row>, StoreError> {
        self.tables.rows(&self.connection, entity)
    }

    /// What handlers are still to be told, in order.
    pub fn deliveries(&self) -> Result<Vec<WaitingDelivery>, StoreError> {
        let sql = r#"SELECT "sequence", "handler", "order_key", "failed" IS NOT NULL FROM "_deliveries" ORDER BY 1"#;
        let mut statement = self.connection.prepare_cached(sql).map_err(away)?;
        let waiting = statement.query_map([], |row| {
            let (sequence, handler) = (row.get(0)?, row.get(1)?);
            Ok(WaitingDelivery { sequence, handler, order: row.get(2)?, failed: row.get(3)? })
        });
        waiting.map_err(away)?.collect::<Result<_, _>>().map_err(away)
    }

    /// The rows that the audit trail has entries of: entity, key and action of each.
    pub fn audited(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let sql = r#"SELECT "entity", "key", "action" FROM "_audit" WHERE "entity" IS NOT NULL"#;
        let mut statement = self.connection.prepare_cached(sql).map_err(away)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.map_err(away)?.collect::<Result<_, _>>().map_err(away)
    }

    /// The keys whose answers are kept, each with its scope in front as in [`crate::Worked::key`].
    pub fn kept_keys(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(r#"SELECT "id" FROM "_answers""#).map_err(away)?;
        let ids = statement.query_map([], |row| row.get::<_, String>(0)).map_err(away)?;
        let scope_first = |id: String| match id.split_once(' ') {
            Some((key, scope)) => format!("{scope} {key}"),
            None => id,
        };
        ids.map(|id| id.map(scope_first)).collect::<Result<_, _>>().map_err(away)
    }
}

fn away(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
