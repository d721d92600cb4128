//! Reading statements as SQL: rows in an order, counts, aggregates.

use super::condition;
use super::dialect::{Dialect, quoted};
use super::encode::Encode;
use super::operand::rank_of;
use super::sql::{Gives, Prepared, Sql};
use formwork_language::program::{
    Aggregate, Condition, EntityId, FieldId, FieldSchema, Limit, Query, QueryColumn, Schema, Select,
};
use formwork_model::values::Type;
use std::sync::Arc;

fn select_from(sql: &mut Sql<'_>) -> Gives {
    sql.text.push_str("SELECT ");
    for field in &sql.entity.fields {
        sql.text.push_str(&quoted(&field.name));
        sql.text.push_str(", ");
    }
    sql.text.push_str(&format!("\"_version\" FROM {}", quoted(&sql.entity.name)));
    Gives::Rows(sql.entity.fields.iter().map(|field| field.ty.clone()).collect())
}

/// The row with a given primary key.
pub(super) fn by_key(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    let gives = select_from(&mut sql);
    sql.text.push_str(" WHERE ");
    sql.push_key(0);
    sql.finish(gives)
}

/// The document's own text, bounded: each column by its name, and one row more than a list may have.
pub(super) fn query(dialect: &'static dyn Dialect, query: &Query) -> Prepared {
    let column = |column: &QueryColumn| {
        let name = quoted(&column.name);
        format!("{} AS {name}, ", dialect.query_column(&format!("\"_q\".{name}"), &column.ty))
    };
    let columns: String = query.columns.iter().map(column).collect();
    let most = formwork_engine::MAX_ROWS_READ + 1;
    let text = dialect.query(query);
    Prepared {
        sql: format!(
            "SELECT {columns}CAST(0 AS BIGINT) AS \"_version\" FROM (\n{text}\n) AS \"_q\" LIMIT {most}"
        ),
        binds: (0..).zip(query.parameters.iter().cloned().map(Encode::As)).collect(),
        gives: Gives::Rows(query.columns.iter().map(|column| column.ty.clone()).collect()),
        entity: query.reads.first().copied().unwrap_or_default(),
    }
}

/// The number of rows.
pub(super) fn count(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
    filter: Option<&Condition>,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    sql.text = format!("SELECT count(*) FROM {}", quoted(&sql.entity.name));
    sql.push_filter(filter);
    sql.finish(Gives::Value(Type::Integer))
}

/// Whether there is a row.
pub(super) fn exists(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    entity: EntityId,
    filter: Option<&Condition>,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    sql.text = format!("SELECT EXISTS (SELECT 1 FROM {}", quoted(&sql.entity.name));
    sql.push_filter(filter);
    sql.text.push(')');
    sql.finish(Gives::Value(Type::Boolean))
}

/// Whole rows.
pub(super) fn select(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    select: &Select,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, select.entity)?;
    let gives = select_from(&mut sql);
    sql.push_filter(select.filter.as_ref());
    if let Some(after) = select.after {
        sql.text.push_str(if select.filter.is_some() { " AND " } else { " WHERE " });
        push_after(&mut sql, &select.order, after);
    }
    for (at, (field, descending)) in select.order.iter().enumerate() {
        sql.text.push_str(if at == 0 { " ORDER BY " } else { ", " });
        let key = sort_key(&mut sql, *field);
        let optional = sql.field(*field).is_some_and(|field| field.optional);
        sql.text.push_str(&key);
        sql.text.push_str(dialect.order(*descending, optional));
    }
    let limit = match select.limit {
        Limit::Rows(rows) => rows.to_string(),
        Limit::Parameter(parameter) => sql.parameter(parameter, Encode::Limit),
    };
    sql.text.push_str(&format!(" LIMIT {limit}{}", dialect.lock(select.lock)));
    sql.finish(gives)
}

fn sort_key(sql: &mut Sql<'_>, field: FieldId) -> String {
    match sql.field(field) {
        Some(FieldSchema { name, ty: Type::Enum(order), .. }) => rank_of(sql, &quoted(name), order),
        _ => sql.column(field),
    }
}

/// The rows behind a given one: `a1 AND (b1 OR (e1 AND (b2 OR (e2 AND b3))))`, where `b` is *behind in this
/// column*, `e` *equal*, and `a1` bounds the first column, so that its index is entered at the right place.
fn push_after(sql: &mut Sql<'_>, order: &[(FieldId, bool)], first: u16) {
    let mut open = 0;
    for (at, (field, descending)) in (0..).zip(order) {
        let Some(found) = sql.field(*field) else {
            sql.fail(format!("there is no field {field}"));
            return;
        };
        let encode = match &found.ty {
            Type::Enum(order) => Encode::Rank(Arc::clone(order)),
            ty => Encode::As(ty.clone()),
        };
        let optional = found.optional;
        let key = sort_key(sql, *field);
        let value = sql.parameter(first + at, encode);
        let behind = if *descending { "<" } else { ">" };
        if at == 0 && !optional {
            sql.text.push_str(&format!("({key} {behind}= {value} AND "));
            open += 1;
        }
        sql.text.push('(');
        if optional {
            // Behind a value come larger ones and then nulls; behind a null nothing.
            sql.text
                .push_str(&format!("(({key} {behind} {value}) OR ({key} IS NULL AND {value} IS NOT NULL))"));
        } else {
            sql.text.push_str(&format!("{key} {behind} {value}"));
        }
        open += 1;
        if usize::from(at) + 1 < order.len() {
            let same = if optional { sql.dialect.same() } else { "=" };
            sql.text.push_str(&format!(" OR ({key} {same} {value} AND "));
            open += 1;
        }
    }
    sql.text.extend(std::iter::repeat_n(')', open));
}

/// One value computed over rows.
pub(super) fn aggregate(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    function: Aggregate,
    (entity, field): (EntityId, FieldId),
    filter: Option<&Condition>,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(dialect, schema, entity)?;
    let found = sql.field(field).ok_or("there is no such field")?;
    let extreme = matches!(function, Aggregate::Smallest | Aggregate::Largest);
    if extreme && (matches!(found.ty, Type::Enum(_)) || !dialect.has_extremes(&found.ty)) {
        return first_in_order(sql, function, field, filter);
    }
    let (computed, gives) = dialect.aggregate(function, &quoted(&found.name), &found.ty);
    sql.text = format!("SELECT {computed} FROM {}", quoted(&sql.entity.name));
    sql.push_filter(filter);
    sql.finish(gives)
}

fn first_in_order(
    mut sql: Sql<'_>,
    function: Aggregate,
    field: FieldId,
    filter: Option<&Condition>,
) -> Result<Prepared, String> {
    let ty = sql.field(field).map(|field| field.ty.clone()).ok_or("there is no such field")?;
    let column = sql.column(field);
    let filter = filter.map(|filter| format!(" AND {}", condition::write(&mut sql, filter)));
    let key = sort_key(&mut sql, field);
    let direction = if function == Aggregate::Largest { " DESC" } else { "" };
    sql.text = format!(
        "SELECT (SELECT {column} FROM {} WHERE {column} IS NOT NULL{} ORDER BY {key}{direction} LIMIT 1)",
        quoted(&sql.entity.name),
        filter.unwrap_or_default()
    );
    sql.finish(Gives::Value(ty))
}
