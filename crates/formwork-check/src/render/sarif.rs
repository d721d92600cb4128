//! Diagnostics as SARIF 2.1.0 (OASIS standard), for code scanning and editors: one run, every rule that was broken
//! with its page, every finding with its places and corrections. Columns count Unicode scalar values.

use super::CheckedFile;
use super::places::Places;
use crate::baseline;
use crate::catalogue::{CATALOGUE, Entry};
use crate::diagnostic::{Diagnostic, Severity};
use formwork_syntax::Span;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the schema of the format is published.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report of the files in one line. A hint is a note.
pub fn render_sarif(files: &[CheckedFile<'_>]) -> String {
    let codes = files.iter().flat_map(|file| &file.analysis.diagnostics).map(|found| found.code);
    let mut rules: BTreeMap<&str, usize> = codes.map(|code| (code, 0)).collect();
    rules.values_mut().enumerate().for_each(|(at, index)| *index = at);
    let entries = CATALOGUE.iter().filter(|entry| rules.contains_key(entry.code));
    let results: Vec<Value> = files.iter().flat_map(|file| results(file, &rules)).collect();
    let driver = json!({
        "name": "formwork",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": entries.map(|entry| rule(entry)).collect::<Vec<_>>(),
    });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }).to_string()
}

fn rule(entry: &Entry) -> Value {
    json!({
        "id": entry.code,
        "shortDescription": { "text": entry.title },
        "help": { "text": entry.page, "markdown": entry.page },
        "defaultConfiguration": { "level": level(entry.severity) },
    })
}

fn results(file: &CheckedFile<'_>, rules: &BTreeMap<&str, usize>) -> Vec<Value> {
    let shown = Shown {
        uri: uri(file.path),
        source: &file.analysis.source,
        places: Places::new(&file.analysis.source, &file.analysis.lines),
    };
    file.analysis.diagnostics.iter().map(|found| result(&shown, found, rules)).collect()
}

struct Shown<'a> {
    uri: String,
    source: &'a str,
    places: Places<'a>,
}

fn result(file: &Shown<'_>, found: &Diagnostic, rules: &BTreeMap<&str, usize>) -> Value {
    let text = match &found.help {
        Some(help) => format!("{}. {help}", found.message),
        None => found.message.clone(),
    };
    let mut result = json!({
        "ruleId": found.code,
        "ruleIndex": rules.get(found.code),
        "level": level(found.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": place(file, found.span) }],
        "partialFingerprints": { "formwork/v1": baseline::fingerprint(file.source, found) },
    });
    if !found.related.is_empty() {
        let related = found.related.iter().enumerate().map(|(at, related)| {
            json!({
                "id": at,
                "message": { "text": related.message },
                "physicalLocation": place(file, related.span),
            })
        });
        result["relatedLocations"] = related.collect();
    }
    if let Some(fix) = &found.fix {
        let replacements = fix.edits.iter().map(|edit| {
            json!({ "deletedRegion": region(file, edit.span), "insertedContent": { "text": edit.text } })
        });
        let change = json!({
            "artifactLocation": { "uri": file.uri },
            "replacements": replacements.collect::<Vec<_>>(),
        });
        result["fixes"] = json!([{ "description": { "text": fix.title }, "artifactChanges": [change] }]);
    }
    result
}

fn place(file: &Shown<'_>, span: Span) -> Value {
    json!({ "artifactLocation": { "uri": file.uri }, "region": region(file, span) })
}

fn region(file: &Shown<'_>, span: Span) -> Value {
    let (start, end) = (file.places.position(span.start), file.places.position(span.end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": span.start,
        "byteLength": span.len(),
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "note",
    }
}

/// A path as a relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char)
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("docs/a b:c.md"), "docs/a%20b%3Ac.md");
        assert_eq!(uri("ä.md"), "%C3%A4.md");
    }
}
