//! Each notation, before and after. What is not named in `docs/reference/fmt.md` stays byte for byte.

use formwork_format::format;

fn formatted(text: &str) -> String {
    let formatted = format(text.into());
    assert_eq!(formatted.left_out, 0, "{}", formatted.text);
    formatted.text
}

fn entity(fields: &str) -> String {
    format!("## 6) Data Model\n\n### Entity: `link`\n\n**Fields:**\n{fields}\n")
}

fn field(line: &str) -> String {
    let text = formatted(&entity(line));
    text.lines().find(|line| line.starts_with("- ")).expect("a field").to_owned()
}

#[test]
fn a_field_is_written_with_its_name_in_code_and_bars_between_the_columns() {
    let cases = [
        ("- `slug` (string) | the short name | required", "- `slug` (string) | the short name | required"),
        ("- `slug` (string): the short name", "- `slug` (string) | the short name"),
        ("- `slug` (string) — the short name", "- `slug` (string) | the short name"),
        ("- **`slug`** (string) - the short name", "- `slug` (string) | the short name"),
        ("- slug (string) | the short name | required", "- `slug` (string) | the short name | required"),
        ("- `slug`: string | the short name | required", "- `slug` (string) | the short name | required"),
        ("- `slug`  (string)|the short name|required", "- `slug` (string) | the short name | required"),
        ("- `slug` (string, required)", "- `slug` (string) | required"),
        ("- `slug` (string, required): the short name", "- `slug` (string) | the short name | required"),
        ("- slug (string) | | required", "- `slug` (string) | | required"),
        ("- `slug` (string?) | the short name", "- `slug` (string?) | the short name"),
    ];
    for (before, after) in cases {
        assert_eq!(field(before), after, "{before}");
    }
}

#[test]
fn types_bear_their_canonical_names() {
    let cases = [
        ("- `a` (text) | x", "- `a` (string) | x"),
        ("- `a` (int) | x", "- `a` (integer) | x"),
        ("- `a` (bigint?) | x", "- `a` (integer?) | x"),
        ("- `a` (timestamptz) | x", "- `a` (timestamp) | x"),
        ("- `a` (url) | x", "- `a` (uri) | x"),
        ("- `a` (array of text) | x", "- `a` (string[]) | x"),
        ("- `a` (varchar(64)) | x", "- `a` (string) | x | max 64 chars"),
        ("- `a` (varchar(64)) | x | not null", "- `a` (string) | x | max 64 chars, required"),
        ("- `a` (decimal(10,2)) | x", "- `a` (decimal(10,2)) | x"),
        ("- `a` (enum(b, c)) | x", "- `a` (enum(b, c)) | x"),
        ("- `a` (path) | x", "- `a` (path) | x"),
        ("- `a` (number) | x", "- `a` (number) | x"),
        ("- `a` (UUID) | x", "- `a` (uuid) | x"),
    ];
    for (before, after) in cases {
        assert_eq!(field(before), after, "{before}");
    }
}

#[test]
fn constraints_are_written_in_the_words_of_the_language() {
    let cases = [
        ("- `a` (uuid) | x | PK", "- `a` (uuid) | x | primary key"),
        ("- `a` (string) | x | NOT NULL, unique", "- `a` (string) | x | required, unique"),
        ("- `a` (string) | x | nullable", "- `a` (string) | x | optional"),
        ("- `a` (integer) | x | >= 0, <=10", "- `a` (integer) | x | ≥ 0, ≤ 10"),
        ("- `a` (integer) | x | required, default: 0", "- `a` (integer) | x | required, default 0"),
        (
            "- `a` (uuid) | x | FK to link.id, on delete cascade",
            "- `a` (uuid) | x | references `link.id`, on delete cascade",
        ),
        ("- `a` (string) | x | PII; index", "- `a` (string) | x | personal data; indexed"),
    ];
    for (before, after) in cases {
        assert_eq!(field(before), after, "{before}");
    }
}

#[test]
fn a_field_with_anything_unaccounted_for_stays_as_it_is() {
    for line in [
        "- `a` (string) | [description] | [constraints]",
        "- `a` (string) | see [the wiki](https://example.com/x) | required",
        "- `a` (string) | **bold** words | required",
        "- [ ] `a` (string): x",
    ] {
        let text = entity(line);
        assert_eq!(format(text.as_str().into()).text, text, "{line}");
    }
}

#[test]
fn tables_keep_their_shape_and_get_the_words() {
    let text = "## 6) Data Model\n\n### Entity: `link`\n\n**Fields:**\n\n| Field | Type | Description | Constraints |\n|---|:--|---|---|\n| `id` | uuid | identity | PK |\n| `clicks` | int | so far | >= 0 |\n";
    let expected = "## 6) Data Model\n\n### Entity: `link`\n\n**Fields:**\n\n| Field    | Type    | Description | Constraints |\n| -------- | :------ | ----------- | ----------- |\n| `id`     | uuid    | identity    | primary key |\n| `clicks` | integer | so far      | ≥ 0         |\n";
    assert_eq!(formatted(text), expected);
}

#[test]
fn a_wide_table_has_one_blank_around_each_cell() {
    let long = "x".repeat(130);
    let text = format!("# T\n\n|a|b|\n|-|:-:|\n|{long}|y\\|z|\n");
    assert_eq!(formatted(&text), format!("# T\n\n| a | b |\n| --- | :-: |\n| {long} | y\\|z |\n"));
}

fn title(title: &str) -> String {
    let text = formatted(&format!(
        "## 4) Primary Interface/API\n\n{title}\n\n**Input:**\n- `id` (string) | x | required\n\n**Output:** nothing\n"
    ));
    text.lines().nth(2).expect("a title").to_owned()
}

#[test]
fn an_operations_title_has_its_name_and_route_in_code() {
    let cases = [
        ("#### Operation: `get` — `GET /links/{id}`", "#### Operation: `get` — `GET /links/{id}`"),
        ("#### `get` - `GET /links/{id}`", "#### Operation: `get` — `GET /links/{id}`"),
        ("#### Operation: `get` (`GET /links/:id`)", "#### Operation: `get` — `GET /links/{id}`"),
        ("### operation: `get`", "### Operation: `get`"),
        ("####   Operation: `get`   ####", "#### Operation: `get`"),
    ];
    for (before, after) in cases {
        assert_eq!(title(before), after, "{before}");
    }
}

#[test]
fn slos_have_signs_and_blanks_before_units() {
    let slo = |line: &str| {
        let text = formatted(&format!("## 8) Performance\n\n### SLO Targets\n\n{line}\n"));
        text.lines().last().expect("a line").to_owned()
    };
    assert_eq!(slo("- `latency` <= 50ms (p99) over 30d"), "- `latency` ≤ 50 ms (p99) over 30 d");
    assert_eq!(slo("- `availability` >=99.9%"), "- `availability` ≥ 99.9%");
    assert_eq!(slo("- p95 latency of `x` under 80ms"), "- p95 latency of `x` under 80ms");
}

#[test]
fn lists_have_hyphens_and_points() {
    assert_eq!(formatted("# T\n\n* a\n* b\n  + c\n\n1) d\n2) e\n"), "# T\n\n- a\n- b\n  - c\n\n1. d\n2. e\n");
}

#[test]
fn lists_that_their_marks_tell_apart_stay_apart() {
    let text = "# T\n\n- a\n\n* b\n";
    assert_eq!(formatted(text), text);
}

#[test]
fn headings_and_blocks_stand_apart_and_blanks_at_ends_go() {
    let text = "\n# T  \ntext\t\n## A ##\nwords\n- x \n\n\n\n```\n  code  \n\n\n```\nmore";
    let expected = "# T\ntext\n\n## A\nwords\n\n- x\n\n```\n  code  \n\n\n```\n\nmore\n";
    assert_eq!(formatted(text), expected);
}

#[test]
fn line_breaks_of_two_blanks_and_line_ends_of_the_file_stay() {
    assert_eq!(formatted("# T\r\n\r\none  \r\ntwo  \r\n"), "# T\r\n\r\none  \r\ntwo\r\n");
}

#[test]
fn prose_is_untouched() {
    let text = "# T\n\n## 0) Executive Summary\n\nAt most <= 50ms, *really*; a `varchar` is >= 0 ...\nsecond  line\n";
    assert_eq!(formatted(text), text);
}

#[test]
fn what_ships_with_formwork_is_canonical() {
    for example in formwork_format::EXAMPLES {
        assert_eq!(formatted(example.text), example.text, "{}", example.name);
    }
    let blank = formwork_format::blank(None);
    assert_eq!(formatted(&blank), blank);
}

/// The pairs of the first table of `docs/reference/fmt.md` that show a whole line.
fn pairs_of_the_page() -> Vec<(String, String)> {
    let page = include_str!("../../../../docs/reference/fmt.md");
    let rows = page.lines().filter(|line| line.starts_with('|') && line.contains("``"));
    rows.filter_map(|row| {
        let row = row.replace("\\|", "\u{1}");
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect();
        let code = |cell: &str| {
            let inside = cell.strip_prefix("``")?.strip_suffix("``")?;
            Some(inside.strip_prefix(' ').unwrap_or(inside).trim_end().to_owned())
        };
        Some((code(cells.get(2)?)?, code(cells.get(3)?)?))
    })
    .collect()
}

#[test]
fn every_line_of_the_page_is_true() {
    let pairs = pairs_of_the_page();
    assert!(pairs.len() >= 5, "{pairs:?}");
    for (before, after) in pairs {
        let around = match () {
            () if before.contains("endpoint") => "## 5) Internal Service APIs",
            () if before.starts_with('#') => "## 4) Primary Interface/API",
            () if before.contains("latency") => "## 8) Performance\n\n### SLO Targets",
            () => "## 6) Data Model\n\n### Entity: `link`\n\n**Fields:**\n- `id` (uuid) | x",
        };
        let gap = if before.starts_with('#') { "\n\n" } else { "\n" };
        let end = if before.starts_with('#') { "\n\n**Purpose:** x\n" } else { "\n" };
        assert_eq!(formatted(&format!("{around}{gap}{before}{end}")), format!("{around}{gap}{after}{end}"));
    }
}
