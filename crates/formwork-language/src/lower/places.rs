//! Where each field of a table stands, by name.
//!
//! Looking through a short list is faster than making a map; a table of thousands of fields needs the map.

use crate::program::EntitySchema;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// As many fields are looked through without a map.
const FEW: usize = 24;

/// The places of the fields of one table. Of two fields of one name the first counts.
pub(super) struct Places(Option<FxHashMap<Arc<str>, usize>>);

impl Places {
    /// Of a table whose fields do not change their names or places from now on.
    pub(super) fn of(table: &EntitySchema) -> Self {
        let many = table.fields.len() > FEW;
        let places = table.fields.iter().enumerate().rev().map(|(at, field)| (field.name.clone(), at));
        Self(many.then(|| places.collect()))
    }

    /// Where a field stands.
    pub(super) fn find(&self, table: &EntitySchema, name: &str) -> Option<usize> {
        match &self.0 {
            Some(places) => places.get(name).copied(),
            None => table.fields.iter().position(|field| *field.name == *name),
        }
    }
}
