//! Conditions as SQL. Positive comparisons are plain, so that they use an index; SQL's unknown counts as false
//! under `AND` and `OR`, and `Not` is `IS NOT TRUE`, so that it is exactly the opposite.

use super::encode::Encode;
use super::operand::{beside, mirrored, type_of, write as write_operand};
use super::sql::Sql;
use formwork_language::program::{Comparison, Condition, Operand};
use formwork_model::values::Type;

/// Writes a condition; what is joined stands in parentheses.
pub(crate) fn write(sql: &mut Sql<'_>, condition: &Condition) -> String {
    match condition {
        Condition::All(parts) => join(sql, parts, " AND ", true),
        Condition::Any(parts) => join(sql, parts, " OR ", false),
        Condition::Not(inner) => format!("(({}) IS NOT TRUE)", write(sql, inner)),
        Condition::Compare(comparison, left, right) => compare(sql, *comparison, left, right),
        Condition::IsNull(operand) => format!("({} IS NULL)", write_operand(sql, operand, &Encode::Plain)),
        Condition::IsNotNull(operand) => {
            format!("({} IS NOT NULL)", write_operand(sql, operand, &Encode::Plain))
        }
        Condition::InList(operand, list) => in_list(sql, operand, *list),
        Condition::InOperands(operand, among) => in_operands(sql, operand, among),
        Condition::TextTest(test, text, part) => {
            let encode = Encode::As(Type::String);
            let (text, part) = (write_operand(sql, text, &encode), write_operand(sql, part, &encode));
            sql.dialect.text_test(*test, &text, &part)
        }
        Condition::IsTrue(operand) => {
            let operand = write_operand(sql, operand, &Encode::As(Type::Boolean));
            sql.dialect.is_true(&operand)
        }
    }
}

fn join(sql: &mut Sql<'_>, parts: &[Condition], between: &str, none: bool) -> String {
    if parts.is_empty() {
        return sql.dialect.truth(none).to_owned();
    }
    let parts: Vec<String> = parts.iter().map(|part| write(sql, part)).collect();
    format!("({})", parts.join(between))
}

const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn scale_of(ty: Option<&Type>) -> Option<u8> {
    match ty {
        Some(Type::Integer) => Some(0),
        Some(Type::Decimal { scale, .. }) => Some(*scale),
        _ => None,
    }
}

fn compare(sql: &mut Sql<'_>, comparison: Comparison, left: &Operand, right: &Operand) -> String {
    let (left_type, right_type) = (type_of(sql, left), type_of(sql, right));
    let dialect = sql.dialect;
    let for_left = dialect.compared(right_type.as_ref().or(left_type.as_ref()), mirrored(comparison));
    let for_right = dialect.compared(left_type.as_ref().or(right_type.as_ref()), comparison);
    // Two columns of different scales meet at the larger one.
    let (left_scale, right_scale) = (scale_of(left_type.as_ref()), scale_of(right_type.as_ref()));
    let common = left_scale.zip(right_scale).map(|(left, right)| left.max(right));
    let left = at_scale(sql, left, &for_left, left_scale.zip(common));
    let right = at_scale(sql, right, &for_right, right_scale.zip(common));
    format!("({left} {} {right})", sign(comparison))
}

fn at_scale(sql: &mut Sql<'_>, operand: &Operand, encode: &Encode, scales: Option<(u8, u8)>) -> String {
    let operand = write_operand(sql, operand, encode);
    match scales {
        Some((own, common)) if own < common => sql.dialect.at_scale(&operand, own, common),
        _ => operand,
    }
}

fn in_list(sql: &mut Sql<'_>, operand: &Operand, list: u16) -> String {
    let ty = type_of(sql, operand);
    let each = sql.dialect.compared(ty.as_ref(), Comparison::Equal);
    let operand = write_operand(sql, operand, &beside(ty.as_ref()));
    let list = sql.parameter(list, Encode::List(Box::new(each)));
    sql.dialect.in_list(&operand, &list, ty.as_ref())
}

fn in_operands(sql: &mut Sql<'_>, operand: &Operand, among: &[Operand]) -> String {
    if among.is_empty() {
        return sql.dialect.truth(false).to_owned();
    }
    let ty = type_of(sql, operand).or_else(|| among.iter().find_map(|one| type_of(sql, one)));
    let each = sql.dialect.compared(ty.as_ref(), Comparison::Equal);
    let operand = write_operand(sql, operand, &each);
    let among: Vec<String> = among.iter().map(|one| write_operand(sql, one, &each)).collect();
    format!("({operand} IN ({}))", among.join(", "))
}
