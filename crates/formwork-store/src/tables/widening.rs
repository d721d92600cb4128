//! Columns that take more than before: what was required may be absent, and a number may have more digits. The rows
//! that exist keep their values, their keys, and what refers to them.
//!
//! A database that cannot change a column in place gets the table anew: the rows are copied, the old table goes, and
//! the new one takes its name. Source: durability reference, *A changed document*.

use super::shape::TableShape;
use crate::statements::{Dialect, quoted};
use formwork_language::program::EntitySchema;

/// The name of a table while rows are copied into it.
const COPY: &str = "_widened";

/// How values that were kept as one type are kept as another that holds them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As before.
    Same,
    /// With so many more digits behind the point.
    Digits(u8),
    /// A whole number as a decimal with so many digits before and behind the point. Not every one fits.
    Whole(u8, u8),
}

/// A column that takes more than before.
#[derive(Debug)]
pub(crate) struct Widened {
    pub(crate) field: String,
    /// Whether it may be absent and could not before.
    pub(crate) optional: bool,
    pub(crate) way: Way,
}

/// Whether a type holds every value of another, and how they are then kept. Types in the notation of the form.
pub(crate) fn way(was: &str, now: &str) -> Option<Way> {
    if was == now || (now == "string" && is_textual(was)) {
        return Some(Way::Same);
    }
    if let (Some(was), Some(now)) = (members(was), members(now)) {
        return was.iter().all(|value| now.contains(value)).then_some(Way::Same);
    }
    if let (Some(was), Some(now)) = (was.strip_suffix("[]"), now.strip_suffix("[]")) {
        // The items of a list are kept as JSON, decimals among them with their digits.
        return way(was, now).filter(|way| *way == Way::Same);
    }
    let (precision, scale) = digits(now)?;
    let whole = precision.checked_sub(scale)?;
    if was == "integer" {
        return Some(Way::Whole(whole, scale));
    }
    let (before, behind) = digits(was)?;
    let more = scale.checked_sub(behind)?;
    (whole >= before.checked_sub(behind)?).then_some(if more == 0 { Way::Same } else { Way::Digits(more) })
}

fn is_textual(ty: &str) -> bool {
    matches!(ty, "uri" | "email") || members(ty).is_some()
}

fn members(ty: &str) -> Option<Vec<&str>> {
    let inner = ty.strip_prefix("enum(")?.strip_suffix(')')?;
    Some(inner.split(", ").collect())
}

fn digits(ty: &str) -> Option<(u8, u8)> {
    let (precision, scale) = ty.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    Some((precision.parse().ok()?, scale.parse().ok()?))
}

/// The question how many rows hold what the column will not, and what to say of them.
pub(crate) fn misfits(table: &str, column: &Widened) -> Option<(String, String)> {
    let Way::Whole(whole, _) = column.way else { return None };
    let bound = 10_i64.checked_pow(u32::from(whole))?;
    let (name, field) = (quoted(table), quoted(&column.field));
    let sql = format!("SELECT count(*) FROM {name} WHERE {field} >= {bound} OR {field} <= -{bound}");
    let digits = format!("at most {whole} digits before the point");
    Some((sql, format!("`{table}.{}` may have {digits}, and rows that exist have more", column.field)))
}

/// The statements that widen columns in place.
pub(crate) fn in_place(dialect: &dyn Dialect, table: &TableShape, columns: &[Widened]) -> Vec<String> {
    let mut statements = Vec::new();
    for column in columns {
        let begin = format!("ALTER TABLE {} ALTER COLUMN {}", quoted(&table.name), quoted(&column.field));
        if column.optional {
            statements
                .push(format!("{begin} DROP NOT NULL, ALTER COLUMN {} DROP DEFAULT", quoted(&column.field)));
            // Where absent values come last, an index over what may be absent is another.
            let last = format!("{} DESC NULLS LAST", quoted(&column.field));
            for (name, sql) in table.indexes.iter().filter(|(_, sql)| sql.contains(&last)) {
                statements.push(format!("DROP INDEX IF EXISTS {}", quoted(&dialect.identifier(name))));
                statements.push(sql.clone());
            }
        }
        if let Way::Whole(..) = column.way {
            statements.push(format!("{begin} TYPE numeric"));
        }
    }
    statements
}

/// The statements that make a table anew with the values of its `kept` columns, without its indexes.
pub(crate) fn anew(
    dialect: &dyn Dialect,
    (table, entity): (&TableShape, &EntitySchema),
    kept: &[&str],
    columns: &[Widened],
) -> Vec<String> {
    let values: Vec<String> = kept
        .iter()
        .map(|name| {
            let column = columns.iter().find(|column| column.field == *name);
            match column.map_or(Way::Same, |column| column.way) {
                Way::Digits(more) | Way::Whole(_, more) if more > 0 => {
                    format!("{} * {}", quoted(name), 10_i64.checked_pow(u32::from(more)).unwrap_or(i64::MAX))
                }
                _ => quoted(name),
            }
        })
        .collect();
    let names: Vec<String> = kept.iter().map(|name| quoted(name)).collect();
    let (name, copy) = (quoted(&table.name), quoted(COPY));
    let create = TableShape { name: COPY.to_owned(), ..table.clone() }.create_table(dialect, entity);
    vec![
        create,
        format!(
            "INSERT INTO {copy} ({}, \"_version\") SELECT {}, \"_version\" FROM {name}",
            names.join(", "),
            values.join(", ")
        ),
        format!("DROP TABLE {name}"),
        format!("ALTER TABLE {copy} RENAME TO {name}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_wider_when_it_holds_every_value_of_the_other() {
        for (was, now, expected) in [
            ("integer", "integer", Some(Way::Same)),
            ("email", "string", Some(Way::Same)),
            ("enum(a, b)", "string", Some(Way::Same)),
            ("enum(a, b)", "enum(b, c, a)", Some(Way::Same)),
            ("enum(a, b)[]", "enum(a, b, c)[]", Some(Way::Same)),
            ("decimal(8,2)", "decimal(10,2)", Some(Way::Same)),
            ("decimal(8,2)", "decimal(10,4)", Some(Way::Digits(2))),
            ("integer", "decimal(12,2)", Some(Way::Whole(10, 2))),
            ("decimal(8,2)", "decimal(8,4)", None),
            ("decimal(8,2)", "decimal(12,1)", None),
            ("decimal(8,2)[]", "decimal(10,4)[]", None),
            ("decimal(8,2)", "integer", None),
            ("enum(a, b)", "enum(a)", None),
            ("string", "uri", None),
            ("integer", "string", None),
            ("integer", "double", None),
        ] {
            assert_eq!(way(was, now), expected, "{was} to {now}");
        }
    }
}
