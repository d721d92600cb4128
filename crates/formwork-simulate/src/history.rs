//! Every state that every row has had, commit by commit, as it was read beside the store.

use formwork_language::program::{EntityId, Program};
use formwork_language::value::{Row, Value, same};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The number of a commit, from 1; 0 is before the first.
pub(crate) type Moment = u64;

/// A state of a row, from a moment on.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// From when.
    pub(crate) from: Moment,
    /// Its row; absent while it is gone.
    pub(crate) row: Option<Arc<Row>>,
}

/// What a commit has made of a row.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Its table.
    pub(crate) entity: EntityId,
    /// As it was.
    pub(crate) before: Option<Arc<Row>>,
    /// As it is.
    pub(crate) after: Option<Arc<Row>>,
}

/// The states of all rows.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By entity and primary key.
    tables: Vec<BTreeMap<String, Vec<State>>>,
    now: Moment,
}

impl History {
    /// Nothing yet.
    pub(crate) fn new(program: &Program) -> Self {
        Self { tables: program.schema.entities.iter().map(|_| BTreeMap::new()).collect(), now: 0 }
    }

    /// The last commit.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// Takes in a table as it is after the next commit; gives what has changed.
    pub(crate) fn take_in(&mut self, program: &Program, entity: EntityId, rows: Vec<Row>) -> Vec<Change> {
        let from = self.now + 1;
        let mut changes = Vec::new();
        let Some(table) = self.tables.get_mut(usize::from(entity)) else { return changes };
        let mut left: Vec<String> = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for row in rows {
            let key = key(program, &row);
            seen.insert(key.clone());
            let states = table.entry(key).or_default();
            let before = states.last().and_then(|state| state.row.clone());
            if before.as_ref().is_some_and(|before| alike(before, &row)) {
                continue;
            }
            let after = Some(Arc::new(row));
            states.push(State { from, row: after.clone() });
            changes.push(Change { entity, before, after });
        }
        for (key, states) in table.iter() {
            if !seen.contains(key) && states.last().is_some_and(|state| state.row.is_some()) {
                left.push(key.clone());
            }
        }
        for key in left {
            let Some(states) = table.get_mut(&key) else { continue };
            let before = states.last().and_then(|state| state.row.clone());
            states.push(State { from, row: None });
            changes.push(Change { entity, before, after: None });
        }
        changes
    }

    /// The commit that was taken in is the last one now.
    pub(crate) fn move_on(&mut self) {
        self.now += 1;
    }

    /// The rows of a table, by their keys.
    pub(crate) fn rows(&self, entity: EntityId) -> Vec<&Arc<Row>> {
        let table = self.tables.get(usize::from(entity));
        let last = |states: &'_ Vec<State>| states.last().is_some_and(|state| state.row.is_some());
        let states = table.into_iter().flat_map(BTreeMap::values).filter(|states| last(states));
        states.filter_map(|states| states.last()?.row.as_ref()).collect()
    }

    /// The states of every row of a table, those that are gone included.
    pub(crate) fn all_states(&self, entity: EntityId) -> impl Iterator<Item = &[State]> {
        self.tables.get(usize::from(entity)).into_iter().flat_map(|table| table.values().map(Vec::as_slice))
    }

    /// The row of a table that has changed last.
    pub(crate) fn latest(&self, entity: EntityId) -> Option<&Arc<Row>> {
        let states = self.tables.get(usize::from(entity))?.values();
        let last = states.filter_map(|states| states.last()).filter(|state| state.row.is_some());
        last.max_by_key(|state| state.from)?.row.as_ref()
    }

    /// The states that a row had at some time between two moments, both included.
    pub(crate) fn states(&self, entity: EntityId, key: &str, between: (Moment, Moment)) -> Vec<&Arc<Row>> {
        let states = self.tables.get(usize::from(entity)).and_then(|table| table.get(key));
        let Some(states) = states else { return Vec::new() };
        let ends = states.iter().skip(1).map(|state| state.from).chain([Moment::MAX]);
        let within = |(state, end): &(&State, Moment)| state.from <= between.1 && *end > between.0;
        states.iter().zip(ends).filter(within).filter_map(|(state, _)| state.row.as_ref()).collect()
    }
}

/// The primary key of a row as one text.
pub(crate) fn key(program: &Program, row: &Row) -> String {
    let Some(entity) = program.schema.entities.get(usize::from(row.entity)) else { return String::new() };
    let of = |field: &u16| row.values.get(usize::from(*field)).map(Value::to_plain).unwrap_or_default();
    entity.primary_key.iter().map(of).collect::<Vec<_>>().join("\u{1f}")
}

/// Whether two rows have the same values and version.
pub(crate) fn alike(left: &Row, right: &Row) -> bool {
    left.version == right.version
        && left
            .values
            .iter()
            .zip(&right.values)
            .all(|(left, right)| same(left, right) || left.is_absent() && right.is_absent())
}
