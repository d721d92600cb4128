//! Cursors of pages: the order's values of the last row, bound to operation, caller and input by a MAC, so that a
//! cursor is opaque and good only for the walk that it came from.

use crate::input::{Faults, decode};
use crate::json::{Json, Writer, read};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use formwork_language::value::Value;
use formwork_model::values::Type;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many bytes of the MAC a cursor carries.
const TAG: usize = 16;

/// Makes and reads cursors with one secret.
#[derive(Clone)]
pub(crate) struct Cursors {
    secret: [u8; 32],
}

/// What a cursor belongs to.
pub(crate) struct Walk<'a> {
    /// The operation's name.
    pub(crate) operation: &'a str,
    /// `caller.id`
    pub(crate) caller: &'a Value,
    /// The input without `cursor` and `limit`.
    pub(crate) input: &'a [Value],
}

impl Cursors {
    /// Cursors of a data folder's secret.
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The cursor behind a row with these values.
    pub(crate) fn encode(&self, walk: &Walk<'_>, values: &[Value]) -> String {
        let mut writer = Writer::new(&[], None, &[]);
        writer.answers(values);
        let tag = self.mac(walk, &writer.out).finalize().into_bytes();
        let mut bytes = tag[..TAG].to_vec();
        bytes.extend_from_slice(&writer.out);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The values of a cursor; nothing when it is not one of this walk.
    pub(crate) fn decode(&self, walk: &Walk<'_>, order: &[Type], cursor: &str) -> Option<Vec<Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG)?;
        self.mac(walk, payload).verify_truncated_left(tag).ok()?;
        let Json::Array(items, _) = read(payload).ok()? else { return None };
        let value = |(ty, item): (&Type, &Json<'_>)| match item {
            Json::Null => Some(Value::Null),
            item => decode(ty, item, &mut Faults::new()),
        };
        (items.len() == order.len()).then(|| order.iter().zip(&items).map(value).collect())?
    }

    fn mac(&self, walk: &Walk<'_>, payload: &[u8]) -> Hmac<Sha256> {
        let mut writer = Writer::new(&[], None, &[]);
        writer.answers(&[Value::Text(walk.operation.into()), walk.caller.clone()]);
        writer.answers(walk.input);
        // A key shorter than SHA-256's block is padded with zeros (RFC 2104).
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.secret);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(&writer.out);
        mac.update(payload);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_walk_only() {
        let cursors = Cursors::new([7; 32]);
        let caller = Value::Text("alice".into());
        let walk = Walk { operation: "list", caller: &caller, input: &[Value::Integer(1)] };
        let order = [Type::Timestamp, Type::Uuid, Type::String];
        let values = [Value::Timestamp(1_234_567), Value::Uuid([9; 16]), Value::Null];
        let cursor = cursors.encode(&walk, &values);
        let read = cursors.decode(&walk, &order, &cursor).expect("its own");
        assert!(
            matches!(read[..], [Value::Timestamp(1_234_567), Value::Uuid(id), Value::Null] if id == [9; 16])
        );

        let other = |walk: Walk<'_>| cursors.decode(&walk, &order, &cursor).is_none();
        assert!(other(Walk { operation: "other", caller: &caller, input: &[Value::Integer(1)] }));
        assert!(other(Walk { operation: "list", caller: &Value::Absent, input: &[Value::Integer(1)] }));
        assert!(other(Walk { operation: "list", caller: &caller, input: &[Value::Integer(2)] }));
        assert!(Cursors::new([8; 32]).decode(&walk, &order, &cursor).is_none());
        for bad in ["", "x", "AAAA", &cursor[1..], &format!("{cursor}A")] {
            assert!(cursors.decode(&walk, &order, bad).is_none(), "{bad}");
        }
    }
}
