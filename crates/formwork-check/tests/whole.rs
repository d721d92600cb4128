//! Whole documents: the example is clean, comments take findings away, and no bytes bring the check down.

use formwork_check::{CheckedFile, Severity, analyse, analyse_fragment, render_json, render_text};
use proptest::prelude::*;

#[test]
fn the_example_has_neither_error_nor_warning() {
    let analysis = analyse(include_str!("../../../examples/shortlink.md").into());
    let shown = render_text(&[CheckedFile { path: "shortlink.md", analysis: &analysis }], false);
    assert!(analysis.diagnostics.iter().all(|found| found.severity == Severity::Hint), "{shown}");
    assert!(!analysis.model.operations.is_empty() && !analysis.compiled.behaviours.is_empty());
}

#[test]
fn an_empty_document_lacks_every_section_in_one_finding() {
    let codes: Vec<&str> = analyse("".into()).diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["FW1602"]);
}

#[test]
fn a_comment_with_a_reason_covers_the_next_block_only() {
    let entity = |name: &str| {
        format!(
            "### Entity: `{name}`\n\n**Fields:**\n- `id` (uuid) | identity | primary key\n- `a` (strnig) | x | required\n\n"
        )
    };
    let allow = "<!-- formwork: allow FW0601 the type comes with the next release -->\n\n";
    let text = format!("## 6) Data Model\n\n{}{allow}{}{}", entity("one"), entity("two"), entity("three"));
    let found = analyse_fragment(text.as_str().into()).diagnostics;
    let unknown: Vec<u32> =
        found.iter().filter(|found| found.code == "FW0601").map(|found| found.span.start).collect();
    let two = text.find("`two`").expect("it is there") as u32;
    let three = text.find("`three`").expect("it is there") as u32;
    assert_eq!(unknown.len(), 2);
    assert!(unknown[0] < two && unknown[1] > three);
}

fn pieces() -> impl Strategy<Value = String> {
    let example = include_str!("../../../examples/shortlink.md");
    let lines: Vec<String> = example.lines().map(str::to_owned).collect();
    let noise = vec![
        "[TBD]",
        "```",
        "- ",
        "| a | b |",
        "<!-- formwork: allow FW0601 x -->",
        "\u{0}",
        "\t- `x`",
        "`",
        "**A:**",
        "…",
        "🦀",
    ];
    let line = prop_oneof![
        4 => prop::sample::select(lines),
        1 => prop::sample::select(noise).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends_in_findings_that_can_be_shown(text in pieces()) {
        let analysis = analyse(text.as_str().into());
        let file = [CheckedFile { path: "any.md", analysis: &analysis }];
        prop_assert!(render_text(&file, true).ends_with('\n'));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&render_json(&file, true)).is_ok());
        for found in &analysis.diagnostics {
            prop_assert!(text.get(found.span.range()).is_some(), "{found:?}");
            prop_assert!(found.message.chars().count() <= 100 && !found.message.contains('\n'), "{found:?}");
        }
    }
}
