//! The tables of a program: what a store creates and keeps consistent.

use super::{Condition, EntityId, FieldId};
use crate::constraint::FieldRules;
use crate::expression::Expression;
use crate::rules::{EntityRules, Invariant, StartRow};
use formwork_model::facts::{OnDelete, Outcome};
use formwork_model::values::Type;
use formwork_syntax::Span;
use std::sync::Arc;

/// The tables of the document.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// In the order of the document.
    pub entities: Vec<EntitySchema>,
    /// What must hold over groups of rows at the end of each transaction.
    pub invariants: Vec<Invariant>,
    /// Rows that are there from the start.
    pub rows_at_start: Vec<StartRow>,
}

impl Schema {
    /// The tables whose rows go or change when rows of one are deleted, its own among them where rows refer to others of
    /// the same table.
    pub fn taken_along(&self, entity: EntityId) -> Vec<EntityId> {
        let (mut found, mut open) = (Vec::new(), vec![entity]);
        while let Some(gone) = open.pop() {
            for (at, other) in (0..).zip(&self.entities) {
                let mut references = other.fields.iter().filter_map(|field| field.references);
                let hit = references.any(|one| one.entity == gone && one.on_delete != OnDelete::Restrict);
                if hit && !found.contains(&at) {
                    found.push(at);
                    open.push(at);
                }
            }
        }
        found
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct EntitySchema {
    /// Its name as written.
    pub name: Arc<str>,
    /// Its columns. An entity without a primary key has a first field `id` (uuid, generated) of its own.
    pub fields: Vec<FieldSchema>,
    /// The fields of its primary key.
    pub primary_key: Vec<FieldId>,
    /// Unique keys other than the primary key.
    pub unique: Vec<UniqueKey>,
    /// Indexes for speed.
    pub indexes: Vec<PlainIndex>,
    /// What must hold over several fields or rows.
    pub rules: EntityRules,
    /// Where it is declared.
    pub span: Span,
}

/// A column.
#[derive(Clone, Debug)]
pub struct FieldSchema {
    /// Its name as written.
    pub name: Arc<str>,
    /// Its type; a reference by name is resolved to the type of the other's key.
    pub ty: Type,
    /// Whether it may be null.
    pub optional: bool,
    /// Value of a new row when none is given. A constant, or calls such as `now()`.
    pub default: Option<Expression>,
    /// A uuid made on create.
    pub generated: bool,
    /// Set to `now()` on create.
    pub on_create: bool,
    /// Set to `now()` on create and update.
    pub on_update: bool,
    /// May not be changed by an update.
    pub immutable: bool,
    /// Never returned.
    pub hidden: bool,
    /// Stored as its digest, and compared by value.
    pub secret: bool,
    /// Masked in logs.
    pub personal: bool,
    /// Whether its value follows from other fields, see [`EntityRules::computed`].
    pub computed: bool,
    /// Whom it references.
    pub references: Option<Reference>,
    /// What must hold of its value.
    pub rules: FieldRules,
}

impl EntitySchema {
    /// `entity.field`, if that field is write-only or secret.
    pub(crate) fn withheld(&self, field: usize) -> Option<Arc<str>> {
        let field = self.fields.get(field).filter(|field| field.hidden)?;
        Some(format!("{}.{}", self.name, field.name).into())
    }
}

impl FieldSchema {
    /// Whether a new row has a value for it, or may go without one, when none is given.
    pub fn may_be_left_out(&self) -> bool {
        let filled = self.default.is_some() || self.generated || self.computed;
        self.optional || filled || self.on_create || self.on_update
    }
}

/// A foreign key of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The other table.
    pub entity: EntityId,
    /// Its field.
    pub field: FieldId,
    /// What happens when the other row goes.
    pub on_delete: OnDelete,
}

/// A unique key.
#[derive(Clone, Debug)]
pub struct UniqueKey {
    /// Its fields.
    pub fields: Vec<FieldId>,
    /// Which rows it covers; without parameters.
    pub filter: Option<Condition>,
    /// How a broken one is answered; else `409 conflict`.
    pub otherwise: Option<Outcome>,
}

/// An index.
#[derive(Clone, Debug)]
pub struct PlainIndex {
    /// Its fields; `true` for descending.
    pub fields: Vec<(FieldId, bool)>,
    /// Which rows it covers; without parameters.
    pub filter: Option<Condition>,
}
