//! A document to the same document in canonical notation.
//!
//! First the notations, line by line from the model, then the layout from the tree. A change is made only when model,
//! findings and shape stay as they were; one that would alter them is left out and counted.

use crate::edits::apply;
use crate::facts::{Facts, shape};
use crate::written::Written;
use crate::{layout, notation, tables};
use formwork_check::{Analysis, Edit, analyse};
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

/// How often a pass may be tried in parts, to find the changes that must be left out.
const MOST_TRIALS: usize = 48;

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
    let mut left_out = 0;
    for _ in 0..MOST_ROUNDS {
        let before = Arc::clone(&analysis.source);
        left_out = 0;
        for (pass, may_rewrite) in PASSES {
            let edits = pass(&Written::new(&analysis));
            let shape = (!may_rewrite).then(|| shape(&analysis));
            let left = (MOST_BYTES / analysis.source.len().max(1)).clamp(3, MOST_TRIALS);
            let mut trial = Trial { facts: &facts, shape: shape.as_deref(), left, left_out: 0 };
            if let Some(made) = trial.made(&analysis, &edits) {
                analysis = made;
            }
            left_out += trial.left_out;
        }
        if before == analysis.source {
            break;
        }
    }
    Formatted { text: analysis.source.to_string(), left_out }
}

/// One pass being tried.
struct Trial<'a> {
    facts: &'a Facts,
    shape: Option<&'a [String]>,
    left: usize,
    left_out: usize,
}

impl Trial<'_> {
    /// The document with those of the edits that leave its facts alone; absent when none do.
    fn made(&mut self, analysis: &Analysis, edits: &[Edit]) -> Option<Analysis> {
        let mut kept = Vec::new();
        self.keep(&analysis.source, edits, &mut kept)
    }

    /// Tries the edits beside the ones that are kept already; halves them until each is decided.
    fn keep(&mut self, source: &str, edits: &[Edit], kept: &mut Vec<Edit>) -> Option<Analysis> {
        if edits.is_empty() {
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.left_out += edits.len();
            return None;
        };
        self.left = left;
        let all: Vec<Edit> = kept.iter().chain(edits).cloned().collect();
        let made = analyse(apply(source, &all).into());
        let is_same =
            Facts::of(&made) == *self.facts && self.shape.is_none_or(|expected| shape(&made) == expected);
        if is_same {
            *kept = all;
            return Some(made);
        }
        if edits.len() == 1 {
            self.left_out += 1;
            return None;
        }
        let (first, second) = edits.split_at(edits.len() / 2);
        let first = self.keep(source, first, kept);
        self.keep(source, second, kept).or(first)
    }
}
