//! Operations as rows of a table: `Method | Path | Purpose`, `Operation | Endpoint`, `Operation | Input | Output`.
//!
//! A row that repeats an operation adds to it. Source: language reference, *Finding the places*.

use super::interface::{Operation, Surface, add, empty, is_label, read_label, set_route, titled};
use crate::model::Class;
use crate::reader::Reader;
use crate::routes::{self, Found, METHODS};
use crate::shapes;
use crate::tables;
use formwork_syntax::{Spanned, Table, Text};

/// The columns of a table of operations.
struct OperationColumns {
    name: Option<usize>,
    method: Option<usize>,
    path: Option<usize>,
    /// What is said in the other columns, by label.
    labels: Vec<usize>,
}

/// Reads a table of operations: ``| Method | Path | Purpose |``. A row that names an operation of its own adds to it.
pub(super) fn read(reader: &mut Reader<'_>, table: &Table, surface: Surface, group: Option<&str>) {
    let columns = tables::Columns::new(reader.source, table);
    let method = columns.exactly(&["method", "http method", "verb", "http verb"]);
    let path = columns
        .exactly(&[
            "path",
            "route",
            "endpoint",
            "url",
            "uri",
            "http",
            "resource",
            "method and path",
            "method path",
        ])
        .filter(|at| Some(*at) != method);
    let name = columns.exactly(&["operation", "name", "command", "rpc", "operation name", "call"]);
    let labels =
        columns.titles().filter(|(at, title)| ![name, method, path].contains(&Some(*at)) && is_label(title));
    let labels: Vec<usize> = labels.map(|(at, _)| at).collect();
    let is_operations = path.is_some() || (name.is_some() && labels.len() > 1);
    if !is_operations {
        return reader.narrative_rows(table);
    }
    let columns = OperationColumns { name, method, path, labels };
    for row in &table.rows {
        match row_operation(reader, table, row, &columns, surface) {
            Some(mut operation) => {
                operation.group = group.map(str::to_owned);
                reader.model.classes.push((row.span, Class::Understood));
                merge_or_add(reader, operation);
            }
            None => reader.model.classes.push((row.span, Class::Narrative)),
        }
    }
}

fn row_operation(
    reader: &mut Reader<'_>,
    table: &Table,
    row: &formwork_syntax::Row,
    columns: &OperationColumns,
    surface: Surface,
) -> Option<Operation> {
    let source = reader.source;
    let cell = |at: Option<usize>| tables::cell(source, row, at);
    let method_and_path: Vec<&Text> =
        [cell(columns.method), cell(columns.path)].into_iter().flatten().collect();
    let method = cell(columns.method).map(|text| text.plain(source).trim().to_ascii_uppercase());
    let path = cell(columns.path);
    let found = path.and_then(|path| routes::find(source, path.span)).or_else(|| {
        let method = method.filter(|method| METHODS.contains(&method.as_str()))?;
        let at = cell(columns.method)?;
        let place = at.codes().next().map_or(at.span, |(_, code)| code.span());
        Some(Found {
            method: Spanned::new(method, place),
            path: routes::path(source, path?)?,
            end: row.span.end,
        })
    });
    let titled_name = cell(columns.name).and_then(|text| titled(source, text, surface, row.span));
    let mut operation = match (titled_name, &found) {
        (Some(operation), _) => operation,
        (None, Some(found)) => {
            let name = format!("{} {}", found.method.value, found.path.value);
            let place = tables::joined(&method_and_path).span;
            empty(Spanned::new(name, place), surface, row.span)
        }
        (None, None) => return None,
    };
    if let Some(found) = found {
        set_route(&mut operation, found);
    }
    for at in &columns.labels {
        let (Some(title), Some(text)) = (table.header.get(*at), cell(Some(*at))) else { continue };
        let part = shapes::labelled(title.clone(), text.clone(), Vec::new(), text.span);
        read_label(reader, &mut operation, &part);
    }
    operation.span = row.span;
    Some(operation)
}

/// Adds what a table says of an operation to that operation, or declares it.
fn merge_or_add(reader: &mut Reader<'_>, found: Operation) {
    let others = match found.surface {
        Surface::Public => &mut reader.model.operations,
        Surface::Internal => &mut reader.model.endpoints,
    };
    let value = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
    let is_same = |other: &&mut Operation| {
        other.name.value.eq_ignore_ascii_case(&found.name.value)
            || (found.path.is_some()
                && value(&other.path) == value(&found.path)
                && value(&other.method) == value(&found.method))
    };
    match others.iter_mut().find(is_same) {
        Some(other) => {
            other.method = other.method.take().or(found.method);
            other.path = other.path.take().or(found.path);
            other.purpose = other.purpose.take().or(found.purpose);
        }
        None => add(reader, found),
    }
}
