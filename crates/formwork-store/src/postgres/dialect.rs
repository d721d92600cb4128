//! How PostgreSQL spells what both databases do.

use super::values::{bind, column_type, literal, parameter_type};
use crate::statements::{Dialect, Encode, Gives, Rounding};
use formwork_engine::StoreError;
use formwork_language::program::{
    Aggregate, ArithmeticOperator, Comparison, EntitySchema, Lock, Query, SqlFunction, TextTest,
};
use formwork_language::value::Value;
use formwork_model::values::Type;

/// What follows an insertion that is told by its count, and not by an error, that a key is taken. At serialisable a
/// row that the transaction cannot see yet is a conflict instead, which is repeated.
pub(crate) const UNLESS_TAKEN: &str = " ON CONFLICT DO NOTHING";

/// Bytes that PostgreSQL keeps of a name.
pub(crate) const LONGEST_NAME: usize = 63;

/// Functions of our own: decimals at a scale, half to even, in 64 bits; and exact averages.
pub(crate) const FUNCTIONS: [&str; 2] = [
    r#"CREATE OR REPLACE FUNCTION "_fw_exact"(given numeric, scale integer) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE STRICT AS $body$
    DECLARE units numeric := given * 10::numeric ^ scale; down numeric := floor(units);
    BEGIN
        IF units - down > 0.5 OR (units - down = 0.5 AND down % 2 <> 0) THEN down := down + 1; END IF;
        -- Fails beyond 64 bits.
        RETURN round(down::bigint::numeric / 10::numeric ^ scale, scale);
    END $body$"#,
    r#"CREATE OR REPLACE FUNCTION "_fw_average"(total numeric, number bigint) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE STRICT AS $body$
    DECLARE units numeric := total * 1000000; down numeric; rest numeric;
    BEGIN
        IF number = 0 THEN RETURN NULL; END IF;
        down := div(units, number);
        IF down * number > units THEN down := down - 1; END IF;
        rest := (units - down * number) * 2;
        IF rest > number OR (rest = number AND down % 2 <> 0) THEN down := down + 1; END IF;
        RETURN round(down / 1000000, 6);
    END $body$"#,
];

/// PostgreSQL.
#[derive(Debug)]
pub(crate) struct Postgres;

impl Dialect for Postgres {
    fn query<'q>(&self, query: &'q Query) -> &'q str {
        &query.postgres
    }

    // The sum of integers is a numeric there, and a date may come as a timestamp.
    fn query_column(&self, column: &str, ty: &Type) -> String {
        if let Type::Decimal { scale, .. } = ty {
            // An average has more digits than anything keeps.
            return format!("\"_fw_exact\"(({column})::numeric, {scale})");
        }
        // A collation is no part of a type to cast to.
        let to = self.column_type(ty).split(" COLLATE").next().unwrap_or("text");
        format!("CAST({column} AS {to})")
    }

    fn parameter(&self, number: usize) -> String {
        format!("${number}")
    }

    fn literal(&self, value: &Value, encode: &Encode) -> Result<String, StoreError> {
        bind(value, encode).map(|bound| literal(&bound, &parameter_type(encode)))
    }

    fn truth(&self, holds: bool) -> &'static str {
        if holds { "TRUE" } else { "FALSE" }
    }

    fn is_true(&self, operand: &str) -> String {
        format!("({operand} = TRUE)")
    }

    fn compared(&self, ty: Option<&Type>, comparison: Comparison) -> Encode {
        match (ty, comparison) {
            // So that an index over integers is used; decimals of all scales compare as they are.
            (Some(Type::Integer), _) => Encode::Scaled(0, Rounding::beside(comparison)),
            // A text that is no uuid is unequal to all, and not of unknown equality.
            (Some(Type::Uuid), Comparison::NotEqual) => Encode::As(Type::String),
            (Some(ty), _) => Encode::As(ty.clone()),
            (None, _) => Encode::Plain,
        }
    }

    fn column(&self, column: String, ty: &Type, wanted: &Encode) -> String {
        match (ty, wanted) {
            (Type::Uuid, Encode::As(Type::String)) => format!("{column}::text"),
            _ => column,
        }
    }

    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &str,
        right: &str,
        scales: (u8, u8, u8),
    ) -> String {
        let sign = match operator {
            ArithmeticOperator::Add => "+",
            ArithmeticOperator::Subtract => "-",
            ArithmeticOperator::Multiply => "*",
        };
        match scales {
            // 64-bit integers are checked by themselves.
            (0, 0, 0) => format!("({left} {sign} {right})"),
            (.., scale) => format!("\"_fw_exact\"(({left} {sign} {right})::numeric, {scale})"),
        }
    }

    fn at_scale(&self, operand: &str, _: u8, _: u8) -> String {
        operand.to_owned()
    }

    fn shift_time(&self, timestamp: &str, duration: &str, minus: bool) -> String {
        format!("({timestamp} {} {duration})", if minus { "-" } else { "+" })
    }

    fn text_function(&self, function: SqlFunction, of: &str) -> String {
        match function {
            // In this collation ASCII letters only.
            SqlFunction::Lower => format!("lower({of} COLLATE \"C\")"),
            SqlFunction::Upper => format!("upper({of} COLLATE \"C\")"),
            SqlFunction::Size => format!("char_length({of})::bigint"),
        }
    }

    fn text_test(&self, test: TextTest, text: &str, part: &str) -> String {
        match test {
            TextTest::StartsWith => format!("starts_with({text}, {part})"),
            TextTest::EndsWith => format!("(right({text}, char_length({part})) = {part})"),
            TextTest::Contains => format!("(strpos({text}, {part}) > 0)"),
        }
    }

    fn in_list(&self, operand: &str, list: &str, _: Option<&Type>) -> String {
        format!("({operand} = ANY({list}))")
    }

    fn order(&self, descending: bool, optional: bool) -> &'static str {
        // Nulls are largest in PostgreSQL, so only the descending order has to be told to put them last.
        match (descending, optional) {
            (true, true) => " DESC NULLS LAST",
            (true, false) => " DESC",
            (false, _) => "",
        }
    }

    fn index_order(&self, descending: bool, optional: bool) -> &'static str {
        self.order(descending, optional)
    }

    fn lock(&self, lock: Lock) -> &'static str {
        // Rows that only refer to a locked one may be made meanwhile.
        match lock {
            Lock::None => "",
            Lock::Wait => " FOR NO KEY UPDATE",
            Lock::SkipTaken => " FOR NO KEY UPDATE SKIP LOCKED",
        }
    }

    fn same(&self) -> &'static str {
        "IS NOT DISTINCT FROM"
    }

    fn has_extremes(&self, ty: &Type) -> bool {
        !matches!(ty, Type::Uuid | Type::Boolean | Type::Bytes | Type::List(_))
    }

    fn aggregate(&self, function: Aggregate, column: &str, ty: &Type) -> (String, Gives) {
        match (function, ty) {
            (Aggregate::Smallest, ty) => (format!("min({column})"), Gives::Value(ty.clone())),
            (Aggregate::Largest, ty) => (format!("max({column})"), Gives::Value(ty.clone())),
            (Aggregate::Sum, Type::Decimal { scale, .. }) => {
                (format!("coalesce(sum({column}), 0)"), Gives::Units(*scale))
            }
            (Aggregate::Sum, Type::Integer) => {
                (format!("coalesce(sum({column}), 0)::bigint"), Gives::Value(Type::Integer))
            }
            (Aggregate::Sum, Type::Duration) => {
                (format!("coalesce(sum({column}), interval '0')"), Gives::Value(Type::Duration))
            }
            (Aggregate::Sum, ty) => (format!("coalesce(sum({column}), 0)"), Gives::Value(ty.clone())),
            (Aggregate::Average, Type::Double) => (format!("avg({column})"), Gives::Value(Type::Double)),
            (Aggregate::Average, Type::Duration | Type::Timestamp) => {
                let micros = format!("(extract(epoch from {column}) * 1000000)");
                (format!("\"_fw_average\"(sum({micros}), count({column}))"), Gives::Units(6))
            }
            (Aggregate::Average, _) => {
                (format!("\"_fw_average\"(sum({column}), count({column}))"), Gives::Units(6))
            }
        }
    }

    fn insert(&self, table: &str, columns: &str, values: &str) -> String {
        format!("INSERT INTO {table} ({columns}) VALUES ({values}){UNLESS_TAKEN}")
    }

    fn column_type(&self, ty: &Type) -> &'static str {
        column_type(ty)
    }

    fn table_end(&self, _: &EntitySchema) -> &'static str {
        ""
    }

    fn system_table_end(&self, _: bool) -> &'static str {
        ""
    }

    fn sequence_type(&self) -> &'static str {
        "bigint GENERATED ALWAYS AS IDENTITY"
    }

    fn identifier(&self, name: &str) -> String {
        if name.len() <= LONGEST_NAME {
            return name.to_owned();
        }
        // What PostgreSQL would cut off tells such names apart (FNV-1a, since it must never change).
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let kept = (0..=LONGEST_NAME - 17).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        format!("{} {hash:016x}", &name[..kept])
    }

    fn references_early(&self) -> bool {
        false
    }

    fn makes_tables_anew(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_apart_and_within_what_postgresql_keeps() {
        let long = |end: &str| format!("unique entity({}ä{end})", "ä".repeat(40));
        let (one, other) = (Postgres.identifier(&long("a")), Postgres.identifier(&long("b")));
        assert_ne!(one, other);
        assert!(one.len() <= LONGEST_NAME && other.len() <= LONGEST_NAME);
        assert_eq!(Postgres.identifier("unique note(name)"), "unique note(name)");
    }
}
