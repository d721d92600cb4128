//! Shapes that several sections share.

use crate::values::Type;
use formwork_syntax::{Code, Fence, Span, Spanned, Text};

/// A piece of prose with its place.
pub type Prose = Spanned<String>;

/// A field of an entity, or of an operation's input or output.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type; absent when none is given.
    pub ty: Option<Spanned<Type>>,
    /// Whether it is marked optional (a `?` after the type, or a constraint `optional`, `nullable`).
    pub optional: bool,
    /// What it means.
    pub description: Option<Prose>,
    /// What must hold of it, in the order of the text.
    pub constraints: Vec<Spanned<Constraint>>,
    /// The members of an object, or of each object of a list, where nested items declare them.
    pub members: Vec<Field>,
    /// For inputs: where the value travels, when the document says so.
    pub location: Option<Spanned<Location>>,
    /// The whole item or table row.
    pub span: Span,
}

/// Where an input travels in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A `{name}` of the path.
    Path,
    /// The query string.
    Query,
    /// The header of this name.
    Header(String),
    /// The JSON body.
    Body,
}

/// A bound of a range: a number as written, without grouping, e.g. `100` or `0.5`.
pub type Number = String;

/// What must hold of a field. Source: language reference, *Constraints*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// `primary key`
    PrimaryKey,
    /// `required`
    Required,
    /// `optional`, `nullable`
    Optional,
    /// `unique`, or `unique with (a, b)`: the other fields of the key.
    Unique(Vec<Spanned<String>>),
    /// `indexed`
    Indexed,
    /// `default X`: the expression or bare literal as written.
    Default(Spanned<String>),
    /// `generated`
    Generated,
    /// `set to now on create`
    OnCreate,
    /// `set to now on update`
    OnUpdate,
    /// `immutable`
    Immutable,
    /// `≥ 0`: smallest value; exclusive for `>`.
    Min {
        /// The bound.
        value: Number,
        /// Whether the bound itself is refused.
        exclusive: bool,
    },
    /// `≤ 100`: largest value; exclusive for `<`.
    Max {
        /// The bound.
        value: Number,
        /// Whether the bound itself is refused.
        exclusive: bool,
    },
    /// Fewest characters, in code points.
    MinLength(u64),
    /// Most characters, in code points.
    MaxLength(u64),
    /// Fewest items of a list.
    MinItems(u64),
    /// Most items of a list.
    MaxItems(u64),
    /// `one of "a", "b"`
    OneOf(Vec<String>),
    /// `matches /…/`: the regular expression without slashes.
    Pattern(String),
    /// `format email`
    Format(String),
    /// `references e.f`, `FK to e`
    References {
        /// The entity.
        entity: Spanned<String>,
        /// The field, else the entity's primary key.
        field: Option<Spanned<String>>,
        /// What happens to this row when the other is deleted.
        on_delete: OnDelete,
    },
    /// `write-only`: never returned.
    WriteOnly,
    /// `secret`: stored hashed, never returned.
    Secret,
    /// `personal data`, `PII`
    Personal,
    /// `computed as EXPR`
    Computed(Spanned<String>),
    /// Prose that says something about the field that no machine reads.
    Prose(String),
}

/// What happens to a row when the row that it references is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnDelete {
    /// The deletion is refused with `409 conflict`. The default.
    #[default]
    Restrict,
    /// The row goes too.
    Cascade,
    /// The reference is cleared.
    SetNull,
}

/// One item of a behaviour, a flow or a standing step, before the language reads it.
#[derive(Clone, Debug)]
pub struct StepItem {
    /// Its text; may hold several sentences.
    pub text: Text,
    /// Its number in a numbered list.
    pub number: Option<u64>,
    /// Items below it.
    pub nested: Vec<StepItem>,
    /// Fences below it (`sql`, `json`).
    pub fences: Vec<Fence>,
    /// The whole item.
    pub span: Span,
}

/// An outcome such as `409 slug_taken`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// HTTP status.
    pub status: u16,
    /// The problem's code.
    pub code: Option<String>,
}

/// A code span that the language reads as an expression or condition.
#[derive(Clone, Debug)]
pub struct RawExpression {
    /// Its content, for mapping offsets back to the source.
    pub code: Code,
    /// Its content without the backticks.
    pub span: Span,
}

/// A condition over a row that was written in another notation, such as SQL, in that of the language.
#[derive(Clone, Debug)]
pub struct Formula {
    /// The condition.
    pub text: String,
    /// Where its pieces come from: offsets in `text`, ascending, each with its offset in the source.
    pub places: Vec<(u32, u32)>,
    /// All of it, as written.
    pub span: Span,
}

impl Formula {
    /// The offset in the source that an offset in the text comes from.
    pub fn source_offset(&self, offset: u32) -> u32 {
        let after = self.places.partition_point(|(own, _)| *own <= offset);
        let place = after.checked_sub(1).and_then(|at| self.places.get(at));
        let (own, written) = place.copied().unwrap_or((offset, self.span.start));
        (written + (offset - own)).clamp(self.span.start, self.span.end)
    }
}
