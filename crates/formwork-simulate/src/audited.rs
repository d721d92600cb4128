//! The audit trail against the rows: each write to an entity that is recorded has exactly one entry, and what was undone
//! has none. How often a row was written its version says, which the trail does not know of.

use crate::history::{History, Moment, State};
use formwork_language::program::{EntitySchema, Program};
use formwork_language::value::Row;
use std::collections::{BTreeMap, BTreeSet};

/// Entries that go sooner than this are not looked for, in microseconds: runs let the time jump.
const LONG_ENOUGH: i64 = 60 * 86_400_000_000;

/// By entity and key: how many entries say that the row was created, updated and deleted.
pub(crate) type Entries = BTreeMap<(String, String), [u64; 3]>;

/// Counts entries, each with its entity, key and action.
pub(crate) fn counted(entries: Vec<(String, String, String)>) -> Entries {
    let mut counted = Entries::new();
    for (entity, key, action) in entries {
        let at = ["created", "updated", "deleted"].iter().position(|name| *name == action);
        if let (Some(at), counts) = (at, counted.entry((entity, key)).or_default()) {
            counts[at] += 1;
        }
    }
    counted
}

/// The first row whose entries are too few or too many; rows that were there by `placed` may have been put in place.
pub(crate) fn broken(
    program: &Program,
    history: &History,
    placed: Moment,
    entries: &Entries,
) -> Option<String> {
    for (entity, schema) in (0..).zip(&program.schema.entities) {
        let recorded = program.audit.entity(entity);
        let is_long = recorded.is_some_and(|it| it.kept.is_none_or(|kept| kept >= LONG_ENOUGH));
        if !is_long || is_masked(schema) {
            continue;
        }
        let mut known = BTreeSet::new();
        for states in history.all_states(entity) {
            let Some(row) = states.iter().find_map(|state| state.row.as_deref()) else { continue };
            let name = (schema.name.to_string(), key(schema, row));
            let counts = entries.get(&name).copied().unwrap_or_default();
            if let Some(wrong) = row_broken(states, placed, counts) {
                return Some(format!("`{}` {}: {wrong}", name.0, name.1));
            }
            known.insert(name.1);
        }
        // A row that no commit has left behind.
        let unseen = entries.iter().find(|((of, key), [created, _, deleted])| {
            **of == *schema.name && !known.contains(key) && created != deleted
        });
        if let Some(((_, key), counts)) = unseen {
            return Some(format!("`{}` {key} was never there, and the trail has {counts:?}", schema.name));
        }
    }
    None
}

fn row_broken(states: &[State], placed: Moment, [created, updated, deleted]: [u64; 3]) -> Option<String> {
    let (first, last) = (states.first()?, states.last()?);
    let was_placed = created == 0 && first.from <= placed;
    let is_there = u64::from(last.row.is_some());
    if created + u64::from(was_placed) != deleted + is_there {
        return Some(format!("the trail has it created {created} times and deleted {deleted} times"));
    }
    let base = first.row.as_ref().filter(|_| was_placed).map_or(0, |row| row.version);
    let row = last.row.as_ref().filter(|_| deleted == 0)?;
    let writes = u64::try_from(row.version - base).unwrap_or(0);
    (created + updated != writes)
        .then(|| format!("it was written {writes} times, and the trail has {} entries", created + updated))
}

fn is_masked(schema: &EntitySchema) -> bool {
    let fields = schema.primary_key.iter().filter_map(|field| schema.fields.get(usize::from(*field)));
    fields.into_iter().any(|field| field.personal || field.hidden || field.secret)
}

/// The key as entries have it.
fn key(schema: &EntitySchema, row: &Row) -> String {
    let of = |field: &u16| row.values.get(usize::from(*field)).map(|value| value.to_plain());
    schema.primary_key.iter().map(|field| of(field).unwrap_or_default()).collect::<Vec<_>>().join(",")
}
