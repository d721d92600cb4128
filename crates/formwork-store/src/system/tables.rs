//! The store's own tables as SQL.

use super::{SystemConnection, TABLES};
use crate::statements::{Dialect, quoted};
use formwork_engine::StoreError;
use formwork_model::values::Type;

/// A table of the store's own.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name, which begins with `_`.
    pub(crate) name: &'static str,
    /// Its columns; the first is the primary key.
    pub(crate) columns: &'static [Column],
    /// Further constraints and indexes: each a statement that means the same to both databases.
    pub(crate) further: &'static [&'static str],
}

/// A column of a [`Table`].
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Whether it may be null.
    pub(crate) optional: bool,
}

/// What a [`Column`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A number, or an instant in microseconds since the epoch.
    Integer,
    /// Bytes.
    Bytes,
    /// A number that the database counts up by itself.
    Sequence,
}

impl Column {
    /// A column that is never null.
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: false }
    }

    /// A column that may be null.
    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, optional: true }
    }
}

/// What the database says of itself: the format and the document's tables as they were made.
pub(super) const FORMWORK: Table = Table {
    name: "_formwork",
    columns: &[Column::new("name", Kind::Text), Column::new("value", Kind::Text)],
    further: &[],
};

/// Keeps a secret, unless there is one of that name.
pub(crate) fn keep_secret(
    connection: &mut dyn SystemConnection,
    name: &str,
    secret: &[u8; 32],
) -> Result<(), StoreError> {
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = r#"INSERT INTO "_formwork" ("name", "value") VALUES (?1, ?2) ON CONFLICT ("name") DO NOTHING"#;
    connection.execute(sql, &[name.into(), text.as_str().into()]).map(|_| ())
}

/// The secret of a name.
pub(crate) fn secret(connection: &mut dyn SystemConnection, name: &str) -> Result<[u8; 32], StoreError> {
    let sql = r#"SELECT "value" FROM "_formwork" WHERE "name" = ?1"#;
    let row = connection.query(sql, &[name.into()])?.into_iter().next();
    let text = row.map(|mut row| row.text(0)).transpose()?.unwrap_or_default();
    let digits = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Vec<u8> = digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    bytes.try_into().map_err(|_| super::unexpected())
}

/// The statements that make the tables of the store's own that are not there.
///
/// A table that an earlier version made gets the columns that it lacks, which are optional ones. `columns` are those
/// that are there, each behind its table.
pub(crate) fn create_missing(
    dialect: &dyn Dialect,
    there: &[String],
    columns: &[(String, String)],
) -> Vec<String> {
    let mut statements = Vec::new();
    for table in TABLES {
        if !there.iter().any(|name| *name == table.name) {
            statements.extend(create(dialect, table));
            continue;
        }
        let has =
            |wanted: &Column| columns.iter().any(|(of, name)| *of == table.name && *name == wanted.name);
        let lacking: Vec<String> = (0..)
            .zip(table.columns)
            .filter(|(_, wanted)| !has(wanted))
            .map(|(at, wanted)| {
                format!("ALTER TABLE {} ADD COLUMN {}", quoted(table.name), column(dialect, at, wanted))
            })
            .collect();
        if !lacking.is_empty() {
            statements.extend(lacking);
            statements.extend(table.further.iter().map(|further| (*further).to_owned()));
        }
    }
    statements
}

fn create(dialect: &dyn Dialect, table: &Table) -> Vec<String> {
    let columns: Vec<String> =
        table.columns.iter().enumerate().map(|(at, one)| column(dialect, at, one)).collect();
    let own = table.columns.first().map(|key| key.kind);
    let end = dialect.system_table_end(own == Some(Kind::Text));
    let mut statements = vec![format!("CREATE TABLE {} ({}){end}", quoted(table.name), columns.join(", "))];
    statements.extend(table.further.iter().map(|further| (*further).to_owned()));
    statements
}

fn column(dialect: &dyn Dialect, at: usize, column: &Column) -> String {
    let ty = match column.kind {
        Kind::Text => dialect.column_type(&Type::String),
        Kind::Integer => dialect.column_type(&Type::Integer),
        Kind::Bytes => dialect.column_type(&Type::Bytes),
        Kind::Sequence => dialect.sequence_type(),
    };
    let null = if column.optional { "" } else { " NOT NULL" };
    let key = if at == 0 { " PRIMARY KEY" } else { "" };
    format!("{} {ty}{null}{key}", quoted(column.name))
}
