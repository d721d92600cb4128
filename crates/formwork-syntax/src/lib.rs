//! Turns Markdown into labelled parts, items, lists, tables and fences with byte-exact spans.
//!
//! This room alone knows Markdown. It leaves to `formwork-model` what a part means, and never fails: any text
//! gives a [`Document`], in time and memory linear in its length.
//!
//! ```
//! let source = "## Goals\n- **First:** be `exact`\n";
//! let document = formwork_syntax::parse(source, &|label| label == "Goals");
//! let goals = document.root.parts().next().unwrap();
//! assert_eq!(goals.title.plain(source), "Goals");
//! ```

mod markdown;
mod spans;
mod text;
pub mod threads;
mod tree;

pub use markdown::parse;
pub use spans::{LineIndex, Position, Span, Spanned};
pub use tree::{
    Block, Code, Document, Fence, Fragment, Fragments, Html, Item, Label, List, Node, Note, NoteKind, Part,
    PartKind, Piece, PieceKind, Quote, Row, Table, Text,
};

/// How deep blocks may nest (lists, quotes and items together) before the rest is kept as plain text.
pub const MAX_DEPTH: usize = 64;
