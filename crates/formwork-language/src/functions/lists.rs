//! Lists and maps.

use super::{Function, Gives, NO_OVERLOAD, Style, Takes, pure};
use crate::eval::{EvaluationError, Work};
use crate::value::{Value, same};

pub(super) fn functions() -> Vec<Function> {
    use Takes::{List, Text};
    vec![pure("index_by", Style::Either, &[overload!(&[List, Text], Gives::Indexed)], index_by)]
}

/// `index_by(xs, "f")`: the items by the text of their member `f`; of several with one key the last.
/// Rows are turned into items by the compiler, which knows their fields.
fn index_by(work: &mut Work<'_>, values: &[Value]) -> Result<Value, EvaluationError> {
    let [Value::List(items), name @ Value::Text(_)] = values else { return Err(NO_OVERLOAD) };
    let mut places = rustc_hash::FxHashMap::<String, usize>::default();
    let mut indexed: Vec<(Value, Value)> = Vec::new();
    for item in items.iter() {
        work.charge(1)?;
        let Value::Map(members) = item else { return Err(NO_OVERLOAD) };
        let Some((_, key)) = members.iter().find(|(member, _)| same(member, name)) else { continue };
        let key = key.to_plain();
        match places.get(&key) {
            Some(place) => indexed[*place].1 = item.clone(),
            None => {
                places.insert(key.clone(), indexed.len());
                indexed.push((Value::Text(key.into()), item.clone()));
            }
        }
    }
    Ok(Value::Map(indexed.into()))
}
