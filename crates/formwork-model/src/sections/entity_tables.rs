//! Entities that a table declares: one row each (`Entity | Fields | …`), or one row for each field
//! (`Entity | Field | Type | …`).
//!
//! Source: language reference, *Finding the places*: a table gives the same facts as a list.

use super::data_model::{self, Entity};
use crate::fields;
use crate::inputs;
use crate::model::Class;
use crate::reader::Reader;
use crate::tables::{self, Columns};
use crate::titles;
use formwork_syntax::{Spanned, Table};
use rustc_hash::{FxHashMap, FxHashSet};

/// Where a table names entities and what it says of them.
struct EntityColumns {
    entity: usize,
    /// Each row is a field.
    is_by_field: bool,
    fields: Option<usize>,
    about: Option<usize>,
}

fn columns(source: &str, table: &Table) -> Option<EntityColumns> {
    let columns = Columns::new(source, table);
    let entity = columns.exactly(&["entity", "table", "model", "collection", "entity name"])?;
    let is_by_field = fields::is_field_table(source, table)
        && columns.exactly(&["field", "column", "attribute", "property", "field name"]).is_some();
    let fields = columns
        .find(&["fields", "columns", "attributes", "key fields", "main fields"])
        .filter(|at| *at != entity);
    let about = columns.find(&["description", "purpose", "meaning", "what", "stores"]);
    (is_by_field || fields.is_some() || about.is_some()).then_some(EntityColumns {
        entity,
        is_by_field,
        fields,
        about,
    })
}

/// Whether a table declares entities.
pub(crate) fn declares(source: &str, table: &Table) -> bool {
    columns(source, table).is_some()
}

/// The names of the entities that a table declares.
pub(crate) fn names(source: &str, table: &Table) -> Vec<String> {
    let Some(columns) = columns(source, table) else { return Vec::new() };
    let cells = table.rows.iter().filter_map(|row| tables::cell(source, row, Some(columns.entity)));
    let mut found: Vec<String> =
        cells.filter_map(|cell| titles::name(source, cell)).map(|name| name.value).collect();
    found.dedup();
    found
}

/// Reads the entities of a table; one that is declared already gets what the table says besides.
pub(crate) fn read(reader: &mut Reader<'_>, table: &Table) {
    let source = reader.source;
    let Some(columns) = columns(source, table) else { return reader.narrative_rows(table) };
    let mut last: Option<Spanned<String>> = None;
    let mut known: FxHashMap<usize, FxHashSet<String>> = FxHashMap::default();
    for row in &table.rows {
        let named =
            tables::cell(source, row, Some(columns.entity)).and_then(|cell| titles::name(source, cell));
        let Some(name) = named.or_else(|| last.clone().filter(|_| columns.is_by_field)) else {
            reader.model.classes.push((row.span, Class::Narrative));
            continue;
        };
        let at = position(reader, &name.value).unwrap_or_else(|| {
            data_model::add(reader, data_model::empty(name.clone(), row.span));
            reader.model.entities.len() - 1
        });
        last = Some(name);
        let about = tables::cell(source, row, columns.about).map(|cell| reader.prose(cell));
        let mut found = fields::Found::default();
        if columns.is_by_field {
            let one = Table { rows: vec![row.clone()], ..table.clone_header() };
            fields::table_fields(reader, &one, &mut found);
        } else if let Some(cell) = tables::cell(source, row, columns.fields) {
            found.fields = inputs::sentence(reader, cell);
            reader.model.classes.push((row.span, Class::Understood));
        } else {
            reader.model.classes.push((row.span, Class::Understood));
        }
        let entity = &mut reader.model.entities[at];
        let known = known
            .entry(at)
            .or_insert_with(|| entity.fields.iter().map(|field| lower(&field.name.value)).collect());
        add(entity, known, found.fields, about.filter(|_| !columns.is_by_field), row.span);
    }
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn position(reader: &Reader<'_>, name: &str) -> Option<usize> {
    reader.declared.entities.get(&name.to_ascii_lowercase()).copied()
}

fn add(
    entity: &mut Entity,
    known: &mut FxHashSet<String>,
    fields: Vec<crate::facts::Field>,
    about: Option<crate::facts::Prose>,
    span: formwork_syntax::Span,
) {
    entity.fields.extend(fields.into_iter().filter(|field| known.insert(lower(&field.name.value))));
    entity.description = entity.description.take().or(about);
    entity.span = entity.span.to(span);
}

/// A copy of a table without its rows.
trait WithoutRows {
    fn clone_header(&self) -> Table;
}

impl WithoutRows for Table {
    fn clone_header(&self) -> Table {
        Table { header: self.header.clone(), rows: Vec::new(), span: self.span }
    }
}
