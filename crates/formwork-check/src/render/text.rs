//! Diagnostics as text in the manner of the Rust compiler: code, message, place, excerpt, help and suggestion.

use super::CheckedFile;
use super::places::Places;
use crate::diagnostic::{Diagnostic, Edit, Severity};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet,
    normalize_untrusted_str,
};
use formwork_syntax::Span;
use std::ops::Range;

/// Longest piece of the source, in bytes, that is shown as an excerpt; of a longer one only the place is named.
const LONGEST_EXCERPT: u32 = 4_000;
/// How far a related place may be, in lines, to stand in the excerpt of the main one.
const NEAR_LINES: u32 = 8;

/// Every finding of the files, a blank line after each, and a summary line. Ends with a line end.
pub fn render_text(files: &[CheckedFile<'_>], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for file in files {
        let source: &str = &file.analysis.source;
        let shown = Shown { path: file.path, source, places: Places::new(source, &file.analysis.lines) };
        for diagnostic in &file.analysis.diagnostics {
            text.push_str(&renderer.render(&report(&shown, diagnostic)));
            text.push_str("\n\n");
        }
    }
    text.push_str(&summary(files));
    text.push('\n');
    text
}

/// `3 errors, 1 warning`; `no findings` when there are none.
pub fn summary(files: &[CheckedFile<'_>]) -> String {
    let count = |severity| {
        let all = files.iter().flat_map(|file| &file.analysis.diagnostics);
        all.filter(|diagnostic| diagnostic.severity == severity).count()
    };
    let parts: Vec<String> =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Hint, "hint")]
            .into_iter()
            .map(|(severity, word)| (count(severity), word))
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{number} {word}{}", if number == 1 { "" } else { "s" }))
            .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

/// A file with what is needed to show places of it.
struct Shown<'a> {
    path: &'a str,
    source: &'a str,
    places: Places<'a>,
}

fn report<'a>(file: &Shown<'a>, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::INFO.with_name("hint"),
    };
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code)
        .elements(places(file, diagnostic));
    let shown_by_fix = diagnostic.fix.as_ref().and_then(|fix| patches(file, &fix.edits));
    let Some(suggestion) = shown_by_fix else {
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
        }
        return vec![group];
    };
    let title = diagnostic.help.as_deref().or(diagnostic.fix.as_ref().map(|fix| fix.title.as_str()));
    vec![
        group,
        Level::HELP.secondary_title(normalize_untrusted_str(title.unwrap_or_default())).element(suggestion),
    ]
}

/// The excerpts of a finding: its own place, with the related ones that stand near, then the far ones.
fn places<'a>(file: &Shown<'a>, diagnostic: &'a Diagnostic) -> Vec<Element<'a>> {
    let main = file.places.first_line(diagnostic.span);
    let line = file.places.line_number(main.start);
    let mut window = file.places.whole_lines(main);
    let mut inside = vec![(AnnotationKind::Primary, main, None)];
    let mut far = Vec::new();
    for related in &diagnostic.related {
        let span = file.places.first_line(related.span);
        let own = file.places.whole_lines(span);
        let is_near = file.places.line_number(span.start).abs_diff(line) <= NEAR_LINES;
        let note = (AnnotationKind::Context, span, Some(related.message.as_str()));
        if is_near && window.to(own).len() <= LONGEST_EXCERPT {
            window = window.to(own);
            inside.push(note);
        } else {
            far.push(excerpt(file, own, &[note]));
        }
    }
    let mut all = vec![excerpt(file, window, &inside)];
    all.extend(far);
    all
}

/// A mark in an excerpt: its place in the source, and what is said there.
type Mark<'a> = (AnnotationKind, Span, Option<&'a str>);

/// Whole lines with marks, or just the place of the first mark when the lines are too long to be shown.
fn excerpt<'a>(file: &Shown<'a>, window: Span, marks: &[Mark<'a>]) -> Element<'a> {
    if window.len() > LONGEST_EXCERPT {
        let at = marks.first().map_or(window.start, |(_, span, _)| span.start);
        let position = file.places.position(at);
        return Origin::path(file.path)
            .line(position.line as usize)
            .char_column(position.column as usize)
            .into();
    }
    let notes = marks.iter().map(|(kind, span, label)| kind.span(within(window, *span)).label(*label));
    snippet(file, window).annotations(notes.collect::<Vec<Annotation<'_>>>()).into()
}

/// The lines that the edits touch, with the edits as patches; absent when they are too long to be shown.
fn patches<'a>(file: &Shown<'a>, edits: &'a [Edit]) -> Option<Element<'a>> {
    let windows = edits.iter().map(|edit| file.places.whole_lines(edit.span));
    let window = windows.reduce(Span::to).filter(|window| window.len() <= LONGEST_EXCERPT)?;
    let patches = edits.iter().map(|edit| Patch::new(within(window, edit.span), edit.text.as_str()));
    Some(snippet(file, window).patches(patches.collect::<Vec<_>>()).into())
}

/// The renderer looks through the whole text that it is given, so it gets these lines alone.
fn snippet<'a, T: Clone>(file: &Shown<'a>, window: Span) -> Snippet<'a, T> {
    let line = file.places.line_number(window.start);
    Snippet::source(file.source.get(window.range()).unwrap_or_default())
        .line_start(line as usize)
        .path(file.path)
}

fn within(window: Span, span: Span) -> Range<usize> {
    let start = span.start.saturating_sub(window.start) as usize;
    start..(span.end.saturating_sub(window.start) as usize).max(start)
}
