//! Markdown that nobody writes by hand ends in bounded time. Depth must not end the process either: a test's thread
//! has a quarter of the stack of the binary's.

use formwork_check::{CheckedFile, analyse, render_json, render_text};
use formwork_fuzz::Work;
use std::time::Duration;

fn ends(name: &str, text: String) {
    let work = Work::begin();
    let analysis = analyse(text.into());
    let files = [CheckedFile { path: name, analysis: &analysis }];
    assert!(!render_text(&files, false).is_empty() && !render_json(&files, true).is_empty());
    assert!(work.done() < Duration::from_secs(20), "{name}: {:?}", work.done());
}

#[test]
fn nesting_of_any_depth_ends() {
    ends("lists", (0..2_000).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect());
    ends("lists on one line", format!("{}x\n", "- ".repeat(10_000)));
    ends("quotes", format!("{}x\n", "> ".repeat(100_000)));
}

#[test]
fn an_expression_100_000_deep_is_refused() {
    let expression = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    ends(
        "expression",
        format!(
            "## 4) Primary Interface/API\n\n#### Operation: `a` — `POST /a`\n\n**Behavior:**\n1. Requires `{expression}`.\n"
        ),
    );
}

#[test]
fn tables_lines_and_headings_of_any_size_end() {
    let row = |cell: &str| format!("|{}\n", format!("{cell}|").repeat(100_000));
    ends("table", [row("a"), row("-"), row("b")].concat());
    ends("one line", "word `a` (b) ".repeat(100_000));
    ends("headings", "# h\n".repeat(100_000));
}
