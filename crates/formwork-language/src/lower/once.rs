//! What section 9 says of `Idempotency-Key`, by operation. That a line names an operation that does not exist, or one
//! that never writes, is found by `formwork-check`.

use crate::program::{OnceRule, Operation};
use formwork_model::Model;
use formwork_model::names::NameIndex;
use formwork_model::sections::security::{AuthenticationKind, Kept, KeyRule};

/// The rules of the operations that a line is about, in the order of the operations; of two lines the later holds.
pub(super) fn rules(model: &Model, operations: &[Operation]) -> Vec<OnceRule> {
    let lines = model.authentication.iter().filter_map(|authentication| match &authentication.kind {
        AuthenticationKind::IdempotencyKey(rule) => Some(rule),
        _ => None,
    });
    let names = NameIndex::new(operations.iter().map(|operation| &*operation.name));
    let mut rules: Vec<OnceRule> = Vec::new();
    for line in lines {
        for operation in named(line, &names, operations) {
            let at = rules.iter().position(|rule| rule.operation == operation).unwrap_or_else(|| {
                rules.push(OnceRule::usual(operation));
                rules.len() - 1
            });
            rules[at].required |= line.required;
            match line.kept {
                Kept::Micros(micros) => rules[at].kept = Some(micros),
                Kept::ForEver => rules[at].kept = None,
                Kept::Unsaid | Kept::NotUnderstood(_) => {}
            }
        }
    }
    rules.sort_by_key(|rule| rule.operation);
    rules
}

/// The operations of a line that could keep an answer.
fn named(line: &KeyRule, names: &NameIndex, operations: &[Operation]) -> Vec<u32> {
    let keeps = |operation: &Operation| operation.writes && &*operation.method != "GET";
    let all = || (0..operations.len()).collect::<Vec<_>>();
    let found = match line.operations.is_empty() {
        true => all(),
        false => line.operations.iter().filter_map(|name| names.find(&name.value)).collect(),
    };
    let kept = found.into_iter().filter(|at| operations.get(*at).is_some_and(keeps));
    kept.filter_map(|at| u32::try_from(at).ok()).collect()
}
