//! How SQLite spells what both databases do.
//!
//! A table whose key is no single integer is WITHOUT ROWID: a row is then found in one tree by its key, and a
//! new row is written to one tree less. SQLite advises against it for large rows, so tables with columns of
//! unbounded size (JSON, lists, objects, bytes) keep their rowid.

use super::values::{bind, column_type, literal};
use crate::statements::{Dialect, Encode, Gives, Rounding};
use formwork_engine::StoreError;
use formwork_language::program::{
    Aggregate, ArithmeticOperator, Comparison, EntitySchema, FieldSchema, Lock, Query, SqlFunction, TextTest,
};
use formwork_language::value::Value;
use formwork_model::values::Type;

/// SQLite.
#[derive(Debug)]
pub(crate) struct Sqlite;

impl Dialect for Sqlite {
    fn query<'q>(&self, query: &'q Query) -> &'q str {
        &query.sqlite
    }

    fn parameter(&self, number: usize) -> String {
        format!("?{number}")
    }

    fn literal(&self, value: &Value, encode: &Encode) -> Result<String, StoreError> {
        bind(value, encode).map(|bound| literal(&bound))
    }

    fn truth(&self, holds: bool) -> &'static str {
        if holds { "1" } else { "0" }
    }

    fn is_true(&self, operand: &str) -> String {
        format!("({operand} = 1)")
    }

    fn compared(&self, ty: Option<&Type>, comparison: Comparison) -> Encode {
        let scale = match ty {
            Some(Type::Decimal { scale, .. }) => *scale,
            Some(Type::Integer) => 0,
            Some(ty) => return Encode::As(ty.clone()),
            None => return Encode::Plain,
        };
        Encode::Scaled(scale, Rounding::beside(comparison))
    }

    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &str,
        right: &str,
        (left_scale, right_scale, scale): (u8, u8, u8),
    ) -> String {
        let name = match operator {
            ArithmeticOperator::Add => "fw_add",
            ArithmeticOperator::Subtract => "fw_subtract",
            ArithmeticOperator::Multiply => "fw_multiply",
        };
        format!("{name}({left}, {right}, {left_scale}, {right_scale}, {scale})")
    }

    fn at_scale(&self, operand: &str, own: u8, common: u8) -> String {
        format!("fw_add({operand}, 0, {own}, {own}, {common})")
    }

    fn shift_time(&self, timestamp: &str, duration: &str, minus: bool) -> String {
        let name = if minus { "fw_subtract" } else { "fw_add" };
        format!("{name}({timestamp}, {duration}, 0, 0, 0)")
    }

    fn text_function(&self, function: SqlFunction, of: &str) -> String {
        // Both letter functions of SQLite change ASCII letters only, which is what the language says.
        match function {
            SqlFunction::Lower => format!("lower({of})"),
            SqlFunction::Upper => format!("upper({of})"),
            SqlFunction::Size => format!("length({of})"),
        }
    }

    fn text_test(&self, test: TextTest, text: &str, part: &str) -> String {
        match test {
            TextTest::StartsWith => format!("(substr({text}, 1, length({part})) = {part})"),
            // From behind by length, counted from the front: a start of 0 for an empty part would take all.
            TextTest::EndsWith => format!("(substr({text}, length({text}) - length({part}) + 1) = {part})"),
            TextTest::Contains => format!("(instr({text}, {part}) > 0)"),
        }
    }

    fn in_list(&self, operand: &str, list: &str, ty: Option<&Type>) -> String {
        // JSON knows no blobs: they travel as hexadecimal digits.
        let blob = matches!(ty, Some(Type::Uuid | Type::Bytes));
        let value = if blob { "unhex(value)" } else { "value" };
        format!("({operand} IN (SELECT {value} FROM json_each({list})))")
    }

    fn order(&self, descending: bool, optional: bool) -> &'static str {
        // Nulls are smallest in SQLite, so only the ascending order has to be told to put them last.
        match (descending, optional) {
            (true, _) => " DESC",
            (false, true) => " ASC NULLS LAST",
            (false, false) => "",
        }
    }

    fn lock(&self, _: Lock) -> &'static str {
        // Nobody else writes while this transaction does.
        ""
    }

    fn same(&self) -> &'static str {
        "IS"
    }

    fn aggregate(&self, function: Aggregate, column: &str, ty: &Type) -> (String, Gives) {
        match (function, ty) {
            (Aggregate::Smallest, ty) => (format!("min({column})"), Gives::Value(ty.clone())),
            (Aggregate::Largest, ty) => (format!("max({column})"), Gives::Value(ty.clone())),
            (Aggregate::Sum, Type::Decimal { scale, .. }) => {
                (format!("fw_sum({column})"), Gives::Units(*scale))
            }
            (Aggregate::Sum, Type::Double) => (format!("total({column})"), Gives::Value(Type::Double)),
            // `sum` of integers fails on overflow by itself.
            (Aggregate::Sum, ty) => (format!("coalesce(sum({column}), 0)"), Gives::Value(ty.clone())),
            (Aggregate::Average, Type::Double) => (format!("avg({column})"), Gives::Value(Type::Double)),
            (Aggregate::Average, ty) => {
                let scale = if let Type::Decimal { scale, .. } = ty { *scale } else { 0 };
                (format!("fw_average({column}, {scale})"), Gives::Units(6))
            }
        }
    }

    fn insert(&self, table: &str, columns: &str, values: &str) -> String {
        format!("INSERT INTO {table} ({columns}) VALUES ({values})")
    }

    fn column_type(&self, ty: &Type) -> &'static str {
        column_type(ty)
    }

    fn table_end(&self, entity: &EntitySchema) -> &'static str {
        if keeps_rowid(entity) { " STRICT" } else { " STRICT, WITHOUT ROWID" }
    }

    fn system_table_end(&self, by_text: bool) -> &'static str {
        if by_text { " STRICT, WITHOUT ROWID" } else { " STRICT" }
    }

    fn sequence_type(&self) -> &'static str {
        "INTEGER"
    }

    fn identifier(&self, name: &str) -> String {
        name.to_owned()
    }

    fn references_early(&self) -> bool {
        true
    }

    fn makes_tables_anew(&self) -> bool {
        true
    }
}

fn keeps_rowid(entity: &EntitySchema) -> bool {
    let key: Vec<&FieldSchema> =
        entity.primary_key.iter().filter_map(|field| entity.fields.get(usize::from(*field))).collect();
    let integer = matches!(key.as_slice(), [one] if matches!(one.ty, Type::Integer));
    integer || entity.fields.iter().any(|field| is_unbounded(&field.ty))
}

const fn is_unbounded(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Json | Type::Bytes | Type::List(_) | Type::Object(_) | Type::Named(_) | Type::Unknown(_)
    )
}
