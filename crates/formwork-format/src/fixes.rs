//! The fixes of findings, made until none is left.
//!
//! A fix is kept only when its finding goes with it; one that changes the text and leaves the finding is taken back and
//! not tried again. Source: language reference, *Diagnostics*.

use crate::edits::apply;
use formwork_check::{Analysis, Diagnostic, Edit};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the fixes gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// What was mended, in the order in which it was done.
    pub mended: Vec<Mended>,
}

/// A finding that was mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// `FW` and four digits.
    pub code: &'static str,
    /// What was wrong.
    pub message: String,
    /// What was done, in the imperative.
    pub title: String,
    /// The line where it stood when it was mended, from 1.
    pub line: u32,
}

/// How often the document is checked anew: a fix may bring to light what it hid.
const MOST_ROUNDS: usize = 32;

/// Mends a document as far as its findings say how. `check` gives the findings; mending the result again changes
/// nothing.
pub fn fix(source: Arc<str>, check: &dyn Fn(Arc<str>) -> Analysis) -> Fixed {
    let mut analysis = check(source);
    let mut mended = Vec::new();
    let mut refused: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::from([Arc::clone(&analysis.source)]);
    for _ in 0..MOST_ROUNDS {
        let Some((made, after)) = round(&analysis, check, &mut refused) else { break };
        if !seen.insert(Arc::clone(&after.source)) {
            break;
        }
        mended.extend(made);
        analysis = after;
    }
    Fixed { text: analysis.source.to_string(), mended }
}

/// One round: as many fixes as have room beside each other. Absent when there is nothing left to do.
fn round(
    analysis: &Analysis,
    check: &dyn Fn(Arc<str>) -> Analysis,
    refused: &mut BTreeSet<String>,
) -> Option<(Vec<Mended>, Analysis)> {
    let mut chosen = beside_each_other(analysis, refused);
    while !chosen.is_empty() {
        let edits: Vec<Edit> = chosen.iter().flat_map(|found| edits(found)).cloned().collect();
        let after = check(apply(&analysis.source, &edits).into());
        let is_gone = |found: &&Diagnostic| count(&after, found) < count(analysis, found);
        let (gone, left): (Vec<&Diagnostic>, Vec<&Diagnostic>) = chosen.into_iter().partition(is_gone);
        if left.is_empty() {
            return Some((gone.into_iter().map(|found| mended(analysis, found)).collect(), after));
        }
        refused.extend(left.into_iter().map(|found| key(analysis, found)));
        chosen = gone;
    }
    None
}

/// The findings with a fix that is not refused, from the start of the text, each clear of the ones before.
fn beside_each_other<'a>(analysis: &'a Analysis, refused: &BTreeSet<String>) -> Vec<&'a Diagnostic> {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut chosen = Vec::new();
    for found in &analysis.diagnostics {
        let edits = edits(found);
        let changes = edits.iter().any(|edit| edit.span.slice(&analysis.source) != edit.text);
        let is_clear = edits.iter().all(|edit| taken.iter().rev().take(NEAR).all(|other| clear(edit, other)));
        if changes && is_clear && !refused.contains(&key(analysis, found)) {
            taken.extend(edits);
            chosen.push(found);
        }
    }
    chosen
}

/// How many edits back may reach over the next one; findings come by place.
const NEAR: usize = 64;

fn clear(one: &Edit, other: &Edit) -> bool {
    one.span.end < other.span.start || other.span.end < one.span.start
}

fn edits(found: &Diagnostic) -> &[Edit] {
    found.fix.as_ref().map_or(&[], |fix| fix.edits.as_slice())
}

/// How often a document has the finding, wherever it stands.
fn count(analysis: &Analysis, found: &Diagnostic) -> usize {
    let is_same = |other: &&Diagnostic| other.code == found.code && other.message == found.message;
    analysis.diagnostics.iter().filter(is_same).count()
}

/// What a fix is known by when the text around it changes.
fn key(analysis: &Analysis, found: &Diagnostic) -> String {
    let replaced =
        edits(found).iter().map(|edit| format!("{}→{}", edit.span.slice(&analysis.source), edit.text));
    format!("{} {} {}", found.code, found.message, replaced.collect::<Vec<_>>().join(" "))
}

fn mended(analysis: &Analysis, found: &Diagnostic) -> Mended {
    Mended {
        code: found.code,
        message: found.message.clone(),
        title: found.fix.as_ref().map(|fix| fix.title.clone()).unwrap_or_default(),
        line: analysis.lines.position(&analysis.source, found.span.start).line,
    }
}
