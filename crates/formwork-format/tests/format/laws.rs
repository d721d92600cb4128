//! Formatting again changes nothing, and what a document says is the same afterwards, whatever the document.

use formwork_check::analyse;
use formwork_export::model;
use formwork_format::format;
use proptest::prelude::*;
use serde_json::Value;

const EXAMPLE: &str = include_str!("../../../../examples/shortlink.md");

/// Lines in notations that formatting changes, and lines that trouble readers of Markdown.
const LINES: [&str; 34] = [
    "* `slug` (text, not null): the short name",
    "- owner — string — who made it",
    "- `clicks` (bigint)|so far|>= 0, default: 0",
    "- `team_id` (uuid) | x | FK to team.id on delete cascade",
    "- `code` (varchar(64)) | x",
    "- `latency` <= 50ms (p99)",
    "- `availability`>=99.9% over 30d",
    "#### `get_link` - `GET /links/:slug`",
    "### Operation: create_link (`POST /links`)",
    "### API Endpoint: GET /internal/x",
    "## 6) Data Model ##",
    "### Entity: `link`",
    "**Fields:**",
    "**Input:**",
    "**Behavior:** does things  ",
    "| Field | Type | Constraints |",
    "|---|:-:|--:|",
    "| `a` | int | PK, >= 0 |",
    "|`b`|text\\|x|not null|",
    "1) first",
    "2) Finds the `link` where `slug == input.slug`.",
    "+ plus",
    "  * nested",
    "    continued  ",
    "```json",
    "```",
    "---",
    "> quoted",
    "",
    "",
    "   ",
    "<!-- a comment -->",
    "\tcode",
    "Setext\n======",
];

/// The example with lines taken out, doubled, put elsewhere and put in.
fn documents() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = EXAMPLE.lines().collect();
    let change = (0..lines.len(), 0..4usize, prop::sample::select(LINES.to_vec()));
    (prop::collection::vec(change, 0..12), any::<bool>()).prop_map(move |(changes, carriage)| {
        let mut lines: Vec<&str> = lines.clone();
        for (at, kind, line) in changes {
            let at = at.min(lines.len() - 1);
            match kind {
                0 => lines.insert(at, line),
                1 => lines[at] = line,
                2 => lines.insert(at, lines[(at * 7) % lines.len()]),
                _ => drop(lines.remove(at)),
            }
        }
        lines.join(if carriage { "\r\n" } else { "\n" })
    })
}

/// Only such lines, with soup between them.
fn soups() -> impl Strategy<Value = String> {
    let line =
        prop_oneof![4 => prop::sample::select(LINES.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

fn without_places(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member["start"]["offset"].is_u64());
            members.values_mut().for_each(without_places);
        }
        Value::Array(items) => items.iter_mut().for_each(without_places),
        // A step with steps below it is kept as written, so layout shows in it.
        Value::String(text) if text.contains('\n') => text.retain(|character| character.is_alphanumeric()),
        _ => {}
    }
}

fn facts(text: &str) -> Value {
    let mut model = model(&analyse(text.into()));
    without_places(&mut model);
    model
}

fn keeps_the_laws(text: &str) -> Result<(), TestCaseError> {
    let once = format(text.into()).text;
    let twice = format(once.as_str().into()).text;
    prop_assert_eq!(&once, &twice, "formatting again changed something");
    prop_assert_eq!(facts(text), facts(&once), "the model is another one");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_formatted_once_and_say_the_same(text in documents()) {
        keeps_the_laws(&text)?;
    }

    #[test]
    fn soups_are_formatted_once_and_say_the_same(text in soups()) {
        keeps_the_laws(&text)?;
    }
}

#[test]
fn a_large_table_is_formatted_in_bounded_room() {
    let rows: String = (0..2_000).map(|at| format!("|{at}|{}|\n", "x".repeat(at % 7))).collect();
    let text = format!("# T\n\n|a|b|\n|-|-|\n|{}|y|\n{rows}", "z".repeat(50_000));
    let formatted = format(text.as_str().into()).text;
    assert!(formatted.len() < text.len() * 2, "{} became {}", text.len(), formatted.len());
}

#[test]
fn hostile_documents_are_formatted_mended_and_asked_about_like_any_other() {
    let columns = |cell: &str| format!("|{}\n", cell.repeat(3_000));
    let fields: String = (0..200).map(|at| format!("* f{at} (text) | | min x | PK\n")).collect();
    let hostile = [
        (0..600).map(|at| format!("{}* x\n", " ".repeat((at * 2).min(300)))).collect(),
        format!("# T\n\n{}{}{}", columns("a|"), columns("-|"), columns("b|")),
        format!("# T\n\n* {}", "`a` <= 5ms | x ".repeat(5_000)),
        format!("{} x\n* y", ">".repeat(3_000)),
        format!("## 6) Data Model\n\n### Entity: `a`\n\n**Fields:**\n{fields}"),
        "**[".repeat(3_000),
        "[a] ".repeat(3_000),
        "```\n* x\n".to_owned(),
    ];
    for text in hostile {
        let once = format(text.as_str().into()).text;
        assert_eq!(format(once.as_str().into()).text, once);
        let fixed = formwork_format::fix(text.as_str().into(), &analyse).text;
        assert_eq!(formwork_format::fix(fixed.as_str().into(), &analyse).text, fixed);
        if let Some(question) = formwork_format::next_question(&text, 0) {
            assert!(formwork_format::answered(&text, &question, "x").1 as usize <= text.len() + 2);
        }
    }
}
