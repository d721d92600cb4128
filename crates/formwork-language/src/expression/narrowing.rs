//! Which names a condition proves not to be absent.
//!
//! A comparison with an absent value is false, so `x == 5` proves `x`, as `x != null` does. Source: language
//! reference, *Absent values*.

use super::{Ast, AstKind, BinaryOperator, UnaryOperator};
use std::sync::Arc;

/// The dotted paths that are not absent when the condition is true (`holds`) or when it is not.
pub fn proves(condition: &Ast, holds: bool) -> Vec<Vec<Arc<str>>> {
    let mut paths = Vec::new();
    collect(condition, holds, &mut paths);
    paths
}

fn collect(condition: &Ast, holds: bool, paths: &mut Vec<Vec<Arc<str>>>) {
    match &condition.kind {
        AstKind::Unary(UnaryOperator::Not, inner) => collect(inner, !holds, paths),
        AstKind::Binary { operator, left, right, .. } => binary(*operator, left, right, holds, paths),
        AstKind::Name(_) | AstKind::Member { .. } if holds => paths.extend(condition.path()),
        _ => {}
    }
}

fn binary(operator: BinaryOperator, left: &Ast, right: &Ast, holds: bool, paths: &mut Vec<Vec<Arc<str>>>) {
    use BinaryOperator as Op;
    match (operator, holds) {
        (Op::And, true) | (Op::Or, false) => {
            collect(left, holds, paths);
            collect(right, holds, paths);
        }
        (Op::And, false) | (Op::Or, true) => {
            let other = proves(right, holds);
            paths.extend(proves(left, holds).into_iter().filter(|path| other.contains(path)));
        }
        (Op::Equal, false) | (Op::NotEqual, true) if left.is_null() || right.is_null() => {
            paths.extend(if left.is_null() { right.path() } else { left.path() });
        }
        (Op::Equal, true) | (Op::NotEqual, false) if left.is_null() || right.is_null() => {}
        (Op::Equal | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual, true)
        | (Op::NotEqual, false) => {
            paths.extend(left.path());
            paths.extend(right.path());
        }
        (Op::In, true) => paths.extend(left.path()),
        _ => {}
    }
}
