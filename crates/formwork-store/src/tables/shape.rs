//! Tables as SQL: every identifier quoted, the document's names as they are.
//!
//! What a field's rules say is tested by the engine and not repeated as CHECK.

use crate::statements::{Dialect, constant, index_filter, quoted};
use formwork_language::program::{EntityId, EntitySchema, FieldSchema, Schema};
use formwork_model::facts::OnDelete;
use formwork_model::values::Type;
use serde_json::{Value as Json, json};

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
    /// What must hold over several fields of a row, as written.
    pub(crate) checks: Vec<String>,
    /// Intervals that must not overlap, as written.
    pub(crate) overlaps: Vec<String>,
    /// What must hold over groups of its rows, as written.
    pub(crate) invariants: Vec<String>,
}

/// A column of a [`TableShape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnShape {
    pub(crate) name: String,
    /// The type in the notation of the form.
    pub(crate) ty: String,
    pub(crate) optional: bool,
    /// What must hold of a value, in words that are alike exactly when the rules are; empty for nothing.
    pub(crate) rules: String,
    /// From what it is computed.
    pub(crate) computed: Option<String>,
    /// Whether its digest is kept.
    pub(crate) secret: bool,
    /// The reference as SQL.
    pub(crate) references: Option<String>,
    /// The reference as a statement of its own, where it cannot stand in the table.
    pub(crate) constraint: Option<String>,
    /// The column as it stands in `CREATE TABLE` or `ADD COLUMN`.
    pub(crate) sql: String,
    /// Whether rows that exist can take the column: it may be null or has a constant default.
    pub(crate) addable: bool,
}

/// The shapes of all tables.
pub(crate) fn shapes(dialect: &'static dyn Dialect, schema: &Schema) -> Result<Vec<TableShape>, String> {
    (0..).zip(&schema.entities).map(|(at, entity)| table(&Cx { dialect, schema }, at, entity)).collect()
}

/// What every table is made from.
struct Cx<'s> {
    dialect: &'static dyn Dialect,
    schema: &'s Schema,
}

/// The name of the constraint that a primary key is.
pub(crate) fn key_name(entity: &EntitySchema) -> String {
    format!("key {}", entity.name)
}

/// The name of the constraint that a reference is.
pub(crate) fn reference_name(entity: &EntitySchema, field: &FieldSchema) -> String {
    format!("reference {}.{}", entity.name, field.name)
}

/// The name of a unique key without the rows that it covers; see [`TableShape::unique`].
pub(crate) fn unique_name(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    id: EntityId,
    entity: &EntitySchema,
    key: &formwork_language::program::UniqueKey,
) -> Result<String, String> {
    let names = key.fields.iter().filter_map(|field| entity.fields.get(usize::from(*field)));
    let keyed: Vec<(&FieldSchema, bool)> = names.map(|field| (field, false)).collect();
    index(&Cx { dialect, schema }, id, entity, &keyed, key.filter.as_ref(), true).map(|(name, _)| name)
}

impl TableShape {
    /// `CREATE TABLE` and its indexes.
    pub(crate) fn create(&self, dialect: &dyn Dialect, entity: &EntitySchema) -> Vec<String> {
        let indexes = self.unique.iter().chain(&self.indexes).map(|(_, sql)| sql.clone());
        std::iter::once(self.create_table(dialect, entity)).chain(indexes).collect()
    }

    /// `CREATE TABLE` alone.
    pub(crate) fn create_table(&self, dialect: &dyn Dialect, entity: &EntitySchema) -> String {
        let mut parts: Vec<String> = self.columns.iter().map(|column| column.sql.clone()).collect();
        parts.push(format!("\"_version\" {} NOT NULL DEFAULT 1", dialect.column_type(&Type::Integer)));
        let key: Vec<String> = self.primary_key.iter().map(|name| quoted(name)).collect();
        let name = quoted(&dialect.identifier(&key_name(entity)));
        parts.push(format!("CONSTRAINT {name} PRIMARY KEY ({})", key.join(", ")));
        let end = dialect.table_end(entity);
        format!("CREATE TABLE {} ({}){end}", quoted(&self.name), parts.join(", "))
    }

    /// For the database's own record.
    pub(crate) fn to_json(&self) -> Json {
        let columns: Vec<Json> = self
            .columns
            .iter()
            .map(|column| {
                let mut json = json!({
                    "name": column.name,
                    "type": column.ty,
                    "optional": column.optional,
                    "references": column.references,
                });
                if !column.rules.is_empty() {
                    json["rules"] = Json::from(column.rules.as_str());
                }
                if let Some(computed) = &column.computed {
                    json["computed"] = Json::from(computed.as_str());
                }
                if column.secret {
                    json["secret"] = Json::from(true);
                }
                json
            })
            .collect();
        let names = |indexes: &[(String, String)]| -> Vec<Json> {
            indexes.iter().map(|(name, _)| Json::from(name.as_str())).collect()
        };
        let mut json = json!({
            "name": self.name,
            "columns": columns,
            "primary_key": self.primary_key,
            "unique": names(&self.unique),
            "indexes": names(&self.indexes),
        });
        for (name, rules) in
            [("checks", &self.checks), ("overlaps", &self.overlaps), ("invariants", &self.invariants)]
        {
            if !rules.is_empty() {
                json[name] = rules.iter().map(|rule| Json::from(rule.as_str())).collect();
            }
        }
        json
    }
}

fn table(cx: &Cx<'_>, id: EntityId, entity: &EntitySchema) -> Result<TableShape, String> {
    let field_of = |field: u16| {
        let found = entity.fields.get(usize::from(field));
        found.ok_or_else(|| format!("`{}` has no field {field}", entity.name))
    };
    let columns = entity.fields.iter().map(|field| column(cx, entity, field)).collect::<Result<_, _>>()?;
    let primary_key = entity
        .primary_key
        .iter()
        .map(|field| field_of(*field).map(|field| field.name.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut unique = Vec::new();
    for key in &entity.unique {
        let fields = key
            .fields
            .iter()
            .map(|field| Ok((field_of(*field)?, false)))
            .collect::<Result<Vec<_>, String>>()?;
        unique.push(index(cx, id, entity, &fields, key.filter.as_ref(), true)?);
    }
    let mut indexes = Vec::new();
    for plain in &entity.indexes {
        let fields = plain
            .fields
            .iter()
            .map(|(field, descending)| Ok((field_of(*field)?, *descending)))
            .collect::<Result<Vec<_>, String>>()?;
        indexes.push(index(cx, id, entity, &fields, plain.filter.as_ref(), false)?);
    }
    for (at, field) in (0_u16..).zip(&entity.fields) {
        if field.references.is_some() && !is_led_by(entity, at) {
            // Deleting the other row looks these up.
            indexes.push(index(cx, id, entity, &[(field, false)], None, false)?);
        }
    }
    for list in [&mut unique, &mut indexes] {
        list.sort();
        list.dedup();
    }
    let checks = entity.rules.checks.iter().map(|check| check.text.to_string()).collect();
    let overlaps = entity.rules.overlaps.iter().map(|overlap| overlap.text.to_string()).collect();
    let name = entity.name.to_string();
    let invariants = cx.schema.invariants.iter().filter(|one| one.entity == id && one.quota.is_none());
    let invariants = invariants.map(|invariant| invariant.text.to_string()).collect();
    Ok(TableShape { name, columns, primary_key, unique, indexes, checks, overlaps, invariants })
}

/// Whether a key or index over all rows begins with the field.
fn is_led_by(entity: &EntitySchema, field: u16) -> bool {
    entity.primary_key.first() == Some(&field)
        || entity.unique.iter().any(|key| key.filter.is_none() && key.fields.first() == Some(&field))
        || entity.indexes.iter().any(|index| {
            index.filter.is_none() && index.fields.first().is_some_and(|(first, _)| *first == field)
        })
}

fn column(cx: &Cx<'_>, entity: &EntitySchema, field: &FieldSchema) -> Result<ColumnShape, String> {
    let references = reference(cx.schema, field)?;
    let default = constant(cx.dialect, field);
    let at = entity.fields.iter().position(|other| other.name == field.name);
    let computed = entity.rules.computed.iter().find(|computed| Some(usize::from(computed.field)) == at);
    let mut sql = format!("{} {}", quoted(&field.name), cx.dialect.column_type(&field.ty));
    // A computed field that is new has its value only when the rows that exist are computed.
    if !field.optional && !field.computed {
        sql.push_str(" NOT NULL");
        if let Some(default) = &default {
            // Only for rows that exist when the column is added: the engine gives every value of a new row.
            sql.push_str(&format!(" DEFAULT {default}"));
        }
    }
    let mut constraint = None;
    if let Some(references) = &references {
        if cx.dialect.references_early() {
            sql.push_str(&format!(" REFERENCES {references}"));
        } else {
            constraint = Some(format!(
                "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {references}",
                quoted(&entity.name),
                quoted(&cx.dialect.identifier(&reference_name(entity, field))),
                quoted(&field.name)
            ));
        }
    }
    Ok(ColumnShape {
        name: field.name.to_string(),
        ty: field.ty.to_string(),
        optional: field.optional,
        rules: rules(field),
        computed: computed.map(|computed| computed.text.to_string()),
        secret: field.secret,
        addable: field.optional || field.computed || (default.is_some() && references.is_none()),
        references,
        constraint,
        sql,
    })
}

/// The rules of a field's value in words; empty for none.
fn rules(field: &FieldSchema) -> String {
    let rules = format!("{:?}", field.rules);
    if rules == format!("{:?}", formwork_language::constraint::FieldRules::default()) {
        return String::new();
    }
    rules
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
    cx: &Cx<'_>,
    id: EntityId,
    entity: &EntitySchema,
    fields: &[(&FieldSchema, bool)],
    filter: Option<&formwork_language::program::Condition>,
    unique: bool,
) -> Result<(String, String), String> {
    let columns: Vec<String> = fields
        .iter()
        .map(|(field, descending)| {
            format!("{}{}", quoted(&field.name), cx.dialect.index_order(*descending, field.optional))
        })
        .collect();
    let plain: Vec<String> = fields
        .iter()
        .map(|(field, descending)| format!("{}{}", field.name, if *descending { " DESC" } else { "" }))
        .collect();
    let filter = filter.map(|filter| index_filter(cx.dialect, cx.schema, id, filter)).transpose()?;
    let filter = filter.map(|filter| format!(" WHERE {filter}")).unwrap_or_default();
    let kind = if unique { "unique" } else { "index" };
    let name = format!("{kind} {}({}){filter}", entity.name, plain.join(", "));
    let sql = format!(
        "CREATE {}INDEX {} ON {} ({}){filter}",
        if unique { "UNIQUE " } else { "" },
        quoted(&cx.dialect.identifier(&name)),
        quoted(&entity.name),
        columns.join(", ")
    );
    Ok((name, sql))
}
