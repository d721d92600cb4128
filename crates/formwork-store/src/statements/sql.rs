//! SQL in the making, and what comes of it.

use super::condition;
use super::dialect::{Dialect, quoted};
use super::encode::Encode;
use super::operand::beside;
use formwork_language::program::{Condition, EntityId, EntitySchema, FieldId, FieldSchema, Schema};
use formwork_model::values::Type;
use std::sync::Arc;

/// A statement as SQL.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Its text.
    pub(crate) sql: String,
    /// For each parameter of the SQL in order: which parameter of the statement, and how it is written.
    pub(crate) binds: Vec<(u16, Encode)>,
    /// What it gives.
    pub(crate) gives: Gives,
    /// The table.
    pub(crate) entity: EntityId,
}

/// What a statement gives.
#[derive(Debug)]
pub(crate) enum Gives {
    /// Rows: the types of all fields, then the version.
    Rows(Arc<[Type]>),
    /// One value of a type.
    Value(Type),
    /// One decimal of this scale that may be wider than a column.
    Units(u8),
    /// The number of rows touched.
    Touched,
}

/// SQL in the making, over one table.
pub(crate) struct Sql<'s> {
    pub(crate) text: String,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) entity: &'s EntitySchema,
    pub(crate) entity_id: EntityId,
    pub(crate) binds: Vec<(u16, Encode)>,
    fault: Option<String>,
}

impl<'s> Sql<'s> {
    pub(crate) fn new(
        dialect: &'static dyn Dialect,
        schema: &'s Schema,
        entity: EntityId,
    ) -> Result<Self, String> {
        let found = schema.entities.get(usize::from(entity)).ok_or("there is no such entity")?;
        Ok(Self {
            text: String::new(),
            dialect,
            entity: found,
            entity_id: entity,
            binds: Vec::new(),
            fault: None,
        })
    }

    pub(crate) fn field(&self, field: FieldId) -> Option<&'s FieldSchema> {
        self.entity.fields.get(usize::from(field))
    }

    /// A field's name in quotes.
    pub(crate) fn column(&mut self, field: FieldId) -> String {
        match self.field(field) {
            Some(found) => quoted(&found.name),
            None => {
                self.fail(format!("there is no field {field}"));
                String::new()
            }
        }
    }

    /// Fields' names in quotes, with commas between them.
    pub(crate) fn columns(&mut self, fields: &[FieldId]) -> String {
        fields.iter().map(|field| self.column(*field)).collect::<Vec<_>>().join(", ")
    }

    /// A parameter of the statement in its next place.
    pub(crate) fn parameter(&mut self, parameter: u16, encode: Encode) -> String {
        self.binds.push((parameter, encode));
        self.dialect.parameter(self.binds.len())
    }

    /// How a value of a field is written.
    pub(crate) fn beside_field(&self, field: FieldId) -> Encode {
        beside(self.field(field).map(|field| &field.ty))
    }

    pub(crate) fn fail(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    pub(crate) fn push_filter(&mut self, filter: Option<&Condition>) {
        if let Some(filter) = filter {
            let filter = condition::write(self, filter);
            self.text.push_str(" WHERE ");
            self.text.push_str(&filter);
        }
    }

    /// `"a" = ?1 AND "b" = ?2`, with parameters from `first` on.
    pub(crate) fn push_key(&mut self, first: u16) {
        for (at, field) in (0..).zip(&self.entity.primary_key) {
            if at > 0 {
                self.text.push_str(" AND ");
            }
            let column = self.column(*field);
            let parameter = self.parameter(first + at, self.beside_field(*field));
            self.text.push_str(&format!("{column} = {parameter}"));
        }
    }

    pub(crate) fn finish(self, gives: Gives) -> Result<Prepared, String> {
        match self.fault {
            Some(fault) => Err(format!("`{}`: {fault}", self.entity.name)),
            None => Ok(Prepared { sql: self.text, binds: self.binds, gives, entity: self.entity_id }),
        }
    }
}
