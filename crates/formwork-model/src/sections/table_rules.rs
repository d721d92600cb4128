//! What a table of SQL sets for its rows beyond its columns, for the language to lower.

use crate::facts::Formula;
use formwork_syntax::{Span, Spanned};

/// A rule of `CREATE TABLE`, `ALTER TABLE` or `CREATE UNIQUE INDEX`.
#[derive(Clone, Debug)]
pub struct TableRule {
    /// What it sets.
    pub kind: TableRuleKind,
    /// As written.
    pub span: Span,
}

/// The kinds of [`TableRule`].
#[derive(Clone, Debug)]
pub enum TableRuleKind {
    /// `CHECK (…)`; one of several if its parts must all hold.
    Check(Formula),
    /// `CREATE UNIQUE INDEX … (a, b) WHERE …`.
    Unique {
        /// The key.
        fields: Vec<Spanned<String>>,
        /// The rows that it covers.
        filter: Formula,
    },
    /// `EXCLUDE USING gist (a WITH =, tstzrange(b, c) WITH &&)`: no two rows with the same group overlap.
    NoOverlap {
        /// What is the same.
        group: Vec<Spanned<String>>,
        /// The field with the first moment of the interval.
        starts: Spanned<String>,
        /// The field with the first moment behind it.
        ends: Spanned<String>,
        /// The rows that it covers; all if there is none.
        filter: Option<Formula>,
    },
}
