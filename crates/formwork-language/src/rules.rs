//! What must hold over the rows of a table, as data: the engine tests it in the transaction of each write, with
//! statements that mean the same on every store.
//!
//! The row that a rule looks at is [`Value::Row`](crate::value::Value::Row) in slot [`ROW`]. Expressions here depend
//! on that row alone, never on clock or chance, so that a row that was accepted stays acceptable. Source: language
//! reference, *Rules over rows*.

use crate::expression::{BinaryOperator, Expression};
use crate::program::{EntityId, FieldId, Slot, StatementId};
use formwork_model::facts::{OnDelete, Outcome};
use std::sync::Arc;

/// The slot of the row that a rule looks at.
pub const ROW: Slot = 0;

/// The rules of one table.
#[derive(Clone, Debug, Default)]
pub struct EntityRules {
    /// Constraints over the fields of one row, in the order of the document.
    pub checks: Vec<Check>,
    /// Fields that follow from others, each behind those that it needs.
    pub computed: Vec<Computed>,
    /// Intervals that must not overlap.
    pub overlaps: Vec<Overlap>,
    /// The ways that a field's value may take.
    pub transitions: Vec<Transitions>,
    /// Rows are never changed or deleted.
    pub append_only: bool,
    /// Whether each row that a write touches must be seen by the engine: statements over many rows and cascades then
    /// work row by row.
    pub row_by_row: bool,
    /// Rows of other tables that go or change with a row of this one and have rules themselves.
    pub dependents: Vec<Dependent>,
}

/// A constraint over several fields.
#[derive(Clone, Debug)]
pub struct Check {
    /// As written, for the refusal.
    pub text: Arc<str>,
    /// What must hold.
    pub condition: Expression,
    /// The fields that it names.
    pub fields: Vec<FieldId>,
    /// Those of them without which it holds: they may be absent, and it does not test that itself.
    pub needs: Vec<FieldId>,
    /// How a broken one is answered; else `422 invalid`.
    pub otherwise: Option<Outcome>,
}

/// A field that follows from others.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The field.
    pub field: FieldId,
    /// As written; a store that finds another text recomputes its rows.
    pub text: Arc<str>,
    /// Its value.
    pub value: Expression,
}

/// No two rows of a group have intervals that overlap. Intervals are half open; an empty one overlaps nothing.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// As written, for the refusal.
    pub text: Arc<str>,
    /// The fields that are the same in a group.
    pub group: Vec<FieldId>,
    /// Where the interval begins.
    pub starts: FieldId,
    /// Where it ends.
    pub ends: FieldId,
    /// Which rows it is about.
    pub filter: Option<Expression>,
    /// An Exists: another row of the group that overlaps. Parameters: the group, start and end, then the primary key of the
    /// row itself (null for a new one).
    pub statement: StatementId,
    /// How a broken one is answered; else `409 conflict`.
    pub otherwise: Option<Outcome>,
}

/// The ways that the value of a field may take. An absent value is the state before the first.
#[derive(Clone, Debug)]
pub struct Transitions {
    /// The field.
    pub field: FieldId,
    /// The states in which a row is created.
    pub starts: Vec<Arc<str>>,
    /// From where to where.
    pub ways: Vec<(Arc<str>, Arc<str>)>,
    /// How another way is answered; else `422 invalid`.
    pub otherwise: Option<Outcome>,
}

impl Transitions {
    /// Whether a row may go from one state to another; a row that stays goes nowhere.
    pub fn allow(&self, from: Option<&str>, to: Option<&str>) -> bool {
        match (from, to) {
            (None, None) => true,
            (None, Some(to)) => self.starts.iter().any(|state| **state == *to),
            (Some(_), None) => false,
            (Some(from), Some(to)) => {
                from == to || self.ways.iter().any(|(left, right)| **left == *from && **right == *to)
            }
        }
    }

    /// Whether a new row may have a state.
    pub fn begin(&self, state: &str) -> bool {
        self.starts.iter().any(|start| **start == *state)
    }

    /// Whether any way leads to a state.
    pub fn lead(&self, state: &str) -> bool {
        self.ways.iter().any(|(_, to)| **to == *state)
    }
}

/// Rows that refer to a row and go or change with it, and are seen by the engine when they do.
#[derive(Clone, Debug)]
pub struct Dependent {
    /// The table of these rows.
    pub entity: EntityId,
    /// Their field.
    pub field: FieldId,
    /// The field that it refers to.
    pub target: FieldId,
    /// What happens to them: cascade or set null.
    pub on_delete: OnDelete,
    /// Their rows; the parameter is the value of `target`.
    pub select: StatementId,
    /// A DeleteByKey, or an UpdateByKey that begins with `field`.
    pub change: StatementId,
}

/// A number over the rows of a group that must keep to a bound at the end of each transaction.
#[derive(Clone, Debug)]
pub struct Invariant {
    /// As written, for the refusal.
    pub text: Arc<str>,
    /// The table that is summed or counted.
    pub entity: EntityId,
    /// The field that is summed; absent when rows are counted.
    pub sum: Option<FieldId>,
    /// What makes a group; empty for one group of all rows. Rows in which one of these is absent are in none.
    pub per: Vec<FieldId>,
    /// The sum or number; its parameters are the group's values.
    pub value: StatementId,
    /// Set for a quota of section 9: only what makes a group grow is tested.
    pub quota: Option<Quota>,
    /// The number of rows in the group: without rows there is no group, unless the right side belongs to it.
    pub rows: StatementId,
    /// The row that the right side speaks of.
    pub right_row: Option<RightRow>,
    /// How the number compares: equal, at most or at least.
    pub comparison: BinaryOperator,
    /// What it is compared with; with an absent right side it holds.
    pub right: Expression,
    /// A Select of all its rows, group by group; with the values of its order as parameters it goes on behind them.
    pub all: (StatementId, StatementId),
    /// How a broken one is answered; else `500 invariant`.
    pub otherwise: Option<Outcome>,
}

/// The row to which the group's one field refers.
#[derive(Clone, Debug)]
pub struct RightRow {
    /// Its table.
    pub entity: EntityId,
    /// Its field that the group's value equals.
    pub field: FieldId,
    /// A Select of that row; the parameter is the group's value.
    pub select: StatementId,
    /// A Select of all rows of the table, and the same behind a primary key.
    pub all: (StatementId, StatementId),
}

/// A row that is there from the start, is never deleted, and keeps the values that the document gives it.
#[derive(Clone, Debug)]
pub struct StartRow {
    /// The variable that names it everywhere.
    pub name: Option<Arc<str>>,
    /// Its table.
    pub entity: EntityId,
    /// The key by which it is known.
    pub key: Vec<FieldId>,
    /// The values given.
    pub values: Vec<(FieldId, Expression)>,
    /// A Select by `key`; its parameters are the key's values.
    pub select: StatementId,
    /// The Insert.
    pub insert: StatementId,
}

/// How a statement over many rows is done row by row.
#[derive(Clone, Copy, Debug)]
pub struct RowByRow {
    /// A Select of the rows, with the parameters of the statement.
    pub select: StatementId,
    /// The same behind a primary key, whose values follow the parameters.
    pub behind: StatementId,
    /// An UpdateByKey of the assigned fields and those that follow, or a DeleteByKey.
    pub change: StatementId,
}

/// What a quota of section 9 adds to an [`Invariant`]: rows that were there before it stay, and may be changed and
/// deleted, however many they are.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Which rows count, as a condition on the row in [`ROW`]; all when absent.
    pub filter: Option<Expression>,
}
