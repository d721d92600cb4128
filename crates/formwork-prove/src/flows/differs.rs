//! Why a condition does not hold, for whoever reads the report: the first part of it that is not true, with the values on
//! both sides of its comparison.
//!
//! The condition's text is parsed again for the words of its parts; where text and compiled expression do not go side by
//! side, nothing is said rather than something wrong.

use super::session::Session;
use formwork_language::expression::{Ast, AstKind, BinaryOperator, Equals, Expression, parse};
use formwork_language::value::{Value, json};

/// How much of a value is shown, in characters.
const SHOWN: usize = 200;

/// One clause: `` `response.copies` is 1 ``. Absent when there is nothing to tell.
pub(super) fn differs(session: &mut Session<'_>, condition: &Expression, text: &str) -> Option<String> {
    let ast = parse(text, Equals::Compares, &|offset| offset).ok()?;
    let (ast, condition) = first_untrue(session, &ast, condition)?;
    let AstKind::Binary { left: words, right: other_words, .. } = &ast.kind else {
        return Some(format!("`{}` does not hold", slice(text, ast)));
    };
    let Expression::Binary { operator, left, right, .. } = condition else {
        return Some(format!("`{}` does not hold", slice(text, ast)));
    };
    let joins = matches!(operator, BinaryOperator::And | BinaryOperator::Or);
    if joins {
        return Some(format!("`{}` does not hold", slice(text, ast)));
    }
    let mut said = Vec::new();
    for (ast, side) in [(words, left), (other_words, right)] {
        if matches!(**side, Expression::Constant(_)) {
            continue;
        }
        let value = session.evaluate(side).ok()?;
        said.push(format!("`{}` is {}", slice(text, ast), shown(&value)));
    }
    if said.is_empty() { None } else { Some(said.join(", ")) }
}

/// The first part that is not true: of *a && b* the first of both that is not.
fn first_untrue<'c>(
    session: &mut Session<'_>,
    ast: &'c Ast,
    condition: &'c Expression,
) -> Option<(&'c Ast, &'c Expression)> {
    if let AstKind::Binary { operator: BinaryOperator::And, left: left_words, right: right_words, .. } =
        &ast.kind
        && let Expression::Binary { operator: BinaryOperator::And, left, right, .. } = condition
    {
        let left_holds = session.holds(left).ok()?;
        return match left_holds {
            false => first_untrue(session, left_words, left),
            true => first_untrue(session, right_words, right),
        };
    }
    Some((ast, condition))
}

fn slice<'t>(text: &'t str, ast: &Ast) -> &'t str {
    text.get(ast.span.range()).unwrap_or(text).trim()
}

fn shown(value: &Value) -> String {
    if matches!(value, Value::Absent) {
        return "absent".to_owned();
    }
    let text = json::to_json(value);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
