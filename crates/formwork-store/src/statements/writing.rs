//! Writing statements as SQL: rows added, changed and deleted, one by its key or many.

use super::condition;
use super::dialect::{Dialect, quoted};
use super::encode::Encode;
use super::operand::write as write_operand;
use super::sql::{Gives, Prepared, Sql};
use formwork_language::program::{
    Condition, EntityId, EntitySchema, FieldId, FieldSchema, Operand, Schema, Statement,
};
use formwork_language::value::Value;
use formwork_model::values::Type;

/// Adds a row.
pub(super) fn insert(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    let (mut columns, mut values) = (String::new(), String::new());
    for (at, field) in (0..).zip(&sql.entity.fields) {
        columns.push_str(&format!("{}, ", quoted(&field.name)));
        let value = sql.parameter(at, Encode::As(field.ty.clone()));
        values.push_str(&format!("{value}, "));
    }
    columns.push_str("\"_version\"");
    values.push('1');
    sql.text = dialect.insert(&quoted(&sql.entity.name), &columns, &values);
    sql.finish(Gives::Touched)
}

/// Changes the row with a given primary key.
pub(super) fn update_by_key(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
    fields: &[FieldId],
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    sql.text = format!("UPDATE {} SET ", quoted(&sql.entity.name));
    for (at, field) in (0..).zip(fields) {
        let column = sql.column(*field);
        let value = sql.parameter(at, sql.beside_field(*field));
        sql.text.push_str(&format!("{column} = {value}, "));
    }
    sql.text.push_str("\"_version\" = \"_version\" + 1 WHERE ");
    sql.push_key(fields.len() as u16);
    sql.finish(Gives::Touched)
}

/// Deletes the row with a given primary key.
pub(super) fn delete_by_key(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    sql.text = format!("DELETE FROM {} WHERE ", quoted(&sql.entity.name));
    sql.push_key(0);
    sql.finish(Gives::Touched)
}

/// Which of the rows that fit a statement takes.
#[derive(Clone, Copy)]
pub(super) enum Chosen {
    /// All, or so many in the order of the primary key.
    UpTo(Option<u32>),
    /// Those of a batch.
    Between(Bounds),
}

/// Where a batch of an update begins and ends: whether it lies behind a key, and whether it reaches to one. The keys'
/// values are the parameters from `first` on, those of the beginning before those of the end.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    first: u16,
    after: bool,
    upto: bool,
}

/// Changes every row that fits.
pub(super) fn update_where(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
    assignments: &[(FieldId, Operand)],
    filter: Option<&Condition>,
    chosen: Chosen,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    sql.text = format!("UPDATE {} SET ", quoted(&sql.entity.name));
    for (field, operand) in assignments {
        let column = sql.column(*field);
        let encode = sql.beside_field(*field);
        let value = write_operand(&mut sql, operand, &encode);
        sql.text.push_str(&format!("{column} = {value}, "));
    }
    sql.text.push_str("\"_version\" = \"_version\" + 1");
    match chosen {
        Chosen::Between(bounds) => push_bounded(&mut sql, filter, bounds),
        Chosen::UpTo(limit) => push_chosen(&mut sql, filter, limit),
    }
    if must_look_back(sql.entity, assignments) {
        let all: Vec<FieldId> = (0..).take(sql.entity.fields.len()).collect();
        let columns = sql.columns(&all);
        sql.text.push_str(&format!(" RETURNING {columns}"));
        let gives = Gives::Rows(sql.entity.fields.iter().map(|field| field.ty.clone()).collect());
        return sql.finish(gives);
    }
    sql.finish(Gives::Touched)
}

/// The statements of an update that works in batches, in the order of the primary key: so each row is met once,
/// whether or not it still fits when it is changed.
#[derive(Debug)]
pub(crate) struct Batch {
    /// How many parameters of the program's statement are used; the keys follow them.
    pub(crate) parameters: u16,
    /// The key of the last row of a full batch: from the beginning, and behind a key.
    pub(crate) last: [Prepared; 2],
    /// The update: from the beginning and behind a key, each to the end and up to a key.
    pub(crate) update: [[Prepared; 2]; 2],
}

/// The statements of a batch, for an update that has a limit.
pub(super) fn batch(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    statement: &Statement,
    prepared: &Prepared,
) -> Result<Option<Batch>, String> {
    let Statement::UpdateWhere { entity, assignments, filter, limit: Some(limit) } = statement else {
        return Ok(None);
    };
    let first = prepared.binds.iter().map(|(parameter, _)| parameter + 1).max().unwrap_or(0);
    let filter = filter.as_ref();
    let last = |after| -> Result<Prepared, String> {
        let mut sql = Sql::new(dialect, schema, *entity)?;
        let entity = sql.entity;
        let key = sql.columns(&entity.primary_key);
        sql.text = format!("SELECT {key} FROM {}", quoted(&entity.name));
        push_bounded(&mut sql, filter, Bounds { first, after, upto: false });
        sql.text.push_str(&format!(" ORDER BY {key} LIMIT 1 OFFSET {}", limit.saturating_sub(1)));
        let types = entity.primary_key.iter().filter_map(|field| sql.field(*field));
        let gives = Gives::Rows(types.map(|field| field.ty.clone()).collect());
        sql.finish(gives)
    };
    let update = |after, upto| {
        let chosen = Chosen::Between(Bounds { first, after, upto });
        update_where(dialect, schema, *entity, assignments, filter, chosen)
    };
    Ok(Some(Batch {
        parameters: first,
        last: [last(false)?, last(true)?],
        update: [[update(false, false)?, update(false, true)?], [update(true, false)?, update(true, true)?]],
    }))
}

/// `WHERE` a filter and between two keys.
fn push_bounded(sql: &mut Sql<'_>, filter: Option<&Condition>, bounds: Bounds) {
    sql.push_filter(filter);
    let mut between = if filter.is_some() { " AND " } else { " WHERE " };
    let key = &sql.entity.primary_key;
    let columns = sql.columns(key);
    let mut first = bounds.first;
    for (wanted, sign) in [(bounds.after, ">"), (bounds.upto, "<=")] {
        if !wanted {
            continue;
        }
        let values: Vec<String> = (first..)
            .zip(key)
            .map(|(parameter, field)| sql.parameter(parameter, sql.beside_field(*field)))
            .collect();
        sql.text.push_str(&format!("{between}({columns}) {sign} ({})", values.join(", ")));
        first += key.len() as u16;
        between = " AND ";
    }
}

/// Whether what an update computed has to be tested against the rules of its fields: they are known only in SQL.
fn must_look_back(entity: &EntitySchema, assignments: &[(FieldId, Operand)]) -> bool {
    assignments.iter().any(|(field, _)| {
        entity.fields.get(usize::from(*field)).is_some_and(|field| {
            let rules = &field.rules;
            matches!(field.ty, Type::Decimal { .. } | Type::Enum(_))
                || rules.min.is_some()
                || rules.max.is_some()
                || rules.length != (None, None)
                || rules.items != (None, None)
                || rules.one_of.is_some()
                || rules.pattern.is_some()
        })
    })
}

/// `WHERE …`, or with a limit `WHERE key IN (SELECT key … LIMIT …)`.
fn push_chosen(sql: &mut Sql<'_>, filter: Option<&Condition>, limit: Option<u32>) {
    let Some(limit) = limit else {
        sql.push_filter(filter);
        return;
    };
    let entity = sql.entity;
    let key = sql.columns(&entity.primary_key);
    sql.text.push_str(&format!(" WHERE ({key}) IN (SELECT {key} FROM {}", quoted(&entity.name)));
    sql.push_filter(filter);
    sql.text.push_str(&format!(" ORDER BY {key} LIMIT {limit})"));
}

/// Deletes every row that fits, or the rows at the end of a chain of cascading references from those.
pub(super) fn delete_where(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
    filter: Option<&Condition>,
    limit: Option<u32>,
    through: &[(EntityId, FieldId)],
) -> Result<Prepared, String> {
    let mut inner = Sql::new(dialect, schema, entity)?;
    let Some((last, _)) = through.last() else {
        inner.text = format!("DELETE FROM {}", quoted(&inner.entity.name));
        push_chosen(&mut inner, filter, limit);
        return inner.finish(Gives::Touched);
    };
    // From the inside out: the keys of the rows that fit, then of their children, and so on.
    inner.push_filter(filter);
    let table = schema.entities.get(usize::from(entity)).ok_or("there is no such entity")?;
    let (mut from, mut chosen) = (table, inner.text.clone());
    for (child, field) in through {
        let table = schema.entities.get(usize::from(*child)).ok_or("there is no such entity")?;
        let field = table.fields.get(usize::from(*field)).ok_or("there is no such field")?;
        let reference = field.references.ok_or("a chain of cascades has a field that references nothing")?;
        let key = from.fields.get(usize::from(reference.field)).ok_or("there is no such field")?;
        chosen = format!(
            " WHERE {} IN (SELECT {} FROM {}{chosen})",
            quoted(&field.name),
            quoted(&key.name),
            quoted(&from.name)
        );
        from = table;
    }
    let keys = |entity: &EntitySchema| {
        let names = entity.primary_key.iter().filter_map(|field| entity.fields.get(usize::from(*field)));
        names.map(|field| quoted(&field.name)).collect::<Vec<_>>().join(", ")
    };
    let (name, keys) = (quoted(&from.name), keys(from));
    inner.text = match limit {
        None => format!("DELETE FROM {name}{chosen}"),
        Some(limit) => format!(
            "DELETE FROM {name} WHERE ({keys}) IN (SELECT {keys} FROM {name}{chosen} ORDER BY {keys} LIMIT {limit})"
        ),
    };
    inner.entity_id = *last;
    inner.finish(Gives::Touched)
}

/// A condition without parameters, for an index.
pub(crate) fn index_filter(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
    filter: &Condition,
) -> Result<String, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    sql.text = condition::write(&mut sql, filter);
    if !sql.binds.is_empty() {
        return Err("the condition of an index has parameters".into());
    }
    Ok(sql.finish(Gives::Touched)?.sql)
}

/// A constant that a new column starts with, as a literal; nothing for expressions that are no constants.
pub(crate) fn constant(dialect: &dyn Dialect, field: &FieldSchema) -> Option<String> {
    use formwork_language::expression::Expression;
    let Some(Expression::Constant(value)) = &field.default else { return None };
    if matches!(value, Value::Absent | Value::Null) {
        return None;
    }
    let value = formwork_engine::fit(value.clone(), &field.ty).ok()?;
    dialect.literal(&value, &Encode::As(field.ty.clone())).ok()
}
