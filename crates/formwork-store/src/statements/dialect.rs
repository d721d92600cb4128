//! What SQLite and PostgreSQL spell differently. One implementation stands beside each driver.

use super::encode::Encode;
use super::sql::Gives;
use formwork_engine::StoreError;
use formwork_language::program::{
    Aggregate, ArithmeticOperator, Comparison, EntitySchema, Lock, Query, SqlFunction, TextTest,
};
use formwork_language::value::Value;
use formwork_model::values::Type;
use std::fmt::Debug;

/// The spelling of one database. Operands come as finished SQL; a parameter may be written more than once.
pub(crate) trait Dialect: Debug + Sync {
    /// The parameter of this number, from 1.
    fn parameter(&self, number: usize) -> String;
    /// The document's own text in this database's spelling.
    fn query<'q>(&self, query: &'q Query) -> &'q str;
    /// A column of that text, as one of a type is read.
    fn query_column(&self, column: &str, ty: &Type) -> String {
        let _ = ty;
        column.to_owned()
    }
    /// A constant.
    fn literal(&self, value: &Value, encode: &Encode) -> Result<String, StoreError>;
    /// A condition that always or never holds.
    fn truth(&self, holds: bool) -> &'static str;
    /// Whether a boolean operand is true; unknown when it is absent.
    fn is_true(&self, operand: &str) -> String;
    /// How a parameter on the right of a comparison with something of this type is written.
    fn compared(&self, ty: Option<&Type>, comparison: Comparison) -> Encode;
    /// A column where a value is wanted as `wanted` says.
    fn column(&self, column: String, ty: &Type, wanted: &Encode) -> String {
        let _ = (ty, wanted);
        column
    }
    /// Exact arithmetic of numbers with these scales (left, right, result); overflow is an error.
    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &str,
        right: &str,
        scales: (u8, u8, u8),
    ) -> String;
    /// A number of one scale beside one of another, larger one.
    fn at_scale(&self, operand: &str, own: u8, common: u8) -> String;
    /// A timestamp plus or minus a duration.
    fn shift_time(&self, timestamp: &str, duration: &str, minus: bool) -> String;
    /// A function of a text.
    fn text_function(&self, function: SqlFunction, of: &str) -> String;
    /// A literal test of a text; never LIKE.
    fn text_test(&self, test: TextTest, text: &str, part: &str) -> String;
    /// Whether an operand of a type is in a list parameter.
    fn in_list(&self, operand: &str, list: &str, ty: Option<&Type>) -> String;
    /// What follows a sort key, so that absent values come last.
    fn order(&self, descending: bool, optional: bool) -> &'static str;
    /// What ends a statement that reads rows, so that they are locked until the transaction ends.
    fn lock(&self, lock: Lock) -> &'static str;
    /// Equal, or both absent.
    fn same(&self) -> &'static str;
    /// Whether the database finds the smallest and the largest of a type by a function.
    fn has_extremes(&self, ty: &Type) -> bool {
        let _ = ty;
        true
    }
    /// An aggregate over a column; the smallest and the largest only of a type that has extremes.
    fn aggregate(&self, function: Aggregate, column: &str, ty: &Type) -> (String, Gives);
    /// How a row is added; gives 0 rows when a unique key is taken, where the database can say so without an error.
    fn insert(&self, table: &str, columns: &str, values: &str) -> String;

    /// The type of a column.
    fn column_type(&self, ty: &Type) -> &'static str;
    /// What follows the closing parenthesis of a table.
    fn table_end(&self, entity: &EntitySchema) -> &'static str;
    /// What follows the closing parenthesis of a table of the store's own, found by a text or else by a number.
    fn system_table_end(&self, by_text: bool) -> &'static str;
    /// The type of a number that the database counts up by itself.
    fn sequence_type(&self) -> &'static str;
    /// What follows a column of an index.
    fn index_order(&self, descending: bool, optional: bool) -> &'static str {
        let _ = optional;
        if descending { " DESC" } else { "" }
    }
    /// A name of an index or constraint as the database keeps it; alike exactly when the names are.
    fn identifier(&self, name: &str) -> String;
    /// Whether a table may reference one that does not exist yet.
    fn references_early(&self) -> bool;
    /// Whether a column cannot be widened in place, so that its table is made anew.
    fn makes_tables_anew(&self) -> bool;
}

/// An identifier in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
