//! Documents as people write them: nothing in them is an error, and what is told is worth telling.

use formwork_check::{Analysis, Form, Severity, analyse, analyse_with, blank_form};
use std::fmt::Write;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/natural");

/// One line for each finding: severity, code, line, message, lines that it refers to.
fn told(analysis: &Analysis) -> String {
    let line = |offset: u32| analysis.lines.position(&analysis.source, offset).line;
    let mut told = String::new();
    for found in &analysis.diagnostics {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        };
        let related: Vec<String> =
            found.related.iter().map(|related| format!(" → {}", line(related.span.start))).collect();
        let place = line(found.span.start);
        writeln!(told, "{severity} {} {place}: {}{}", found.code, found.message, related.concat())
            .expect("a string takes what is written");
    }
    if told.is_empty() { "nothing\n".to_owned() } else { told }
}

#[test]
fn natural_documents_have_no_error_and_the_reviewed_findings() {
    let mut paths: Vec<_> = std::fs::read_dir(FOLDER)
        .expect("the folder of documents is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 4);
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("a document is UTF-8");
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let analysis = analyse(source.into());
        assert!(!analysis.has_errors(), "{name}: {}", told(&analysis));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(FOLDER);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, told(&analysis)));
    }
}

/// The lines on which text in brackets stands, once for each, as a person would count them.
fn prompts(text: &str) -> Vec<u32> {
    let mut lines = Vec::new();
    for (at, line) in (1..).zip(text.lines()) {
        let pieces = line.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
        let worded = pieces.filter(|(prompt, _)| prompt.contains(char::is_alphabetic));
        lines.extend(worded.map(|_| at));
    }
    lines
}

/// The lines of the findings that something is unfinished; anything else that is found is a failure.
fn unfinished(text: &str) -> Vec<u32> {
    let analysis = analyse(text.into());
    let other: Vec<_> = analysis.diagnostics.iter().filter(|found| found.code != "FW1601").collect();
    assert!(other.is_empty(), "{other:?}");
    let line = |offset: u32| analysis.lines.position(&analysis.source, offset).line;
    analysis.diagnostics.iter().map(|found| line(found.span.start)).collect()
}

#[test]
fn a_blank_form_is_unfinished_at_each_prompt_once_and_nothing_else() {
    let expected = prompts(blank_form());
    assert!(expected.len() > 90);
    assert_eq!(unfinished(blank_form()), expected);
}

#[test]
fn a_half_filled_form_lacks_exactly_the_half_that_is_left() {
    let text = include_str!("documents/natural/half-filled.md");
    let expected = prompts(text);
    assert!((40..90).contains(&expected.len()), "{}", expected.len());
    assert_eq!(unfinished(text), expected);
}

#[test]
fn another_form_asks_for_its_own_sections_parts_and_numbers() {
    let form = Form::read(
        "# [Title]\n\n## Context\n\n**[Write 1-2 paragraphs]**\n\n## Options\n\n**[List 2-3 options]**\n\n## Decision\n\n### Chosen\n[Which?]\n\n### Consequences\n[What follows?]\n",
    );
    let document = "# Where events are kept\n\n## Context\n\nOne.\n\nTwo.\n\nThree.\n\n## Options considered\n\n- a log\n\n## Our decision\n\n### Chosen\n\nThe log.\n";
    let found = told(&analyse_with(document.into(), &form));
    let expected = "\
hint FW1604 3: `Context` has 3 paragraphs, the form asks for 1 to 2
hint FW1604 11: `Options` has 1 item, the form asks for 2 to 3
warning FW1603 15: `Decision` lacks `Consequences`
";
    assert_eq!(found, expected);
    let empty = told(&analyse_with("# Nothing\n".into(), &form));
    assert!(empty.contains("3 sections are missing behind this, from `Context` on"), "{empty}");
}
