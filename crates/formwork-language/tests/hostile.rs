//! Whatever stands in behaviours, standing steps and flows: compiling ends with a program and notes, never a panic.

mod outline;

use proptest::prelude::*;

/// Words of the language and spans that may stand anywhere.
const WORDS: &[&str] = &[
    "Finds",
    "Finds the first",
    "Lists",
    "Lets",
    "Creates",
    "Creates or updates",
    "Updates",
    "Updates every",
    "Deletes",
    "Deletes every",
    "Fails with",
    "Requires",
    "Requires role",
    "Anyone may call this",
    "Emits",
    "Counts",
    "Observes",
    "Returns",
    "Returns nothing",
    "Redirects to",
    "If",
    "Otherwise if",
    "Otherwise",
    "For each",
    "Stops",
    "Calls",
    "Commits",
    "Note:",
    "It",
    "The service",
    "where",
    "with",
    "with header",
    "from the input",
    "sorted by",
    "then by",
    "newest first",
    "at most",
    "per page",
    "as",
    "when",
    "if",
    "unless",
    "if any",
    "or fails with",
    "or stops",
    "or creates it with",
    "locking it",
    "numbered",
    "about the",
    "by",
    "in",
    "be",
    "and",
    "or",
    "the",
    "a",
    "no",
    "exists",
    "number of",
    "sum of",
    "10",
    "1,000",
    ",",
    ".",
    ". ",
    ":",
    ";",
    "(",
    ")",
    "\"",
    "“",
    "”",
    "\"a {input.x} b\"",
    "\"{\"",
    "→",
    "->",
    "=",
    "`row`",
    "`other`",
    "`input.x`",
    "`x = 1`",
    "`f = f + 1`",
    "`f == input.x`",
    "`g != null`",
    "`409 taken`",
    "`201`",
    "`{\"a\": 1}`",
    "`row.f`",
    "`[1, 2]`",
    "`x`",
    "``",
    "`f ==`",
    "`row.made`",
    "`metric`",
    "calls",
    "gets",
    "exactly",
    "at once",
    "`POST /rows`",
    "`make`",
    "`role`",
    "visitor",
    "There are",
    "Event",
    "was emitted",
    "times",
    "The clock advances by",
    "`1 h`",
    "runs",
    "Every",
    "Every `1 min`:",
    "Every day at `04:00`",
    "starting at",
    "remembers",
    "again",
    "the others get",
    "At once:",
    "Twice:",
    "`3` times:",
    "Begins where flow `f` ended",
    "The clock stands at",
    "`2026-02-28`",
    "Given",
    "Given `3`",
    "The sum of `row.f`",
    "Metric `metric` is",
    "`Worker` is unavailable",
    "`Bank` answers `POST /v1` with",
    "`Bank` was called",
    "does not answer",
    "for the next `2` calls",
    "after",
    "with claim",
    "with scope",
    "of them",
    "\n   - ",
    "\n   1. ",
    "\n\n",
    "é",
    "\u{200b}",
    "**",
    "_",
    "e.g.",
];

const HEAD: &str = "# D\n\n## 6) Data Model\n\n### Entity: `row`\n**Fields:**\n- `f` (integer) | f | required, default 0\n\
    - `g` (string) | g | optional, unique\n- `made` (timestamp) | m | set to now on create\n\n### Entity: `other`\n\
    **Fields:**\n- `row` (row) | r | required, on delete cascade\n\n## 10) Observability\n\n### Metrics\n\
    - `metric`: counter\n\n### Events\n- `row.made`: when; data `f`\n\n";

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS), 0..24).prop_map(|words| words.join(" "))
}

fn document(behaviour: &[String], standing: &[String], flow: &[String]) -> String {
    let list = |items: &[String]| {
        items.iter().enumerate().map(|(at, item)| format!("{}. {item}\n", at + 1)).collect::<String>()
    };
    format!(
        "{HEAD}## 3) Core Components\n\n### Bank (external)\n\n**Purpose:** Pays.\n\n### Worker\n\n\
         **Responsibilities:**\n{}\n\n## 4) Primary Interface/API\n\n\
         ### Operation: `make` — `POST /rows/{{x}}`\n\n**Input:**\n- `x` (integer) | x | required\n\n\
         **Output:** the `row`\n\n**Behavior:**\n{}\n\n## 7) Canonical Flows\n\n### Flow: f\n\n{}\n\n**Errors:**\n{}\n",
        list(standing),
        list(behaviour),
        list(flow),
        list(flow)
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn soups_of_steps_end_in_notes(
        behaviour in prop::collection::vec(soup(), 0..6),
        standing in prop::collection::vec(soup(), 0..3),
        flow in prop::collection::vec(soup(), 0..4),
    ) {
        let source = document(&behaviour, &standing, &flow);
        let compiled = outline::compile(&source);
        for note in &compiled.notes {
            prop_assert!(source.get(note.span.range()).is_some(), "{:?}", note);
        }
        for operation in &compiled.program.operations {
            let code = &operation.code;
            prop_assert_eq!(code.spans.len(), code.instructions.len());
        }
        // What is not wrong is printed without a slot or statement that does not exist.
        let _ = outline::program(&compiled.program);
        let _ = outline::flows(&compiled);
    }

    #[test]
    fn a_sentence_of_one_form_and_any_tails_ends_in_notes(
        head in prop::sample::select(WORDS),
        words in prop::collection::vec(prop::sample::select(WORDS), 0..12),
    ) {
        let sentence = format!("{head} `row` {}", words.join(" "));
        let source = document(std::slice::from_ref(&sentence), &[], &[]);
        let compiled = outline::compile(&source);
        prop_assert_eq!(compiled.behaviours.len(), compiled.program.operations.len());
    }
}

#[test]
fn steps_inside_one_another_are_bounded() {
    let behaviour = format!("{}stops.", "If `true`, ".repeat(50_000));
    let compiled = outline::compile(&document(&[behaviour], &[], &[]));
    let text = outline::notes("", &compiled);
    assert!(text.contains("fewer steps inside one another"), "{text}");
}

#[test]
fn a_long_sentence_takes_linear_time() {
    let behaviour = format!("Finds the `row` where `f == 1` {}", "and the `f == 1` ".repeat(20_000));
    let flow = "visitor the and ".repeat(50_000);
    let compiled = outline::compile(&document(&[behaviour], &[], &[flow]));
    assert_eq!(compiled.program.operations.len(), 1);
}
