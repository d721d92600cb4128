//! Diagnostics as JSON, version 1: the contract for scripts, editors and continuous integration. Keys stand in a
//! fixed order; lines and columns count from 1, offsets are bytes, ends are exclusive.

use super::CheckedFile;
use super::places::Places;
use crate::coverage::{Coverage, classes, coverage};
use crate::diagnostic::{Diagnostic, Severity};
use formwork_model::Class;
use formwork_syntax::Span;
use serde::Serialize;

#[derive(Serialize)]
struct ReportJson<'a> {
    version: u8,
    files: Vec<FileJson<'a>>,
}

#[derive(Serialize)]
struct FileJson<'a> {
    path: &'a str,
    diagnostics: Vec<DiagnosticJson<'a>>,
    coverage: CoverageJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<ClassJson>>,
}

#[derive(Serialize)]
struct DiagnosticJson<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    span: SpanJson,
    related: Vec<RelatedJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixJson<'a>>,
}

#[derive(Serialize)]
struct RelatedJson<'a> {
    message: &'a str,
    span: SpanJson,
}

#[derive(Serialize)]
struct FixJson<'a> {
    title: &'a str,
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    span: SpanJson,
    text: &'a str,
}

#[derive(Serialize)]
struct SpanJson {
    start: PositionJson,
    end: PositionJson,
}

#[derive(Serialize)]
struct PositionJson {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct CoverageJson {
    understood: usize,
    narrative: usize,
    unfinished: usize,
    not_understood: usize,
}

#[derive(Serialize)]
struct ClassJson {
    span: SpanJson,
    class: &'static str,
}

/// The report of the files in one line; with `with_classes` each file says how every unit of it was taken.
pub fn render_json(files: &[CheckedFile<'_>], with_classes: bool) -> String {
    let report =
        ReportJson { version: 1, files: files.iter().map(|file| file_json(file, with_classes)).collect() };
    serde_json::to_string(&report).unwrap_or_default()
}

fn file_json<'a>(file: &CheckedFile<'a>, with_classes: bool) -> FileJson<'a> {
    let places = Places::new(&file.analysis.source, &file.analysis.lines);
    let classes = classes(file.analysis);
    let Coverage { understood, narrative, unfinished, not_understood } = coverage(&classes);
    let class_json =
        |(span, class): &(Span, Class)| ClassJson { span: span_json(&places, *span), class: word(*class) };
    FileJson {
        path: file.path,
        diagnostics: file.analysis.diagnostics.iter().map(|each| diagnostic_json(&places, each)).collect(),
        coverage: CoverageJson { understood, narrative, unfinished, not_understood },
        classes: with_classes.then(|| classes.iter().map(class_json).collect()),
    }
}

fn diagnostic_json<'a>(places: &Places<'_>, diagnostic: &'a Diagnostic) -> DiagnosticJson<'a> {
    let related = diagnostic.related.iter();
    DiagnosticJson {
        code: diagnostic.code,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        },
        message: &diagnostic.message,
        span: span_json(places, diagnostic.span),
        related: related
            .map(|related| RelatedJson { message: &related.message, span: span_json(places, related.span) })
            .collect(),
        help: diagnostic.help.as_deref(),
        fix: diagnostic.fix.as_ref().map(|fix| FixJson {
            title: &fix.title,
            edits: fix
                .edits
                .iter()
                .map(|edit| EditJson { span: span_json(places, edit.span), text: &edit.text })
                .collect(),
        }),
    }
}

fn span_json(places: &Places<'_>, span: Span) -> SpanJson {
    let position = |offset| {
        let found = places.position(offset);
        PositionJson { line: found.line, column: found.column, offset: found.offset }
    };
    SpanJson { start: position(span.start), end: position(span.end) }
}

fn word(class: Class) -> &'static str {
    match class {
        Class::Understood => "understood",
        Class::Narrative => "narrative",
        Class::Unfinished => "unfinished",
        Class::NotUnderstood => "not_understood",
    }
}
