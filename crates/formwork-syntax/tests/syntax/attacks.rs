//! Texts made to take long or to nest deep: each is read in time that grows with its length, without overflow.

use formwork_syntax::{NoteKind, parse};
use std::time::{Duration, Instant};

/// Name and the text for a size.
type Attack = (&'static str, fn(usize) -> String);

const ATTACKS: &[Attack] = &[
    ("nested quotes", |n| ">".repeat(n) + "a\n"),
    ("nested quotes, lazy lines", |n| ">".repeat(n) + "a\n" + &"b\n".repeat(n)),
    ("nested lists on one line", |n| "- ".repeat(n) + "x\n"),
    ("nested lists, blank lines in a fence", |n| "- ".repeat(n) + "```\n" + &"\n".repeat(n)),
    ("nested numbers, blank lines", |n| "1. ".repeat(n) + "x\n" + &"\n".repeat(n)),
    ("nested by indentation", |n| {
        let depth = n.isqrt();
        (0..depth).map(|level| format!("{}- a\n", "  ".repeat(level))).collect::<String>()
            + "\n"
            + &"\n".repeat(n)
    }),
    ("lists of one item", |n| "- a\n* b\n".repeat(n / 4)),
    ("one long line", |n| "word ".repeat(n / 5)),
    ("one long word", |n| "a".repeat(n)),
    ("label lines", |n| "**Label:** text\n".repeat(n / 8)),
    ("plain lines without colon", |n| "Label text\n".repeat(n / 8)),
    ("emphasis in one line", |n| "**a** ".repeat(n / 4)),
    ("heads at lines", |n| "*a*\n".repeat(n / 4)),
    ("open emphasis", |n| "*a ".repeat(n / 2)),
    ("open strong", |n| "a**b".repeat(n / 3)),
    ("closers", |n| "a* _b ".repeat(n / 4)),
    ("open brackets", |n| "[".repeat(n)),
    ("nested brackets", |n| "[".repeat(n / 2) + "a" + &"]".repeat(n / 2)),
    ("open links", |n| "[a](".repeat(n / 4)),
    ("links with angle", |n| "[a](<b".repeat(n / 5)),
    ("images", |n| "![a][".repeat(n / 4)),
    ("backticks of rising length", |n| (1..n.isqrt()).map(|count| "`".repeat(count) + " ").collect()),
    ("backticks that never match", |n| "`a``b```".repeat(n / 8) + "c"),
    ("code over lines", |n| format!("> `{}`\n", "a\n> ".repeat(n / 4))),
    ("escaped pipes in a cell", |n| format!("| a |\n|---|\n| `{}` |\n", "\\|".repeat(n / 2))),
    ("columns", |n| "|a".repeat(n / 4) + "|\n" + &"|-".repeat(n / 4) + "|\n" + &"|b|\n".repeat(n / 8)),
    ("short rows", |n| "|a".repeat(300) + "|\n" + &"|-".repeat(300) + "|\n" + &"|b|\n".repeat(n / 4)),
    ("table heads without a table", |n| "|a|b\n|-\n".repeat(n / 8)),
    ("comments that never close", |n| "<!-- ".repeat(n / 4)),
    ("inline comments that never close", |n| "a <!-- ".repeat(n / 6)),
    ("tags that never close", |n| "a <b c=\"".repeat(n / 8)),
    ("declarations", |n| "a <!A ".repeat(n / 6)),
    ("instructions", |n| "a <? ".repeat(n / 5)),
    ("entities", |n| "&amp;".repeat(n / 5)),
    ("ampersands", |n| "&".repeat(n)),
    ("definitions", |n| (0..n / 10).map(|at| format!("[{at}]: u\n")).collect()),
    ("uses of one definition", |n| format!("[a]: {}\n\n{}", "u".repeat(n / 2), "[a] ".repeat(n / 8))),
    ("definitions that fail", |n| "[a]: (\n".repeat(n / 7)),
    ("quotation marks", |n| "\"(".repeat(n / 2) + ":"),
    ("headings", |n| "# a\n###### b\n".repeat(n / 12)),
    ("setext underlines", |n| "a\n=\n".repeat(n / 4)),
    ("fences that never close", |n| "- ```\n".repeat(n / 6)),
    ("line feeds", |n| "\n".repeat(n)),
    ("carriage returns", |n| "\r".repeat(n)),
    ("windows lines in code", |n| "```\r\n".to_owned() + &"a\r\n".repeat(n / 3)),
    ("tabs", |n| "\t- a\n".repeat(n / 5)),
    ("tabs in lists", |n| "- a\n\t- b\n".repeat(n / 9)),
    ("NUL", |n| "\0".repeat(n)),
    ("NUL and text", |n| "\0a".repeat(n / 2)),
    ("backslashes", |n| "\\".repeat(n)),
    ("thematic breaks", |n| "- ".repeat(n / 2) + "\n" + &"* * *\n".repeat(n / 12)),
    ("tasks", |n| "- [ ] a\n".repeat(n / 8)),
];

/// The time for which this thread has run, so that a busy machine does not look like a slow reader; where the system
/// does not tell, the time that has passed.
fn running_time(started: Instant) -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.map_or_else(|| started.elapsed(), Duration::from_nanos)
}

fn time(text: &str) -> Duration {
    let started = Instant::now();
    let before = running_time(started);
    let document = parse(text, &|_| true);
    drop(document);
    running_time(started).saturating_sub(before)
}

/// Four times the text may take six times as long; the shortest of a few runs counts, and what takes under
/// 10 ms is not measured. A quadratic reader takes sixteen times as long.
#[test]
fn time_grows_with_the_length_of_the_text() {
    let mut slow = Vec::new();
    for (name, make) in ATTACKS {
        let (small, large) = (make(10_000), make(40_000));
        let grows = |_: u32| {
            let limit = 6 * time(&small).max(time(&small)) + Duration::from_millis(10);
            time(&large) > limit
        };
        if (0..5).all(grows) {
            slow.push((name, time(&small), time(&large)));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn large_attacks_end_in_bounded_time() {
    for (name, make) in ATTACKS {
        let text = make(300_000);
        let taken = time(&text);
        assert!(taken < Duration::from_secs(10), "{name}: {taken:?} for {} bytes", text.len());
    }
}

#[test]
fn ten_thousand_nested_lists_are_cut_and_kept_as_text() {
    let source = "- ".repeat(10_000) + "x";
    let document = parse(&source, &|_| true);
    assert_eq!(document.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [NoteKind::TooDeep]);
    let shown = crate::visible::shown_lines(&source, &document).concat();
    assert!(shown.starts_with("- - -") && shown.ends_with("- x"), "{}", shown.len());
    crate::visible::assert_spans_are_sound(&source, &document);
}

#[test]
fn attacks_keep_sound_spans() {
    for (_, make) in ATTACKS {
        let source = make(3_000);
        crate::visible::assert_spans_are_sound(&source, &parse(&source, &|_| true));
    }
}
