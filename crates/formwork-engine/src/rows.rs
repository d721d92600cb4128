//! The rows of a running call, each once: all variables bound to a row show every change at once.

use formwork_language::program::{EntityId, Schema};
use formwork_language::value::{Row, RowIndex, Value, same};
use rustc_hash::FxHashMap;

/// Up to this many rows are found by looking at each; beyond, by a table.
const FEW: usize = 16;

/// The rows that a call has read or made.
#[derive(Default)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    by_key: FxHashMap<(EntityId, Box<[u8]>), RowIndex>,
    /// Only a call that writes can see one row change in several variables.
    identity: bool,
    /// The first rows, which are copies from an earlier part: they change no more, and are read anew beside them.
    copies: usize,
}

impl Rows {
    /// No rows yet; `identity` is whether one row read twice must be one.
    pub(crate) fn new(identity: bool) -> Self {
        Self { identity, ..Self::default() }
    }

    /// The rows that an earlier part of the call has read or made.
    pub(crate) fn restored(schema: &Schema, rows: Vec<Row>) -> Self {
        let mut restored = Self { rows, identity: true, ..Self::default() };
        if restored.rows.len() > FEW {
            restored.note(schema, (restored.rows.len() - 1) as RowIndex);
        }
        restored
    }

    /// Copies of rows from an earlier part; what this one reads and makes is its own.
    pub(crate) fn copied(rows: Vec<Row>, identity: bool) -> Self {
        Self { copies: rows.len(), rows, identity, ..Self::default() }
    }

    /// How many rows at the start are copies from an earlier part.
    pub(crate) fn copies(&self) -> usize {
        self.copies
    }

    /// All of them, by index.
    pub(crate) fn all(&self) -> &[Row] {
        &self.rows
    }

    /// All of them, given away.
    pub(crate) fn into_all(self) -> Vec<Row> {
        self.rows
    }

    /// A row to be changed.
    pub(crate) fn get_mut(&mut self, index: RowIndex) -> Option<&mut Row> {
        self.rows.get_mut(index as usize)
    }

    /// Takes in a row as it was read or made; one that is known already takes over the newest state.
    pub(crate) fn put(
        &mut self,
        schema: &Schema,
        entity: EntityId,
        values: Vec<Value>,
        version: i64,
    ) -> RowIndex {
        let fresh = Row { entity, values, version, deleted: false };
        if !self.identity {
            self.rows.push(fresh);
            return (self.rows.len() - 1) as RowIndex;
        }
        if let Some(known) = self.find(schema, &fresh) {
            self.rows[known as usize] = fresh;
            return known;
        }
        let index = self.rows.len() as RowIndex;
        self.rows.push(fresh);
        if self.rows.len() - self.copies > FEW {
            self.note(schema, index);
        }
        index
    }

    /// Notes that a row has another primary key, or none any more.
    pub(crate) fn rekey(&mut self, schema: &Schema, index: RowIndex, before: &[Value]) {
        if self.by_key.is_empty() {
            return;
        }
        if let Some(entity) = self.rows.get(index as usize).map(|row| row.entity) {
            self.by_key.remove(&(entity, encoded(before)));
        }
        self.note(schema, index);
    }

    fn find(&self, schema: &Schema, row: &Row) -> Option<RowIndex> {
        if self.rows.len() - self.copies > FEW {
            return self.by_key.get(&(row.entity, encoded(&key(schema, row)))).copied();
        }
        let fields = &schema.entities.get(usize::from(row.entity))?.primary_key;
        let own = self.rows.get(self.copies..)?;
        let at = own.iter().position(|other| {
            other.entity == row.entity && !other.deleted && fields.iter().all(|field| {
                let field = usize::from(*field);
                matches!((row.values.get(field), other.values.get(field)), (Some(a), Some(b)) if same(a, b))
            })
        })?;
        Some((self.copies + at) as RowIndex)
    }

    /// Puts a row into the table, and with the first one beyond the few, those too.
    fn note(&mut self, schema: &Schema, index: RowIndex) {
        let from = if self.by_key.is_empty() { self.copies } else { index as usize };
        for at in from..=index as usize {
            let Some(row) = self.rows.get(at) else { return };
            if !row.deleted {
                let key = encoded(&key(schema, row));
                self.by_key.insert((row.entity, key), at as RowIndex);
            }
        }
    }
}

/// The primary key's values of a row.
pub(crate) fn key(schema: &Schema, row: &Row) -> Vec<Value> {
    let Some(entity) = schema.entities.get(usize::from(row.entity)) else { return Vec::new() };
    entity
        .primary_key
        .iter()
        .map(|field| row.values.get(usize::from(*field)).cloned().unwrap_or(Value::Null))
        .collect()
}

/// A key as bytes, each value with its length in front.
pub(crate) fn encoded(key: &[Value]) -> Box<[u8]> {
    let mut out = Vec::new();
    for value in key {
        match value {
            Value::Uuid(bytes) => out.extend_from_slice(bytes),
            Value::Integer(number) => out.extend_from_slice(&number.to_be_bytes()),
            value => {
                let text = value.to_plain();
                out.extend_from_slice(&(text.len() as u32).to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
    out.into()
}
