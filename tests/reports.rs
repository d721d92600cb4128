//! What a reader sees of a flow that falls short: every document of `reports/` with its report as text beside it.

use formwork_check::analyse_fragment;
use formwork_documents::systems::Systems;
use formwork_prove::{Options, run_flows};
use std::path::{Path, PathBuf};

#[test]
fn each_form_that_falls_short_says_what_was_expected_what_came_and_where() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    let listed = std::fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    assert!(!paths.is_empty(), "the documents are where this test looks for them");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("a document is UTF-8");
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let analysis = analyse_fragment(source.into());
        assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
        let report =
            runtime.block_on(run_flows(&analysis, &Systems { analysis: &analysis }, &Options::default()));
        let text = report.expect("systems start").to_text(&format!("{name}.md"), false);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, masked(&text)));
    }
}

/// The report without what differs from run to run: request ids, and the uuids of rows.
fn masked(text: &str) -> String {
    let line = |line: &str| match line.split_once("request   ") {
        Some((before, _)) => format!("{before}request   REQUEST"),
        None => without_uuids(line),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn without_uuids(line: &str) -> String {
    const LENGTH: usize = 36;
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_uuid = rest.get(..LENGTH).is_some_and(|text| {
            text.char_indices().all(|(at, letter)| match at {
                8 | 13 | 18 | 23 => letter == '-',
                _ => letter.is_ascii_hexdigit(),
            })
        });
        let taken = if is_uuid { LENGTH } else { first.len_utf8() };
        out.push_str(if is_uuid { "UUID" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    out
}
