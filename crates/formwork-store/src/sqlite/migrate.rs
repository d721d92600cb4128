//! Brings the tables of a database to those of the document when that only adds; else says what differs.
//! Source: language reference, *What running means*, last item.

use super::schema::{SYSTEM_TABLES, TableShape, quoted, shapes};
use crate::error::OpenError;
use formwork_language::program::Schema;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use serde_json::Value as Json;
use std::path::Path;

/// The format of the store's own tables and of the way values are kept.
const FORMAT: i64 = 1;

/// Makes the tables of a new database, or brings those of an old one to the schema; one transaction.
pub(crate) fn bring_up(connection: &mut Connection, path: &Path, schema: &Schema) -> Result<(), OpenError> {
    let other = |cause: String| OpenError::Other { path: path.to_owned(), cause };
    let wanted = shapes(schema).map_err(other)?;
    let known = read_record(connection, path)?;
    let plan = match &known {
        None => create_all(schema, &wanted),
        Some(known) => additions(schema, known, &wanted).map_err(OpenError::SchemaChanged)?,
    };
    let record: Vec<Json> = wanted.iter().map(TableShape::to_json).collect();
    // A type may have grown without a statement.
    if known.as_ref() == Some(&record) {
        return Ok(());
    }
    let record = Json::from(record).to_string();
    let apply = |connection: &mut Connection| -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if known.is_none() {
            transaction.execute_batch(SYSTEM_TABLES)?;
        }
        for statement in &plan {
            transaction.execute_batch(statement)?;
        }
        let write = r#"INSERT OR REPLACE INTO "_formwork" ("name", "value") VALUES (?1, ?2)"#;
        transaction.execute(write, ["format", &FORMAT.to_string()])?;
        transaction.execute(write, ["schema", &record])?;
        transaction.commit()
    };
    apply(connection).map_err(|error| not_open(path, &error))
}

/// The record of the tables; nothing in a new database.
fn read_record(connection: &Connection, path: &Path) -> Result<Option<Vec<Json>>, OpenError> {
    let failed = |error: rusqlite::Error| not_open(path, &error);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed)?;
    if tables == 0 {
        return Ok(None);
    }
    let own: bool = connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_formwork')", [], |row| {
            row.get(0)
        })
        .map_err(failed)?;
    if !own {
        return Err(OpenError::NotADatabase(path.to_owned()));
    }
    let read = |name: &str| {
        let sql = r#"SELECT "value" FROM "_formwork" WHERE "name" = ?1"#;
        connection.query_row(sql, [name], |row| row.get::<_, String>(0)).optional().map_err(failed)
    };
    let format = read("format")?.and_then(|text| text.parse::<i64>().ok());
    match format {
        Some(FORMAT) => {}
        Some(found) if found > FORMAT => {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        _ => return Err(OpenError::NotADatabase(path.to_owned())),
    }
    let record = read("schema")?.and_then(|text| serde_json::from_str(&text).ok());
    record.map(Some).ok_or_else(|| OpenError::NotADatabase(path.to_owned()))
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

fn create_all(schema: &Schema, wanted: &[TableShape]) -> Vec<String> {
    wanted.iter().zip(&schema.entities).flat_map(|(table, entity)| table.create(entity)).collect()
}

/// The statements that add what is new, or the lines that say what cannot be added.
fn additions(schema: &Schema, known: &[Json], wanted: &[TableShape]) -> Result<Vec<String>, Vec<String>> {
    let (mut plan, mut differences) = (Vec::new(), Vec::new());
    for before in known {
        let name = text(before, "name");
        if !wanted.iter().any(|table| table.name == name) {
            differences.push(format!("`{name}` is gone from the document"));
        }
    }
    for (table, entity) in wanted.iter().zip(&schema.entities) {
        match known.iter().find(|before| text(before, "name") == table.name) {
            None => plan.extend(table.create(entity)),
            Some(before) => compare(before, table, &mut plan, &mut differences),
        }
    }
    if differences.is_empty() { Ok(plan) } else { Err(differences) }
}

fn compare(before: &Json, table: &TableShape, plan: &mut Vec<String>, differences: &mut Vec<String>) {
    let name = &table.name;
    if names(before, "primary_key") != table.primary_key {
        differences.push(format!("the primary key of `{name}` is another"));
    }
    let columns = before["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    for column in columns {
        let field = text(column, "name");
        if !table.columns.iter().any(|now| now.name == field) {
            differences.push(format!("`{name}.{field}` is gone from the document"));
        }
    }
    for now in &table.columns {
        let field = &now.name;
        let Some(column) = columns.iter().find(|column| text(column, "name") == *field) else {
            if now.addable {
                plan.push(format!("ALTER TABLE {} ADD COLUMN {}", quoted(name), now.sql));
            } else {
                differences.push(format!(
                    "`{name}.{field}` is new and required, and rows that exist have no value for it"
                ));
            }
            continue;
        };
        let was = text(column, "type");
        if !is_wider(was, &now.ty) {
            differences.push(format!("`{name}.{field}` was `{was}` and is `{}` now", now.ty));
        }
        if column["optional"].as_bool() != Some(now.optional) {
            let (was, is) = if now.optional { ("required", "optional") } else { ("optional", "required") };
            differences.push(format!("`{name}.{field}` was {was} and is {is} now"));
        }
        if column["references"].as_str() != now.references.as_deref() {
            differences.push(format!("what `{name}.{field}` references has changed"));
        }
    }
    compare_indexes(before, table, plan, differences);
}

fn compare_indexes(before: &Json, table: &TableShape, plan: &mut Vec<String>, differences: &mut Vec<String>) {
    let unique = names(before, "unique");
    for (name, _) in table.unique.iter().filter(|(name, _)| !unique.contains(name)) {
        differences.push(format!("`{}` has a new key: {name}", table.name));
    }
    for name in unique.iter().filter(|name| !table.unique.iter().any(|(now, _)| now == *name)) {
        differences.push(format!("`{}` has lost a key: {name}", table.name));
    }
    let indexes = names(before, "indexes");
    plan.extend(
        indexes
            .iter()
            .filter(|name| !table.indexes.iter().any(|(now, _)| now == *name))
            .map(|name| format!("DROP INDEX {}", quoted(name))),
    );
    plan.extend(table.indexes.iter().filter(|(name, _)| !indexes.contains(name)).map(|(_, sql)| sql.clone()));
}

/// Whether every value of one type is one of the other, kept the same way.
fn is_wider(was: &str, now: &str) -> bool {
    let members = |ty: &str| -> Option<Vec<String>> {
        let inner = ty.strip_prefix("enum(")?.strip_suffix(')')?;
        Some(inner.split(", ").map(str::to_owned).collect())
    };
    if let (Some(was), Some(now)) = (members(was), members(now)) {
        return was.iter().all(|value| now.contains(value));
    }
    was == now || (now == "string" && (matches!(was, "uri" | "email") || members(was).is_some()))
}

fn text<'j>(of: &'j Json, member: &str) -> &'j str {
    of[member].as_str().unwrap_or_default()
}

fn names(of: &Json, member: &str) -> Vec<String> {
    let list = of[member].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}
