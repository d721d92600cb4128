//! What the readers have to say about a document, without prose: `check` gives it a code and words.

use formwork_syntax::Span;

/// Something that a reader noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub kind: NoteKind,
    /// Where.
    pub span: Span,
    /// A second place, such as the first declaration of a name.
    pub related: Option<Span>,
}

/// The kinds of [`Note`]. Names are as written in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A type that the language does not know; with the nearest one.
    UnknownType {
        /// As written.
        name: String,
        /// The nearest type.
        nearest: Option<String>,
    },
    /// A field without a type.
    MissingType {
        /// The field.
        field: String,
    },
    /// An entity, operation, component, flow, event or field that is declared twice (compared without case).
    DeclaredTwice {
        /// What it is: `entity`, `field`, ….
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// An item of a formal list that has no shape that the reader knows.
    NotUnderstood {
        /// What was expected there, in the words of the reference: `field`, `SLO`, `grant`, `event`, ….
        expected: &'static str,
    },
    /// A label that the section does not know, where only labels of the form are expected.
    UnknownLabel {
        /// As written.
        label: String,
        /// The nearest label of that place.
        nearest: Option<String>,
    },
    /// A line that Markdown takes for part of the item above, read as a paragraph; *related* is the item.
    LazyLine,
    /// A constraint that begins like one of the language and does not parse.
    ConstraintNotUnderstood {
        /// As written.
        text: String,
        /// The nearest form.
        nearest: Option<&'static str>,
    },
}
