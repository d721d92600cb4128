//! The open prompts of a half-filled form as questions, and answers put in their places as Markdown.
//!
//! The document itself is the state: the next question is the first prompt behind a place, so that an interview can
//! be stopped anywhere and continued on the file. Source: `docs/reference/new.md`.

mod answers;
mod prompts;

use formwork_check::analyse;
use formwork_syntax::Span;

pub use answers::answered;

/// An open prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Titles above it, outermost first: section, item, label.
    pub place: Vec<String>,
    /// What is asked, without brackets; several prompts that one answer takes the place of, one each.
    pub prompts: Vec<String>,
    /// Which form the answer has.
    pub kind: Kind,
    /// What the answer replaces.
    pub span: Span,
    /// Instructions of the form before the prompt, which go with it.
    pub(crate) hints: Vec<Span>,
    /// For [`Kind::Names`]: the item that each name gets a copy of, without the rule behind it.
    pub(crate) item: Option<Span>,
}

/// The forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One line in the place of the prompt.
    Line,
    /// One line behind a label, or several as a list below it.
    Facts,
    /// Several lines behind a label, as numbered steps below it.
    Steps,
    /// Paragraphs, one a line.
    Text,
    /// Items of a list, one a line.
    List,
    /// Items of a numbered list, one a line.
    Numbered,
    /// Names, one a line; the item is written once for each.
    Names,
    /// Lines of code in a fence.
    Code,
}

impl Kind {
    /// Whether the answer may have several lines.
    pub const fn has_lines(self) -> bool {
        !matches!(self, Self::Line)
    }
}

/// How many questions are open at or behind `from` (in bytes).
pub fn open_questions(source: &str, from: u32) -> usize {
    let analysis = analyse(source.into());
    prompts::questions(&analysis).iter().filter(|question| question.span.start >= from).count()
}

/// The first open prompt at or behind `from` (in bytes); absent when all is answered.
pub fn next_question(source: &str, from: u32) -> Option<Question> {
    let analysis = analyse(source.into());
    prompts::questions(&analysis).into_iter().find(|question| question.span.start >= from)
}
