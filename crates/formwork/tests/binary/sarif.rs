//! Reports in SARIF 2.1.0 hold against the schema of the standard, whatever is reported.

use crate::process::{command, formwork, formwork_with_input, shortlink};
use formwork_check::CATALOGUE;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../fixtures/sarif-schema-2.1.0.json");

fn standard() -> Validator {
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    // The one pattern of the schema that is no regular expression, of a member that no report has.
    for of in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{of}/properties/language"));
        let language = language.and_then(Value::as_object_mut).expect("it is there");
        language.remove("pattern").expect("it has a pattern");
    }
    jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is a schema")
}

fn faults(report: &Value) -> Vec<String> {
    let place = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    standard().iter_errors(report).map(place).collect()
}

fn read(output: &str) -> Value {
    serde_json::from_str(output).expect("a report is JSON")
}

/// What stands under *Before* on the page of a diagnostic.
fn before(page: &str) -> &str {
    let behind = page.split_once("## Before\n").map_or("", |(_, behind)| behind);
    let fence = behind.split_once("````markdown\n").map_or("", |(_, fence)| fence);
    fence.split_once("````").map_or("", |(text, _)| text)
}

#[test]
fn a_report_of_every_diagnostic_is_valid() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut check = command(&["check", "--format", "sarif"]);
    let mut written = 0;
    for entry in CATALOGUE.iter().filter(|entry| !before(entry.page).is_empty()) {
        let path = folder.path().join(format!("{} über 100%.md", entry.code));
        std::fs::write(&path, before(entry.page)).expect("writable");
        check.arg(path);
        written += 1;
    }
    assert!(written > 70, "{written} pages have an example");
    let ended = check.output().expect("the binary starts");
    let report = read(std::str::from_utf8(&ended.stdout).expect("UTF-8"));
    assert_eq!(faults(&report), [""; 0]);
    let results = report["runs"][0]["results"].as_array().expect("a list");
    let codes: BTreeSet<&str> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    assert!(codes.len() > 60, "{codes:?}");
    for member in ["fixes", "relatedLocations"] {
        assert!(results.iter().any(|result| result.get(member).is_some()), "{member}");
    }
}

#[test]
fn a_report_of_nothing_and_one_of_bytes_at_the_edge_are_valid() {
    let example = shortlink();
    let clean = formwork(&["check", "--format", "sarif", example.to_str().expect("UTF-8")]);
    assert_eq!(faults(&read(&clean.output)), [""; 0]);
    for text in
        ["", "\u{feff}", "\r", "TBD", "# ä\r\n\n```\nopen", "\0\u{202e}[Name]\t", "- [ ] [Name](x) ???\n"]
    {
        let ended = formwork_with_input(&["check", "--format", "sarif", "-"], text.as_bytes());
        assert_eq!(faults(&read(&ended.output)), [""; 0], "{text:?}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let ended = formwork_with_input(&["check", "--format", "sarif", "-"], b"TBD\n");
    let report = read(&ended.output);
    let changed = |pointer: &str, value: Value| {
        let mut report = report.clone();
        *report.pointer_mut(pointer).expect("it is there") = value;
        faults(&report).len()
    };
    assert_eq!(changed("/version", json!("2.1.0")), 0);
    assert!(changed("/version", json!("2.0.0")) > 0);
    assert!(changed("/runs/0/results/0/level", json!("hint")) > 0);
    let line = "/runs/0/results/0/locations/0/physicalLocation/region/startLine";
    assert!(changed(line, json!(0)) > 0);
}
