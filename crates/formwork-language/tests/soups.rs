//! Whatever is written, reading and computing end without a panic and in bounded time.

mod common;

use common::{names, run, schema};
use formwork_language::expression::{Bare, Equals, assignment, parse};
use formwork_language::value::{json, text};
use formwork_language::{constraint, sql};
use proptest::prelude::*;

/// Pieces that expressions are made of, in any order.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    ":",
    "?",
    "??",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "=",
    " in ",
    "null",
    "true",
    "1",
    "0",
    "2.5",
    "9223372036854775807",
    "1e308",
    "7u",
    "'a'",
    "\"ß🙂\"",
    "b'x'",
    "none",
    "number",
    "text",
    "row",
    "row.title",
    "input.sent",
    "words",
    "json",
    "title",
    "likes",
    "price",
    "at",
    "now()",
    "x",
    "size(",
    "has(",
    "round(",
    "sum(",
    ".exists(x,",
    ".map(x,",
    ".filter(x,",
    "duration('1h')",
    "timestamp('2026-11-23T12:00:00Z')",
    "'\\",
    "`",
    "//",
    "\n",
    ".matches('[')",
    "substring(",
    "pow(",
    "replace(",
    "split(",
    "min(",
    "date(",
    "format(",
    "random_slug(",
    "random_integer(",
    "backoff(",
    "int(",
    "string(",
    "decimal(",
    "double(",
    "add_months(",
    "first(words, x,",
    "index_by(",
];

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// Expressions that mostly parse: nested calls and operators over values.
fn sound() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "1",
        "-3",
        "0",
        "2.5",
        "'a'",
        "none",
        "number",
        "text",
        "amount",
        "words",
        "json",
        "row.price",
        "row.at",
        "duration('1h')",
        "row.state",
        "maybe",
        "flag",
        "9223372036854775807",
        "double(2)",
        "[1, 2]",
        "{'a': 1}",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operators = proptest::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", "&&", "||", "??", "in",
        ]);
        let functions = proptest::sample::select(vec![
            "size",
            "string",
            "int",
            "double",
            "decimal",
            "abs",
            "round",
            "floor",
            "upper",
            "trim",
            "sum",
            "min",
            "max",
            "sha256",
            "base64",
            "url_encode",
            "type",
            "date",
            "start_of_month",
            "days",
            "dyn",
        ]);
        let two = proptest::sample::select(vec![
            "round",
            "pow",
            "min",
            "max",
            "add_months",
            "format",
            "split",
            "join",
            "substring",
            "random_integer",
        ]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (functions, inner.clone()).prop_map(|(function, of)| format!("{function}({of})")),
            (two, inner.clone(), inner.clone())
                .prop_map(|(function, one, other)| format!("{function}({one}, {other})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(test, yes, no)| format!("({test} ? {yes} : {no})")),
            (inner.clone(), inner.clone()).prop_map(|(of, at)| format!("dyn({of})[{at}]")),
            (inner.clone(), inner).prop_map(|(of, body)| format!("dyn({of}).map(x, dyn(x) == {body})")),
        ]
    })
}

fn all_of(source: &str) {
    let _ = run(source);
    let _ = assignment(source, &|at| at);
    if let Ok(ast) = parse(source, Equals::Compares, &|at| at) {
        let schema = schema();
        let mut names = names(&schema);
        names.bare = Bare::Searched(0);
        let mut notes = Vec::new();
        let lowered = sql::condition(&ast, &names, 0, &mut notes);
        assert!(lowered.is_some() || !notes.is_empty(), "nothing came out and nothing was said: {source}");
        for field in 0..12 {
            let mut notes = Vec::new();
            let lowered = sql::operand(&ast, field, &names, 0, &mut notes);
            assert!(lowered.is_some() || !notes.is_empty() || field > 10, "nothing was said: {source}");
        }
    }
}

proptest! {
    #[test]
    fn soups_of_pieces_never_panic(source in soup()) {
        all_of(&source);
    }

    #[test]
    fn soups_of_characters_never_panic(source in ".{0,60}") {
        all_of(&source);
    }

    #[test]
    fn sound_expressions_never_panic(source in sound()) {
        all_of(&source);
    }

    #[test]
    fn an_expression_without_a_result_says_why(source in sound()) {
        if let Err(common::Outcome::Notes(notes)) = run(&source) {
            prop_assert!(!notes.is_empty(), "{}", source);
        }
    }

    #[test]
    fn texts_of_values_never_panic(source in ".{0,40}") {
        let _ = json::parse(&source);
        let _ = text::parse_timestamp(&source);
        let _ = text::parse_duration(&source);
        let _ = text::parse_decimal(&source);
        let _ = text::parse_uuid(&source);
        let _ = text::parse_date(&source);
        let _ = text::parse_time(&source);
        let _ = constraint::pattern(&source);
        let _ = constraint::is_uri(&source);
        let _ = constraint::is_email(&source);
    }

    #[test]
    fn timestamps_read_back_what_they_write(time in -62_135_596_800_000_000i64..=253_402_300_799_999_999) {
        prop_assert_eq!(text::parse_timestamp(&text::format_timestamp(time)), Some(time));
    }

    #[test]
    fn durations_read_back_what_they_write(length in -315_576_000_000_000_000i64..=315_576_000_000_000_000) {
        prop_assert_eq!(text::parse_duration(&text::format_duration(length)), Some(length));
    }

    #[test]
    fn json_reads_back_what_it_writes(value in json_value()) {
        let written = json::to_json(&value);
        let other: serde_json::Value = serde_json::from_str(&written).expect("another reader takes it");
        let read = json::parse(&written).expect("it reads its own");
        prop_assert_eq!(json::to_json(&read), written.clone());
        let theirs = json::parse(&other.to_string()).expect("it reads the other's");
        prop_assert!(formwork_language::value::same(&read, &theirs), "{} {}", written, other);
    }
}

fn json_value() -> impl Strategy<Value = formwork_language::value::Value> {
    use formwork_language::value::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        // Eighths, because the other reader rounds the last digit of longer fractions.
        any::<i32>().prop_map(|eighths| Value::Double(f64::from(eighths) / 8.0)),
        ".{0,12}".prop_map(|text| Value::text(&text)),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| Value::List(items.into())),
            proptest::collection::btree_map("[a-zé\"]{0,4}", inner, 0..5).prop_map(|entries| {
                Value::Map(entries.into_iter().map(|(key, value)| (Value::text(&key), value)).collect())
            }),
        ]
    })
}
