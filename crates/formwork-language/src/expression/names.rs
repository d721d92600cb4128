//! What an expression may name: variables, input, caller, request, and the fields of the searched entity.
//!
//! Source: language reference, *Expressions*, *Scope*.

use super::types::{Kind, StaticType};
use super::variables::Variables;
use crate::program::{EntityId, EntitySchema, Schema, Slot, slots};
use std::sync::Arc;

/// A name with its slot and type: a variable, or a field of the input.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Its name.
    pub name: Arc<str>,
    /// Where its value is.
    pub slot: Slot,
    /// What it is.
    pub ty: StaticType,
}

/// What a bare name may be besides a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Bare {
    /// Nothing else.
    #[default]
    Nothing,
    /// A field of the rows that a statement looks at (`where`, and the right side of *Updates every*).
    Searched(EntityId),
    /// A field of a row that is bound already (*Creates or updates*: the old values).
    Row(EntityId, Slot),
}

/// The environment that an expression is compiled in.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// The tables.
    pub schema: &'a Schema,
    /// Variables that are in scope. In a flow also `response`, `status` and `headers`.
    pub variables: Variables,
    /// The input's fields; absent where there is no input.
    pub input: Option<Vec<Bound>>,
    /// Whether there is a caller.
    pub caller: bool,
    /// Whether there is a request.
    pub request: bool,
    /// Whether `secret("…")` may be read: in headers of calls.
    pub secrets: bool,
    /// What bare names are.
    pub bare: Bare,
    /// Paths that are known not to be absent: `["link"]`, `["input", "slug"]`.
    pub present: Vec<Vec<Arc<str>>>,
}

impl<'a> Names<'a> {
    /// An environment with nothing in it but the tables.
    pub fn new(schema: &'a Schema) -> Self {
        Self {
            schema,
            variables: Variables::default(),
            input: None,
            caller: false,
            request: false,
            secrets: false,
            bare: Bare::Nothing,
            present: Vec::new(),
        }
    }

    /// The environment of a flow: `response`, `status` and `headers` in their fixed slots.
    pub fn flow(schema: &'a Schema) -> Self {
        use crate::behaviour::flow_slots::{HEADERS, RESPONSE, STATUS};
        let mut names = Self::new(schema);
        names.bind("response", RESPONSE, Kind::Dynamic.optional());
        names.bind("status", STATUS, Kind::Integer.required());
        names.bind("headers", HEADERS, text_map());
        names
    }

    /// Adds a variable.
    pub fn bind(&mut self, name: &str, slot: Slot, ty: StaticType) {
        self.variables.push(Bound { name: name.into(), slot, ty });
    }

    /// The type of a row of an entity.
    pub fn row(&self, entity: EntityId) -> Kind {
        let name = self.entity(entity).map_or_else(|| Arc::from(""), |entity| entity.name.clone());
        Kind::Row(entity, name)
    }

    /// The table behind an id.
    pub fn entity(&self, id: EntityId) -> Option<&'a EntitySchema> {
        self.schema.entities.get(usize::from(id))
    }

    /// The variable of this name; the innermost of several.
    pub fn variable(&self, name: &str) -> Option<&Bound> {
        self.variables.find(name)
    }

    /// The entity whose fields bare names are.
    pub fn bare_entity(&self) -> Option<EntityId> {
        match self.bare {
            Bare::Nothing => None,
            Bare::Searched(entity) | Bare::Row(entity, _) => Some(entity),
        }
    }

    /// The same environment in which these paths are known not to be absent.
    pub fn knowing(&self, paths: Vec<Vec<Arc<str>>>) -> Self {
        let mut names = self.clone();
        names.present.extend(paths);
        names
    }

    /// Whether a path is known not to be absent.
    pub fn is_present(&self, path: &[Arc<str>]) -> bool {
        self.present.iter().any(|known| known.starts_with(path))
    }
}

/// The members of `caller`: name, slot and type.
pub(crate) fn caller_members() -> [(&'static str, Slot, StaticType); 4] {
    [
        ("id", slots::CALLER_ID, Kind::Text.optional()),
        ("roles", slots::CALLER_ROLES, Kind::Text.list().required()),
        ("scopes", slots::CALLER_SCOPES, Kind::Text.list().required()),
        ("claims", slots::CALLER_CLAIMS, Kind::Dynamic.optional()),
    ]
}

/// The members of `request`: name, slot and type.
pub(crate) fn request_members() -> [(&'static str, Slot, StaticType); 3] {
    [
        ("id", slots::REQUEST_ID, Kind::Text.required()),
        ("ip", slots::REQUEST_IP, Kind::Text.required()),
        ("headers", slots::REQUEST_HEADERS, text_map()),
    ]
}

fn text_map() -> StaticType {
    Kind::Map(Box::new(Kind::Text.required()), Box::new(Kind::Text.required())).required()
}
