//! Conditions as SQL. Positive comparisons are plain, so that they use an index; SQL's unknown counts as false
//! under `AND` and `OR`, and `Not` is `IS NOT TRUE`, so that it is exactly the opposite.

use super::compile::Sql;
use super::operand::{beside, compared, mirrored, push as push_operand, type_of};
use super::values::Encode;
use formwork_language::program::{Comparison, Condition, Operand, TextTest};
use formwork_model::values::Type;

/// Writes a condition; what is joined stands in parentheses.
pub(crate) fn push(sql: &mut Sql<'_>, condition: &Condition) {
    match condition {
        Condition::All(parts) => join(sql, parts, " AND ", "1"),
        Condition::Any(parts) => join(sql, parts, " OR ", "0"),
        Condition::Not(inner) => {
            sql.text.push_str("((");
            push(sql, inner);
            sql.text.push_str(") IS NOT TRUE)");
        }
        Condition::Compare(comparison, left, right) => compare(sql, *comparison, left, right),
        Condition::IsNull(operand) => null_test(sql, operand, " IS NULL)"),
        Condition::IsNotNull(operand) => null_test(sql, operand, " IS NOT NULL)"),
        Condition::InList(operand, list) => in_list(sql, operand, *list),
        Condition::InOperands(operand, among) => in_operands(sql, operand, among),
        Condition::TextTest(test, text, part) => text_test(sql, *test, text, part),
        Condition::IsTrue(operand) => {
            sql.text.push('(');
            push_operand(sql, operand, &Encode::As(Type::Boolean));
            sql.text.push_str(" = 1)");
        }
    }
}

fn join(sql: &mut Sql<'_>, parts: &[Condition], between: &str, none: &str) {
    if parts.is_empty() {
        sql.text.push_str(none);
        return;
    }
    sql.text.push('(');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            sql.text.push_str(between);
        }
        push(sql, part);
    }
    sql.text.push(')');
}

const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
    }
}

fn scale_of(ty: Option<&Type>) -> Option<u8> {
    match ty {
        Some(Type::Integer) => Some(0),
        Some(Type::Decimal { scale, .. }) => Some(*scale),
        _ => None,
    }
}

fn compare(sql: &mut Sql<'_>, comparison: Comparison, left: &Operand, right: &Operand) {
    let (left_type, right_type) = (type_of(sql, left), type_of(sql, right));
    let for_left = compared(right_type.as_ref().or(left_type.as_ref()), mirrored(comparison));
    let for_right = compared(left_type.as_ref().or(right_type.as_ref()), comparison);
    // Two columns of different scales meet at the larger one.
    let (left_scale, right_scale) = (scale_of(left_type.as_ref()), scale_of(right_type.as_ref()));
    let common = left_scale.zip(right_scale).map(|(left, right)| left.max(right));
    sql.text.push('(');
    push_at_scale(sql, left, &for_left, left_scale.zip(common));
    sql.text.push_str(sign(comparison));
    push_at_scale(sql, right, &for_right, right_scale.zip(common));
    sql.text.push(')');
}

fn push_at_scale(sql: &mut Sql<'_>, operand: &Operand, encode: &Encode, scales: Option<(u8, u8)>) {
    match scales {
        Some((own, common)) if own < common => {
            sql.text.push_str("fw_add(");
            push_operand(sql, operand, encode);
            sql.text.push_str(&format!(", 0, {own}, {own}, {common})"));
        }
        _ => push_operand(sql, operand, encode),
    }
}

fn null_test(sql: &mut Sql<'_>, operand: &Operand, test: &str) {
    sql.text.push('(');
    push_operand(sql, operand, &Encode::Plain);
    sql.text.push_str(test);
}

fn in_list(sql: &mut Sql<'_>, operand: &Operand, list: u16) {
    let ty = type_of(sql, operand);
    let each = compared(ty.as_ref(), Comparison::Equal);
    sql.text.push('(');
    push_operand(sql, operand, &beside(ty.as_ref()));
    // JSON knows no blobs: they travel as hexadecimal digits.
    let blob = matches!(ty, Some(Type::Uuid | Type::Bytes));
    sql.text.push_str(if blob {
        " IN (SELECT unhex(value) FROM json_each("
    } else {
        " IN (SELECT value FROM json_each("
    });
    sql.push_parameter(list, Encode::List(Box::new(each)));
    sql.text.push_str(")))");
}

fn in_operands(sql: &mut Sql<'_>, operand: &Operand, among: &[Operand]) {
    if among.is_empty() {
        sql.text.push('0');
        return;
    }
    let ty = type_of(sql, operand).or_else(|| among.iter().find_map(|one| type_of(sql, one)));
    let each = compared(ty.as_ref(), Comparison::Equal);
    sql.text.push('(');
    push_operand(sql, operand, &each);
    sql.text.push_str(" IN (");
    for (at, one) in among.iter().enumerate() {
        if at > 0 {
            sql.text.push_str(", ");
        }
        push_operand(sql, one, &each);
    }
    sql.text.push_str("))");
}

fn text_test(sql: &mut Sql<'_>, test: TextTest, text: &Operand, part: &Operand) {
    let encode = Encode::As(Type::String);
    let mut push = |pieces: [&str; 4], parts: [&Operand; 3]| {
        for (piece, operand) in pieces.iter().zip(parts.iter().map(Some).chain([None])) {
            sql.text.push_str(piece);
            if let Some(operand) = operand {
                push_operand(sql, operand, &encode);
            }
        }
    };
    match test {
        TextTest::StartsWith => push(["(substr(", ", 1, length(", ")) = ", ")"], [text, part, part]),
        TextTest::EndsWith => {
            // From behind by length, counted from the front: a start of 0 for an empty part would take all.
            push(["(substr(", ", length(", ") - length(", ") + 1) = "], [text, text, part]);
            push_operand(sql, part, &encode);
            sql.text.push(')');
        }
        TextTest::Contains => {
            sql.text.push_str("(instr(");
            push_operand(sql, text, &encode);
            sql.text.push_str(", ");
            push_operand(sql, part, &encode);
            sql.text.push_str(") > 0)");
        }
    }
}
