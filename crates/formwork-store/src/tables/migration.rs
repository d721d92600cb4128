//! Which statements bring the tables of a database to those of the document when that only adds; else what differs.
//! Source: language reference, *What running means*, last item.

use super::shape::{TableShape, shapes};
use crate::statements::{Dialect, quoted};
use crate::system::create_missing;
use formwork_language::program::Schema;
use serde_json::Value as Json;

/// The format of the store's own tables and of the way values are kept.
pub(crate) const FORMAT: i64 = 1;

/// What a database holds before it is brought to a document's tables.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The names of its tables.
    pub(crate) tables: Vec<String>,
    /// What its own record says of the format.
    pub(crate) format: Option<String>,
    /// What its own record says of the document's tables.
    pub(crate) schema: Option<String>,
}

/// What is to be done, in one transaction; nothing when there are no statements.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The statements in order.
    pub(crate) statements: Vec<String>,
    /// What the record is to say of the document's tables; written after the statements.
    pub(crate) schema: Option<String>,
}

/// Why a database is not brought to a document's tables. Nothing was changed.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// Its tables are not Formwork's.
    Foreign,
    /// A later version of Formwork wrote it.
    Newer(i64),
    /// It keeps the rows of a document that shares no table with this one.
    OtherDocument(Vec<String>),
    /// Each line says what would lose or invent data.
    Changed(Vec<String>),
    /// The document's tables cannot be made at all.
    Impossible(String),
}

/// Plans the way from what a database holds to the tables of a document.
pub(crate) fn plan(dialect: &'static dyn Dialect, schema: &Schema, found: &Found) -> Result<Plan, Misfit> {
    let wanted = shapes(dialect, schema).map_err(Misfit::Impossible)?;
    let known = known(found)?;
    let mut statements = create_missing(dialect, &found.tables);
    match &known {
        None => statements.extend(create_all(dialect, schema, &wanted)),
        Some(known) => statements.extend(additions(dialect, schema, known, &wanted)?),
    }
    let record: Vec<Json> = wanted.iter().map(TableShape::to_json).collect();
    // A type may have grown without a statement.
    let schema = (known.as_ref() != Some(&record)).then(|| Json::from(record).to_string());
    Ok(Plan { statements, schema })
}

/// The record of the tables; nothing in a new database.
fn known(found: &Found) -> Result<Option<Vec<Json>>, Misfit> {
    if found.tables.is_empty() {
        return Ok(None);
    }
    match found.format.as_ref().and_then(|text| text.parse::<i64>().ok()) {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => return Err(Misfit::Newer(newer)),
        _ => return Err(Misfit::Foreign),
    }
    let record = found.schema.as_ref().and_then(|text| serde_json::from_str(text).ok());
    record.map(Some).ok_or(Misfit::Foreign)
}

fn create_all(dialect: &dyn Dialect, schema: &Schema, wanted: &[TableShape]) -> Vec<String> {
    let tables = wanted.iter().zip(&schema.entities);
    let constraints = wanted.iter().flat_map(|table| &table.columns).filter_map(|one| one.constraint.clone());
    tables.flat_map(|(table, entity)| table.create(dialect, entity)).chain(constraints).collect()
}

/// The statements that add what is new, or why they do not suffice.
fn additions(
    dialect: &dyn Dialect,
    schema: &Schema,
    known: &[Json],
    wanted: &[TableShape],
) -> Result<Vec<String>, Misfit> {
    let mut change = Change { dialect, plan: Vec::new(), last: Vec::new(), differences: Vec::new() };
    let gone: Vec<&str> = known
        .iter()
        .map(|before| text(before, "name"))
        .filter(|name| !wanted.iter().any(|table| table.name == *name))
        .collect();
    if !known.is_empty() && gone.len() == known.len() {
        return Err(Misfit::OtherDocument(gone.into_iter().map(str::to_owned).collect()));
    }
    change.differences.extend(gone.iter().map(|name| format!("`{name}` is gone from the document")));
    for (table, entity) in wanted.iter().zip(&schema.entities) {
        match known.iter().find(|before| text(before, "name") == table.name) {
            None => {
                change.plan.extend(table.create(dialect, entity));
                change.last.extend(table.columns.iter().filter_map(|column| column.constraint.clone()));
            }
            Some(before) => change.compare(before, table),
        }
    }
    if !change.differences.is_empty() {
        return Err(Misfit::Changed(change.differences));
    }
    change.plan.append(&mut change.last);
    Ok(change.plan)
}

/// A change under way.
struct Change<'d> {
    dialect: &'d dyn Dialect,
    plan: Vec<String>,
    /// What has to wait until every table is there.
    last: Vec<String>,
    differences: Vec<String>,
}

impl Change<'_> {
    fn compare(&mut self, before: &Json, table: &TableShape) {
        let name = &table.name;
        if names(before, "primary_key") != table.primary_key {
            self.differences.push(format!("the primary key of `{name}` is another"));
        }
        let columns = before["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
        for column in columns {
            let field = text(column, "name");
            if !table.columns.iter().any(|now| now.name == field) {
                self.differences.push(format!("`{name}.{field}` is gone from the document"));
            }
        }
        for now in &table.columns {
            let field = &now.name;
            let Some(column) = columns.iter().find(|column| text(column, "name") == *field) else {
                if now.addable {
                    self.plan.push(format!("ALTER TABLE {} ADD COLUMN {}", quoted(name), now.sql));
                    self.last.extend(now.constraint.clone());
                } else {
                    self.differences.push(format!(
                        "`{name}.{field}` is new and required, and rows that exist have no value for it"
                    ));
                }
                continue;
            };
            let was = text(column, "type");
            if !is_wider(was, &now.ty) {
                self.differences.push(format!("`{name}.{field}` was `{was}` and is `{}` now", now.ty));
            }
            if column["optional"].as_bool() != Some(now.optional) {
                let (was, is) =
                    if now.optional { ("required", "optional") } else { ("optional", "required") };
                self.differences.push(format!("`{name}.{field}` was {was} and is {is} now"));
            }
            if column["references"].as_str() != now.references.as_deref() {
                self.differences.push(format!("what `{name}.{field}` references has changed"));
            }
        }
        self.compare_indexes(before, table);
    }

    fn compare_indexes(&mut self, before: &Json, table: &TableShape) {
        let unique = names(before, "unique");
        for (name, _) in table.unique.iter().filter(|(name, _)| !unique.contains(name)) {
            self.differences.push(format!("`{}` has a new key: {name}", table.name));
        }
        for name in unique.iter().filter(|name| !table.unique.iter().any(|(now, _)| now == *name)) {
            self.differences.push(format!("`{}` has lost a key: {name}", table.name));
        }
        let indexes = names(before, "indexes");
        let dropped = indexes.iter().filter(|name| !table.indexes.iter().any(|(now, _)| now == *name));
        self.plan
            .extend(dropped.map(|name| format!("DROP INDEX {}", quoted(&self.dialect.identifier(name)))));
        let added = table.indexes.iter().filter(|(name, _)| !indexes.contains(name));
        self.plan.extend(added.map(|(_, sql)| sql.clone()));
    }
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
