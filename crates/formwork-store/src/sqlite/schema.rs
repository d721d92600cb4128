//! Tables as SQL: STRICT, every identifier quoted, the document's names as they are.
//!
//! A table whose key is no single integer is WITHOUT ROWID: a row is then found in one tree by its key, and a
//! new row is written to one tree less. SQLite advises against it for large rows, so tables with columns of
//! unbounded size (JSON, lists, objects, bytes) keep their rowid. What a field's rules say is tested by the engine
//! and not repeated as CHECK.

use super::compile::{constant, index_filter};
use super::values::column_type;
use formwork_language::program::{EntityId, EntitySchema, FieldSchema, Schema};
use formwork_model::facts::OnDelete;
use formwork_model::values::Type;
use serde_json::{Value as Json, json};

/// The store's own tables; no entity may have such a name.
pub(crate) const SYSTEM_TABLES: &str = r#"
CREATE TABLE "_formwork" ("name" TEXT NOT NULL PRIMARY KEY, "value" TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE "_outbox" (
    "sequence" INTEGER PRIMARY KEY,
    "id" BLOB NOT NULL,
    "name" TEXT NOT NULL,
    "about_entity" TEXT,
    "about_key" TEXT,
    "data" TEXT NOT NULL,
    "time" INTEGER NOT NULL
) STRICT;
CREATE TABLE "_keys" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "hash" BLOB NOT NULL UNIQUE,
    "caller" TEXT NOT NULL,
    "roles" TEXT NOT NULL,
    "scopes" TEXT NOT NULL,
    "claims" TEXT NOT NULL,
    "created" INTEGER NOT NULL,
    "revoked" INTEGER
) STRICT;
CREATE TABLE "_jobs" ("job" TEXT NOT NULL PRIMARY KEY, "next_run" INTEGER) STRICT, WITHOUT ROWID;
"#;

/// An identifier in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An entity as the database keeps it; written into the database, and compared at the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableShape {
    pub(crate) name: String,
    pub(crate) columns: Vec<ColumnShape>,
    pub(crate) primary_key: Vec<String>,
    /// Name and SQL of each unique index.
    pub(crate) unique: Vec<(String, String)>,
    /// Name and SQL of each other index.
    pub(crate) indexes: Vec<(String, String)>,
}

/// A column of a [`TableShape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnShape {
    pub(crate) name: String,
    /// The type in the notation of the form.
    pub(crate) ty: String,
    pub(crate) optional: bool,
    /// The reference as SQL.
    pub(crate) references: Option<String>,
    /// The column as it stands in `CREATE TABLE` or `ADD COLUMN`.
    pub(crate) sql: String,
    /// Whether rows that exist can take the column: it may be null or has a constant default.
    pub(crate) addable: bool,
}

/// The shapes of all tables.
pub(crate) fn shapes(schema: &Schema) -> Result<Vec<TableShape>, String> {
    (0..).zip(&schema.entities).map(|(at, entity)| table(schema, at, entity)).collect()
}

impl TableShape {
    /// `CREATE TABLE` and its indexes.
    pub(crate) fn create(&self, entity: &EntitySchema) -> Vec<String> {
        let mut parts: Vec<String> = self.columns.iter().map(|column| column.sql.clone()).collect();
        parts.push("\"_version\" INTEGER NOT NULL DEFAULT 1".into());
        let key: Vec<String> = self.primary_key.iter().map(|name| quoted(name)).collect();
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
        let rowid = if keeps_rowid(entity) { "" } else { ", WITHOUT ROWID" };
        let mut statements =
            vec![format!("CREATE TABLE {} ({}) STRICT{rowid}", quoted(&self.name), parts.join(", "))];
        statements.extend(self.unique.iter().chain(&self.indexes).map(|(_, sql)| sql.clone()));
        statements
    }

    /// For the database's own record.
    pub(crate) fn to_json(&self) -> Json {
        let columns: Vec<Json> = self
            .columns
            .iter()
            .map(|column| {
                json!({
                    "name": column.name,
                    "type": column.ty,
                    "optional": column.optional,
                    "references": column.references,
                })
            })
            .collect();
        let names = |indexes: &[(String, String)]| -> Vec<Json> {
            indexes.iter().map(|(name, _)| Json::from(name.as_str())).collect()
        };
        json!({
            "name": self.name,
            "columns": columns,
            "primary_key": self.primary_key,
            "unique": names(&self.unique),
            "indexes": names(&self.indexes),
        })
    }
}

fn keeps_rowid(entity: &EntitySchema) -> bool {
    let key: Vec<&FieldSchema> =
        entity.primary_key.iter().filter_map(|field| entity.fields.get(usize::from(*field))).collect();
    let integer = matches!(key.as_slice(), [one] if matches!(one.ty, Type::Integer));
    integer || entity.fields.iter().any(|field| is_unbounded(&field.ty))
}

const fn is_unbounded(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Json | Type::Bytes | Type::List(_) | Type::Object(_) | Type::Named(_) | Type::Unknown(_)
    )
}

fn table(schema: &Schema, id: EntityId, entity: &EntitySchema) -> Result<TableShape, String> {
    let name_of = |field: u16| {
        let found = entity.fields.get(usize::from(field));
        found
            .map(|field| field.name.to_string())
            .ok_or_else(|| format!("`{}` has no field {field}", entity.name))
    };
    let columns = entity.fields.iter().map(|field| column(schema, field)).collect::<Result<_, _>>()?;
    let primary_key =
        entity.primary_key.iter().map(|field| name_of(*field)).collect::<Result<Vec<_>, _>>()?;
    let mut unique = Vec::new();
    for key in &entity.unique {
        let fields = key.fields.iter().map(|field| name_of(*field)).collect::<Result<Vec<_>, _>>()?;
        let keyed: Vec<(String, bool)> = fields.into_iter().map(|field| (field, false)).collect();
        unique.push(index(schema, id, entity, &keyed, key.filter.as_ref(), true)?);
    }
    let mut indexes = Vec::new();
    for plain in &entity.indexes {
        let fields = plain
            .fields
            .iter()
            .map(|(field, descending)| Ok((name_of(*field)?, *descending)))
            .collect::<Result<Vec<_>, String>>()?;
        indexes.push(index(schema, id, entity, &fields, plain.filter.as_ref(), false)?);
    }
    for (at, field) in (0_u16..).zip(&entity.fields) {
        if field.references.is_some() && !is_led_by(entity, at) {
            // Deleting the other row looks these up.
            indexes.push(index(schema, id, entity, &[(field.name.to_string(), false)], None, false)?);
        }
    }
    for list in [&mut unique, &mut indexes] {
        list.sort();
        list.dedup();
    }
    Ok(TableShape { name: entity.name.to_string(), columns, primary_key, unique, indexes })
}

/// Whether a key or index over all rows begins with the field.
fn is_led_by(entity: &EntitySchema, field: u16) -> bool {
    entity.primary_key.first() == Some(&field)
        || entity.unique.iter().any(|key| key.filter.is_none() && key.fields.first() == Some(&field))
        || entity.indexes.iter().any(|index| {
            index.filter.is_none() && index.fields.first().is_some_and(|(first, _)| *first == field)
        })
}

fn column(schema: &Schema, field: &FieldSchema) -> Result<ColumnShape, String> {
    let references = reference(schema, field)?;
    let default = constant(field);
    let mut sql = format!("{} {}", quoted(&field.name), column_type(&field.ty));
    if !field.optional {
        sql.push_str(" NOT NULL");
        if let Some(default) = &default {
            // Only for rows that exist when the column is added: the engine gives every value of a new row.
            sql.push_str(&format!(" DEFAULT {default}"));
        }
    }
    if let Some(references) = &references {
        sql.push_str(&format!(" REFERENCES {references}"));
    }
    Ok(ColumnShape {
        name: field.name.to_string(),
        ty: field.ty.to_string(),
        optional: field.optional,
        addable: field.optional || (default.is_some() && references.is_none()),
        references,
        sql,
    })
}

fn reference(schema: &Schema, field: &FieldSchema) -> Result<Option<String>, String> {
    let Some(reference) = field.references else { return Ok(None) };
    let lost = || format!("`{}` references a field that does not exist", field.name);
    let other = schema.entities.get(usize::from(reference.entity)).ok_or_else(lost)?;
    let key = other.fields.get(usize::from(reference.field)).ok_or_else(lost)?;
    let alone = [reference.field];
    let is_key = other.primary_key == alone
        || other.unique.iter().any(|unique| unique.filter.is_none() && unique.fields == alone);
    if !is_key {
        return Err(format!("`{}` references `{}.{}`, which is no key", field.name, other.name, key.name));
    }
    let action = match reference.on_delete {
        OnDelete::Restrict => "RESTRICT",
        OnDelete::Cascade => "CASCADE",
        OnDelete::SetNull => "SET NULL",
    };
    Ok(Some(format!("{} ({}) ON DELETE {action}", quoted(&other.name), quoted(&key.name))))
}

/// Name and SQL of an index. The name says all that it is, so that two are alike exactly when their names are.
fn index(
    schema: &Schema,
    id: EntityId,
    entity: &EntitySchema,
    fields: &[(String, bool)],
    filter: Option<&formwork_language::program::Condition>,
    unique: bool,
) -> Result<(String, String), String> {
    let direction = |descending: bool| if descending { " DESC" } else { "" };
    let columns: Vec<String> = fields
        .iter()
        .map(|(name, descending)| format!("{}{}", quoted(name), direction(*descending)))
        .collect();
    let plain: Vec<String> =
        fields.iter().map(|(name, descending)| format!("{name}{}", direction(*descending))).collect();
    let filter = filter.map(|filter| index_filter(schema, id, filter)).transpose()?;
    let filter = filter.map(|filter| format!(" WHERE {filter}")).unwrap_or_default();
    let kind = if unique { "unique" } else { "index" };
    let name = format!("{kind} {}({}){filter}", entity.name, plain.join(", "));
    let sql = format!(
        "CREATE {}INDEX {} ON {} ({}){filter}",
        if unique { "UNIQUE " } else { "" },
        quoted(&name),
        quoted(&entity.name),
        columns.join(", ")
    );
    Ok((name, sql))
}
