//! What holds of every text, valid or not: it is read without a panic and in time that its length bounds, findings
//! point into it, every report of them can be read, and formatting it twice changes nothing more.

use crate::Work;
use formwork_check::{
    Analysis, CheckedFile, Diagnostic, analyse, analyse_fragment, render_json, render_text,
};
use formwork_syntax::Span;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// What one analysis may take, of the processor, besides what the length of the text allows.
const TIME_FOR_ANY: Duration = Duration::from_millis(400);
/// What each byte may add. An unoptimised build, which is ten times slower, keeps it as well.
const TIME_PER_BYTE: Duration = Duration::from_micros(20);

/// Holds the front end to its promises; the error says which one broke.
pub fn promises(text: &str) -> Result<(), String> {
    let source: Arc<str> = text.into();
    let outcome = catch_unwind(AssertUnwindSafe(|| all(&source)));
    outcome.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", words.unwrap_or("without words")))
    })
}

fn all(source: &Arc<str>) -> Result<(), String> {
    let analysis = in_time(source)?;
    for diagnostic in &analysis.diagnostics {
        points_into(source, diagnostic)?;
    }
    for diagnostic in &analyse_fragment(source.clone()).diagnostics {
        points_into(source, diagnostic)?;
    }
    reports(&analysis)?;
    formats(source)
}

/// Analyses; a slow one is repeated, because others use the machine's memory and caches too.
fn in_time(source: &Arc<str>) -> Result<Analysis, String> {
    let most = TIME_FOR_ANY + TIME_PER_BYTE * source.len() as u32;
    let mut least = Duration::MAX;
    for _ in 0..3 {
        let work = Work::begin();
        let analysis = analyse(source.clone());
        least = least.min(work.done());
        if least <= most {
            return Ok(analysis);
        }
    }
    Err(format!("{} bytes took {least:?}, more than {most:?}", source.len()))
}

fn points_into(source: &str, diagnostic: &Diagnostic) -> Result<(), String> {
    let is_place = |span: Span| span.start <= span.end && source.get(span.range()).is_some();
    let related = diagnostic.related.iter().map(|related| related.span);
    let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
    let wrong = std::iter::once(diagnostic.span).chain(related).chain(edits).find(|span| !is_place(*span));
    match wrong {
        Some(span) => Err(format!("{} points to {span:?}, which is no place of the text", diagnostic.code)),
        None => Ok(()),
    }
}

fn reports(analysis: &Analysis) -> Result<(), String> {
    let files = [CheckedFile { path: "document.md", analysis }];
    let text = render_text(&files, true);
    let json: serde_json::Value = serde_json::from_str(&render_json(&files, true))
        .map_err(|error| format!("the report is no JSON: {error}"))?;
    let told = json["files"][0]["diagnostics"].as_array().map_or(0, Vec::len);
    if told != analysis.diagnostics.len() || !text.ends_with('\n') {
        return Err(format!("{} findings, and {told} in the report", analysis.diagnostics.len()));
    }
    let model = serde_json::to_string(&formwork_export::model(analysis));
    model.map(drop).map_err(|error| format!("the model is no JSON: {error}"))
}

fn formats(source: &Arc<str>) -> Result<(), String> {
    let once: Arc<str> = formwork_format::format(source.clone()).text.into();
    let twice = formwork_format::format(once.clone()).text;
    if *once == *twice { Ok(()) } else { Err("formatting twice gives another text than once".to_owned()) }
}
