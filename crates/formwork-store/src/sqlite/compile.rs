//! Statements as SQL: each is compiled once, with how its parameters are written and its columns are read.

use super::condition;
use super::operand::{beside, push as push_operand, push_rank};
use super::schema::quoted;
use super::values::{Encode, literal};
use formwork_language::program::{
    Aggregate, Condition, EntityId, EntitySchema, FieldId, FieldSchema, Limit, Operand, Program, Schema,
    Select, Statement, StatementId,
};
use formwork_language::value::Value;
use formwork_model::values::Type;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A statement as SQL.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Its text.
    pub(crate) sql: String,
    /// For each parameter of the SQL in order: which parameter of the statement, and how it is written.
    pub(crate) binds: Vec<(u16, Encode)>,
    /// What it gives.
    pub(crate) gives: Gives,
    /// The table.
    pub(crate) entity: EntityId,
}

/// What a statement gives.
#[derive(Debug)]
pub(crate) enum Gives {
    /// Rows: the types of all fields, then the version.
    Rows(Arc<[Type]>),
    /// One value of a type.
    Value(Type),
    /// One decimal whose units come as text, and its scale.
    Units(u8),
    /// The number of rows touched.
    Touched,
}

/// Every statement of a program, those that the store needs itself behind them.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) statements: Vec<Prepared>,
    /// For updates that work in batches: their statements.
    pub(crate) batches: FxHashMap<StatementId, Batch>,
    /// The first of the statements that read a row again, one per entity.
    pub(crate) reread: usize,
    /// The statement that appends to the outbox has this place in a connection's statements.
    pub(crate) emit: usize,
}

impl Compiled {
    /// Compiles a program; the text of what does not compile is a fault of ours.
    pub(crate) fn new(program: &Program) -> Result<Self, String> {
        let schema = &program.schema;
        let mut statements =
            program.statements.iter().map(|one| statement(schema, one)).collect::<Result<Vec<_>, _>>()?;
        let mut batches = FxHashMap::default();
        for (id, (one, prepared)) in (0..).zip(program.statements.iter().zip(&statements)) {
            if let Some(batch) = batch(schema, one, prepared)? {
                batches.insert(id, batch);
            }
        }
        let reread = statements.len();
        for entity in (0..).take(schema.entities.len()) {
            statements.push(by_key(schema, entity)?);
        }
        let emit = statements.len();
        Ok(Self { statements, batches, reread, emit })
    }
}

impl Compiled {
    /// Everything that will be prepared.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Prepared> {
        let ids = (0..).take(self.reread);
        let batches = ids.filter_map(|id: StatementId| self.batches.get(&id));
        let of_batches = batches.flat_map(|batch| batch.last.iter().chain(batch.update.iter().flatten()));
        self.statements.iter().chain(of_batches)
    }
}

/// SQL in the making, over one table.
pub(crate) struct Sql<'s> {
    pub(crate) text: String,
    schema: &'s Schema,
    entity: &'s EntitySchema,
    entity_id: EntityId,
    binds: Vec<(u16, Encode)>,
    fault: Option<String>,
}

impl<'s> Sql<'s> {
    fn new(schema: &'s Schema, entity: EntityId) -> Result<Self, String> {
        let found = schema.entities.get(usize::from(entity)).ok_or("there is no such entity")?;
        Ok(Self {
            text: String::new(),
            schema,
            entity: found,
            entity_id: entity,
            binds: Vec::new(),
            fault: None,
        })
    }

    pub(crate) fn field(&self, field: FieldId) -> Option<&'s FieldSchema> {
        self.entity.fields.get(usize::from(field))
    }

    pub(crate) fn push_field(&mut self, field: FieldId) {
        match self.field(field) {
            Some(found) => self.text.push_str(&quoted(&found.name)),
            None => self.fail(format!("there is no field {field}")),
        }
    }

    pub(crate) fn push_parameter(&mut self, parameter: u16, encode: Encode) {
        self.binds.push((parameter, encode));
        self.text.push_str(&format!("?{}", self.binds.len()));
    }

    pub(crate) fn fail(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn push_filter(&mut self, filter: Option<&Condition>) {
        if let Some(filter) = filter {
            self.text.push_str(" WHERE ");
            condition::push(self, filter);
        }
    }

    fn push_fields(&mut self, fields: &[FieldId]) {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.text.push_str(", ");
            }
            self.push_field(*field);
        }
    }

    /// `"a" = ?1 AND "b" = ?2`, with parameters from `first` on.
    fn push_key(&mut self, first: u16) {
        for (at, field) in (0..).zip(&self.entity.primary_key) {
            if at > 0 {
                self.text.push_str(" AND ");
            }
            self.push_field(*field);
            self.text.push_str(" = ");
            let ty = self.field(*field).map(|field| field.ty.clone());
            self.push_parameter(first + at, beside(ty.as_ref()));
        }
    }

    /// `WHERE` a filter and between two keys.
    fn push_bounded(&mut self, filter: Option<&Condition>, bounds: Bounds) {
        self.push_filter(filter);
        let mut between = if filter.is_some() { " AND " } else { " WHERE " };
        let key = &self.entity.primary_key;
        let mut first = bounds.first;
        for (wanted, sign) in [(bounds.after, " > "), (bounds.upto, " <= ")] {
            if !wanted {
                continue;
            }
            self.text.push_str(between);
            self.text.push('(');
            self.push_fields(key);
            self.text.push_str(&format!("){sign}("));
            for (at, field) in (0..).zip(key) {
                if at > 0 {
                    self.text.push_str(", ");
                }
                let ty = self.field(*field).map(|field| field.ty.clone());
                self.push_parameter(first + at, beside(ty.as_ref()));
            }
            self.text.push(')');
            first += key.len() as u16;
            between = " AND ";
        }
    }

    fn finish(self, gives: Gives) -> Result<Prepared, String> {
        match self.fault {
            Some(fault) => Err(format!("`{}`: {fault}", self.entity.name)),
            None => Ok(Prepared { sql: self.text, binds: self.binds, gives, entity: self.entity_id }),
        }
    }
}

/// A condition without parameters, for an index.
pub(crate) fn index_filter(schema: &Schema, entity: EntityId, filter: &Condition) -> Result<String, String> {
    let mut sql = Sql::new(schema, entity)?;
    condition::push(&mut sql, filter);
    if !sql.binds.is_empty() {
        return Err("the condition of an index has parameters".into());
    }
    Ok(sql.finish(Gives::Touched)?.sql)
}

/// Compiles one statement.
pub(crate) fn statement(schema: &Schema, statement: &Statement) -> Result<Prepared, String> {
    match statement {
        Statement::Select(select) => compile_select(schema, select),
        Statement::Count { entity, filter } => {
            let mut sql = Sql::new(schema, *entity)?;
            sql.text = format!("SELECT count(*) FROM {}", quoted(&sql.entity.name));
            sql.push_filter(filter.as_ref());
            sql.finish(Gives::Value(Type::Integer))
        }
        Statement::Exists { entity, filter } => {
            let mut sql = Sql::new(schema, *entity)?;
            sql.text = format!("SELECT EXISTS (SELECT 1 FROM {}", quoted(&sql.entity.name));
            sql.push_filter(filter.as_ref());
            sql.text.push(')');
            sql.finish(Gives::Value(Type::Boolean))
        }
        Statement::Aggregate { function, entity, field, filter } => {
            aggregate(schema, *function, *entity, *field, filter.as_ref())
        }
        Statement::Insert { entity } => insert(schema, *entity),
        Statement::UpdateByKey { entity, fields } => update_by_key(schema, *entity, fields),
        Statement::UpdateWhere { entity, assignments, filter, limit } => {
            update_where(schema, *entity, assignments, filter.as_ref(), *limit, None)
        }
        Statement::DeleteByKey { entity } => {
            let mut sql = Sql::new(schema, *entity)?;
            sql.text = format!("DELETE FROM {} WHERE ", quoted(&sql.entity.name));
            sql.push_key(0);
            sql.finish(Gives::Touched)
        }
        Statement::DeleteWhere { entity, filter, limit, through } => {
            delete_where(schema, *entity, filter.as_ref(), *limit, through)
        }
    }
}

fn select_from(sql: &mut Sql<'_>) -> Gives {
    sql.text.push_str("SELECT ");
    for field in &sql.entity.fields {
        sql.text.push_str(&quoted(&field.name));
        sql.text.push_str(", ");
    }
    sql.text.push_str(&format!("\"_version\" FROM {}", quoted(&sql.entity.name)));
    Gives::Rows(sql.entity.fields.iter().map(|field| field.ty.clone()).collect())
}

fn by_key(schema: &Schema, entity: EntityId) -> Result<Prepared, String> {
    let mut sql = Sql::new(schema, entity)?;
    let gives = select_from(&mut sql);
    sql.text.push_str(" WHERE ");
    sql.push_key(0);
    sql.finish(gives)
}

fn compile_select(schema: &Schema, select: &Select) -> Result<Prepared, String> {
    let mut sql = Sql::new(schema, select.entity)?;
    let gives = select_from(&mut sql);
    sql.push_filter(select.filter.as_ref());
    if let Some(after) = select.after {
        sql.text.push_str(if select.filter.is_some() { " AND " } else { " WHERE " });
        push_after(&mut sql, &select.order, after);
    }
    for (at, (field, descending)) in select.order.iter().enumerate() {
        sql.text.push_str(if at == 0 { " ORDER BY " } else { ", " });
        push_sort_key(&mut sql, *field);
        // Nulls are smallest in SQLite, so only the ascending order has to be told to put them last.
        let optional = sql.field(*field).is_some_and(|field| field.optional);
        sql.text.push_str(match (descending, optional) {
            (true, _) => " DESC",
            (false, true) => " ASC NULLS LAST",
            (false, false) => "",
        });
    }
    sql.text.push_str(" LIMIT ");
    match select.limit {
        Limit::Rows(rows) => sql.text.push_str(&rows.to_string()),
        Limit::Parameter(parameter) => sql.push_parameter(parameter, Encode::Limit),
    }
    sql.finish(gives)
}

fn push_sort_key(sql: &mut Sql<'_>, field: FieldId) {
    match sql.field(field) {
        Some(FieldSchema { name, ty: Type::Enum(order), .. }) => push_rank(sql, name, order),
        _ => sql.push_field(field),
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
        let (optional, parameter) = (found.optional, first + at);
        let compare = |sql: &mut Sql<'_>, sign: &str| {
            push_sort_key(sql, *field);
            sql.text.push_str(sign);
            sql.push_parameter(parameter, encode.clone());
        };
        let behind = if *descending { " < " } else { " > " };
        if at == 0 && !optional {
            sql.text.push('(');
            compare(sql, if *descending { " <= " } else { " >= " });
            sql.text.push_str(" AND ");
            open += 1;
        }
        sql.text.push('(');
        if optional {
            // Behind a value come larger ones and then nulls; behind a null nothing.
            sql.text.push_str("((");
            compare(sql, behind);
            sql.text.push_str(") OR (");
            push_sort_key(sql, *field);
            sql.text.push_str(" IS NULL AND ");
            sql.push_parameter(parameter, encode.clone());
            sql.text.push_str(" IS NOT NULL))");
        } else {
            compare(sql, behind);
        }
        open += 1;
        if usize::from(at) + 1 < order.len() {
            sql.text.push_str(" OR (");
            push_sort_key(sql, *field);
            sql.text.push_str(if optional { " IS " } else { " = " });
            sql.push_parameter(parameter, encode.clone());
            sql.text.push_str(" AND ");
            open += 1;
        }
    }
    sql.text.extend(std::iter::repeat_n(')', open));
}

fn aggregate(
    schema: &Schema,
    function: Aggregate,
    entity: EntityId,
    field: FieldId,
    filter: Option<&Condition>,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(schema, entity)?;
    let found = sql.field(field).ok_or("there is no such field")?;
    let column = quoted(&found.name);
    let table = quoted(&sql.entity.name);
    let (computed, gives) = match (function, &found.ty) {
        (Aggregate::Smallest | Aggregate::Largest, Type::Enum(order)) => {
            return extreme_of_enum(sql, function, field, order, filter);
        }
        (Aggregate::Smallest, ty) => (format!("min({column})"), Gives::Value(ty.clone())),
        (Aggregate::Largest, ty) => (format!("max({column})"), Gives::Value(ty.clone())),
        (Aggregate::Sum, Type::Decimal { scale, .. }) => (format!("fw_sum({column})"), Gives::Units(*scale)),
        (Aggregate::Sum, Type::Double) => (format!("total({column})"), Gives::Value(Type::Double)),
        // `sum` of integers fails on overflow by itself.
        (Aggregate::Sum, ty) => (format!("coalesce(sum({column}), 0)"), Gives::Value(ty.clone())),
        (Aggregate::Average, Type::Double) => (format!("avg({column})"), Gives::Value(Type::Double)),
        (Aggregate::Average, ty) => {
            let scale = if let Type::Decimal { scale, .. } = ty { *scale } else { 0 };
            (format!("fw_average({column}, {scale})"), Gives::Units(6))
        }
    };
    sql.text = format!("SELECT {computed} FROM {table}");
    sql.push_filter(filter);
    sql.finish(gives)
}

fn extreme_of_enum(
    mut sql: Sql<'_>,
    function: Aggregate,
    field: FieldId,
    order: &Arc<[Arc<str>]>,
    filter: Option<&Condition>,
) -> Result<Prepared, String> {
    sql.text = "SELECT (SELECT ".into();
    sql.push_field(field);
    sql.text.push_str(&format!(" FROM {} WHERE ", quoted(&sql.entity.name)));
    sql.push_field(field);
    sql.text.push_str(" IS NOT NULL");
    if let Some(filter) = filter {
        sql.text.push_str(" AND ");
        condition::push(&mut sql, filter);
    }
    sql.text.push_str(" ORDER BY ");
    push_sort_key(&mut sql, field);
    sql.text.push_str(if function == Aggregate::Largest { " DESC LIMIT 1)" } else { " LIMIT 1)" });
    sql.finish(Gives::Value(Type::Enum(Arc::clone(order))))
}

fn insert(schema: &Schema, entity: EntityId) -> Result<Prepared, String> {
    let mut sql = Sql::new(schema, entity)?;
    sql.text = format!("INSERT INTO {} (", quoted(&sql.entity.name));
    for field in &sql.entity.fields {
        sql.text.push_str(&quoted(&field.name));
        sql.text.push_str(", ");
    }
    sql.text.push_str("\"_version\") VALUES (");
    for (at, field) in (0..).zip(&sql.entity.fields) {
        sql.push_parameter(at, Encode::As(field.ty.clone()));
        sql.text.push_str(", ");
    }
    sql.text.push_str("1)");
    sql.finish(Gives::Touched)
}

fn update_by_key(schema: &Schema, entity: EntityId, fields: &[FieldId]) -> Result<Prepared, String> {
    let mut sql = Sql::new(schema, entity)?;
    sql.text = format!("UPDATE {} SET ", quoted(&sql.entity.name));
    for (at, field) in (0..).zip(fields) {
        sql.push_field(*field);
        sql.text.push_str(" = ");
        let ty = sql.field(*field).map(|field| field.ty.clone());
        sql.push_parameter(at, beside(ty.as_ref()));
        sql.text.push_str(", ");
    }
    sql.text.push_str("\"_version\" = \"_version\" + 1 WHERE ");
    sql.push_key(fields.len() as u16);
    sql.finish(Gives::Touched)
}

/// Where a batch of an update begins and ends: whether it lies behind a key, and whether it reaches to one. The keys'
/// values are the parameters from `first` on, those of the beginning before those of the end.
#[derive(Clone, Copy)]
struct Bounds {
    first: u16,
    after: bool,
    upto: bool,
}

fn update_where(
    schema: &Schema,
    entity: EntityId,
    assignments: &[(FieldId, Operand)],
    filter: Option<&Condition>,
    limit: Option<u32>,
    bounds: Option<Bounds>,
) -> Result<Prepared, String> {
    let mut sql = Sql::new(schema, entity)?;
    sql.text = format!("UPDATE {} SET ", quoted(&sql.entity.name));
    for (field, operand) in assignments {
        sql.push_field(*field);
        sql.text.push_str(" = ");
        let ty = sql.field(*field).map(|field| field.ty.clone());
        push_operand(&mut sql, operand, &beside(ty.as_ref()));
        sql.text.push_str(", ");
    }
    sql.text.push_str("\"_version\" = \"_version\" + 1");
    match bounds {
        Some(bounds) => sql.push_bounded(filter, bounds),
        None => push_chosen(&mut sql, filter, limit),
    }
    if must_look_back(sql.entity, assignments) {
        sql.text.push_str(" RETURNING ");
        let all: Vec<FieldId> = (0..).take(sql.entity.fields.len()).collect();
        sql.push_fields(&all);
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
fn batch(schema: &Schema, statement: &Statement, prepared: &Prepared) -> Result<Option<Batch>, String> {
    let Statement::UpdateWhere { entity, assignments, filter, limit: Some(limit) } = statement else {
        return Ok(None);
    };
    let first = prepared.binds.iter().map(|(parameter, _)| parameter + 1).max().unwrap_or(0);
    let filter = filter.as_ref();
    let last = |after| -> Result<Prepared, String> {
        let mut sql = Sql::new(schema, *entity)?;
        let (entity, key) = (sql.entity, &sql.entity.primary_key);
        sql.text.push_str("SELECT ");
        sql.push_fields(key);
        sql.text.push_str(&format!(" FROM {}", quoted(&entity.name)));
        sql.push_bounded(filter, Bounds { first, after, upto: false });
        sql.text.push_str(" ORDER BY ");
        sql.push_fields(key);
        sql.text.push_str(&format!(" LIMIT 1 OFFSET {}", limit.saturating_sub(1)));
        let types = key.iter().filter_map(|field| sql.field(*field)).map(|field| field.ty.clone());
        let gives = Gives::Rows(types.collect());
        sql.finish(gives)
    };
    let update = |after, upto| {
        update_where(schema, *entity, assignments, filter, None, Some(Bounds { first, after, upto }))
    };
    Ok(Some(Batch {
        parameters: first,
        last: [last(false)?, last(true)?],
        update: [[update(false, false)?, update(false, true)?], [update(true, false)?, update(true, true)?]],
    }))
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
    sql.text.push_str(" WHERE (");
    sql.push_fields(&entity.primary_key);
    sql.text.push_str(") IN (SELECT ");
    sql.push_fields(&entity.primary_key);
    sql.text.push_str(&format!(" FROM {}", quoted(&entity.name)));
    sql.push_filter(filter);
    sql.text.push_str(" ORDER BY ");
    sql.push_fields(&entity.primary_key);
    sql.text.push_str(&format!(" LIMIT {})", literal(&super::values::Bound::Integer(i64::from(limit)))));
}

fn delete_where(
    schema: &Schema,
    entity: EntityId,
    filter: Option<&Condition>,
    limit: Option<u32>,
    through: &[(EntityId, FieldId)],
) -> Result<Prepared, String> {
    let Some((last, _)) = through.last() else {
        let mut sql = Sql::new(schema, entity)?;
        sql.text = format!("DELETE FROM {}", quoted(&sql.entity.name));
        push_chosen(&mut sql, filter, limit);
        return sql.finish(Gives::Touched);
    };
    // From the inside out: the keys of the rows that fit, then of their children, and so on.
    let mut inner = Sql::new(schema, entity)?;
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
    let _ = inner.schema;
    inner.finish(Gives::Touched)
}

/// A constant that a new column starts with, as a literal; nothing for expressions that are no constants.
pub(crate) fn constant(field: &FieldSchema) -> Option<String> {
    use formwork_language::expression::Expression;
    let Some(Expression::Constant(value)) = &field.default else { return None };
    if matches!(value, Value::Absent | Value::Null) {
        return None;
    }
    let value = formwork_engine::fit(value.clone(), &field.ty).ok()?;
    let bound = super::values::bind(&value, &Encode::As(field.ty.clone())).ok()?;
    Some(literal(&bound))
}
