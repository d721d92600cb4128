//! Mechanical changes to a document's text: canonical notation, the fixes of findings, and answers put into a form.
//!
//! Everything here changes the text at places that the typed model or the tree names, and never prints a document
//! anew: what is not named stays byte for byte. Pure; reading, writing and asking are left to the binary. Source:
//! language reference, *Diagnostics*, and `docs/reference/fmt.md`.
//!
//! ```
//! let formatted = formwork_format::format("## Goals\n* First\n* Second  \n".into());
//! assert_eq!(formatted.text, "## Goals\n- First\n- Second\n");
//! ```

mod edits;
mod facts;
mod fixes;
mod form;
mod format;
mod interview;
mod layout;
mod notation;
mod tables;
mod written;

pub use edits::apply;
pub use fixes::{Fixed, Mended, fix};
pub use form::{EXAMPLES, Example, blank};
pub use format::{Formatted, format};
pub use interview::{Kind, Question, answered, next_question, open_questions};
