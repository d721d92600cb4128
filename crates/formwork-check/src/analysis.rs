//! Source text to everything that is known about it.

use crate::catalogue::CATALOGUE;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::form::Form;
use crate::suppress::Allowance;
use crate::{gate, suppress};
use formwork_language::behaviour::Compiled;
use formwork_model::Model;
use formwork_syntax::{Document, LineIndex, threads};
use std::sync::Arc;

/// Everything that is known about a document. What stands above this room reads nothing else.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The text.
    pub source: Arc<str>,
    /// Its lines.
    pub lines: LineIndex,
    /// The labelled parts.
    pub document: Document,
    /// The typed facts.
    pub model: Model,
    /// Program, behaviours and flows.
    pub compiled: Compiled,
    /// Findings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Comments that allow findings, in the order of the text.
    pub allowances: Vec<Allowance>,
}

impl Analysis {
    /// Whether the document cannot run as written.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads, compiles and checks a document.
pub fn analyse(source: Arc<str>) -> Analysis {
    analysed(source, true, Form::shipped())
}

/// As [`analyse`], held against another form than the one that ships with Formwork.
pub fn analyse_with(source: Arc<str>, form: &Form) -> Analysis {
    analysed(source, true, form)
}

/// Reads, compiles and checks a piece of a document: as [`analyse`], but without the findings that a section, part
/// or number of things is missing. The examples of the pages are such pieces.
pub fn analyse_fragment(source: Arc<str>) -> Analysis {
    analysed(source, false, Form::shipped())
}

fn analysed(source: Arc<str>, whole: bool, form: &Form) -> Analysis {
    let lines = LineIndex::new(&source);
    let document = formwork_syntax::parse(&source, &formwork_model::is_label);
    let model = formwork_model::read(&source, &document);
    let compiled = formwork_language::compile(&source, &model);
    let cx = Context::new(&source, &document, &model, &compiled, whole, form);
    let (diagnostics, allowances) = findings(&cx);
    Analysis { source, lines, document, model, compiled, diagnostics, allowances }
}

/// Every finding, by place, each mistake once.
fn findings(cx: &Context<'_>) -> (Vec<Diagnostic>, Vec<Allowance>) {
    let mut found = gate::notes(cx);
    // Neighbours in the catalogue look at the same things; dealt out in turn, the threads have about as much to do.
    let threads = threads::worth(cx.source.len());
    let rules: Vec<_> = CATALOGUE.iter().filter_map(|entry| entry.rule).collect();
    let hands: Vec<usize> = (0..threads).collect();
    let of_hand = |hand: &usize| rules.iter().skip(*hand).step_by(threads).map(|rule| rule(cx)).collect();
    let mut dealt: Vec<_> = threads::map(threads, &hands, of_hand).into_iter().map(Vec::into_iter).collect();
    for at in 0..rules.len() {
        found.extend(dealt[at % threads].next().into_iter().flatten());
    }
    let suppressions = suppress::suppressions(cx);
    let taken = suppress::suppress(&suppressions, &mut found);
    let (allowances, idle) = suppress::judged(&suppressions, &taken);
    found.extend(idle);
    found.sort_by(|one, other| {
        let place = |diagnostic: &Diagnostic| (diagnostic.span.start, diagnostic.span.end);
        place(one)
            .cmp(&place(other))
            .then(is_general(one).cmp(&is_general(other)))
            .then(other.severity.cmp(&one.severity))
            .then(one.code.cmp(other.code))
    });
    // What stands at one place is one mistake: the gravest finding tells it.
    found.dedup_by(|later, kept| {
        later.span == kept.span && !(is_about_absence(later) || is_about_absence(kept))
    });
    found.retain(|diagnostic| !is_stand_in(cx, diagnostic));
    (without_cascades(found), allowances)
}

/// What the form itself says in place of the author's names is not wrong, only left.
fn is_stand_in(cx: &Context<'_>, diagnostic: &Diagnostic) -> bool {
    let text = diagnostic.span.slice(cx.source).trim_matches(['`', '"']);
    cx.whole && cx.form.stand_ins.contains(text) && !is_unfinished(diagnostic)
}

fn is_unfinished(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == crate::diagnostics::fw1601_unfinished::ENTRY.code
}

/// That a name is unknown says less than that a grant, limit or cache names nothing.
fn is_general(diagnostic: &Diagnostic) -> bool {
    use crate::diagnostics::{fw1609_slip_of_a_name, fw2001_unknown_name};
    [&fw2001_unknown_name::ENTRY, &fw1609_slip_of_a_name::ENTRY]
        .iter()
        .any(|entry| entry.code == diagnostic.code)
}

/// What is missing has no place of its own: several may stand at one heading.
fn is_about_absence(diagnostic: &Diagnostic) -> bool {
    use crate::diagnostics::{fw1602_missing_section, fw1603_missing_part, fw1604_unusual_number};
    [&fw1602_missing_section::ENTRY, &fw1603_missing_part::ENTRY, &fw1604_unusual_number::ENTRY]
        .iter()
        .any(|entry| entry.code == diagnostic.code)
}

/// Takes away what lies inside a place that is unfinished anyway.
fn without_cascades(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut unfinished_until = 0;
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(found.len());
    for diagnostic in found {
        let inside = unfinished_until > 0 && diagnostic.span.end <= unfinished_until;
        if is_unfinished(&diagnostic) {
            unfinished_until = unfinished_until.max(diagnostic.span.end);
        }
        if !inside {
            kept.push(diagnostic);
        }
    }
    kept
}
