//! A document to the same document in canonical notation.
//!
//! First the notations, line by line from the model, then the layout from the tree. A change is made only when model,
//! findings and shape stay as they were; one that would alter them is left out and counted.

use crate::edits::apply;
use crate::facts::{Facts, shape};
use crate::written::Written;
use crate::{layout, notation, tables};
use formwork_check::{Analysis, Edit, analyse};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What formatting gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted {
    /// The text.
    pub text: String,
    /// How many changes were left out because they would have altered what the document says.
    pub left_out: usize,
}

/// How often the passes follow each other: a change may make room for another.
const MOST_ROUNDS: usize = 4;

/// How often a pass may be tried in parts, to find the changes that must be left out. One that needs more is not made
/// at all: formatting again must not go further than the first time.
const MOST_TRIALS: usize = 32;

/// How many bytes all trials of a pass may read together; a very large document is tried as a whole and in halves.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The changes of a pass.
type Pass = fn(&Written<'_>) -> Vec<Edit>;

/// The passes, in their order, and whether the text of the document may change in them.
const PASSES: [(Pass, bool); 3] = [(notation::edits, true), (layout::edits, false), (tables::edits, false)];

/// Formats a document. What it says is the same afterwards, and formatting it again changes nothing.
pub fn format(source: Arc<str>) -> Formatted {
    let mut analysis = analyse(source);
    let facts = Facts::of(&analysis);
    let mut refused: BTreeSet<Change> = BTreeSet::new();
    let mut given_up = [0; PASSES.len()];
    for _ in 0..MOST_ROUNDS {
        let before = Arc::clone(&analysis.source);
        for ((pass, may_rewrite), given_up) in PASSES.iter().zip(&mut given_up) {
            if *given_up > 0 {
                continue;
            }
            let mut edits = pass(&Written::new(&analysis));
            edits.retain(|edit| !refused.contains(&change(&analysis.source, edit)));
            let shape = (!may_rewrite).then(|| shape(&analysis));
            let left = (MOST_BYTES / analysis.source.len().max(1)).clamp(3, MOST_TRIALS);
            let mut trial = Trial { facts: &facts, shape: shape.as_deref(), left, refused: &mut refused };
            let mut kept = Vec::new();
            match trial.keep(&analysis.source, &edits, &mut kept) {
                Ok(Some(made)) => analysis = made,
                Ok(None) => {}
                Err(OutOfTrials) => *given_up = edits.len(),
            }
        }
        if before == analysis.source {
            break;
        }
    }
    let left_out = refused.len() + given_up.iter().sum::<usize>();
    Formatted { text: analysis.source.to_string(), left_out }
}

/// What an edit replaces, and what by.
type Change = (String, String);

fn change(source: &str, edit: &Edit) -> Change {
    (edit.span.slice(source).to_owned(), edit.text.clone())
}

/// A pass of which too many changes would alter the document.
struct OutOfTrials;

/// One pass being tried.
struct Trial<'a> {
    facts: &'a Facts,
    shape: Option<&'a [String]>,
    left: usize,
    refused: &'a mut BTreeSet<Change>,
}

impl Trial<'_> {
    /// The document with those of the edits that leave its facts alone, beside the ones that are kept already; absent
    /// when none do. Halves them until each is decided.
    fn keep(
        &mut self,
        source: &str,
        edits: &[Edit],
        kept: &mut Vec<Edit>,
    ) -> Result<Option<Analysis>, OutOfTrials> {
        if edits.is_empty() {
            return Ok(None);
        }
        self.left = self.left.checked_sub(1).ok_or(OutOfTrials)?;
        let all: Vec<Edit> = kept.iter().chain(edits).cloned().collect();
        let made = analyse(apply(source, &all).into());
        let is_same =
            Facts::of(&made) == *self.facts && self.shape.is_none_or(|expected| shape(&made) == expected);
        if is_same {
            *kept = all;
            return Ok(Some(made));
        }
        if let [only] = edits {
            self.refused.insert(change(source, only));
            return Ok(None);
        }
        let (first, second) = edits.split_at(edits.len() / 2);
        let first = self.keep(source, first, kept)?;
        Ok(self.keep(source, second, kept)?.or(first))
    }
}
