//! The key of a kept answer: the operation, its input, and what it reads of the caller and the request, written so that
//! no two different ones are alike.

use formwork_language::program::{CachedOperation, KeyPart, slots};
use formwork_language::value::Value;

/// The key.
pub(super) fn of(rule: &CachedOperation, values: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&rule.operation.to_be_bytes());
    for part in &rule.key {
        match part {
            KeyPart::Slot(slot) => write(&mut out, at(values, *slot)),
            KeyPart::Member(slot, name) => write(&mut out, member(at(values, *slot), name)),
        }
    }
    values.iter().skip(usize::from(slots::INPUT)).for_each(|value| write(&mut out, value));
    out
}

fn at(values: &[Value], slot: u16) -> &Value {
    values.get(usize::from(slot)).unwrap_or(&Value::Absent)
}

fn member<'v>(of: &'v Value, name: &str) -> &'v Value {
    let Value::Map(members) = of else { return &Value::Absent };
    let is_it = |key: &Value| matches!(key, Value::Text(text) if **text == *name);
    members.iter().find(|(key, _)| is_it(key)).map_or(&Value::Absent, |(_, value)| value)
}

/// Writes a kind and, before what has no fixed length, its length.
fn write(out: &mut Vec<u8>, value: &Value) {
    let text = |out: &mut Vec<u8>, kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    let fixed = |out: &mut Vec<u8>, kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Absent => out.push(0),
        Value::Null => out.push(1),
        Value::Boolean(value) => fixed(out, 2, &[u8::from(*value)]),
        Value::Integer(value) => fixed(out, 3, &value.to_be_bytes()),
        Value::Unsigned(value) => fixed(out, 4, &value.to_be_bytes()),
        Value::Decimal(value) => {
            fixed(out, 5, &value.units.to_be_bytes());
            out.push(value.scale);
        }
        Value::Double(value) => fixed(out, 6, &value.to_bits().to_be_bytes()),
        Value::Text(value) => text(out, 7, value.as_bytes()),
        Value::Bytes(value) => text(out, 8, value),
        Value::Uuid(value) => fixed(out, 9, value),
        Value::Timestamp(value) => fixed(out, 10, &value.to_be_bytes()),
        Value::Date(value) => fixed(out, 11, &value.to_be_bytes()),
        Value::Time(value) => fixed(out, 12, &value.to_be_bytes()),
        Value::Duration(value) => fixed(out, 13, &value.to_be_bytes()),
        Value::List(items) => {
            fixed(out, 14, &(items.len() as u64).to_be_bytes());
            items.iter().for_each(|item| write(out, item));
        }
        Value::Map(members) => {
            fixed(out, 15, &(members.len() as u64).to_be_bytes());
            for (key, value) in members.iter() {
                write(out, key);
                write(out, value);
            }
        }
        Value::Json(value) => text(out, 16, value.as_bytes()),
        Value::Row(value) => fixed(out, 17, &value.to_be_bytes()),
        Value::Type(value) => text(out, 18, value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(key: Vec<KeyPart>) -> CachedOperation {
        CachedOperation {
            operation: 0,
            layer: 0,
            ttl: None,
            reads: Vec::new(),
            writes: Vec::new(),
            events: Vec::new(),
            headers: Vec::new(),
            key,
        }
    }

    fn values(caller: &str, input: &[Value]) -> Vec<Value> {
        let mut values = vec![Value::Absent; usize::from(slots::INPUT)];
        values[usize::from(slots::CALLER_ID)] = Value::text(caller);
        let header = |name: &str, value: &str| (Value::text(name), Value::text(value));
        values[usize::from(slots::REQUEST_HEADERS)] =
            Value::Map([header("x-request-id", caller), header("accept-language", "en")].into());
        values.extend_from_slice(input);
        values
    }

    #[test]
    fn inputs_that_differ_in_kind_or_in_where_they_end_have_different_keys() {
        let inputs: Vec<Vec<Value>> = vec![
            vec![Value::Absent, Value::text("a")],
            vec![Value::Null, Value::text("a")],
            vec![Value::text("a"), Value::Absent],
            vec![Value::text("a"), Value::text("")],
            vec![Value::text(""), Value::text("a")],
            vec![Value::text("1"), Value::Absent],
            vec![Value::Integer(1), Value::Absent],
            vec![Value::Double(1.0), Value::Absent],
            vec![Value::List([Value::text("a"), Value::text("b")].into()), Value::Absent],
            vec![Value::List([Value::text("a")].into()), Value::text("b")],
            vec![Value::List([].into()), Value::Absent],
        ];
        let rule = rule(Vec::new());
        let keys: std::collections::BTreeSet<Vec<u8>> =
            inputs.iter().map(|input| of(&rule, &values("ann", input))).collect();
        assert_eq!(keys.len(), inputs.len());
    }

    #[test]
    fn a_caller_counts_where_the_behaviour_reads_it_and_one_header_where_it_reads_one() {
        let key = |parts: &[KeyPart], caller: &str| of(&rule(parts.to_vec()), &values(caller, &[]));
        assert_eq!(key(&[], "ann"), key(&[], "bob"));
        let id = [KeyPart::Slot(slots::CALLER_ID)];
        assert_ne!(key(&id, "ann"), key(&id, "bob"));
        let one = [KeyPart::Member(slots::REQUEST_HEADERS, "accept-language".into())];
        assert_eq!(key(&one, "ann"), key(&one, "bob"));
        let all = [KeyPart::Slot(slots::REQUEST_HEADERS)];
        assert_ne!(key(&all, "ann"), key(&all, "bob"));
    }
}
