//! Rows that a deletion takes along: PostgreSQL does not count them, but its statistics of the transaction do.

use crate::statements::quoted;
use formwork_language::program::{EntityId, Schema};

/// For each entity whose deletion takes or changes rows of others: how those written so far are counted.
#[derive(Debug)]
pub(crate) struct Cascades {
    counting: Vec<Option<String>>,
}

impl Cascades {
    /// Those of a schema.
    pub(crate) fn new(schema: &Schema) -> Self {
        let counting = (0..).take(schema.entities.len()).map(|entity| counting(schema, entity));
        Self { counting: counting.collect() }
    }

    /// The statement that counts, before a deletion and after it.
    pub(crate) fn counting(&self, entity: EntityId) -> Option<&str> {
        self.counting.get(usize::from(entity))?.as_deref()
    }
}

fn counting(schema: &Schema, entity: EntityId) -> Option<String> {
    // Its own table is counted by the statement itself.
    let found = schema.taken_along(entity);
    let others = found.iter().filter(|at| **at != entity);
    let tables: Vec<String> = others
        .filter_map(|at| schema.entities.get(usize::from(*at)))
        .map(|entity| format!("'{}'::regclass", quoted(&entity.name).replace('\'', "''")))
        .collect();
    if tables.is_empty() {
        return None;
    }
    Some(format!(
        "SELECT coalesce(sum(pg_stat_get_xact_tuples_deleted(t) + pg_stat_get_xact_tuples_updated(t)), 0)::bigint \
         FROM unnest(ARRAY[{}]) AS t",
        tables.join(", ")
    ))
}
