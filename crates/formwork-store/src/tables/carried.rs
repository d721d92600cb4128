//! Whether the tables of a database still are what an earlier document's steps need: how they were made is recorded, and
//! what was only added since is in nobody's way.
//!
//! Source: language reference, *What running means*, parts; docs/decisions/0157-carried-on-under-its-release.md.

use super::migration::{names, text};
use super::shape::{TableShape, shapes};
use crate::statements::Dialect;
use formwork_language::program::{Schema, TableUse};
use serde_json::Value as Json;

/// What has changed of the tables that steps of an earlier document read or write, one line each; nothing when they can
/// go on. `record` is what the database says of its tables.
pub(crate) fn changed(
    dialect: &'static dyn Dialect,
    schema: &Schema,
    uses: &[TableUse],
    record: &str,
) -> Result<Vec<String>, String> {
    let needed = shapes(dialect, schema)?;
    let tables: Vec<Json> = serde_json::from_str(record).map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    for used in uses {
        let Some(table) = needed.get(usize::from(used.entity)) else { continue };
        match tables.iter().find(|now| text(now, "name") == table.name) {
            Some(now) => compare(table, now, used.writes, &mut lines),
            None => lines.push(format!("`{}` is gone", table.name)),
        }
    }
    Ok(lines)
}

fn compare(needed: &TableShape, now: &Json, writes: bool, lines: &mut Vec<String>) {
    let table = &needed.name;
    if names(now, "primary_key") != needed.primary_key {
        lines.push(format!("the primary key of `{table}` is another"));
    }
    let was = needed.to_json();
    let list = |of: &Json| of["columns"].as_array().cloned().unwrap_or_default();
    let (columns, before) = (list(now), list(&was));
    for column in &before {
        let name = text(column, "name");
        match columns.iter().find(|other| text(other, "name") == name) {
            None => lines.push(format!("`{table}.{name}` is gone")),
            Some(other) => {
                let differs = |member: &&str| column[*member] != other[*member];
                let kept = ["type", "optional", "references", "secret", "computed"];
                // What a value must keep concerns only who writes one.
                let changed = kept.iter().any(&differs) || (writes && differs(&"rules"));
                if changed {
                    lines.push(format!("`{table}.{name}` has changed"));
                }
            }
        }
    }
    if !writes {
        return;
    }
    let added = columns.iter().filter(|column| !before.iter().any(|it| it["name"] == column["name"]));
    // One that is required was added with a constant, which the database gives to rows without a value.
    for column in added.filter(|column| column["computed"].is_string()) {
        lines.push(format!("`{table}.{}` is new and computed", text(column, "name")));
    }
    for (member, what) in
        [("unique", "key"), ("checks", "rule"), ("overlaps", "rule"), ("invariants", "rule")]
    {
        let before = names(&was, member);
        let new = names(now, member).into_iter().filter(|rule| !before.contains(rule));
        lines.extend(new.map(|rule| format!("`{table}` has a new {what}: {rule}")));
    }
}
