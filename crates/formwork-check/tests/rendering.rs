//! What people and programs read: text with excerpts, JSON in its promised shape.

use formwork_check::{Analysis, CheckedFile, analyse, analyse_fragment, render_json, render_text, summary};
use serde_json::Value;

const UNKNOWN: &str = include_str!("documents/unknown_type.md");

fn fragment(text: &str) -> Analysis {
    analyse_fragment(text.into())
}

fn text(analysis: &Analysis) -> String {
    render_text(&[CheckedFile { path: "links.md", analysis }], false)
}

#[test]
fn each_document_is_rendered_as_its_snapshot_shows() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of documents is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("a document is UTF-8");
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let whole = name.starts_with("whole_");
        let analysis = if whole { analyse(source.into()) } else { fragment(&source) };
        let shown = render_text(&[CheckedFile { path: &format!("{name}.md"), analysis: &analysis }], false);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, shown));
    }
}

#[test]
fn the_summary_counts_by_severity_and_leaves_out_what_there_is_not() {
    let clean = fragment("## 1) Goals\n\n### Goals\n- Short links\n");
    assert_eq!(summary(&[CheckedFile { path: "a.md", analysis: &clean }]), "no findings");
    let one = fragment(UNKNOWN);
    let file = CheckedFile { path: "a.md", analysis: &one };
    assert_eq!(summary(&[file]), "1 warning");
    assert_eq!(summary(&[file, file]), "2 warnings");
}

#[test]
fn colours_come_only_when_they_are_asked_for() {
    let analysis = fragment(UNKNOWN);
    let file = [CheckedFile { path: "a.md", analysis: &analysis }];
    assert!(!render_text(&file, false).contains('\u{1b}'));
    assert!(render_text(&file, true).contains('\u{1b}'));
}

#[test]
fn a_line_too_long_to_be_shown_is_named_by_its_place() {
    let long = format!("<!-- formwork: allow FW1601 -->{}", " ".repeat(9_000)) + "<!-- x -->";
    let shown = text(&fragment(&long));
    assert!(shown.contains("links.md:1:1"), "{shown}");
    assert!(shown.len() < 2_000);
}

#[test]
fn a_document_cannot_write_on_the_terminal() {
    let shown = text(&fragment("<!-- formwork: allow FW\u{1b}[31m -->\n\ntext\n"));
    assert!(shown.contains("FW9005") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn json_has_the_promised_shape() {
    let analysis = fragment(UNKNOWN);
    let file = [CheckedFile { path: "links.md", analysis: &analysis }];
    let json: Value = serde_json::from_str(&render_json(&file, false)).expect("it is JSON");
    assert_eq!(keys(&json), ["version", "files"]);
    assert_eq!(json["version"], 1);
    let file_json = &json["files"][0];
    assert_eq!(keys(file_json), ["path", "diagnostics", "coverage"]);
    assert_eq!(keys(&file_json["coverage"]), ["understood", "narrative", "unfinished", "not_understood"]);
    let found = &file_json["diagnostics"][0];
    assert_eq!(keys(found), ["code", "severity", "message", "span", "related", "help", "fix"]);
    assert_eq!(found["severity"], "warning");
    assert_eq!(keys(&found["span"]), ["start", "end"]);
    assert_eq!(keys(&found["span"]["start"]), ["line", "column", "offset"]);
    assert_eq!(keys(&found["fix"]), ["title", "edits"]);
    assert_eq!(keys(&found["fix"]["edits"][0]), ["span", "text"]);
    let with_classes: Value = serde_json::from_str(&render_json(&file, true)).expect("it is JSON");
    let class = &with_classes["files"][0]["classes"][0];
    assert_eq!(keys(class), ["span", "class"]);
}

#[test]
fn json_counts_columns_in_characters_and_offsets_in_bytes() {
    let analysis = fragment("äöü\n\nß<!-- x -->\n\n<!-- formwork: allow FW1601 -->\n");
    let json: Value =
        serde_json::from_str(&render_json(&[CheckedFile { path: "x", analysis: &analysis }], false))
            .expect("it is JSON");
    let span = &json["files"][0]["diagnostics"][0]["span"];
    assert_eq!(span["start"], serde_json::json!({"line": 5, "column": 1, "offset": 22}));
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("it is an object").keys().map(String::as_str).collect()
}
