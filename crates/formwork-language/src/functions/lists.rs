//! Lists and maps.

use super::{Function, Gives, NO_OVERLOAD, Style, Takes, pure};
use crate::eval::{EvaluationError, Work};
use crate::value::{Value, same};

pub(super) fn functions() -> Vec<Function> {
    use Takes::{List, Text};
    const BY: &[super::Overload] =
        &[overload!(&[List, Text], Gives::Indexed), overload!(&[List, List], Gives::Indexed)];
    vec![pure("index_by", Style::Either, BY, index_by)]
}

/// `index_by(xs, "f")`: the items by the text of their member `f`; of several with one key the last. An item without
/// the member is left out. For rows the compiler gives the list of their keys instead of the name.
fn index_by(work: &mut Work<'_>, values: &[Value]) -> Result<Value, EvaluationError> {
    let [Value::List(items), by] = values else { return Err(NO_OVERLOAD) };
    let mut places = rustc_hash::FxHashMap::<String, usize>::default();
    let mut indexed: Vec<(Value, Value)> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        work.charge(1)?;
        let key = match (by, item) {
            (Value::List(keys), _) => keys.get(at),
            (Value::Text(_), Value::Map(members)) => {
                members.iter().find(|(member, _)| same(member, by)).map(|(_, value)| value)
            }
            _ => return Err(NO_OVERLOAD),
        };
        let Some(key) = key.filter(|key| !key.is_absent()).map(Value::to_plain) else { continue };
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
