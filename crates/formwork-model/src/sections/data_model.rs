//! Section 6: entities, their fields, relationships and indexes.

use crate::facts::{Field, Outcome, Prose, RawExpression};
use formwork_syntax::{Span, Spanned, Text};

/// An entity.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is.
    pub description: Option<Prose>,
    /// Its fields, in the order of the text.
    pub fields: Vec<Field>,
    /// Its primary key, unique keys and indexes from *Indexes/Keys*.
    pub indexes: Vec<Index>,
    /// Constraints over several fields (`**Constraint:** …`).
    pub rules: Vec<EntityRule>,
    /// Heading to last line.
    pub span: Span,
}

/// A key or index over fields.
#[derive(Clone, Debug)]
pub struct Index {
    /// What it is.
    pub kind: IndexKind,
    /// Its fields; `true` for descending.
    pub fields: Vec<(Spanned<String>, bool)>,
    /// Which rows it covers.
    pub filter: Option<RawExpression>,
    /// How a broken unique key is answered.
    pub otherwise: Option<Outcome>,
    /// Where.
    pub span: Span,
}

/// The kinds of [`Index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// The primary key.
    Primary,
    /// A unique key.
    Unique,
    /// For speed only.
    Plain,
}

/// A rule over several fields or rows, kept as written; the language reads it.
#[derive(Clone, Debug)]
pub struct EntityRule {
    /// Which label it bears.
    pub kind: EntityRuleKind,
    /// What follows the label.
    pub text: Text,
    /// Where.
    pub span: Span,
}

/// The kinds of [`EntityRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityRuleKind {
    /// `**Constraint:**`
    Constraint,
    /// `**Invariant:**`
    Invariant,
    /// `**Transitions:**`
    Transitions,
    /// `**Append only.**`
    AppendOnly,
    /// `**Rows at start:**`
    RowsAtStart,
}

/// How two entities relate.
#[derive(Clone, Debug)]
pub struct Relationship {
    /// The entity that it is said of.
    pub from: Spanned<String>,
    /// The other one.
    pub to: Spanned<String>,
    /// How.
    pub kind: RelationshipKind,
    /// The field or link entity that carries it.
    pub via: Option<Spanned<String>>,
    /// The sentence.
    pub span: Span,
}

/// The kinds of [`Relationship`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationshipKind {
    /// *has many*
    OneToMany,
    /// *belongs to*
    ManyToOne,
    /// *many to many*
    ManyToMany,
    /// *has one*
    OneToOne,
    /// Only mentioned in prose.
    Mentions,
}
