//! [`Resume`] as bytes and back, so that an operation outlives the process that began it.
//!
//! One byte of format, then fields in a fixed order; lengths are 32 bits, numbers little-endian, every value with a
//! tag of its type. What is read is bounded by what is there: no length is trusted before its bytes are seen.

use crate::parts::{Arrived, Outgoing, Pending, Resume};
use formwork_language::value::{Decimal, Row, Value};
use std::sync::Arc;

/// The format that is written, and the only one that is read.
const FORMAT: u8 = 1;
/// The longest state that is kept: 4 MiB. One that is longer fails its operation.
pub const MAX_STATE: usize = 4 * 1024 * 1024;
/// How deep lists and maps nest in a state.
const MAX_DEPTH: u32 = 128;

/// Why a state is not written or not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is longer than [`MAX_STATE`], or nests deeper than a state may.
    #[error("the variables of the operation are longer than {MAX_STATE} bytes, or nest too deeply")]
    TooLong,
    /// It was written in another format.
    #[error("the state has another format")]
    Format,
    /// It ends early, has a tag that none is, or bytes behind its end.
    #[error("the state cannot be read")]
    Broken,
}

/// The bytes of a state, without its step, which the store knows.
pub fn encode(resume: &Resume) -> Result<Vec<u8>, StateError> {
    let mut out = Writer { bytes: vec![FORMAT], depth: 0, too_deep: false };
    out.u32(resume.at);
    out.list(&resume.slots, Writer::value);
    out.list(&resume.rows, Writer::row);
    out.option(resume.after.as_ref(), |out, after| out.list(after, Writer::value));
    out.list(&resume.pages, |out, (slot, next)| {
        out.bytes.extend(slot.to_le_bytes());
        out.option(next.as_ref(), |out, next| out.list(next, Writer::value));
    });
    out.pending(&resume.pending);
    out.bytes.push(u8::from(resume.kept));
    if out.too_deep || out.bytes.len() > MAX_STATE { Err(StateError::TooLong) } else { Ok(out.bytes) }
}

/// The state of some bytes.
pub fn decode(bytes: &[u8]) -> Result<Resume, StateError> {
    let mut from = Reader { rest: bytes };
    if from.u8().ok_or(StateError::Broken)? != FORMAT {
        return Err(StateError::Format);
    }
    let read = |from: &mut Reader<'_>| {
        let at = from.u32()?;
        let slots = from.list(|from| from.value(0))?;
        let rows = from.list(Reader::row)?;
        let after = from.option(|from| from.list(|from| from.value(0)))?;
        let pages = from.list(|from| {
            let slot = u16::from_le_bytes(from.array()?);
            Some((slot, from.option(|from| from.list(|from| from.value(0)))?))
        })?;
        let pending = from.pending()?;
        let kept = from.flag()?;
        from.rest.is_empty().then_some(Resume { at, slots, rows, after, pages, pending, kept, step: 0 })
    };
    read(&mut from).ok_or(StateError::Broken)
}

struct Writer {
    bytes: Vec<u8>,
    depth: u32,
    too_deep: bool,
}

impl Writer {
    fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn i64(&mut self, number: i64) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn long(&mut self, bytes: &[u8]) {
        // Whatever does not fit 32 bits does not fit the longest state either.
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(MAX_STATE + 1)]);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.u32(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for item in items {
            if self.bytes.len() > MAX_STATE {
                return;
            }
            each(self, item);
        }
    }

    fn option<T>(&mut self, item: Option<&T>, each: impl FnOnce(&mut Self, &T)) {
        self.bytes.push(u8::from(item.is_some()));
        if let Some(item) = item {
            each(self, item);
        }
    }

    fn value(&mut self, value: &Value) {
        if self.depth > MAX_DEPTH {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        self.tagged_value(value);
        self.depth -= 1;
    }

    fn tagged_value(&mut self, value: &Value) {
        match value {
            Value::Absent => self.bytes.push(0),
            Value::Null => self.bytes.push(1),
            Value::Boolean(value) => self.bytes.extend([2, u8::from(*value)]),
            Value::Integer(value) => self.tagged(3, &value.to_le_bytes()),
            Value::Unsigned(value) => self.tagged(4, &value.to_le_bytes()),
            Value::Decimal(value) => {
                self.tagged(5, &value.units.to_le_bytes());
                self.bytes.push(value.scale);
            }
            Value::Double(value) => self.tagged(6, &value.to_bits().to_le_bytes()),
            Value::Text(value) => self.text(7, value),
            Value::Bytes(value) => {
                self.bytes.push(8);
                self.long(value);
            }
            Value::Uuid(value) => self.tagged(9, value),
            Value::Timestamp(value) => self.tagged(10, &value.to_le_bytes()),
            Value::Date(value) => self.tagged(11, &value.to_le_bytes()),
            Value::Time(value) => self.tagged(12, &value.to_le_bytes()),
            Value::Duration(value) => self.tagged(13, &value.to_le_bytes()),
            Value::List(items) => {
                self.bytes.push(14);
                self.list(items, Self::value);
            }
            Value::Map(entries) => {
                self.bytes.push(15);
                self.list(entries, |out, (key, value)| {
                    out.value(key);
                    out.value(value);
                });
            }
            Value::Json(value) => self.text(16, value),
            Value::Row(index) => self.tagged(17, &index.to_le_bytes()),
            Value::Type(name) => self.text(18, name),
        }
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(bytes);
    }

    fn text(&mut self, tag: u8, text: &str) {
        self.bytes.push(tag);
        self.long(text.as_bytes());
    }

    fn row(&mut self, row: &Row) {
        self.bytes.extend(row.entity.to_le_bytes());
        self.i64(row.version);
        self.bytes.push(u8::from(row.deleted));
        self.list(&row.values, Self::value);
    }

    fn headers(&mut self, headers: &[(Arc<str>, Arc<str>)]) {
        self.list(headers, |out, (name, value)| {
            out.long(name.as_bytes());
            out.long(value.as_bytes());
        });
    }

    fn pending(&mut self, pending: &Pending) {
        match pending {
            Pending::Batch => self.bytes.push(0),
            Pending::Commit => self.bytes.push(1),
            Pending::Element => self.bytes.push(5),
            Pending::Call(outgoing) => {
                self.tagged(2, &outgoing.upstream.to_le_bytes());
                self.long(outgoing.method.as_bytes());
                self.long(outgoing.target.as_bytes());
                self.option(outgoing.body.as_ref(), |out, body| out.long(body.as_bytes()));
                self.headers(&outgoing.headers);
                self.option(outgoing.waiting.as_ref(), |out, waiting| out.i64(*waiting));
                self.option(outgoing.tries.as_ref(), |out, tries| out.u32(*tries));
            }
            Pending::Arrived(arrived) => {
                self.bytes.push(3);
                match &**arrived {
                    Arrived::Answer { status, headers, body } => {
                        self.tagged(0, &status.to_le_bytes());
                        self.headers(headers);
                        self.long(body.as_bytes());
                    }
                    Arrived::Unfit => self.bytes.push(1),
                    Arrived::Unknown => self.bytes.push(2),
                    Arrived::NotSent => self.bytes.push(3),
                }
            }
            Pending::Wait { until } => self.tagged(4, &until.to_le_bytes()),
        }
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn long(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.long()?).ok()
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = usize::try_from(self.u32()?).ok()?;
        // Every item takes at least a byte: a length that lies reserves nothing.
        if length > self.rest.len() {
            return None;
        }
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(each(self)?);
        }
        Some(items)
    }

    fn option<T>(&mut self, each: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { each(self).map(Some) } else { Some(None) }
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match self.u8()? {
            0 => Value::Absent,
            1 => Value::Null,
            2 => Value::Boolean(self.flag()?),
            3 => Value::Integer(self.i64()?),
            4 => Value::Unsigned(self.array().map(u64::from_le_bytes)?),
            5 => {
                let units = self.array().map(i128::from_le_bytes)?;
                Value::Decimal(Decimal { units, scale: self.u8()? })
            }
            6 => Value::Double(f64::from_bits(self.array().map(u64::from_le_bytes)?)),
            7 => Value::Text(self.text()?.into()),
            8 => Value::Bytes(self.long()?.into()),
            9 => Value::Uuid(self.array()?),
            10 => Value::Timestamp(self.i64()?),
            11 => Value::Date(self.array().map(i32::from_le_bytes)?),
            12 => Value::Time(self.i64()?),
            13 => Value::Duration(self.i64()?),
            14 => Value::List(self.list(|from| from.value(depth + 1))?.into()),
            15 => {
                let entry = |from: &mut Self| Some((from.value(depth + 1)?, from.value(depth + 1)?));
                Value::Map(self.list(entry)?.into())
            }
            16 => Value::Json(self.text()?.into()),
            17 => Value::Row(self.u32()?),
            18 => {
                let name = self.text()?;
                Value::Type(TYPES.into_iter().find(|known| *known == name)?)
            }
            _ => return None,
        })
    }

    fn row(&mut self) -> Option<Row> {
        let entity = u16::from_le_bytes(self.array()?);
        let (version, deleted) = (self.i64()?, self.flag()?);
        Some(Row { entity, values: self.list(|from| from.value(0))?, version, deleted })
    }

    fn headers(&mut self) -> Option<Vec<(Arc<str>, Arc<str>)>> {
        self.list(|from| Some((from.text()?.into(), from.text()?.into())))
    }

    fn pending(&mut self) -> Option<Pending> {
        Some(match self.u8()? {
            0 => Pending::Batch,
            1 => Pending::Commit,
            2 => Pending::Call(Box::new(Outgoing {
                upstream: u16::from_le_bytes(self.array()?),
                method: self.text()?.into(),
                target: self.text()?.to_owned(),
                body: self.option(|from| from.text().map(str::to_owned))?,
                headers: self.headers()?,
                waiting: self.option(Self::i64)?,
                tries: self.option(Self::u32)?,
            })),
            3 => Pending::Arrived(Box::new(match self.u8()? {
                0 => Arrived::Answer {
                    status: u16::from_le_bytes(self.array()?),
                    headers: self.headers()?,
                    body: self.text()?.into(),
                },
                1 => Arrived::Unfit,
                2 => Arrived::Unknown,
                3 => Arrived::NotSent,
                _ => return None,
            })),
            4 => Pending::Wait { until: self.i64()? },
            5 => Pending::Element,
            _ => return None,
        })
    }
}

/// The names of CEL types, which values share.
const TYPES: [&str; 14] = [
    "bool",
    "int",
    "uint",
    "double",
    "decimal",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "uuid",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Absent),
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::Integer),
            any::<u64>().prop_map(Value::Unsigned),
            (any::<i128>(), 0..39_u8).prop_map(|(units, scale)| Value::Decimal(Decimal { units, scale })),
            any::<f64>().prop_map(Value::Double),
            ".{0,12}".prop_map(|text| Value::Text(text.into())),
            prop::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| Value::Bytes(bytes.into())),
            any::<[u8; 16]>().prop_map(Value::Uuid),
            any::<i64>().prop_map(Value::Timestamp),
            any::<i32>().prop_map(Value::Date),
            any::<i64>().prop_map(Value::Time),
            any::<i64>().prop_map(Value::Duration),
            Just(Value::Json("{\"a\":1.50}".into())),
            any::<u32>().prop_map(Value::Row),
            prop::sample::select(TYPES.to_vec()).prop_map(Value::Type),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| Value::List(items.into())),
                prop::collection::vec((inner.clone(), inner), 0..4)
                    .prop_map(|entries| Value::Map(entries.into())),
            ]
        })
    }

    fn headers() -> impl Strategy<Value = Vec<(Arc<str>, Arc<str>)>> {
        prop::collection::vec((".{0,6}".prop_map(Arc::from), ".{0,6}".prop_map(Arc::from)), 0..3)
    }

    fn pendings() -> impl Strategy<Value = Pending> {
        let call = (any::<u16>(), ".{0,8}", prop::option::of(".{0,8}"), headers(), any::<Option<u32>>());
        let call = call.prop_map(|(upstream, target, body, headers, tries)| {
            let method = "POST".into();
            let waiting = tries.map(i64::from);
            Pending::Call(Box::new(Outgoing { upstream, method, target, body, headers, waiting, tries }))
        });
        let arrived = prop_oneof![
            (any::<u16>(), headers(), ".{0,8}").prop_map(|(status, headers, body)| Arrived::Answer {
                status,
                headers,
                body: body.into()
            }),
            prop::sample::select(vec![Arrived::Unfit, Arrived::Unknown, Arrived::NotSent]),
        ];
        prop_oneof![
            Just(Pending::Batch),
            Just(Pending::Commit),
            Just(Pending::Element),
            call,
            arrived.prop_map(|arrived| Pending::Arrived(Box::new(arrived))),
            any::<i64>().prop_map(|until| Pending::Wait { until }),
        ]
    }

    fn resumes() -> impl Strategy<Value = Resume> {
        let row = (any::<u16>(), any::<i64>(), any::<bool>(), prop::collection::vec(values(), 0..4));
        let row = row.prop_map(|(entity, version, deleted, values)| Row { entity, values, version, deleted });
        let some = || prop::option::of(prop::collection::vec(values(), 0..3));
        (
            any::<u32>(),
            prop::collection::vec(values(), 0..6),
            prop::collection::vec(row, 0..4),
            some(),
            prop::collection::vec((any::<u16>(), some()), 0..3),
            pendings(),
            any::<bool>(),
        )
            .prop_map(|(at, slots, rows, after, pages, pending, kept)| Resume {
                at,
                slots,
                rows,
                after,
                pages,
                pending,
                kept,
                // The store knows it by itself.
                step: 0,
            })
    }

    proptest! {
        #[test]
        fn a_state_comes_back_with_every_type_as_it_was(resume in resumes()) {
            let bytes = encode(&resume).expect("short");
            let again = decode(&bytes).expect("what was written is read");
            // The derived text shows every type and every bit of a number but a NaN's.
            prop_assert_eq!(format!("{again:?}"), format!("{resume:?}"));
            prop_assert_eq!(encode(&again).expect("short"), bytes);
        }

        #[test]
        fn a_state_that_was_cut_is_refused(resume in resumes(), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&resume).expect("short");
            prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = decode(&[&[FORMAT][..], &bytes].concat());
        }
    }

    fn state(slots: Vec<Value>) -> Resume {
        let (rows, pages) = (Vec::new(), Vec::new());
        Resume { at: 0, slots, rows, after: None, pages, pending: Pending::Commit, kept: false, step: 0 }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let long = Value::Text("a".repeat(MAX_STATE).into());
        assert_eq!(encode(&state(vec![long])), Err(StateError::TooLong));
        assert!(encode(&state(vec![Value::Text("a".repeat(1000).into())])).is_ok());
    }

    #[test]
    fn another_format_is_told() {
        let mut bytes = encode(&state(Vec::new())).expect("short");
        bytes[0] = FORMAT + 1;
        assert_eq!(decode(&bytes).map(|_| ()), Err(StateError::Format));
    }
}
