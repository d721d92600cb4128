//! Which statements bring the tables of a database to those of the document when that only adds; else what differs.
//! Source: language reference, *What running means*, last item.

use super::shape::{TableShape, shapes};
use super::widening::{Way, Widened, anew, in_place, misfits, way};
use crate::statements::{Dialect, quoted};
use crate::system::create_missing;
use formwork_engine::{Answer, Body, Call, Ended, What};
use formwork_language::program::{EntityId, EntitySchema, Limit, Lock, Program, Schema, Select, Statement};
use formwork_language::value::Value;
use serde_json::Value as Json;

/// The format of the store's own tables and of the way values are kept.
pub(crate) const FORMAT: i64 = 1;

/// What a database holds before it is brought to a document's tables.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The names of its tables.
    pub(crate) tables: Vec<String>,
    /// The columns of the tables of Formwork's own, each behind its table.
    pub(crate) columns: Vec<(String, String)>,
    /// What its own record says of the format.
    pub(crate) format: Option<String>,
    /// What its own record says of the document's tables.
    pub(crate) schema: Option<String>,
}

/// What is to be done, in one transaction; nothing when there are no statements.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Asked first: how many rows do not fit what is wanted, and what to say when there are any.
    pub(crate) fits: Vec<(String, String)>,
    /// The statements in order.
    pub(crate) statements: Vec<String>,
    /// Whether tables are made anew, which references must not notice while it is done.
    pub(crate) anew: bool,
    /// New unique keys: the statement, and what to say when rows that exist break the key.
    pub(crate) keys: Vec<(String, String)>,
    /// What rows that exist must be held against, behind the keys.
    pub(crate) looked_at: LookedAt,
    /// What the record is to say of the document's tables; written after the statements.
    pub(crate) schema: Option<String>,
}

/// Rows that exist and rules that are new.
#[derive(Debug, Default)]
pub(crate) struct LookedAt {
    /// Tables whose rows must keep new rules, and whether their computed fields are to be computed again.
    pub(crate) tables: Vec<(EntityId, bool)>,
    /// Whether an invariant is new.
    pub(crate) invariants: bool,
}

impl LookedAt {
    /// Whether there is nothing to look at.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty() && !self.invariants
    }

    /// What is to be run; `tables` as [`Self::program`] gives it.
    pub(crate) fn calls(&self, tables: &Value) -> Vec<Call> {
        let wanted = [(What::Stored, !self.tables.is_empty()), (What::Invariants, self.invariants)];
        let call = |what| Call {
            what,
            slots: vec![tables.clone()],
            now: 0,
            seed: formwork_engine::replayable(0),
            precondition: None,
            part: None,
        };
        wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(what, _)| call(what)).collect()
    }

    /// The lines that a run answered, or why it could not be done.
    pub(crate) fn found(ended: Ended) -> Result<Vec<String>, String> {
        match ended.result {
            Ok(Answer { body: Body::Value(Value::List(lines)), .. }) => {
                Ok(lines.iter().map(Value::to_plain).collect())
            }
            Ok(_) => Ok(Vec::new()),
            Err(refusal) => Err(format!("rows that exist cannot be read: {refusal:?}")),
        }
    }

    /// The program with the statements that are needed to look, and the slot that
    /// [`formwork_engine::What::Stored`] reads.
    pub(crate) fn program(&self, program: &Program) -> (Program, Value) {
        let mut program = program.clone();
        let mut add = |statement: Statement| {
            program.statements.push(statement);
            Value::Integer(i64::try_from(program.statements.len() - 1).unwrap_or(i64::MAX))
        };
        let mut slots = Vec::new();
        for (entity, recompute) in &self.tables {
            let Some(table) = program.schema.entities.get(usize::from(*entity)) else { continue };
            let order = table.primary_key.iter().map(|field| (*field, false)).collect();
            let first = Select {
                entity: *entity,
                filter: None,
                order,
                limit: Limit::Rows(1_000),
                after: None,
                lock: Lock::None,
            };
            let behind = Select { after: Some(0), ..first.clone() };
            let mut fields: Vec<u16> = table.rules.computed.iter().map(|computed| computed.field).collect();
            fields.sort_unstable();
            let listed = [
                Value::Integer(i64::from(*entity)),
                add(Statement::Select(first)),
                add(Statement::Select(behind)),
                match *recompute && !fields.is_empty() {
                    true => add(Statement::UpdateByKey { entity: *entity, fields }),
                    false => Value::Null,
                },
            ];
            slots.push(Value::List(listed.into()));
        }
        (program, Value::List(slots.into()))
    }
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
    let mut statements = create_missing(dialect, &found.tables, &found.columns);
    let (mut keys, mut looked_at) = (Vec::new(), LookedAt::default());
    let (mut fits, mut anew) = (Vec::new(), false);
    match &known {
        None => statements.extend(create_all(dialect, schema, &wanted)),
        Some(known) => {
            let change = additions(dialect, schema, known, &wanted)?;
            statements.extend(change.plan);
            (keys, looked_at) = (change.keys, change.looked_at);
            (fits, anew) = (change.fits, change.anew);
        }
    }
    let record: Vec<Json> = wanted.iter().map(TableShape::to_json).collect();
    // A type may have grown without a statement.
    let schema = (known.as_ref() != Some(&record)).then(|| Json::from(record).to_string());
    Ok(Plan { fits, statements, anew, keys, looked_at, schema })
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
fn additions<'d>(
    dialect: &'d dyn Dialect,
    schema: &Schema,
    known: &[Json],
    wanted: &[TableShape],
) -> Result<Change<'d>, Misfit> {
    let mut change = Change {
        dialect,
        plan: Vec::new(),
        last: Vec::new(),
        fits: Vec::new(),
        anew: false,
        keys: Vec::new(),
        looked_at: LookedAt::default(),
        differences: Vec::new(),
        additions: Vec::new(),
    };
    let gone: Vec<&str> = known
        .iter()
        .map(|before| text(before, "name"))
        .filter(|name| !wanted.iter().any(|table| table.name == *name))
        .collect();
    if !known.is_empty() && gone.len() == known.len() {
        return Err(Misfit::OtherDocument(gone.into_iter().map(str::to_owned).collect()));
    }
    change.differences.extend(gone.iter().map(|name| format!("`{name}` is gone from the document")));
    for (at, (table, entity)) in (0..).zip(wanted.iter().zip(&schema.entities)) {
        match known.iter().find(|before| text(before, "name") == table.name) {
            None => {
                change.additions.push(format!("`{}` is new", table.name));
                change.looked_at.invariants |= !table.invariants.is_empty();
                change.plan.extend(table.create(dialect, entity));
                change.last.extend(table.columns.iter().filter_map(|column| column.constraint.clone()));
            }
            Some(before) => change.compare(before, (at, entity), table),
        }
    }
    if !change.differences.is_empty() {
        let added = change.additions.into_iter().map(|line| format!("{line} (that alone would be added)"));
        change.differences.extend(added);
        return Err(Misfit::Changed(change.differences));
    }
    change.plan.append(&mut change.last);
    Ok(change)
}

/// A change under way.
struct Change<'d> {
    dialect: &'d dyn Dialect,
    plan: Vec<String>,
    /// What has to wait until every table is there.
    last: Vec<String>,
    fits: Vec<(String, String)>,
    anew: bool,
    keys: Vec<(String, String)>,
    looked_at: LookedAt,
    differences: Vec<String>,
    /// What is only added, for a plan that is refused for something else.
    additions: Vec<String>,
}

impl Change<'_> {
    fn compare(&mut self, before: &Json, (at, entity): (EntityId, &EntitySchema), table: &TableShape) {
        let name = &table.name;
        let (mut look, mut recompute) = (false, false);
        let (mut added, mut kept, mut widened) = (Vec::new(), Vec::new(), Vec::new());
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
                recompute |= now.computed.is_some();
                if now.addable {
                    self.additions.push(format!("`{name}.{field}` is new"));
                    added.push(format!("ALTER TABLE {} ADD COLUMN {}", quoted(name), now.sql));
                    self.last.extend(now.constraint.clone());
                } else {
                    self.differences.push(format!(
                        "`{name}.{field}` is new and required, and rows that exist have no value for it"
                    ));
                }
                continue;
            };
            kept.push(field.as_str());
            let was = text(column, "type");
            let line = || format!("`{name}.{field}` was `{was}` and is `{}` now", now.ty);
            let way = way(was, &now.ty);
            match way {
                None => self.differences.push(line()),
                Some(Way::Same) => {}
                Some(_) => self.additions.push(line()),
            }
            let optional = match (column["optional"].as_bool().unwrap_or(false), now.optional) {
                (false, true) => {
                    self.additions.push(format!("`{name}.{field}` was required and is optional now"));
                    true
                }
                (true, false) => {
                    self.differences.push(format!("`{name}.{field}` was optional and is required now"));
                    false
                }
                _ => false,
            };
            if let Some(way) = way.filter(|way| optional || *way != Way::Same) {
                widened.push(Widened { field: field.clone(), optional, way });
            }
            if column["secret"].as_bool().unwrap_or(false) != now.secret {
                let (was, is) =
                    if now.secret { ("as sent", "as digests") } else { ("as digests", "as sent") };
                self.differences.push(format!("`{name}.{field}` was kept {was} and is kept {is} now"));
            }
            look |= column["rules"].as_str().unwrap_or_default() != now.rules && !now.rules.is_empty();
            recompute |= now.computed.is_some() && column["computed"].as_str() != now.computed.as_deref();
            if column["references"].as_str() != now.references.as_deref() {
                self.differences.push(format!("what `{name}.{field}` references has changed"));
            }
        }
        let new = |member: &str, now: &[String]| now.iter().any(|rule| !names(before, member).contains(rule));
        look |= new("checks", &table.checks) || new("overlaps", &table.overlaps);
        self.looked_at.invariants |= new("invariants", &table.invariants);
        if look || recompute {
            self.looked_at.tables.push((at, recompute));
        }
        self.fits.extend(widened.iter().filter_map(|column| misfits(name, column)));
        let anew_now = !widened.is_empty() && self.dialect.makes_tables_anew();
        if anew_now {
            // New columns stand in the new table already.
            self.anew = true;
            self.plan.extend(anew(self.dialect, (table, entity), &kept, &widened));
        } else {
            self.plan.append(&mut added);
            self.plan.extend(in_place(self.dialect, table, &widened));
        }
        self.compare_indexes(before, table, anew_now);
    }

    /// A table that is made `anew` has no index left.
    fn compare_indexes(&mut self, before: &Json, table: &TableShape, anew: bool) {
        let unique = names(before, "unique");
        for (name, sql) in table.unique.iter().filter(|(name, _)| !unique.contains(name)) {
            let line = format!("`{}` has a new key: {name}", table.name);
            self.additions.push(line.clone());
            self.keys.push((sql.clone(), format!("{line}, and rows that exist have the same")));
        }
        for name in unique.iter().filter(|name| !table.unique.iter().any(|(now, _)| now == *name)) {
            self.differences.push(format!("`{}` has lost a key: {name}", table.name));
        }
        if anew {
            let stay = table.unique.iter().filter(|(name, _)| unique.contains(name)).chain(&table.indexes);
            return self.plan.extend(stay.map(|(_, sql)| sql.clone()));
        }
        let indexes = names(before, "indexes");
        let dropped = indexes.iter().filter(|name| !table.indexes.iter().any(|(now, _)| now == *name));
        self.plan
            .extend(dropped.map(|name| format!("DROP INDEX {}", quoted(&self.dialect.identifier(name)))));
        let added = table.indexes.iter().filter(|(name, _)| !indexes.contains(name));
        self.plan.extend(added.map(|(_, sql)| sql.clone()));
    }
}

pub(super) fn text<'j>(of: &'j Json, member: &str) -> &'j str {
    of[member].as_str().unwrap_or_default()
}

pub(super) fn names(of: &Json, member: &str) -> Vec<String> {
    let list = of[member].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}
